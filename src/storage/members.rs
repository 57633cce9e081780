//! People in organizations.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{MemberState, OrgKind, OrgRole, OrganizationId, PersonId, Phone, Timestamp};

/// A membership, seen from the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipRow {
    /// Where.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// A legal entity or a private person.
    pub kind: OrgKind,
    /// Whether staff or 1C vouch for it.
    pub verified: bool,
    /// May do nothing.
    pub blocked: bool,
    /// As what.
    pub role: OrgRole,
    /// How it stands.
    pub state: MemberState,
}

/// A membership, seen from the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their number.
    pub phone: Option<Phone>,
    /// Whether the number is proven.
    pub phone_verified: bool,
    /// As what.
    pub role: OrgRole,
    /// How it stands.
    pub state: MemberState,
}

impl MembershipRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            organization: row.get("organization_id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            verified: row.get("verified")?,
            blocked: row.get("blocked")?,
            role: row.get("role")?,
            state: row.get("state")?,
        })
    }
}

impl MemberRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            person: row.get("person_id")?,
            name: row.get("name")?,
            phone: row.get("phone")?,
            phone_verified: row.get("phone_verified")?,
            role: row.get("role")?,
            state: row.get("state")?,
        })
    }
}

/// Where the person is or waits to be let in, active ones first, then by name.
pub fn of_person(conn: &Connection, person: PersonId) -> Result<Vec<MembershipRow>, StorageError> {
    const SQL: &str = "
        select m.organization_id, o.name, o.kind, o.verified, o.blocked, m.role, m.state
        from members m join organizations o on o.id = m.organization_id
        where m.person_id = :person and m.state <> 'left'
        order by m.state, o.name, o.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":person": person }, MembershipRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Who is in the organization or waits to be let in, those who wait first, then by name.
pub fn of_organization(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<Vec<MemberRow>, StorageError> {
    const SQL: &str = "
        select m.person_id, p.name, p.phone, p.phone_verified, m.role, m.state
        from members m join persons p on p.id = m.person_id
        where m.organization_id = :organization and m.state <> 'left'
        order by m.state desc, p.name, p.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map(named_params! { ":organization": organization }, MemberRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One membership, also one that has ended.
pub fn find(
    conn: &Connection,
    organization: OrganizationId,
    person: PersonId,
) -> Result<Option<(OrgRole, MemberState)>, StorageError> {
    const SQL: &str = "
        select role, state from members
        where organization_id = :organization and person_id = :person";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":organization": organization, ":person": person };
    Ok(stmt.query_row(params, |row| Ok((row.get("role")?, row.get("state")?))).optional()?)
}

/// The organization's owners in force, by name.
pub fn owners(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<Vec<MemberRow>, StorageError> {
    let all = of_organization(conn, organization)?;
    let owner = |m: &MemberRow| m.role == OrgRole::Owner && m.state == MemberState::Active;
    Ok(all.into_iter().filter(owner).collect())
}

/// Puts the person into the organization, or changes how.
pub fn set(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    person: PersonId,
    role: OrgRole,
    state: MemberState,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into members (organization_id, person_id, role, state, created_at_ms)
        values (:organization, :person, :role, :state, :now)
        on conflict (organization_id, person_id) do update set role = :role, state = :state";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":person": person, ":role": role, ":state": state,
        ":now": now,
    })?;
    Ok(())
}
