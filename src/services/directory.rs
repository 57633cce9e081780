//! Who buys and what is sold, as the panel lists and corrects them.

use std::collections::HashMap;
use std::time::Duration;

use super::Base;
use super::live::Change;
use crate::domain::{OrganizationId, PersonId, Price, ProductId, Quantity};
use crate::services::accounts::Actor;
use crate::storage::audit::{self, AuditRow};
use crate::storage::directory::{
    self, BoughtLine, CategoryRow, ClientFilter, ClientRow, LearntLine, MemberLine, PersonLine,
    PersonMembership, ProductChange, ProductFilter, ProductLine,
};
use crate::storage::merging::{self, Moved};
use crate::storage::prices::{self, PriceTypeRow};
use crate::storage::purchases::Balance;
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

/// What is known of a client beside their order.
#[derive(Debug, Clone, Default)]
pub struct ClientSide {
    /// What 1C says they owe; `None`: it has said nothing.
    pub balance: Option<Balance>,
    /// Their addresses, the last used first.
    pub addresses: Vec<String>,
}

/// One product with all that is known of it.
#[derive(Debug, Clone)]
pub struct ProductSheet {
    /// As the list shows it.
    pub line: ProductLine,
    /// Its prices by type.
    pub prices: Vec<(String, Price)>,
    /// Free stock by warehouse.
    pub stocks: Vec<(String, Quantity)>,
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
                let (rows, total) = directory::clients(conn, &filter, since, offset, limit)?;
                Ok(Listed { rows, total })
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
                let row = directory::clients(conn, &filter, since, 0, 1)?.0.pop();
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

    /// What is known of a client beside their order.
    pub async fn client_side(&self, id: OrganizationId) -> Result<ClientSide, StorageError> {
        self.base
            .db
            .read(move |conn| {
                let addresses = organizations::addresses(conn, id, 10)?;
                Ok(ClientSide {
                    balance: directory::balance(conn, id)?,
                    addresses: addresses.into_iter().map(|row| row.address).collect(),
                })
            })
            .await
    }

    /// Free stock by warehouse of each of these products.
    pub async fn stocks(
        &self,
        products: Vec<ProductId>,
    ) -> Result<HashMap<ProductId, Vec<(String, Quantity)>>, StorageError> {
        self.base
            .db
            .read(move |conn| {
                products.into_iter().map(|id| Ok((id, directory::stocks(conn, id)?))).collect()
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

    /// Gives an organization the prices of a type, or the default ones.
    pub async fn set_price_type(
        &self,
        by: Actor,
        id: OrganizationId,
        price_type: Option<i64>,
    ) -> Result<(), StorageError> {
        let set =
            move |tx: &rusqlite::Transaction<'_>| organizations::set_price_type(tx, id, price_type);
        self.change(by, id, "organization.price_type", set).await
    }

    /// Price types in roubles.
    pub async fn price_types(&self) -> Result<Vec<PriceTypeRow>, StorageError> {
        let mut types = self.base.db.read(prices::types).await?;
        types.retain(PriceTypeRow::is_roubles);
        Ok(types)
    }

    /// What joining an organization to another one would move.
    pub async fn would_move(&self, from: OrganizationId) -> Result<Moved, StorageError> {
        self.base.db.read(move |conn| merging::preview(conn, from)).await
    }

    /// Joins an organization to another one: all that belongs to it moves, and it is gone.
    pub async fn merge(
        &self,
        by: Actor,
        from: OrganizationId,
        to: OrganizationId,
    ) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                let gone = organizations::find(tx, from)?
                    .ok_or(StorageError::RowsAffected { expected: 1, found: 0 })?;
                merging::merge(tx, from, to)?;
                entries::touch(tx, now)?;
                let object = format!("organization:{to}");
                let entry = by.entry("organization.merge", &object, now);
                audit::record(tx, &audit::Entry { after: Some(&gone.name), ..entry })
            })
            .await?;
        self.base.live.tell(Change::Elsewhere);
        Ok(())
    }

    /// What was done with an organization, the newest first.
    pub async fn journal(
        &self,
        id: OrganizationId,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StorageError> {
        let object = format!("organization:{id}");
        self.base.db.read(move |conn| audit::of_object(conn, &object, limit)).await
    }

    /// A person and their organizations, or `None`.
    pub async fn person(
        &self,
        id: PersonId,
    ) -> Result<Option<(PersonLine, Vec<PersonMembership>)>, StorageError> {
        self.base.db.read(move |conn| directory::person(conn, id)).await
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
                let (rows, total) = directory::people(conn, &text, offset, limit)?;
                Ok(Listed { rows, total })
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

    /// One product, or `None`.
    pub async fn product(&self, id: ProductId) -> Result<Option<ProductSheet>, StorageError> {
        let filter = ProductFilter { id: Some(id), ..ProductFilter::default() };
        self.base
            .db
            .read(move |conn| {
                let line = directory::products(conn, &filter, 0, 1)?.pop();
                let Some(line) = line else { return Ok(None) };
                let prices = directory::prices_by_type(conn, id)?;
                Ok(Some(ProductSheet { line, prices, stocks: directory::stocks(conn, id)? }))
            })
            .await
    }

    /// Changes many products; how many were.
    pub async fn change_products(
        &self,
        by: Actor,
        ids: Vec<ProductId>,
        change: ProductChange,
    ) -> Result<usize, StorageError> {
        let now = self.base.clock.now();
        let changed = self
            .base
            .db
            .write(move |tx| {
                let mut changed = 0;
                for id in ids {
                    if directory::change_product(tx, id, change)? {
                        changed += 1;
                        let object = format!("product:{id}");
                        audit::record(tx, &by.entry("product.own_fields", &object, now))?;
                    }
                }
                entries::touch(tx, now)?;
                Ok::<_, StorageError>(changed)
            })
            .await?;
        self.base.live.tell(Change::Catalog);
        Ok(changed)
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
