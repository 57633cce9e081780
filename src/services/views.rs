//! Saved views of the list of orders: what managers keep under a name, for themselves or for all.
//!
//! A view is its owner's: nobody else renames or overwrites it. A shared one is seen by every
//! manager, and an administrator may take it away; a private one is nobody else's business, and
//! whoever guesses its id is told that there is none. What its query means is the page's to know.

use rusqlite::{Connection, Transaction};

use super::Base;
use super::accounts::Actor;
use super::journal;
use crate::domain::{NameError, PersonId, Role, Timestamp, ViewId, ViewName};
use crate::storage::saved_views::{self, ViewRow};
use crate::storage::{StorageError, audit};

/// How many views a person makes at most.
pub const VIEWS_MOST: u32 = 30;

/// How long the query of a view is at most, in bytes.
const QUERY_MOST_BYTES: usize = 4_000;

/// Why a view was not kept or changed.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// There is none, or it is someone's private one: the two answer alike.
    #[error("нет такого вида")]
    NotFound,
    /// It is a colleague's, and may only be looked at.
    #[error("вид меняет его владелец")]
    NotYours,
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The person has another view of this name: as they call it.
    #[error("вид «{0}» уже есть")]
    Taken(String),
    /// The person has as many as they may have.
    #[error("видов уже {VIEWS_MOST}")]
    Full,
    /// The filters are too long to keep.
    #[error("отбор длиннее {QUERY_MOST_BYTES} байт")]
    TooLong,
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Saved views. Clones share them.
#[derive(Clone)]
pub struct Views {
    base: Base,
}

impl Views {
    /// Over this base.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// What the person sees: their own views by name, then those that others share.
    pub async fn list(&self, person: PersonId) -> Result<Vec<ViewRow>, StorageError> {
        self.base.db.read(move |conn| saved_views::list(conn, person)).await
    }

    /// Keeps the list of this query under a name. Told the same twice, it keeps one view.
    ///
    /// # Errors
    ///
    /// [`ViewError::Name`], [`ViewError::Taken`], [`ViewError::Full`], [`ViewError::TooLong`].
    pub async fn save(
        &self,
        by: Actor,
        name: &str,
        query: String,
        shared: bool,
    ) -> Result<ViewId, ViewError> {
        let (name, query) = (ViewName::parse(name)?, kept(query)?);
        let now = self.base.clock.now();
        let work = move |tx: &Transaction<'_>| {
            let owner = by.person.ok_or(ViewError::NotFound)?;
            if let Some(other) = saved_views::find_by_name(tx, owner, &name)? {
                let same = (other.name.as_str(), &other.query, other.shared)
                    == (name.as_str(), &query, shared);
                return if same { Ok(other.id) } else { Err(ViewError::Taken(other.name)) };
            }
            if saved_views::count(tx, owner)? >= VIEWS_MOST {
                return Err(ViewError::Full);
            }
            let id = saved_views::insert(tx, owner, &name, &query, shared, now)?;
            note(tx, &by, "view.saved", None, Some(&own(tx, &by, id)?), now)?;
            Ok(id)
        };
        self.base.db.write(work).await
    }

    /// Gives a view of the person's own another name, and shows it to all or to them alone.
    ///
    /// # Errors
    ///
    /// [`ViewError::NotFound`], [`ViewError::NotYours`], [`ViewError::Name`],
    /// [`ViewError::Taken`].
    pub async fn rename(
        &self,
        by: Actor,
        id: ViewId,
        name: &str,
        shared: bool,
    ) -> Result<(), ViewError> {
        let name = ViewName::parse(name);
        let now = self.base.clock.now();
        let work = move |tx: &Transaction<'_>| {
            let before = own(tx, &by, id)?;
            let name = name?;
            let namesake = saved_views::find_by_name(tx, before.owner, &name)?;
            if let Some(other) = namesake.filter(|other| other.id != id) {
                return Err(ViewError::Taken(other.name));
            }
            if (before.name.as_str(), before.shared) == (name.as_str(), shared) {
                return Ok(());
            }
            saved_views::rename(tx, id, &name, shared, now)?;
            note(tx, &by, "view.renamed", Some(&before), Some(&own(tx, &by, id)?), now)
        };
        self.base.db.write(work).await
    }

    /// Puts the list of this query into the place of that which a view of the person's own keeps.
    ///
    /// # Errors
    ///
    /// [`ViewError::NotFound`], [`ViewError::NotYours`], [`ViewError::TooLong`].
    pub async fn overwrite(&self, by: Actor, id: ViewId, query: String) -> Result<(), ViewError> {
        let query = kept(query)?;
        let now = self.base.clock.now();
        let work = move |tx: &Transaction<'_>| {
            let view = own(tx, &by, id)?;
            if view.query == query {
                return Ok(());
            }
            saved_views::set_query(tx, id, &query, now)?;
            note(tx, &by, "view.overwritten", None, Some(&view), now)
        };
        self.base.db.write(work).await
    }

    /// Takes a view away: one's own, or, as an administrator, any shared one.
    ///
    /// # Errors
    ///
    /// [`ViewError::NotFound`], [`ViewError::NotYours`].
    pub async fn remove(&self, by: Actor, role: Role, id: ViewId) -> Result<(), ViewError> {
        let now = self.base.clock.now();
        let work = move |tx: &Transaction<'_>| {
            let view = seen(tx, &by, id)?;
            if Some(view.owner) != by.person && role != Role::Admin {
                return Err(ViewError::NotYours);
            }
            saved_views::remove(tx, id)?;
            note(tx, &by, "view.removed", Some(&view), None, now)
        };
        self.base.db.write(work).await
    }
}

/// The query, if it is short enough to keep.
fn kept(query: String) -> Result<String, ViewError> {
    if query.len() > QUERY_MOST_BYTES { Err(ViewError::TooLong) } else { Ok(query) }
}

/// The view, if the person sees it.
fn seen(conn: &Connection, by: &Actor, id: ViewId) -> Result<ViewRow, ViewError> {
    let view = saved_views::find(conn, id)?.ok_or(ViewError::NotFound)?;
    if view.shared || Some(view.owner) == by.person { Ok(view) } else { Err(ViewError::NotFound) }
}

/// The view, if it is the person's own.
fn own(conn: &Connection, by: &Actor, id: ViewId) -> Result<ViewRow, ViewError> {
    let view = seen(conn, by, id)?;
    if Some(view.owner) == by.person { Ok(view) } else { Err(ViewError::NotYours) }
}

/// Writes into the journal what was done with a view.
fn note(
    tx: &Transaction<'_>,
    by: &Actor,
    action: &str,
    before: Option<&ViewRow>,
    after: Option<&ViewRow>,
    now: Timestamp,
) -> Result<(), ViewError> {
    let id = after.or(before).map(|view| view.id).unwrap_or_default();
    let (before, after) = (before.map(described), after.map(described));
    let change = (before.as_deref(), after.as_deref());
    let object = format!("view:{id}");
    Ok(audit::record(tx, &journal::entry(by, now, action, &object, change))?)
}

/// A view as the journal names it: «Срочные, всем менеджерам».
fn described(view: &ViewRow) -> String {
    if view.shared {
        format!("{}, всем менеджерам", view.name)
    } else {
        view.name.clone()
    }
}
