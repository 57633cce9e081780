//! The journal of changes, for administrators: who changed what, from what to what. What is written
//! there stays.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::Base;
use super::accounts::Actor;
use crate::domain::{
    OrderId, OrderStatus, OrgRole, OrganizationId, PersonId, ProductId, Role, Timestamp, ViewId,
};
use crate::storage::audit::{self, AuditFilter, AuditRow, Entry};
use crate::storage::{
    StorageError, orders, organizations, persons, products, requests, saved_views,
};

/// Entries in one export.
pub const EXPORT_MAX: u32 = 100_000;

/// What an action is called.
const ACTIONS: &[(&str, &str)] = &[
    ("access.decided", "запрос доступа решён"),
    ("backup.downloaded", "копия скачана"),
    ("backup.made", "копия сделана"),
    ("catalog.import", "каталог загружен из файла"),
    ("catalog.import_undo", "загрузка каталога отменена"),
    ("exchange.hide", "не упомянутые товары скрыты"),
    ("exchange.keep", "не упомянутые товары оставлены"),
    ("exchange.map_status", "соответствие статуса 1С"),
    ("exchange.offer_again", "заказ предложен 1С снова"),
    ("exchange.pull", "каталог забран из 1С"),
    ("exchange.replay", "обмен повторён"),
    ("golden.imported", "эталоны загружены"),
    ("golden.kept", "эталон сохранён"),
    ("golden.removed", "эталон удалён"),
    ("journal.exported", "журнал выгружен"),
    ("legacy.import", "данные прежней программы перенесены"),
    ("member.invited", "приглашение в организацию"),
    ("member.joined", "вход в организацию"),
    ("member.role", "роль в организации"),
    ("member.state", "участник организации"),
    ("organization.block", "организация закрыта"),
    ("organization.manager", "менеджер организации"),
    ("organization.merge", "присоединён дубль"),
    ("organization.price_type", "вид цен организации"),
    ("organization.unblock", "организация открыта"),
    ("organization.unverify", "подтверждение снято"),
    ("organization.verify", "организация подтверждена"),
    ("outbox.retried", "сообщения отправлены снова"),
    ("person.access_closed", "доступ закрыт владельцем номера"),
    ("person.blocked", "блокировка"),
    ("person.confirmed", "номер подтверждён прежним чатом"),
    ("person.deletion_asked", "просьба удалить данные"),
    ("person.password", "пароль"),
    ("person.phone", "номер телефона"),
    ("person.registered", "регистрация"),
    ("person.reset", "доступ сброшен"),
    ("person.role", "роль"),
    ("person.sign_in", "вход"),
    ("person.sign_out", "выход"),
    ("phrase.accepted", "слова клиента приняты"),
    ("phrase.refused", "слова клиента отклонены"),
    ("phrase.forgotten", "слова клиента забыты"),
    ("product.own_fields", "свои поля товара"),
    ("setting.changed", "настройка"),
    ("synonym.added", "синоним добавлен"),
    ("synonym.changed", "синоним изменён"),
    ("synonym.removed", "синоним удалён"),
    ("template.removed", "шаблон удалён"),
    ("template.renamed", "шаблон переименован"),
    ("template.saved", "шаблон сохранён"),
    ("view.overwritten", "отбор вида заменён"),
    ("view.removed", "вид заказов удалён"),
    ("view.renamed", "вид заказов переименован"),
    ("view.saved", "вид заказов сохранён"),
];

/// What an action is called; its code where we do not know it.
pub fn action_label(action: &str) -> &str {
    ACTIONS.iter().find(|(code, _)| *code == action).map_or(action, |(_, label)| label)
}

/// A value in words where the journal keeps its code: a role, a state.
pub fn value_label<'a>(action: &str, value: &'a str) -> &'a str {
    let label = match action {
        "person.role" => value.parse().ok().map(Role::label),
        "member.role" | "member.invited" | "member.joined" => {
            value.parse().ok().map(OrgRole::label)
        }
        "exchange.map_status" => value.parse().ok().map(OrderStatus::staff_label),
        _ => None,
    };
    label.unwrap_or(match (action, value) {
        ("member.state", "pending") => "ждёт решения",
        ("member.state", "active") => "в организации",
        ("member.state", "left") => "не в организации",
        ("access.decided", "granted") => "доступ открыт",
        ("access.decided", "refused") => "отказано",
        _ => value,
    })
}

/// What the journal's entries are about, by the object's code: names as they are now.
pub type Names = HashMap<String, String>;

/// What may be filtered by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// People in the journal.
    pub people: Vec<(PersonId, String)>,
    /// Actions in it.
    pub actions: Vec<String>,
}

/// The journal. Clones share it.
#[derive(Clone)]
pub struct Journal {
    base: Base,
}

impl Journal {
    /// Over this base.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// A page of entries, newest first, and how many there are in all.
    pub async fn page(
        &self,
        filter: AuditFilter,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<AuditRow>, u32), StorageError> {
        self.base.db.read(move |conn| audit::page(conn, &filter, offset, limit)).await
    }

