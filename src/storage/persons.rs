//! People: who they are and what they may do in the program as a whole.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::config::Access;
use crate::domain::{ChatKey, OrganizationId, PersonId, Phone, Role, Timestamp};

/// A row of `persons`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct PersonRow {
    /// The row.
    pub id: PersonId,
    /// The full name; empty when only the number is known.
    pub name: String,
    /// The number that the person is found by.
    pub phone: Option<Phone>,
    /// Whether the number is proven: by its contact, or by the operator.
    pub phone_verified: bool,
    /// What the person says their number is; proves nothing.
    pub claimed_phone: Option<Phone>,
    /// For documents; may be empty.
    pub email: String,
    /// A PHC string; `None`: no login by password.
    pub password_hash: Option<String>,
    /// A role given in the panel or by the CLI; [`role`] is what counts.
    pub granted_role: Option<Role>,
    /// May do nothing.
    pub blocked: bool,
    /// Gets new orders.
    pub on_shift: bool,
    /// Grows to end every session of the person.
    pub security_stamp: i64,
    /// The organization the person works for at the moment.
    pub current_organization: Option<OrganizationId>,
    /// One of the people of the demo.
    pub demo: bool,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When the person last did something.
    pub seen_at: Option<Timestamp>,
}

/// What a new person starts with.
#[derive(Debug, Clone, Default)]
pub struct NewPerson<'a> {
    /// The full name.
    pub name: &'a str,
    /// The number that the person is found by.
    pub phone: Option<&'a Phone>,
    /// Whether the number is proven.
    pub phone_verified: bool,
    /// What the person says their number is.
    pub claimed_phone: Option<&'a Phone>,
    /// For documents.
    pub email: &'a str,
    /// A PHC string.
    pub password_hash: Option<&'a str>,
    /// A role of staff.
    pub granted_role: Option<Role>,
    /// One of the people of the demo.
    pub demo: bool,
}

const COLUMNS: &str = "p.id, p.name, p.phone, p.phone_verified, p.claimed_phone, p.email,
    p.password_hash, p.granted_role, p.blocked, p.on_shift, p.security_stamp,
    p.current_organization_id, p.demo, p.created_at_ms, p.seen_at_ms";

impl PersonRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            phone: row.get("phone")?,
            phone_verified: row.get("phone_verified")?,
            claimed_phone: row.get("claimed_phone")?,
            email: row.get("email")?,
            password_hash: row.get("password_hash")?,
            granted_role: row.get("granted_role")?,
            blocked: row.get("blocked")?,
            on_shift: row.get("on_shift")?,
            security_stamp: row.get("security_stamp")?,
            current_organization: row.get("current_organization_id")?,
            demo: row.get("demo")?,
            created_at: row.get("created_at_ms")?,
            seen_at: row.get("seen_at_ms")?,
        })
    }

    /// The proven number, or else what is told or claimed: for showing only.
    pub fn shown_phone(&self) -> Option<&Phone> {
        self.phone.as_ref().or(self.claimed_phone.as_ref())
    }
}

/// The person with this id.
pub fn find(conn: &Connection, id: PersonId) -> Result<Option<PersonRow>, StorageError> {
    let mut stmt =
        conn.prepare_cached(&format!("select {COLUMNS} from persons p where p.id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, PersonRow::from_row).optional()?)
}

/// The person that is found by this number. A claimed number finds nobody.
pub fn find_by_phone(conn: &Connection, phone: &Phone) -> Result<Option<PersonRow>, StorageError> {
    let mut stmt =
        conn.prepare_cached(&format!("select {COLUMNS} from persons p where p.phone = :phone"))?;
    Ok(stmt.query_row(named_params! { ":phone": phone }, PersonRow::from_row).optional()?)
}

/// The person that a chat is linked to.
pub fn find_by_chat(conn: &Connection, chat: &ChatKey) -> Result<Option<PersonRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!(
        "select {COLUMNS} from chats c join persons p on p.id = c.person_id where c.key = :key"
    ))?;
    Ok(stmt.query_row(named_params! { ":key": chat }, PersonRow::from_row).optional()?)
}

/// Adds a person.
///
/// # Errors
///
/// [`StorageError::is_duplicate`] when the number is another's.
pub fn insert(
    tx: &Transaction<'_>,
    new: &NewPerson<'_>,
    now: Timestamp,
) -> Result<PersonId, StorageError> {
    const SQL: &str = "
        insert into persons (name, phone, phone_verified, claimed_phone, email, password_hash,
            granted_role, demo, created_at_ms)
        values (:name, :phone, :verified, :claimed, :email, :hash, :role, :demo, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":name": new.name, ":phone": new.phone, ":verified": new.phone_verified,
        ":claimed": new.claimed_phone, ":email": new.email, ":hash": new.password_hash,
        ":role": new.granted_role, ":demo": new.demo, ":now": now,
    })?;
    Ok(PersonId(tx.last_insert_rowid()))
}

