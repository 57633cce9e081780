//! Products and their packs.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{CategoryId, OrderNumber, ProductId, Quantity, Timestamp, Unit};

/// Why a product is not sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Withdrawn {
    /// It is sold.
    No,
    /// Deleted at the source.
    Deleted,
    /// A full exchange did not mention it; the next mention brings it back.
    Absent,
    /// Its offer came before its item.
    Placeholder,
    /// An item with characteristics and no offer of its own: those are sold.
    Variants,
    /// A characteristic of an item that is deleted at the source.
    Item,
}

impl Withdrawn {
    fn code(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
            Self::Placeholder => "placeholder",
            Self::Variants => "variants",
            Self::Item => "item",
        }
    }

    fn read(withdrawn: bool, code: &str) -> Self {
        match (withdrawn, code) {
            (false, _) => Self::No,
            (true, "absent") => Self::Absent,
            (true, "placeholder") => Self::Placeholder,
            (true, "variants") => Self::Variants,
            (true, "item") => Self::Item,
            (true, _) => Self::Deleted,
        }
    }
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// Its id; of a new one meaningless.
    pub id: ProductId,
    /// The source's id.
    pub external_id: Option<String>,
    /// The article; may be empty.
    pub sku: String,
    /// The title; empty in a placeholder.
    pub title: String,
    /// The category.
    pub category: Option<CategoryId>,
    /// The base unit.
    pub unit: Unit,
    /// The description.
    pub description: String,
    /// The barcode.
    pub barcode: String,
    /// Sold by so many base units.
    pub multiple: Option<Quantity>,
    /// Free stock in base units; may be negative.
    pub available: Quantity,
    /// Whether it is sold.
    pub withdrawn: Withdrawn,
    /// Whether it is not to be shown.
    pub hidden: bool,
    /// What buyers call it.
    pub search_words: String,
    /// The last change.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, external_id, sku, title, category_id, unit, description, barcode,
    multiple_thousandths, available_thousandths, withdrawn, withdrawn_why, hidden, search_words,
    updated_at_ms";

impl ProductRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        // By position, in the order of `COLUMNS`: an exchange reads many rows.
        Ok(Self {
            id: row.get(0)?,
            external_id: row.get(1)?,
            sku: row.get(2)?,
            title: row.get(3)?,
            category: row.get(4)?,
            unit: row.get(5)?,
            description: row.get(6)?,
            barcode: row.get(7)?,
            multiple: row.get(8)?,
            available: row.get(9)?,
            withdrawn: Withdrawn::read(row.get(10)?, row.get_ref(11)?.as_str().unwrap_or_default()),
            hidden: row.get(12)?,
            search_words: row.get(13)?,
            updated_at: row.get(14)?,
        })
    }
}

/// A product as it lies in the table, for a pass over all of them.
#[derive(Debug, Clone, Copy)]
pub struct Scanned<'a> {
    /// Its id.
    pub id: ProductId,
    /// The source's id; may be empty.
    pub external_id: &'a str,
    /// The article; may be empty.
    pub sku: &'a str,
    /// The title.
    pub title: &'a str,
    /// The category.
    pub category: Option<CategoryId>,
    /// The base unit's short form.
    pub unit: &'a str,
    /// The description.
    pub description: &'a str,
    /// The barcode.
    pub barcode: &'a str,
    /// Sold by so many base units.
    pub multiple: Option<Quantity>,
    /// Free stock.
    pub available: Quantity,
    /// Whether it is sold.
    pub withdrawn: Withdrawn,
    /// Whether it is not to be shown.
    pub hidden: bool,
    /// What buyers call it.
    pub search_words: &'a str,
}

/// Goes over all products, by id.
pub fn scan(conn: &Connection, mut each: impl FnMut(Scanned<'_>)) -> Result<(), StorageError> {
    let sql = format!("select {COLUMNS} from products order by id");
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        // By position: a name is looked up anew in each row, and this pass is over every product.
        let text =
            |index| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str_or_null()?.unwrap_or(""));
        each(Scanned {
            id: row.get(0)?,
            external_id: text(1)?,
            sku: text(2)?,
            title: text(3)?,
            category: row.get(4)?,
            unit: text(5)?,
            description: text(6)?,
            barcode: text(7)?,
            multiple: row.get(8)?,
            available: row.get(9)?,
            withdrawn: Withdrawn::read(row.get(10)?, text(11)?),
            hidden: row.get(12)?,
            search_words: text(13)?,
        });
    }
    Ok(())
}

