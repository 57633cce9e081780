//! Organizations, people and products as the panel lists them.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::StorageError;
use super::drafts::ids_to_json;
use super::purchases::Balance;
use crate::domain::{
    CategoryId, MemberState, Money, OrgKind, OrgRole, OrganizationId, PersonId, Phone, Price,
    ProductId, Quantity, Timestamp, Unit,
};

/// An organization with what the panel says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// The organization.
    pub id: OrganizationId,
    /// A company or a private person.
    pub kind: OrgKind,
    /// Its name.
    pub name: String,
    /// The taxpayer's number.
    pub inn: Option<String>,
    /// 1C's id.
    pub external_id: Option<String>,
    /// Whether the company vouches for it.
    pub verified: bool,
    /// Whether it is closed.
    pub blocked: bool,
    /// The manager in charge; empty: none.
    pub manager_name: String,
    /// Whose prices it gets; empty: the default ones.
    pub price_type: String,
    /// Its people.
    pub people: u32,
    /// Orders since the moment asked about.
    pub orders: u32,
    /// Their sum.
    pub total: Money,
    /// The last order.
    pub last_order_at: Option<Timestamp>,
}

/// Which organizations to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Name, taxpayer's number, or a person's name or phone contain this.
    pub query: String,
    /// Only those that nobody has vouched for.
    pub unverified: bool,
    /// Only this one.
    pub id: Option<OrganizationId>,
}

const CLIENTS: &str = "
    from organizations g
    where (:id is null or g.id = :id) and (:unverified = 0 or g.verified = 0)
        and (:text = '' or holds(g.name, :text) or instr(coalesce(g.inn, ''), :text) > 0
            or exists (select 1 from members b join persons p on p.id = b.person_id
                where b.organization_id = g.id and b.state <> 'left'
                    and (holds(p.name, :text) or instr(coalesce(p.phone, p.claimed_phone, ''), :text) > 0)))";

/// A page of the organizations that the filter lets through, those that ordered last first, and how
/// many there are in all. Orders are counted since `since`.
pub fn clients(
    conn: &Connection,
    filter: &ClientFilter,
    since: Timestamp,
    offset: u32,
    limit: u32,
) -> Result<(Vec<ClientRow>, u32), StorageError> {
    const ROW: &str = "
        select g.id, g.kind, g.name, g.inn, g.external_id, g.verified, g.blocked,
            coalesce(m.name, '') as manager_name, coalesce(t.name, '') as price_type,
            (select count(*) from members b where b.organization_id = g.id and b.state = 'active') as people,
            (select count(*) from orders o where o.organization_id = g.id and o.created_at_ms >= :since) as orders,
            (select coalesce(sum(total_kopecks), 0) from orders o where o.organization_id = g.id
                and o.created_at_ms >= :since and o.status not in ('cancelled', 'rejected')) as total_kopecks,
            (select max(created_at_ms) from orders o where o.organization_id = g.id)
                as last_order_at_ms
        from organizations g
        left join persons m on m.id = g.manager_id
        left join price_types t on t.id = g.price_type_id
        where g.id = :id";
    // They are looked for once and counted on the way; what is told of them is read for those of
    // the page alone.
    let sql = format!(
        "select g.id {CLIENTS} order by coalesce((select max(created_at_ms) from orders o
            where o.organization_id = g.id), g.created_at_ms) desc, g.id desc"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let found = stmt.query_map(
        named_params! {
            ":id": filter.id, ":unverified": filter.unverified,
            ":text": filter.query.trim().to_lowercase(),
        },
        |row| row.get("id"),
    )?;
    let found: Vec<OrganizationId> = found.collect::<Result<_, _>>()?;
    let mut stmt = conn.prepare_cached(ROW)?;
    let page = found.iter().skip(offset as usize).take(limit as usize);
    let rows = page.map(|id| {
        stmt.query_row(named_params! { ":id": id, ":since": since }, ClientRow::from_row)
    });
    let rows = rows.collect::<Result<_, _>>()?;
    Ok((rows, u32::try_from(found.len()).unwrap_or(u32::MAX)))
}