/// Sets one column of one person.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) = $column:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// [`StorageError::RowsAffected`] when there is no such person.
        pub fn $name(tx: &Transaction<'_>, id: PersonId, $value: $type) -> Result<(), StorageError> {
            const SQL: &str = concat!("update persons set ", $column, " = :value where id = :id");
            let found = tx
                .prepare_cached(SQL)?
                .execute(named_params! { ":value": $value, ":id": id })?;
            one_row(found)
        }
    )+};
}

setters! {
    /// Renames the person.
    set_name(name: &str) = "name";
    /// Sets the address for documents.
    set_email(email: &str) = "email";
    /// Sets or takes away the password.
    set_password_hash(hash: Option<&str>) = "password_hash";
    /// Gives or takes away a role of staff.
    set_granted_role(role: Option<Role>) = "granted_role";
    /// Closes or opens the account.
    set_blocked(blocked: bool) = "blocked";
    /// Puts the person on shift or takes off.
    set_on_shift(on_shift: bool) = "on_shift";
    /// Chooses the organization the person works for.
    set_current_organization(organization: Option<OrganizationId>) = "current_organization_id";
    /// Notes that the person has done something.
    set_seen(at: Timestamp) = "seen_at_ms";
}

/// Notes that the person behind a chat has done something there; where nobody is known to be, or
/// it is noted since `lately`, nothing.
pub fn set_seen_in(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    now: Timestamp,
    lately: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update persons set seen_at_ms = :now
        where id = (select person_id from chats where key = :chat)
            and coalesce(seen_at_ms < :lately, 1)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat, ":now": now, ":lately": lately,
    })?;
    Ok(())
}

/// Sets the number that the person is found by, and whether it is proven.
pub fn set_phone(
    tx: &Transaction<'_>,
    id: PersonId,
    phone: Option<&Phone>,
    verified: bool,
) -> Result<(), StorageError> {
    const SQL: &str =
        "update persons set phone = :phone, phone_verified = :verified where id = :id";
    let found = tx
        .prepare_cached(SQL)?
        .execute(named_params! { ":phone": phone, ":verified": verified, ":id": id })?;
    one_row(found)
}

/// Ends every session of the person: those that stand on a former stamp count no more.
pub fn bump_security_stamp(tx: &Transaction<'_>, id: PersonId) -> Result<(), StorageError> {
    const SQL: &str = "update persons set security_stamp = security_stamp + 1 where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?)
}

/// What the person may do in the program, computed from the settings and from what was granted.
///
/// A number counts only when it is proven, a Telegram id only when that Telegram was the account's
/// first; a blocked person has no role of staff.
pub fn role(conn: &Connection, access: &Access, person: &PersonRow) -> Result<Role, StorageError> {
    if person.blocked {
        return Ok(Role::Client);
    }
    let proven = person.phone.as_ref().filter(|_| person.phone_verified);
    let listed = |list: &[Phone]| proven.is_some_and(|phone| list.contains(phone));
    let mut role = person.granted_role.unwrap_or(Role::Client);
    if listed(&access.manager_phones) {
        role = role.max(Role::Manager);
    }
    if listed(&access.admin_phones) {
        role = Role::Admin;
    }
    if role < Role::Admin && !access.admin_telegram_ids.is_empty() {
        // Only the account that began with this Telegram: an administrator who signs in to a
        // client's account makes no administrator of the client.
        const SQL: &str = "
            select exists (select 1 from json_each(:keys) where value = (
                select key from chats where person_id = :id order by linked_at_ms, key limit 1))";
        let linked: bool = conn.prepare_cached(SQL)?.query_row(
            named_params! { ":id": person.id, ":keys": telegram_keys(access) },
            |row| row.get(0),
        )?;
        if linked {
            role = Role::Admin;
        }
    }
    Ok(role)
}

/// Everyone who works for the company, by name, with the role of each.
pub fn list_staff(
    conn: &Connection,
    access: &Access,
) -> Result<Vec<(PersonRow, Role)>, StorageError> {
    let sql = format!(
        "select {COLUMNS} from persons p
        where p.granted_role is not null
            or (p.phone_verified = 1 and p.phone in (select value from json_each(:phones)))
            or p.id in (select person_id from chats
                where key in (select value from json_each(:keys)))
        order by p.name, p.id"
    );
    let phones: Vec<&str> =
        access.admin_phones.iter().chain(&access.manager_phones).map(Phone::as_str).collect();
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt
        .query_map(
            named_params! { ":phones": json(&phones), ":keys": telegram_keys(access) },
            PersonRow::from_row,
        )?
        .collect::<Result<Vec<_>, _>>()?;
    let mut staff = Vec::with_capacity(rows.len());
    for person in rows {
        let role = role(conn, access, &person)?;
        staff.push((person, role));
    }
    Ok(staff)
}

fn telegram_keys(access: &Access) -> String {
    let keys: Vec<String> =
        access.admin_telegram_ids.iter().map(|id| ChatKey::Telegram(*id).to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    json(&keys)
}

fn json(texts: &[&str]) -> String {
    serde_json::Value::from(texts.to_vec()).to_string()
}