/// Goes over all packs: product, unit, base units in one; by product and unit.
pub fn scan_packs(
    conn: &Connection,
    mut each: impl FnMut(ProductId, &str, Quantity),
) -> Result<(), StorageError> {
    const SQL: &str =
        "select product_id, unit, coefficient_thousandths from packs order by product_id, unit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default(), row.get(2)?);
    }
    Ok(())
}

/// The product, or `None`.
pub fn find(conn: &Connection, id: ProductId) -> Result<Option<ProductRow>, StorageError> {
    let sql = format!("select {COLUMNS} from products where id = :id");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":id": id }, ProductRow::from_row).optional()?)
}

/// The product of the source's id, or else the only one on sale with this article; `None` when
/// there is none or more than one.
pub fn find_by_key(
    conn: &Connection,
    external_id: &str,
    sku: &str,
) -> Result<Option<ProductId>, StorageError> {
    const ID: &str = "select id from products where external_id = :key";
    const SKU: &str = "select id from products where sku = :key and :key <> '' limit 2";
    const LIVE: &str = "
        select id from products where sku = :key and :key <> '' and not withdrawn limit 2";
    for (sql, key) in [(ID, external_id), (SKU, sku), (LIVE, sku)] {
        if let Some(id) = the_only(conn, sql, key)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn the_only(conn: &Connection, sql: &str, key: &str) -> Result<Option<ProductId>, StorageError> {
    let mut stmt = conn.prepare_cached(sql)?;
    let ids = stmt.query_map(named_params! { ":key": key }, |row| row.get(0))?;
    let ids: Vec<ProductId> = ids.collect::<Result<_, _>>()?;
    Ok(if ids.len() == 1 { Some(ids[0]) } else { None })
}

/// The product whose only key is its title.
pub fn find_by_title(conn: &Connection, title: &str) -> Result<Option<ProductId>, StorageError> {
    the_only(conn, "select id from products where title = :key and not withdrawn limit 2", title)
}

/// Products that are characteristics (`guid#guid`) of the item with this id at the source.
pub fn variants_of(conn: &Connection, external_id: &str) -> Result<Vec<ProductId>, StorageError> {
    // «$» follows «#»: the range holds what begins with the id and «#», and the index finds it.
    const SQL: &str = "
        select id from products
        where external_id > :id || '#' and external_id < :id || '$' order by external_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let ids = stmt.query_map(named_params! { ":id": external_id }, |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Whether any product is a characteristic of an item.
pub fn has_variants(conn: &Connection) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select 1 from products where external_id is not null
            and instr(external_id, '#') > 0)";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

/// The product with this id at the source.
pub fn find_by_external_id(
    conn: &Connection,
    external_id: &str,
) -> Result<Option<ProductId>, StorageError> {
    const SQL: &str = "select id from products where external_id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": external_id }, |row| row.get(0)).optional()?)
}

/// The source's id of a product that is on sale; `None` when it has none or is not.
pub fn external_id_on_sale(
    conn: &Connection,
    id: ProductId,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select external_id from products
        where id = :id and external_id is not null and not withdrawn";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| row.get(0)).optional()?)
}

