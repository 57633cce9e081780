//! The journal of changes, for administrators: who changed what, from what to what. What is written
//! there stays.

use super::Base;
use super::accounts::Actor;
use crate::domain::{PersonId, Timestamp};
use crate::storage::StorageError;
use crate::storage::audit::{self, AuditFilter, AuditRow, Entry};

/// Entries in one export.
pub const EXPORT_MAX: u32 = 100_000;

/// What an action is called.
const ACTIONS: &[(&str, &str)] = &[
    ("access.decided", "запрос доступа решён"),
    ("backup.downloaded", "копия скачана"),
    ("backup.made", "копия сделана"),
    ("catalog.import", "каталог загружен из файла"),
    ("golden.imported", "эталоны загружены"),
    ("golden.kept", "эталон сохранён"),
    ("golden.removed", "эталон удалён"),
    ("journal.exported", "журнал выгружен"),
    ("member.invited", "приглашение в организацию"),
    ("member.joined", "вход в организацию"),
    ("member.role", "роль в организации"),
    ("member.state", "участник организации"),
    ("organization.block", "организация закрыта"),
    ("organization.manager", "менеджер организации"),
    ("organization.unblock", "организация открыта"),
    ("organization.unverify", "подтверждение снято"),
    ("organization.verify", "организация подтверждена"),
    ("outbox.retried", "сообщения отправлены снова"),
    ("person.access_closed", "доступ закрыт владельцем номера"),
    ("person.blocked", "блокировка"),
    ("person.confirmed", "номер подтверждён прежним чатом"),
    ("person.password", "пароль"),
    ("person.phone", "номер телефона"),
    ("person.registered", "регистрация"),
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
];

/// What an action is called; its code where we do not know it.
pub fn action_label(action: &str) -> &str {
    ACTIONS.iter().find(|(code, _)| *code == action).map_or(action, |(_, label)| label)
}

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