    /// Names of what the entries are about, where it still is.
    pub async fn names(&self, rows: &[AuditRow]) -> Result<Names, StorageError> {
        let objects: HashSet<String> = rows.iter().map(|row| row.object.clone()).collect();
        self.base
            .db
            .read(move |conn| {
                let mut names = Names::new();
                for object in objects {
                    if let Some(name) = name_of(conn, &object)? {
                        names.insert(object, name);
                    }
                }
                Ok(names)
            })
            .await
    }

    /// What may be filtered by.
    pub async fn choices(&self) -> Result<Choices, StorageError> {
        let read = |conn: &rusqlite::Connection| {
            Ok(Choices { people: audit::people(conn)?, actions: audit::actions(conn)? })
        };
        self.base.db.read(read).await
    }

    /// Everything that fits the filter, for an export, which is noted in the journal itself.
    pub async fn export(
        &self,
        by: Actor,
        filter: AuditFilter,
    ) -> Result<Vec<AuditRow>, StorageError> {
        let rows = self.page(filter, 0, EXPORT_MAX).await?.0;
        let count = rows.len().to_string();
        self.note(&by, "journal.exported", "audit", (None, Some(&count))).await?;
        Ok(rows)
    }

    /// Notes what somebody did where no other change is made.
    pub async fn note(
        &self,
        by: &Actor,
        action: &'static str,
        object: &str,
        (before, after): (Option<&str>, Option<&str>),
    ) -> Result<(), StorageError> {
        let (by, now) = (by.clone(), self.base.clock.now());
        let (object, before, after) =
            (object.to_owned(), before.map(str::to_owned), after.map(str::to_owned));
        self.base
            .db
            .write(move |tx| {
                let change = (before.as_deref(), after.as_deref());
                audit::record(tx, &entry(&by, now, action, &object, change))
            })
            .await
    }
}

/// What an object of the journal is called now.
fn name_of(conn: &Connection, object: &str) -> Result<Option<String>, StorageError> {
    let (kind, rest) = object.split_once(':').unwrap_or((object, ""));
    let mut ids = rest.split(':').map(str::parse::<i64>);
    let (Some(Ok(id)), second) = (ids.next(), ids.next()) else { return Ok(None) };
    let person = |id| Ok::<_, StorageError>(persons::find(conn, PersonId(id))?.map(|row| row.name));
    let organization = |id| {
        let found = organizations::find(conn, OrganizationId(id))?;
        Ok::<_, StorageError>(found.map(|row| row.name))
    };
    let name = match kind {
        "person" => person(id)?,
        "organization" => organization(id)?,
        "member" => {
            let member = second.and_then(Result::ok).map(person).transpose()?.flatten();
            let names = [member, organization(id)?];
            let names: Vec<String> = names.into_iter().flatten().collect();
            Some(names.join(", "))
        }
        "product" => products::find(conn, ProductId(id))?.map(|row| row.title),
        "order" => orders::find(conn, OrderId(id))?.map(|row| row.number.to_string()),
        "view" => saved_views::find(conn, ViewId(id))?.map(|row| row.name),
        "access_request" => requests::find(conn, id)?.map(|row| row.name),
        _ => None,
    };
    Ok(name.filter(|name| !name.is_empty()))
}

/// An entry of the journal.
pub fn entry<'a>(
    by: &'a Actor,
    now: Timestamp,
    action: &'a str,
    object: &'a str,
    (before, after): (Option<&'a str>, Option<&'a str>),
) -> Entry<'a> {
    Entry {
        at: now,
        channel: by.channel,
        person: by.person,
        address: &by.address,
        action,
        object,
        before,
        after,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What the journal's actions are about.
    const ROOMS: &[&str] = &[
        "access",
        "backup",
        "catalog",
        "exchange",
        "golden",
        "journal",
        "legacy",
        "member",
        "organization",
        "outbox",
        "person",
        "phrase",
        "product",
        "setting",
        "synonym",
        "view",
    ];

    fn actions(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                actions(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source file");
            found.extend(text.split('"').filter(|part| is_action(part)).map(str::to_owned));
        }
    }

    fn is_action(text: &str) -> bool {
        text.split_once('.').is_some_and(|(room, what)| {
            let word = |c: char| c.is_ascii_lowercase() || c == '_';
            let file = matches!(what, "json" | "xml" | "db");
            ROOMS.contains(&room) && !file && !what.is_empty() && what.chars().all(word)
        })
    }

    #[test]
    fn every_action_of_the_services_has_words() {
        let mut found = Vec::new();
        for folder in ["src/services", "src/cli"] {
            actions(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
        }
        assert!(found.len() > 40, "the actions are found: {found:?}");
        let nameless: Vec<_> = found.iter().filter(|code| action_label(code) == *code).collect();
        assert!(nameless.is_empty(), "no words for {nameless:?}");
    }

    #[test]
    fn codes_of_values_are_said_in_words() {
        assert_eq!(value_label("person.role", "manager"), "менеджер");
        assert_eq!(value_label("member.role", "owner"), "владелец");
        assert_eq!(value_label("exchange.map_status", "shipped"), "Отгружена");
        assert_eq!(value_label("setting.changed", "owner"), "owner");
    }
}