/// Every product on sale, by id.
pub fn on_sale(conn: &Connection) -> Result<Vec<ProductId>, StorageError> {
    let mut stmt =
        conn.prepare_cached("select id from products where not withdrawn order by id")?;
    let ids = stmt.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Stores a new product and says its id.
pub fn insert(tx: &Transaction<'_>, row: &ProductRow) -> Result<ProductId, StorageError> {
    const SQL: &str = "
        insert into products (external_id, sku, title, category_id, unit, description, barcode,
            multiple_thousandths, available_thousandths, withdrawn, withdrawn_why, hidden,
            search_words, updated_at_ms)
        values (:external_id, :sku, :title, :category, :unit, :description, :barcode, :multiple,
            :available, :withdrawn, :why, :hidden, :search_words, :updated_at)";
    let mut stmt = tx.prepare_cached(SQL)?;
    // In the order of the text: a catalogue has many rows, and a name is looked up for each.
    stmt.execute(params![
        row.external_id,
        row.sku,
        row.title,
        row.category,
        row.unit,
        row.description,
        row.barcode,
        row.multiple,
        row.available,
        row.withdrawn != Withdrawn::No,
        row.withdrawn.code(),
        row.hidden,
        row.search_words,
        row.updated_at,
    ])?;
    Ok(ProductId(tx.last_insert_rowid()))
}

/// Writes a product over the stored one, which is `old`.
///
/// A column that an index has is written only when it is another one: the index would be written
/// too, and most changes are of a price or of stock.
pub fn update(
    tx: &Transaction<'_>,
    old: &ProductRow,
    row: &ProductRow,
) -> Result<(), StorageError> {
    const REST: &str = "
        update products set unit = :unit, description = :description, barcode = :barcode,
            multiple_thousandths = :multiple, available_thousandths = :available,
            search_words = :search_words, updated_at_ms = :updated_at
        where id = :id";
    const SQL: &str = "
        update products set external_id = :external_id, sku = :sku, title = :title,
            category_id = :category, unit = :unit, description = :description,
            barcode = :barcode, multiple_thousandths = :multiple,
            available_thousandths = :available, withdrawn = :withdrawn, withdrawn_why = :why,
            hidden = :hidden, search_words = :search_words, updated_at_ms = :updated_at
        where id = :id";
    // What no index is of can be written without touching any.
    let same_keys = (&old.external_id, &old.sku, &old.title, old.category)
        == (&row.external_id, &row.sku, &row.title, row.category);
    if same_keys && (old.withdrawn, old.hidden) == (row.withdrawn, row.hidden) {
        // In the order of the text, as with a new product.
        let found = tx.prepare_cached(REST)?.execute(params![
            row.unit,
            row.description,
            row.barcode,
            row.multiple,
            row.available,
            row.search_words,
            row.updated_at,
            row.id,
        ])?;
        return one_row(found);
    }
    let mut stmt = tx.prepare_cached(SQL)?;
    let found = stmt.execute(named_params! {
        ":id": row.id, ":external_id": row.external_id, ":sku": row.sku, ":title": row.title,
        ":category": row.category, ":unit": row.unit, ":description": row.description,
        ":barcode": row.barcode, ":multiple": row.multiple, ":available": row.available,
        ":withdrawn": row.withdrawn != Withdrawn::No, ":why": row.withdrawn.code(),
        ":hidden": row.hidden, ":search_words": row.search_words, ":updated_at": row.updated_at,
    })?;
    one_row(found)
}

/// Notes a change of a product's figures: its free stock; `None`: only prices have changed.
pub fn set_available(
    tx: &Transaction<'_>,
    id: ProductId,
    available: Option<Quantity>,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update products set updated_at_ms = ?2,
            available_thousandths = coalesce(?3, available_thousandths)
        where id = ?1";
    one_row(tx.prepare_cached(SQL)?.execute(params![id, now, available])?)
}

/// Takes a product off sale because a full exchange did not mention it; whether it was on sale.
pub fn withdraw_absent(
    tx: &Transaction<'_>,
    id: ProductId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update products set withdrawn = 1, withdrawn_why = 'absent', updated_at_ms = :now
        where id = :id and not withdrawn";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":now": now })? == 1)
}

/// The number of an order at work that the product stands in, the first of them; `None`: of none.
pub fn open_order_with(
    conn: &Connection,
    id: ProductId,
) -> Result<Option<OrderNumber>, StorageError> {
    const SQL: &str = "
        select o.number from order_lines l join orders o on o.id = l.order_id
        where l.product_id = :id and o.history = 0
            and o.status in ('approval', 'new', 'needs_client', 'accepted', 'picking', 'ready')
        order by o.id limit 1";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| row.get("number")).optional()?)
}

/// The product's packs, smallest first.
pub fn packs(conn: &Connection, id: ProductId) -> Result<Vec<(Unit, Quantity)>, StorageError> {
    const SQL: &str = "
        select unit, coefficient_thousandths from packs
        where product_id = :id order by coefficient_thousandths, unit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": id }, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a pack, or its new coefficient.
pub fn set_pack(
    tx: &Transaction<'_>,
    id: ProductId,
    unit: &Unit,
    coefficient: Quantity,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into packs (product_id, unit, coefficient_thousandths)
        values (:id, :unit, :coefficient)
        on conflict do update set coefficient_thousandths = excluded.coefficient_thousandths";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! { ":id": id, ":unit": unit, ":coefficient": coefficient })?;
    Ok(())
}

/// Forgets a pack.
pub fn remove_pack(tx: &Transaction<'_>, id: ProductId, unit: &Unit) -> Result<(), StorageError> {
    const SQL: &str = "delete from packs where product_id = :id and unit = :unit";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":unit": unit })?;
    Ok(())
}

