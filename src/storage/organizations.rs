//! Organizations that buy, and their addresses.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{OrgKind, OrganizationId, PersonId, Timestamp};

/// A row of `organizations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationRow {
    /// The row.
    pub id: OrganizationId,
    /// A legal entity or a private person.
    pub kind: OrgKind,
    /// The name.
    pub name: String,
    /// The taxpayer's number.
    pub inn: Option<String>,
    /// 1C's id.
    pub external_id: Option<String>,
    /// Whether staff or 1C vouch for it: others see no prices.
    pub verified: bool,
    /// May do nothing.
    pub blocked: bool,
    /// When it takes deliveries, in words.
    pub hours: String,
    /// Whose prices; `None`: the default ones.
    pub price_type_id: Option<i64>,
    /// The manager in charge.
    pub manager: Option<PersonId>,
    /// When the row was made.
    pub created_at: Timestamp,
}

/// What a new organization starts with.
#[derive(Debug, Clone)]
pub struct NewOrganization<'a> {
    /// A legal entity or a private person.
    pub kind: OrgKind,
    /// The name.
    pub name: &'a str,
    /// The taxpayer's number.
    pub inn: Option<&'a str>,
    /// 1C's id.
    pub external_id: Option<&'a str>,
    /// Whether staff or 1C vouch for it.
    pub verified: bool,
    /// When it takes deliveries.
    pub hours: &'a str,
}

const COLUMNS: &str = "id, kind, name, inn, external_id, verified, blocked, hours, price_type_id,
    manager_id, created_at_ms";

impl OrganizationRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            name: row.get("name")?,
            inn: row.get("inn")?,
            external_id: row.get("external_id")?,
            verified: row.get("verified")?,
            blocked: row.get("blocked")?,
            hours: row.get("hours")?,
            price_type_id: row.get("price_type_id")?,
            manager: row.get("manager_id")?,
            created_at: row.get("created_at_ms")?,
        })
    }
}

/// The organization with this id.
pub fn find(
    conn: &Connection,
    id: OrganizationId,
) -> Result<Option<OrganizationRow>, StorageError> {
    let sql = format!("select {COLUMNS} from organizations where id = :id");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":id": id }, OrganizationRow::from_row).optional()?)
}

/// The organization with this id of 1C.
pub fn find_by_external_id(
    conn: &Connection,
    external_id: &str,
) -> Result<Option<OrganizationRow>, StorageError> {
    let sql = format!("select {COLUMNS} from organizations where external_id = :id");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt
        .query_row(named_params! { ":id": external_id }, OrganizationRow::from_row)
        .optional()?)
}

/// The organization with this taxpayer's number: of several the oldest.
pub fn find_by_inn(conn: &Connection, inn: &str) -> Result<Option<OrganizationRow>, StorageError> {
    let sql = format!("select {COLUMNS} from organizations where inn = :inn order by id limit 1");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":inn": inn }, OrganizationRow::from_row).optional()?)
}

/// The company with this name, whatever its legal form, quotes and case: of several the oldest.
pub fn find_by_name(
    conn: &Connection,
    name: &str,
) -> Result<Option<OrganizationRow>, StorageError> {
    const SQL: &str = "select id, name from organizations where kind = 'company' order by id";
    let wanted = bare_name(name);
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        if bare_name(row.get_ref("name")?.as_str().unwrap_or_default()) == wanted {
            return find(conn, row.get("id")?);
        }
    }
    Ok(None)
}

/// The name without its legal form, quotes and case: what people mean by it.
fn bare_name(name: &str) -> String {
    const FORMS: &[&str] = &["ооо", "оао", "зао", "пао", "ао", "ип", "нпао", "тоо", "чуп"];
    let lower = name.to_lowercase().replace('ё', "е");
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.filter(|word| !FORMS.contains(word)).collect();
    words.join(" ")
}