impl ClientRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            name: row.get("name")?,
            inn: row.get("inn")?,
            external_id: row.get("external_id")?,
            verified: row.get("verified")?,
            blocked: row.get("blocked")?,
            manager_name: row.get("manager_name")?,
            price_type: row.get("price_type")?,
            people: row.get("people")?,
            orders: row.get("orders")?,
            total: row.get("total_kopecks")?,
            last_order_at: row.get("last_order_at_ms")?,
        })
    }
}

/// How many organizations the filter lets through.
pub fn count_clients(conn: &Connection, filter: &ClientFilter) -> Result<u32, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("select count(*) as clients {CLIENTS}"))?;
    Ok(stmt.query_row(
        named_params! {
            ":id": filter.id, ":unverified": filter.unverified,
            ":text": filter.query.trim().to_lowercase(),
        },
        |row| row.get("clients"),
    )?)
}

/// A person as the panel lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonLine {
    /// Who.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their phone, or the one they say is theirs.
    pub phone: Option<Phone>,
    /// Whether the phone is proven.
    pub phone_verified: bool,
    /// Whether the account is closed.
    pub blocked: bool,
    /// `manager` or `admin`, where granted.
    pub granted_role: Option<String>,
    /// Their organizations, by name, with a comma.
    pub organizations: String,
    /// How many chats they have.
    pub chats: u32,
    /// Whether one of the chats has blocked the bot.
    pub chat_blocked: bool,
    /// The last time they did something.
    pub seen_at: Option<Timestamp>,
}

/// An organization that a person is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonMembership {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// What the person may do for it.
    pub role: OrgRole,
}

/// The person and their organizations, or `None`.
pub fn person(
    conn: &Connection,
    id: PersonId,
) -> Result<Option<(PersonLine, Vec<PersonMembership>)>, StorageError> {
    const SQL: &str = "
        select b.organization_id, g.name, b.role from members b
        join organizations g on g.id = b.organization_id
        where b.person_id = :id and b.state = 'active' order by g.name, g.id";
    let person = conn
        .prepare_cached(PERSON)?
        .query_row(named_params! { ":id": id }, PersonLine::from_row)
        .optional()?;
    let Some(person) = person else { return Ok(None) };
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": id }, |row| {
        Ok(PersonMembership {
            organization: row.get("organization_id")?,
            name: row.get("name")?,
            role: row.get("role")?,
        })
    })?;
    Ok(Some((person, rows.collect::<Result<_, _>>()?)))
}

/// A page of the people whose name or phone contains the text, seen last first, and how many there
/// are in all.
pub fn people(
    conn: &Connection,
    text: &str,
    offset: u32,
    limit: u32,
) -> Result<(Vec<PersonLine>, u32), StorageError> {
    const COUNT: &str = "select count(*) as people from persons";
    const PAGE: &str = "
        select id from persons order by coalesce(seen_at_ms, created_at_ms) desc, id
        limit :limit offset :offset";
    const FOUND: &str = "
        select id from persons
        where holds(name, :text) or instr(coalesce(phone, claimed_phone, ''), :text) > 0
        order by coalesce(seen_at_ms, created_at_ms) desc, id";
    let text = text.trim().to_lowercase();
    let (ids, total): (Vec<PersonId>, _) = if text.is_empty() {
        let mut stmt = conn.prepare_cached(PAGE)?;
        let params = named_params! { ":limit": limit, ":offset": offset };
        let ids = stmt.query_map(params, |row| row.get("id"))?.collect::<Result<_, _>>()?;
        (ids, conn.prepare_cached(COUNT)?.query_row([], |row| row.get("people"))?)
    } else {
        // They are looked for once and counted on the way.
        let mut stmt = conn.prepare_cached(FOUND)?;
        let found = stmt.query_map(named_params! { ":text": text }, |row| row.get("id"))?;
        let mut found: Vec<_> = found.collect::<Result<_, _>>()?;
        let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
        found.drain(..found.len().min(offset as usize));
        found.truncate(limit as usize);
        (found, total)
    };
    let mut stmt = conn.prepare_cached(PERSON)?;
    let rows = ids
        .iter()
        .map(|id| stmt.query_row(named_params! { ":id": id }, PersonLine::from_row))
        .collect::<Result<_, _>>()?;
    Ok((rows, total))
}