/// How many products there are, sold or not.
pub fn count_all(conn: &Connection) -> Result<u32, StorageError> {
    const SQL: &str = "select count(*) from products";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

/// How many products are on sale, and how many there are.
pub fn count(conn: &Connection) -> Result<(u32, u32), StorageError> {
    const SQL: &str = "
        select count(*) filter (where not withdrawn and not hidden), count(*) from products";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Products on sale right in the category, `None`: in none, by title.
pub fn list_in_category(
    conn: &Connection,
    category: Option<CategoryId>,
    offset: u32,
    limit: u32,
) -> Result<Vec<ProductId>, StorageError> {
    const SQL: &str = "
        select id from products
        where category_id is :category and not withdrawn and not hidden
        order by title, id limit :limit offset :offset";
    let mut stmt = conn.prepare_cached(SQL)?;
    let ids = stmt.query_map(
        named_params! { ":category": category, ":limit": limit, ":offset": offset },
        |row| row.get(0),
    )?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Products on sale right in the category with their titles, at most so many.
pub fn titles_in_category(
    conn: &Connection,
    category: Option<CategoryId>,
    limit: u32,
) -> Result<Vec<(ProductId, String, bool)>, StorageError> {
    const SQL: &str = "
        select id, title, available_thousandths > 0 as available from products
        where category_id is :category and not withdrawn and not hidden
        order by title, id limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":category": category, ":limit": limit }, |row| {
        Ok((row.get("id")?, row.get("title")?, row.get("available")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The categories of these products, in their order; those that do not exist are absent.
pub fn categories_of(
    conn: &Connection,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, Option<CategoryId>)>, StorageError> {
    const SQL: &str = "select category_id from products where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let row = stmt.query_row(named_params! { ":id": id }, |row| row.get("category_id"));
        if let Some(category) = row.optional()? {
            found.push((*id, category));
        }
    }
    Ok(found)
}

/// How many products are on sale right in the category.
pub fn count_in_category(
    conn: &Connection,
    category: Option<CategoryId>,
) -> Result<u32, StorageError> {
    const SQL: &str = "
        select count(*) from products
        where category_id is :category and not withdrawn and not hidden";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":category": category }, |row| row.get(0))?)
}

/// What the catalogue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Stats {
    /// Products of any state.
    pub products: u32,
    /// On sale.
    pub on_sale: u32,
    /// Hidden.
    pub hidden: u32,
    /// Withdrawn.
    pub withdrawn: u32,
    /// On sale without a price of the given type.
    pub without_price: u32,
    /// On sale with stock.
    pub in_stock: u32,
    /// On sale in no category.
    pub without_category: u32,
    /// Categories.
    pub categories: u32,
    /// Price types.
    pub price_types: u32,
    /// Warehouses.
    pub warehouses: u32,
}

/// Counts the catalogue; a price means one of `price_type`.
pub fn stats(conn: &Connection, price_type: Option<i64>) -> Result<Stats, StorageError> {
    const SQL: &str = "
        select count(*) as products,
            count(*) filter (where not withdrawn and not hidden) as on_sale,
            count(*) filter (where hidden and not withdrawn) as hidden,
            count(*) filter (where withdrawn) as withdrawn,
            count(*) filter (where not withdrawn and not hidden
                and coalesce(r.amount_kopecks, 0) = 0) as without_price,
            count(*) filter (where not withdrawn and not hidden
                and available_thousandths > 0) as in_stock,
            count(*) filter (where not withdrawn and not hidden
                and category_id is null) as without_category,
            (select count(*) from categories) as categories,
            (select count(*) from price_types) as price_types,
            (select count(*) from warehouses) as warehouses
        from products p
        left join prices r on r.product_id = p.id and r.price_type_id = :price_type";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":price_type": price_type }, |row| {
        Ok(Stats {
            products: row.get("products")?,
            on_sale: row.get("on_sale")?,
            hidden: row.get("hidden")?,
            withdrawn: row.get("withdrawn")?,
            without_price: row.get("without_price")?,
            in_stock: row.get("in_stock")?,
            without_category: row.get("without_category")?,
            categories: row.get("categories")?,
            price_types: row.get("price_types")?,
            warehouses: row.get("warehouses")?,
        })
    })?)
}