/// Adds an organization.
pub fn insert(
    tx: &Transaction<'_>,
    new: &NewOrganization<'_>,
    now: Timestamp,
) -> Result<OrganizationId, StorageError> {
    const SQL: &str = "
        insert into organizations (kind, name, inn, external_id, verified, hours, created_at_ms)
        values (:kind, :name, :inn, :external_id, :verified, :hours, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":kind": new.kind, ":name": new.name, ":inn": new.inn, ":external_id": new.external_id,
        ":verified": new.verified, ":hours": new.hours, ":now": now,
    })?;
    Ok(OrganizationId(tx.last_insert_rowid()))
}

/// Sets one column of one organization.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) = $column:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        ///
        /// [`StorageError::RowsAffected`] when there is no such organization.
        pub fn $name(
            tx: &Transaction<'_>,
            id: OrganizationId,
            $value: $type,
        ) -> Result<(), StorageError> {
            const SQL: &str =
                concat!("update organizations set ", $column, " = :value where id = :id");
            let found = tx
                .prepare_cached(SQL)?
                .execute(named_params! { ":value": $value, ":id": id })?;
            one_row(found)
        }
    )+};
}

setters! {
    /// Renames the organization.
    set_name(name: &str) = "name";
    /// Sets the taxpayer's number.
    set_inn(inn: Option<&str>) = "inn";
    /// Sets 1C's id.
    set_external_id(external_id: Option<&str>) = "external_id";
    /// A private person that gives a taxpayer's number becomes a company.
    set_kind(kind: OrgKind) = "kind";
    /// Vouches for the organization, or no longer.
    set_verified(verified: bool) = "verified";
    /// Closes or opens the organization.
    set_blocked(blocked: bool) = "blocked";
    /// Sets when it takes deliveries.
    set_hours(hours: &str) = "hours";
    /// Sets whose prices it gets.
    set_price_type(price_type: Option<i64>) = "price_type_id";
    /// Sets the manager in charge.
    set_manager(manager: Option<PersonId>) = "manager_id";
}

/// The name of the organization's price type; `None`: it has the default one.
pub fn price_type_name(
    conn: &Connection,
    id: OrganizationId,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select t.name from organizations o join price_types t on t.id = o.price_type_id
        where o.id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| row.get("name")).optional()?)
}

/// An address of the organization's book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRow {
    /// The row.
    pub id: i64,
    /// The address.
    pub address: String,
}

/// The organization's addresses, the last used first, at most `limit`.
pub fn addresses(
    conn: &Connection,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<AddressRow>, StorageError> {
    const SQL: &str = "
        select id, address from addresses where organization_id = :organization
        order by used_at_ms desc, id desc limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":organization": organization, ":limit": limit };
    let rows = stmt.query_map(params, |row| {
        Ok(AddressRow { id: row.get("id")?, address: row.get("address")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts an address into the book, or to its top.
pub fn use_address(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    address: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into addresses (organization_id, address, used_at_ms)
        values (:organization, :address, :now)
        on conflict (organization_id, address) do update set used_at_ms = :now";
    tx.prepare_cached(SQL)?.execute(
        named_params! { ":organization": organization, ":address": address, ":now": now },
    )?;
    Ok(())
}

/// Where the organization's tables hold goods and quantities: JSON, or `None`.
pub fn file_layout(conn: &Connection, id: OrganizationId) -> Result<Option<String>, StorageError> {
    const SQL: &str = "select file_layout from organizations where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":id": id }, |row| row.get("file_layout"));
    Ok(row.optional()?.flatten())
}

/// Remembers where the organization's tables hold goods and quantities.
pub fn set_file_layout(
    tx: &Transaction<'_>,
    id: OrganizationId,
    layout: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "update organizations set file_layout = :layout where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":layout": layout })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_is_known_whatever_its_form_quotes_and_case() {
        for name in ["ООО «Диван-М»", "диван м", "Диван-М, ООО", "ооо \"ДИВАН-М\""]
        {
            assert_eq!(bare_name(name), "диван м", "{name}");
        }
        assert_eq!(bare_name("ИП Семёнов"), "семенов");
        assert_eq!(bare_name("ООО"), "");
    }
}
