//! The catalogue as it is read: products as one customer sees them, and the index that recognition
//! searches.
//!
//! The index is built beside the one in use and swapped in; nobody waits for it but the first.

mod export;
mod texts;
mod tree;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, Transaction};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Base;
use super::kept::Kept;
use super::live::Change;
use super::notifications::{self, Notice, Outgoing};
use crate::domain::catalog::ProductCard;
use crate::domain::{CategoryId, PersonId, Price, ProductId, Quantity, Timestamp, Unit};
use crate::recognition::{Index, SynonymTarget, starter_synonyms};
use crate::services::exchange::default_type;
use crate::storage::{
    Db, StorageError, directory, entries, figures, offers, prices, products, synonyms, watches,
    words,
};

use texts::Texts;

pub use tree::{Category, Tree};

/// How many products are looked through for those of one category.
const SEARCHED: usize = 400;
/// How many products of a category are compared to find those like one of them.
const COMPARED: u32 = 2_000;

/// The catalogue. Clones share it.
#[derive(Clone)]
pub struct Catalog {
    base: Base,
    index: Arc<watch::Sender<Option<Built>>>,
    tree: Kept<Tree>,
    /// What products are found by in lists.
    texts: Kept<Texts>,
    priceless: Kept<Vec<ProductId>>,
    on_sale: Kept<u32>,
}

#[derive(Clone)]
struct Built {
    version: i64,
    products: usize,
    index: Arc<Index>,
}

/// Why the catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The program is stopping before the first index was built.
    #[error("каталог ещё не прочитан")]
    Stopping,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Puts the starter set of synonyms into a database that has not had it; whether it has now. What
/// people do with them afterwards stays.
pub fn seed_starter_synonyms(db: &Db, now: Timestamp) -> Result<bool, StorageError> {
    // A command beside a running program does not wait for its writes.
    if db.read_blocking(synonyms::had_starter_set)? {
        return Ok(false);
    }
    db.write_blocking(|tx| {
        if !synonyms::note_starter_set(tx, now)? {
            return Ok(false);
        }
        for synonym in starter_synonyms() {
            if let SynonymTarget::Words(means) = &synonym.target {
                let means = synonyms::Means::Words(means);
                synonyms::put(tx, None, &synonym.words, means, "starter", now)?;
            }
        }
        entries::touch(tx, now)?;
        Ok(true)
    })
}

impl Catalog {
    /// A catalogue over this database. [`Catalog::run`] keeps its index fresh.
    pub fn new(base: Base) -> Self {
        Self {
            base,
            index: Arc::new(watch::Sender::new(None)),
            tree: Kept::new(),
            texts: Kept::new(),
            priceless: Kept::new(),
            on_sale: Kept::new(),
        }
    }

    /// The index in use; the first who ask wait for it to be built.
    pub async fn index(&self) -> Result<Arc<Index>, CatalogError> {
        let mut listener = self.index.subscribe();
        let built = listener.wait_for(Option::is_some).await.map_err(|_| CatalogError::Stopping)?;
        built.as_ref().map(|built| built.index.clone()).ok_or(CatalogError::Stopping)
    }

    /// How many products the index in use has; `None` before the first is built.
    pub fn indexed(&self) -> Option<usize> {
        self.index.borrow().as_ref().map(|built| built.products)
    }

    /// The default price type: the setting's, else the one without a name, else the only one in
    /// roubles.
    pub async fn default_price_type(&self) -> Result<Option<i64>, CatalogError> {
        let setting = self.price_type_setting();
        Ok(self.base.db.read(move |conn| default_price_type(conn, &setting)).await?)
    }

    /// The name of the default price type; empty: it has none, or there is no such type.
    pub async fn default_type_name(&self) -> Result<String, CatalogError> {
        let setting = self.price_type_setting();
        let name = move |conn: &Connection| {
            let types = prices::types(conn)?;
            let default = default_type(&types, &setting);
            let row = types.into_iter().find(|row| Some(row.id) == default);
            Ok::<_, StorageError>(row.map_or_else(String::new, |row| row.name))
        };
        Ok(self.base.db.read(name).await?)
    }

    fn price_type_setting(&self) -> String {
        self.base.config.onec.exchange.price_type.clone().unwrap_or_default()
    }

    /// The product with the price of this type, `None`: of the default one.
    pub async fn product(
        &self,
        id: ProductId,
        price_type: Option<i64>,
    ) -> Result<Option<ProductView>, CatalogError> {
        Ok(self.products(vec![id], price_type).await?.pop())
    }

    /// The products in the order asked for; those that do not exist are absent.
    pub async fn products(
        &self,
        ids: Vec<ProductId>,
        price_type: Option<i64>,
    ) -> Result<Vec<ProductView>, CatalogError> {
        let tree = self.tree().await?;
        let setting = self.price_type_setting();
        let work = move |conn: &Connection| {
            let price_type =
                price_type.map_or_else(|| default_price_type(conn, &setting), |id| Ok(Some(id)));
            views(conn, &tree, ids, price_type?)
        };
        Ok(self.base.db.read(work).await?)
    }