const PERSON: &str = "
    select p.id, p.name, coalesce(p.phone, p.claimed_phone) as phone,
        p.phone is not null and p.phone_verified as phone_verified, p.blocked, p.granted_role, p.seen_at_ms,
        (select coalesce(group_concat(g.name, ', '), '') from members b
            join organizations g on g.id = b.organization_id
            where b.person_id = p.id and b.state = 'active') as organizations,
        (select count(*) from chats c where c.person_id = p.id) as chats,
        exists (select 1 from chats c where c.person_id = p.id and c.blocked_at_ms is not null)
            as chat_blocked
    from persons p where p.id = :id";

impl PersonLine {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            phone: row.get("phone")?,
            phone_verified: row.get("phone_verified")?,
            blocked: row.get("blocked")?,
            granted_role: row.get("granted_role")?,
            organizations: row.get("organizations")?,
            chats: row.get("chats")?,
            chat_blocked: row.get("chat_blocked")?,
            seen_at: row.get("seen_at_ms")?,
        })
    }
}

/// Someone in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberLine {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their phone, or the one they say is theirs.
    pub phone: Option<Phone>,
    /// Whether the phone is proven.
    pub phone_verified: bool,
    /// What they may do for it.
    pub role: OrgRole,
    /// How the membership stands.
    pub state: MemberState,
    /// Whether one of their chats has blocked the bot.
    pub chat_blocked: bool,
}

