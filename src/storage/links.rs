//! One-time links. A token is known only by its SHA-256 and is used in one statement.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use super::sessions::TokenHash;
use crate::domain::{OrgRole, OrganizationId, PersonId, Timestamp};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Joins an organization.
    Invite,
    /// Opens the panel.
    Panel,
    /// Opens the panel after the password: a code.
    SignIn,
}

impl LinkKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Panel => "panel",
            Self::SignIn => "sign_in",
        }
    }
}

/// A row of `one_time_links`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Whom it signs in.
    pub person: Option<PersonId>,
    /// What it lets into.
    pub organization: Option<OrganizationId>,
    /// As what.
    pub role: Option<OrgRole>,
    /// Who made it.
    pub created_by: Option<PersonId>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

impl LinkRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            person: row.get("person_id")?,
            organization: row.get("organization_id")?,
            role: row.get("role")?,
            created_by: row.get("created_by")?,
            expires_at: row.get("expires_at_ms")?,
        })
    }
}

/// Adds a link.
pub fn insert(
    tx: &Transaction<'_>,
    token: &TokenHash,
    kind: LinkKind,
    link: &LinkRow,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into one_time_links (token_sha256, kind, person_id, organization_id, role,
            created_by, expires_at_ms)
        values (:token, :kind, :person, :organization, :role, :by, :expires)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":token": token, ":kind": kind.as_str(), ":person": link.person,
        ":organization": link.organization, ":role": link.role, ":by": link.created_by,
        ":expires": link.expires_at,
    })?;
    Ok(())
}

/// The link, while it works. Looking uses nothing up.
pub fn find(
    conn: &Connection,
    token: &TokenHash,
    kind: LinkKind,
    now: Timestamp,
) -> Result<Option<LinkRow>, StorageError> {
    const SQL: &str = "
        select person_id, organization_id, role, created_by, expires_at_ms from one_time_links
        where token_sha256 = :token and kind = :kind and used_at_ms is null
            and expires_at_ms > :now";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":token": token, ":kind": kind.as_str(), ":now": now };
    Ok(stmt.query_row(params, LinkRow::from_row).optional()?)
}

/// Uses the link up: `None` when it works no more. Of two at once, one wins.
pub fn consume(
    tx: &Transaction<'_>,
    token: &TokenHash,
    kind: LinkKind,
    now: Timestamp,
) -> Result<Option<LinkRow>, StorageError> {
    const SQL: &str = "
        update one_time_links set used_at_ms = :now
        where token_sha256 = :token and kind = :kind and used_at_ms is null
            and expires_at_ms > :now
        returning person_id, organization_id, role, created_by, expires_at_ms";
    let mut stmt = tx.prepare_cached(SQL)?;
    let params = named_params! { ":token": token, ":kind": kind.as_str(), ":now": now };
    Ok(stmt.query_row(params, LinkRow::from_row).optional()?)
}

/// Who made a link that works no more, to be asked for a new one.
pub fn author(conn: &Connection, token: &TokenHash) -> Result<Option<PersonId>, StorageError> {
    const SQL: &str = "select created_by from one_time_links where token_sha256 = :token";
    let mut stmt = conn.prepare_cached(SQL)?;
    let found = stmt.query_row(named_params! { ":token": token }, |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Kills the person's links and codes into the panel.
pub fn kill_panel(tx: &Transaction<'_>, person: PersonId) -> Result<(), StorageError> {
    const SQL: &str = "
        delete from one_time_links where person_id = :person and kind in ('panel', 'sign_in')";
    tx.prepare_cached(SQL)?.execute(named_params! { ":person": person })?;
    Ok(())
}

/// Kills the invitations that the person has made: to one organization, or to all.
pub fn kill_invites(
    tx: &Transaction<'_>,
    person: PersonId,
    organization: Option<OrganizationId>,
) -> Result<(), StorageError> {
    const SQL: &str = "
        delete from one_time_links where created_by = :person and kind = 'invite'
            and (:organization is null or organization_id = :organization)";
    tx.prepare_cached(SQL)?
        .execute(named_params! { ":person": person, ":organization": organization })?;
    Ok(())
}

/// Forgets links that stopped working before this moment.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "delete from one_time_links where expires_at_ms < :before";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?)
}