    /// The tree of categories with how many products on sale each holds. Kept until the catalogue
    /// changes.
    pub async fn tree(&self) -> Result<Arc<Tree>, CatalogError> {
        Ok(self.tree.get(&self.base.db, Tree::load).await?)
    }

    /// Products, sold or not, whose title, article or own words contain all of these words, by
    /// title. The words are kept in memory: looking through a hundred thousand rows takes longer
    /// than a page may.
    pub async fn named(&self, query: &str) -> Result<Vec<ProductId>, StorageError> {
        let texts = self.texts.get(&self.base.db, Texts::load).await?;
        let words: Vec<String> =
            query.to_lowercase().split_whitespace().take(6).map(str::to_owned).collect();
        tokio::task::spawn_blocking(move || texts.with(&words))
            .await
            .map_err(|_| StorageError::Interrupted)
    }

    /// Products on sale without a price of the default type, by title. Kept until the catalogue
    /// changes: each is looked up by itself.
    pub async fn priceless(&self) -> Result<Arc<Vec<ProductId>>, StorageError> {
        self.priceless.get(&self.base.db, directory::priceless).await
    }

    /// How many products are sold now. Kept until the catalogue changes.
    pub async fn on_sale(&self) -> Result<u32, StorageError> {
        Ok(*self.on_sale.get(&self.base.db, figures::products).await?)
    }

    /// Products on sale right in this category, `None`: in none, by title; and how many there are.
    pub async fn page(
        &self,
        category: Option<CategoryId>,
        offset: u32,
        limit: u32,
        price_type: Option<i64>,
    ) -> Result<(Vec<ProductView>, u32), CatalogError> {
        let work = move |conn: &Connection| {
            Ok::<_, StorageError>((
                products::list_in_category(conn, category, offset, limit)?,
                products::count_in_category(conn, category)?,
            ))
        };
        let (ids, total) = self.base.db.read(work).await?;
        Ok((self.products(ids, price_type).await?, total))
    }

    /// The products that fit these words best, of this category and below where one is given.
    pub async fn search(
        &self,
        words: &str,
        limit: usize,
        category: Option<CategoryId>,
    ) -> Result<Vec<ProductId>, CatalogError> {
        let index = self.index().await?;
        let words = words.to_owned();
        let asked = if category.is_some() { SEARCHED } else { limit };
        let search = move || index.search(&words, asked);
        let found =
            tokio::task::spawn_blocking(search).await.map_err(|_| StorageError::Interrupted)?;
        let ids: Vec<ProductId> = found.iter().map(|candidate| candidate.product).collect();
        let Some(category) = category else { return Ok(ids) };
        let below = self.tree().await?.below(category);
        let place = move |conn: &Connection| products::categories_of(conn, &ids);
        let placed = self.base.db.read(place).await?;
        let inside = placed.into_iter().filter(|(_, of)| of.is_some_and(|id| below.contains(&id)));
        Ok(inside.map(|(id, _)| id).take(limit).collect())
    }

    /// Others of the product's category that share most words of its title, those in stock first.
    pub async fn like(
        &self,
        product: ProductId,
        limit: usize,
    ) -> Result<Vec<ProductId>, CatalogError> {
        let read = move |conn: &Connection| {
            let Some(row) = products::find(conn, product)? else { return Ok(Vec::new()) };
            let titles = products::titles_in_category(conn, row.category, COMPARED)?;
            let words = words_of(&row.title);
            let mut found: Vec<(bool, usize, ProductId)> = titles
                .into_iter()
                .filter(|(id, ..)| *id != product)
                .map(|(id, title, available)| {
                    (available, words_of(&title).intersection(&words).count(), id)
                })
                // Half of the words: another of the same kind, not just of the same shelf.
                .filter(|(_, shared, _)| shared * 2 >= words.len())
                .collect();
            found.sort_by_key(|(available, shared, _)| (!available, std::cmp::Reverse(*shared)));
            Ok::<_, StorageError>(found.into_iter().map(|(_, _, id)| id).take(limit).collect())
        };
        Ok(self.base.db.read(read).await?)
    }

    /// The person is told once the product is in stock; whether that is news.
    pub async fn watch(&self, product: ProductId, person: PersonId) -> Result<bool, CatalogError> {
        let now = self.base.clock.now();
        Ok(self.base.db.write(move |tx| watches::insert(tx, product, person, now)).await?)
    }