/// The people of an organization who have not left, owners first.
pub fn members(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<Vec<MemberLine>, StorageError> {
    const SQL: &str = "
        select p.id, p.name, coalesce(p.phone, p.claimed_phone) as phone,
            p.phone is not null and p.phone_verified as phone_verified, b.role, b.state,
            exists (select 1 from chats c where c.person_id = p.id and c.blocked_at_ms is not null)
                as chat_blocked
        from members b join persons p on p.id = b.person_id
        where b.organization_id = :organization and b.state <> 'left'
        order by case b.role when 'owner' then 0 when 'buyer' then 1 else 2 end, p.name";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":organization": organization }, |row| {
        Ok(MemberLine {
            person: row.get("id")?,
            name: row.get("name")?,
            phone: row.get("phone")?,
            phone_verified: row.get("phone_verified")?,
            role: row.get("role")?,
            state: row.get("state")?,
            chat_blocked: row.get("chat_blocked")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A person of an organization, or an organization without people, for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientContact {
    /// The organization's name.
    pub organization: String,
    /// The taxpayer's number.
    pub inn: Option<String>,
    /// 1C's id.
    pub external_id: Option<String>,
    /// The person's name.
    pub person: Option<String>,
    /// Their phone.
    pub phone: Option<Phone>,
    /// What they may do for it.
    pub role: Option<OrgRole>,
}

/// Everyone of every company, by the company's name. Private persons are left out: they are
/// organizations of their own only here.
pub fn contacts(conn: &Connection) -> Result<Vec<ClientContact>, StorageError> {
    const SQL: &str = "
        select g.name as organization, g.inn, g.external_id, p.name as person, p.phone, b.role
        from organizations g
        left join members b on b.organization_id = g.id and b.state = 'active'
        left join persons p on p.id = b.person_id
        where g.kind = 'company' order by fold(g.name), g.id, p.name";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(ClientContact {
            organization: row.get("organization")?,
            inn: row.get("inn")?,
            external_id: row.get("external_id")?,
            person: row.get("person")?,
            phone: row.get("phone")?,
            role: row.get("role")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What an organization buys: a product, in how many orders, how many in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoughtLine {
    /// The product.
    pub product: ProductId,
    /// Its title.
    pub title: String,
    /// Its article.
    pub sku: String,
    /// In how many orders.
    pub times: u32,
    /// Base units in all.
    pub quantity: Quantity,
    /// The base unit.
    pub unit: String,
    /// The last time.
    pub last_at: Timestamp,
}

/// What an organization bought here most often.
pub fn bought(
    conn: &Connection,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<BoughtLine>, StorageError> {
    const SQL: &str = "
        select p.id, p.title, p.sku, p.unit, count(*) as times,
            coalesce(sum(l.base_quantity_thousandths), 0) as quantity, max(o.created_at_ms) as last_at_ms
        from orders o join order_lines l on l.order_id = o.id join products p on p.id = l.product_id
        where o.organization_id = :organization and o.status not in ('cancelled', 'rejected')
        group by p.id order by times desc, last_at_ms desc limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map(named_params! { ":organization": organization, ":limit": limit }, |row| {
            Ok(BoughtLine {
                product: row.get("id")?,
                title: row.get("title")?,
                sku: row.get("sku")?,
                unit: row.get("unit")?,
                times: row.get("times")?,
                quantity: row.get("quantity")?,
                last_at: row.get("last_at_ms")?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A phrase that an organization taught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearntLine {
    /// The phrase.
    pub phrase: String,
    /// The product.
    pub product: ProductId,
    /// Its title.
    pub title: String,
    /// The phrase never means the product.
    pub refused: bool,
    /// When it was learnt.
    pub at: Timestamp,
}

/// What an organization's words were learnt to mean, newest first.
pub fn learnt(
    conn: &Connection,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<LearntLine>, StorageError> {
    const SQL: &str = "
        select w.phrase, w.product_id, p.title, w.refused, w.learnt_at_ms
        from learnt_phrases w join products p on p.id = w.product_id
        where w.organization_id = :organization order by w.learnt_at_ms desc, w.phrase limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map(named_params! { ":organization": organization, ":limit": limit }, |row| {
            Ok(LearntLine {
                phrase: row.get("phrase")?,
                product: row.get("product_id")?,
                title: row.get("title")?,
                refused: row.get("refused")?,
                at: row.get("learnt_at_ms")?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What 1C says that an organization owes; `None`: it has said nothing.
pub fn balance(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<Option<Balance>, StorageError> {
    const SQL: &str = "
        select debt_kopecks, overdue_kopecks, limit_kopecks, terms, as_of_ms from balances
        where organization_id = :organization";
    let mut stmt = conn.prepare_cached(SQL)?;
    let read = |row: &Row<'_>| {
        Ok(Balance {
            debt: row.get("debt_kopecks")?,
            overdue: row.get("overdue_kopecks")?,
            limit: row.get("limit_kopecks")?,
            terms: row.get("terms")?,
            as_of: row.get("as_of_ms")?,
        })
    };
    Ok(stmt.query_row(named_params! { ":organization": organization }, read).optional()?)
}

/// Free stock of a product by warehouse, the largest first.
pub fn stocks(
    conn: &Connection,
    product: ProductId,
) -> Result<Vec<(String, Quantity)>, StorageError> {
    const SQL: &str = "
        select w.name, s.quantity_thousandths from stocks s
        join warehouses w on w.id = s.warehouse_id
        where s.product_id = :id order by s.quantity_thousandths desc, w.name";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": product }, |row| {
        Ok((row.get("name")?, row.get("quantity_thousandths")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A category of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryRow {
    /// The category.
    pub id: CategoryId,
    /// Its parent.
    pub parent: Option<CategoryId>,
    /// Its title.
    pub title: String,
    /// Products directly in it that are sold.
    pub products: u32,
}

/// Every category, in the order of the tree's siblings.
pub fn categories(conn: &Connection) -> Result<Vec<CategoryRow>, StorageError> {
    const SQL: &str = "
        select c.id, c.parent_id, c.title, (select count(*) from products p
            where p.category_id = c.id and p.withdrawn = 0 and p.hidden = 0) as products
        from categories c order by c.order_index, c.title, c.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(CategoryRow {
            id: row.get("id")?,
            parent: row.get("parent_id")?,
            title: row.get("title")?,
            products: row.get("products")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A product as the panel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductLine {
    /// The product.
    pub id: ProductId,
    /// The article.
    pub sku: String,
    /// The title.
    pub title: String,
    /// The category's title; empty: none.
    pub category: String,
    /// The base unit.
    pub unit: Unit,
    /// Packs, as «уп 1 000, кор 10 000».
    pub packs: String,
    /// Sold by so many.
    pub multiple: Option<Quantity>,
    /// The default price.
    pub price: Option<Price>,
    /// Free stock.
    pub available: Quantity,
    /// Deleted at the source, or missing from it.
    pub withdrawn: bool,
    /// Not shown.
    pub hidden: bool,
    /// Our own words for it.
    pub search_words: String,
    /// Whether it comes from 1C.
    pub from_onec: bool,
    /// The last change.
    pub updated_at: Timestamp,
}

/// Which products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// One of these.
    pub among: Option<Vec<ProductId>>,
    /// In this category or below it.
    pub category: Option<CategoryId>,
    /// `sold`, `out` (none in stock), `hidden`; anything else: all.
    pub state: String,
    /// Only this one.
    pub id: Option<ProductId>,
}

/// A change of many products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductChange {
    /// Hidden from clients, or not.
    Hidden(bool),
    /// In this category.
    Category(CategoryId),
}

/// Changes a product; whether it was: those of 1C keep their category.
pub fn change_product(
    tx: &rusqlite::Transaction<'_>,
    id: ProductId,
    change: ProductChange,
) -> Result<bool, StorageError> {
    const HIDDEN: &str = "update products set hidden = :hidden where id = :id";
    const CATEGORY: &str = "
        update products set category_id = :category where id = :id and external_id is null";
    let found = match change {
        ProductChange::Hidden(hidden) => {
            tx.prepare_cached(HIDDEN)?.execute(named_params! { ":hidden": hidden, ":id": id })?
        }
        ProductChange::Category(category) => tx
            .prepare_cached(CATEGORY)?
            .execute(named_params! { ":category": category, ":id": id })?,
    };
    Ok(found == 1)
}

/// A product's prices by type, the default type first.
pub fn prices_by_type(
    conn: &Connection,
    id: ProductId,
) -> Result<Vec<(String, Price)>, StorageError> {
    const SQL: &str = "
        select t.name, r.amount_kopecks, r.per from prices r
        join price_types t on t.id = r.price_type_id
        where r.product_id = :id order by t.name <> '', t.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": id }, |row| {
        let price = Price::new(row.get("amount_kopecks")?, row.get("per")?);
        Ok((row.get::<_, String>("name")?, price))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter_map(|(name, price)| Some((name, price?))).collect())
}

fn product_conditions(filter: &ProductFilter) -> String {
    let mut sql = "from products p where 1".to_owned();
    if filter.category.is_some() {
        sql.push_str(
            " and p.category_id in (
        with recursive below (id) as (
            select :category union select k.id from categories k join below b on k.parent_id = b.id)
        select id from below)",
        );
    }
    if filter.id.is_some() {
        sql.push_str(" and p.id = :id");
    }
    if filter.among.is_some() {
        sql.push_str(" and p.id in (select value from json_each(:among))");
    }
    sql.push_str(match filter.state.as_str() {
        "sold" => " and p.withdrawn = 0 and p.hidden = 0",
        "out" => " and p.withdrawn = 0 and p.hidden = 0 and p.available_thousandths <= 0",
        "hidden" => " and (p.withdrawn = 1 or p.hidden = 1)",
        _ => "",
    });
    sql
}

fn bind_products(
    stmt: &mut rusqlite::Statement<'_>,
    filter: &ProductFilter,
) -> Result<(), StorageError> {
    let among = filter.among.as_deref().map(ids_to_json);
    let values: [(&str, &dyn rusqlite::ToSql); 3] =
        [(":category", &filter.category), (":id", &filter.id), (":among", &among)];
    for (name, value) in values {
        if let Some(index) = stmt.parameter_index(name)? {
            stmt.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// Products on sale without a price of the default type, by title.
pub fn priceless(conn: &Connection) -> Result<Vec<ProductId>, StorageError> {
    const SQL: &str = "
        select p.id from products p where p.withdrawn = 0 and p.hidden = 0 and not exists (
            select 1 from prices r where r.product_id = p.id and r.amount_kopecks > 0
                and r.price_type_id = (select id from price_types order by name <> '', id limit 1))
        order by p.title, p.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| row.get("id"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Goes over what each product is found by in lists, its title, article and own words, in lower
/// case; in the order of titles.
pub fn scan_texts(
    conn: &Connection,
    mut each: impl FnMut(ProductId, &str),
) -> Result<(), StorageError> {
    const SQL: &str = "
        select id, fold(title || char(10) || sku || char(10) || search_words) as words
        from products order by title, id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        let words = row.get_ref("words")?;
        each(row.get("id")?, words.as_str().map_err(rusqlite::Error::from)?);
    }
    Ok(())
}

/// A page of the products that the filter lets through, by title.
pub fn products(
    conn: &Connection,
    filter: &ProductFilter,
    offset: u32,
    limit: u32,
) -> Result<Vec<ProductLine>, StorageError> {
    let conditions = product_conditions(filter);
    let sql = format!(
        "select p.id, p.sku, p.title, coalesce(c.title, '') as category, p.unit, p.multiple_thousandths,
            p.available_thousandths, p.withdrawn, p.hidden, p.search_words,
            p.external_id is not null as from_onec, p.updated_at_ms, r.amount_kopecks, r.per
        from (select p.id as at {conditions} order by p.title, p.id limit {limit} offset {offset}) page
        cross join products p on p.id = page.at
        left join categories c on c.id = p.category_id
        left join prices r on r.product_id = p.id and r.price_type_id = (
            select id from price_types order by name <> '', id limit 1)
        order by p.title, p.id"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    bind_products(&mut stmt, filter)?;
    let mut found = Vec::new();
    let mut rows = stmt.raw_query();
    while let Some(row) = rows.next()? {
        found.push(product_line(row)?);
    }
    for line in &mut found {
        line.packs = packs(conn, line.id)?;
    }
    Ok(found)
}

fn product_line(row: &Row<'_>) -> rusqlite::Result<ProductLine> {
    let amount: Option<Money> = row.get("amount_kopecks")?;
    let per: Option<u32> = row.get("per")?;
    Ok(ProductLine {
        id: row.get("id")?,
        sku: row.get("sku")?,
        title: row.get("title")?,
        category: row.get("category")?,
        unit: row.get("unit")?,
        packs: String::new(),
        multiple: row.get("multiple_thousandths")?,
        price: amount.zip(per).and_then(|(amount, per)| Price::new(amount, per)),
        available: row.get("available_thousandths")?,
        withdrawn: row.get("withdrawn")?,
        hidden: row.get("hidden")?,
        search_words: row.get("search_words")?,
        from_onec: row.get("from_onec")?,
        updated_at: row.get("updated_at_ms")?,
    })
}

fn packs(conn: &Connection, product: ProductId) -> Result<String, StorageError> {
    const SQL: &str = "
        select unit, coefficient_thousandths from packs
        where product_id = :id order by coefficient_thousandths";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": product }, |row| {
        let (unit, coefficient): (String, Quantity) =
            (row.get("unit")?, row.get("coefficient_thousandths")?);
        Ok(format!("{unit}\u{a0}{coefficient}"))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.join(", "))
}

/// How many products the filter lets through.
pub fn count_products(conn: &Connection, filter: &ProductFilter) -> Result<u32, StorageError> {
    let conditions = product_conditions(filter);
    let mut stmt = conn.prepare_cached(&format!("select count(*) as products {conditions}"))?;
    bind_products(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    Ok(rows.next()?.map(|row| row.get("products")).transpose()?.unwrap_or(0))
}

/// A product's words of our own, or `None` when there is no such product.
pub fn search_words(conn: &Connection, id: ProductId) -> Result<Option<String>, StorageError> {
    const SQL: &str = "select search_words from products where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| row.get("search_words")).optional()?)
}

/// Sets a product's own fields: words that buyers use for it, and whether it is hidden.
pub fn set_own_fields(
    tx: &rusqlite::Transaction<'_>,
    id: ProductId,
    search_words: &str,
    hidden: bool,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update products set search_words = :words, hidden = :hidden where id = :id";
    let found = tx.prepare_cached(SQL)?.execute(named_params! {
        ":words": search_words, ":hidden": hidden, ":id": id,
    })?;
    Ok(found == 1)
}
