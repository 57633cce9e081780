//! Who buys and what is sold, as the panel lists and corrects them.

use std::time::Duration;

use super::Base;
use super::live::Change;
use crate::domain::{OrganizationId, PersonId, ProductId};
use crate::services::accounts::Actor;
use crate::storage::audit;
use crate::storage::directory::{
    self, BoughtLine, CategoryRow, ClientFilter, ClientRow, LearntLine, MemberLine, PersonLine,
    ProductFilter, ProductLine,
};
use crate::storage::{StorageError, entries, organizations};

/// Orders of how long are counted as recent.
const RECENT: Duration = Duration::from_hours(24 * 90);

/// Rows of a client's lists.
const LONGEST: u32 = 200;

/// The lists. Clones share them.
#[derive(Clone)]
pub struct Directory {
    base: Base,
}

/// One organization with all that belongs to it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The organization.
    pub row: ClientRow,
    /// Its people.
    pub members: Vec<MemberLine>,
    /// What it buys.
    pub bought: Vec<BoughtLine>,
    /// What its words were learnt to mean.
    pub learnt: Vec<LearntLine>,
}

/// A page of a list and how much there is in all.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// Rows in all.
    pub total: u32,
}

impl Directory {
    /// Over this base.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// A page of the organizations.
    pub async fn clients(
        &self,
        filter: ClientFilter,
        offset: u32,
        limit: u32,
    ) -> Result<Listed<ClientRow>, StorageError> {
        let since = self.base.clock.now().minus(RECENT);
        self.base
            .db
            .read(move |conn| {
                let rows = directory::clients(conn, &filter, since, offset, limit)?;
                Ok(Listed { rows, total: directory::count_clients(conn, &filter)? })
            })
            .await
    }

    /// One organization, or `None`.
    pub async fn client(&self, id: OrganizationId) -> Result<Option<Client>, StorageError> {
        let since = self.base.clock.now().minus(RECENT);
        let filter = ClientFilter { id: Some(id), ..ClientFilter::default() };
        self.base
            .db
            .read(move |conn| {
                let row = directory::clients(conn, &filter, since, 0, 1)?.pop();
                let Some(row) = row else { return Ok(None) };
                Ok(Some(Client {
                    row,
                    members: directory::members(conn, id)?,
                    bought: directory::bought(conn, id, LONGEST)?,
                    learnt: directory::learnt(conn, id, LONGEST)?,
                }))
            })
            .await
    }

    /// Vouches for an organization, or no longer: only those who are vouched for see prices.
    pub async fn set_verified(
        &self,
        by: Actor,
        id: OrganizationId,
        verified: bool,
    ) -> Result<(), StorageError> {
        let action = if verified { "organization.verify" } else { "organization.unverify" };
        self.change(by, id, action, move |tx| organizations::set_verified(tx, id, verified)).await
    }

    /// Closes an organization, or opens it again.
    pub async fn set_blocked(
        &self,
        by: Actor,
        id: OrganizationId,
        blocked: bool,
    ) -> Result<(), StorageError> {
        let action = if blocked { "organization.block" } else { "organization.unblock" };
        self.change(by, id, action, move |tx| organizations::set_blocked(tx, id, blocked)).await
    }

    /// Gives an organization to a manager, or to nobody.
    pub async fn set_manager(
        &self,
        by: Actor,
        id: OrganizationId,
        manager: Option<PersonId>,
    ) -> Result<(), StorageError> {
        let set = move |tx: &rusqlite::Transaction<'_>| organizations::set_manager(tx, id, manager);
        self.change(by, id, "organization.manager", set).await
    }

    async fn change(
        &self,
        by: Actor,
        id: OrganizationId,
        action: &'static str,
        set: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<(), StorageError> + Send + 'static,
    ) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                set(tx)?;
                let object = format!("organization:{id}");
                audit::record(tx, &by.entry(action, &object, now))
            })
            .await
    }

    /// A page of the people.
    pub async fn people(
        &self,
        text: String,
        offset: u32,
        limit: u32,
    ) -> Result<Listed<PersonLine>, StorageError> {
        self.base
            .db
            .read(move |conn| {
                let rows = directory::people(conn, &text, offset, limit)?;
                Ok(Listed { rows, total: directory::count_people(conn, &text)? })
            })
            .await
    }

    /// The tree of categories, flat, siblings in order.
    pub async fn categories(&self) -> Result<Vec<CategoryRow>, StorageError> {
        self.base.db.read(directory::categories).await
    }

    /// A page of the products.
    pub async fn products(
        &self,
        filter: ProductFilter,
        offset: u32,
        limit: u32,
    ) -> Result<Listed<ProductLine>, StorageError> {
        self.base
            .db
            .read(move |conn| {
                let rows = directory::products(conn, &filter, offset, limit)?;
                Ok(Listed { rows, total: directory::count_products(conn, &filter)? })
            })
            .await
    }

    /// Sets a product's own fields; whether there is such a product.
    pub async fn set_own_fields(
        &self,
        by: Actor,
        id: ProductId,
        search_words: String,
        hidden: bool,
    ) -> Result<bool, StorageError> {
        let now = self.base.clock.now();
        let found = self
            .base
            .db
            .write(move |tx| {
                let words = search_words.split_whitespace().collect::<Vec<_>>().join(" ");
                let found = directory::set_own_fields(tx, id, &words, hidden)?;
                if found {
                    entries::touch(tx, now)?;
                    let object = format!("product:{id}");
                    audit::record(tx, &by.entry("product.own_fields", &object, now))?;
                }
                Ok::<_, StorageError>(found)
            })
            .await?;
        self.base.live.tell(Change::Catalog);
        Ok(found)
    }
}