    /// Tells those who wait for products that there are some again; how many.
    pub async fn announce_arrivals(&self) -> Result<usize, CatalogError> {
        if !self.base.db.read(watches::any_arrived).await? {
            return Ok(0);
        }
        let now = self.base.clock.now();
        let announce = move |tx: &Transaction<'_>| {
            let arrived = watches::take_arrived(tx)?;
            for (person, product) in &arrived {
                let notice = Outgoing::Notice(Notice::BackInStock { product: *product });
                notifications::enqueue_to_person(tx, *person, &notice, now, None)?;
            }
            Ok::<_, StorageError>(arrived.len())
        };
        let told = self.base.db.write(announce).await?;
        self.base.live.tell(Change::Outbox);
        Ok(told)
    }

    /// What the catalogue holds.
    pub async fn stats(&self) -> Result<products::Stats, CatalogError> {
        let setting = self.price_type_setting();
        let work =
            move |conn: &Connection| products::stats(conn, default_price_type(conn, &setting)?);
        Ok(self.base.db.read(work).await?)
    }

    /// Every product but those that wait for their item or were missing from a full exchange, in
    /// the order of keys: what an export has.
    pub async fn export(&self) -> Result<Vec<ProductCard>, CatalogError> {
        let setting = self.price_type_setting();
        Ok(self.base.db.read(move |conn| export::cards(conn, &setting)).await?)
    }

    /// Builds a new index if what recognition sees has changed since the last; whether it has.
    pub async fn refresh(&self) -> Result<bool, CatalogError> {
        let version = self.base.db.read(entries::version).await?;
        if self.index.borrow().as_ref().is_some_and(|built| built.version == version) {
            return Ok(false);
        }
        let db = self.base.db.clone();
        let build = move || {
            let started = Instant::now();
            let (version, products, synonyms) = db.read_blocking(|conn| {
                let version = entries::version(conn)?;
                Ok::<_, StorageError>((version, entries::load(conn)?, words::synonyms(conn, None)?))
            })?;
            let count = products.len();
            let index = Arc::new(Index::build(products, &synonyms));
            let millis = started.elapsed().as_millis();
            info!(
                products = count,
                "поиск по каталогу готов: товаров {count}, за {millis}\u{a0}мс"
            );
            Ok::<_, StorageError>(Built { version, products: count, index })
        };
        let built =
            tokio::task::spawn_blocking(build).await.map_err(|_| StorageError::Interrupted)??;
        self.index.send_replace(Some(built));
        Ok(true)
    }

    /// Reads what lists of the catalogue need before somebody waits for it.
    async fn warm(&self) -> Result<(), StorageError> {
        self.tree.get(&self.base.db, Tree::load).await?;
        self.texts.get(&self.base.db, Texts::load).await?;
        self.priceless().await?;
        self.on_sale().await?;
        Ok(())
    }

    /// Keeps the index fresh until the program stops.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.base.live.listen();
        loop {
            if let Err(error) = self.refresh().await {
                tracing::error!("поиск по каталогу не построен: {error}");
            }
            if let Err(error) = self.announce_arrivals().await {
                tracing::error!("о поступлении товаров не сказано: {error}");
            }
            if let Err(error) = self.warm().await {
                tracing::error!("списки каталога не прочитаны заранее: {error}");
            }
            loop {
                let change = tokio::select! {
                    change = changes.recv() => change,
                    () = stop.cancelled() => return,
                };
                match change {
                    Ok(Change::Catalog | Change::Elsewhere) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}

fn words_of(title: &str) -> HashSet<String> {
    title.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

/// A product as one customer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductView {
    /// The product.
    pub id: ProductId,
    /// The source's id.
    pub external_id: Option<String>,
    /// The article; may be empty.
    pub sku: String,
    /// The title.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// The category.
    pub category: Option<CategoryId>,
    /// The category's path from the root.
    pub path: Vec<String>,
    /// The base unit.
    pub unit: Unit,
    /// Packs with their base units, smallest first.
    pub packs: Vec<(Unit, Quantity)>,
    /// Sold by so many base units.
    pub multiple: Option<Quantity>,
    /// The price; `None`: «цену подтвердит менеджер».
    pub price: Option<Price>,
    /// Free stock in base units, as the source says it: may be negative.
    pub available: Quantity,
    /// No longer sold, or hidden.
    pub gone: bool,
}

fn default_price_type(conn: &Connection, setting: &str) -> Result<Option<i64>, StorageError> {
    Ok(default_type(&prices::types(conn)?, setting))
}

fn views(
    conn: &Connection,
    tree: &Tree,
    ids: Vec<ProductId>,
    price_type: Option<i64>,
) -> Result<Vec<ProductView>, StorageError> {
    let mut offers = offers::load(conn, ids.iter().copied(), price_type)?;
    let mut views = Vec::with_capacity(ids.len());
    for id in ids {
        let (Some(offer), Some(row)) = (offers.remove(&id), products::find(conn, id)?) else {
            continue;
        };
        views.push(ProductView {
            id,
            external_id: row.external_id,
            sku: row.sku,
            title: row.title,
            description: row.description,
            category: row.category,
            path: row.category.map(|id| tree.path(id)).unwrap_or_default(),
            unit: row.unit,
            packs: offer.packs,
            multiple: row.multiple,
            // Without a type of its own the customer has no price at all.
            price: price_type.and(offer.price),
            available: row.available,
            gone: offer.gone,
        });
    }
    Ok(views)
}
