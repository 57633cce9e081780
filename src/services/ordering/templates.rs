//! Templates: orders that an organization keeps under a name, to order them again.
//!
//! A template is the organization's: all of its people see and use it, those who send orders also
//! save, rename and delete. It keeps products, quantities and units; the prices beside them only
//! tell what has changed since.

use rusqlite::{Connection, Transaction};

use super::again::{Changes, Past, Repeated, changes};
use super::draft::{settle, with_offers};
use super::staff::{OrderView, seen_by_buyer};
use super::{Actor, DraftLine, OrderError, Ordering, Party};
use crate::domain::{LineState, OrderId, OrganizationId, TemplateId, TemplateName, Timestamp};
use crate::storage::audit::{self, Entry};
use crate::storage::drafts::NewDraftLine;
use crate::storage::entries;
use crate::storage::orders::OrderLineRow;
use crate::storage::templates::{self, TemplateLine, TemplateRow};

/// How many templates an organization has at most.
pub const TEMPLATES_MOST: u32 = 50;

/// Why a template was not shown or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is none, or it is someone else's: the two answer alike.
    #[error("нет такого шаблона")]
    NotFound,
    /// The button was drawn for an older version of this template.
    #[error("шаблон изменился")]
    Stale(TemplateId),
    /// The person sends no orders for the organization.
    #[error("шаблоны меняет тот, кто отправляет заявки")]
    NotAllowed,
    /// The organization has as many as it may have.
    #[error("шаблонов уже {TEMPLATES_MOST}")]
    Full,
    /// No line of the order has a product.
    #[error("в заявке нет подобранных товаров")]
    NoProducts,
}

/// A page of templates, by name.
#[derive(Debug, Clone)]
pub struct TemplatePage {
    /// The page's templates.
    pub templates: Vec<TemplateRow>,
    /// How many there are on all pages.
    pub total: u32,
}

/// A template as it would be ordered today.
#[derive(Debug, Clone)]
pub struct TemplateView {
    /// The template.
    pub template: TemplateRow,
    /// Its lines with today's prices and stock, as a draft would have them.
    pub lines: Vec<DraftLine>,
    /// What is not as it was.
    pub changes: Changes,
    /// Of when prices and stock are; `None` when no catalogue has been loaded.
    pub loaded_at: Option<Timestamp>,
}

/// An order that has become a template.
#[derive(Debug, Clone)]
pub struct SavedTemplate {
    /// The template.
    pub template: TemplateRow,
    /// How many lines of the order had no product and stayed out.
    pub left_out: usize,
}

/// What came of giving a template a name.
#[derive(Debug, Clone)]
pub enum Named<T> {
    /// It has the name.
    Done(T),
    /// This other template of the organization has it.
    Taken(TemplateRow),
}

impl Ordering {
    /// A page of the templates of the party's organization.
    pub async fn templates(
        &self,
        party: &Party,
        offset: u32,
        limit: u32,
    ) -> Result<TemplatePage, OrderError> {
        let Some(organization) = party.person.and(party.organization) else {
            return Ok(TemplatePage { templates: Vec::new(), total: 0 });
        };
        let read = move |conn: &Connection| {
            let templates = templates::list(conn, organization, offset, limit)?;
            Ok(TemplatePage { templates, total: templates::count(conn, organization)? })
        };
        self.base.db.read(read).await
    }

    /// A template of the party's organization as it would be ordered today.
    pub async fn template(
        &self,
        party: &Party,
        id: TemplateId,
    ) -> Result<TemplateView, OrderError> {
        let (template, past) = self.past_of(party, id).await?;
        let lines = self.as_of_today(&past).await?;
        let party = party.clone();
        let read = move |conn: &Connection| {
            let changes = changes(conn, &party, &past)?;
            let mut rows = Vec::with_capacity(lines.len());
            for (position, (line, past)) in (1..).zip(lines.into_iter().zip(&past)) {
                let mut row = line.unsaved(position);
                settle(conn, &party, &mut row)?;
                row.price = past.price;
                rows.push(row);
            }
            let lines = with_offers(conn, &party, party.organization, rows)?;
            let loaded_at = entries::loaded_at(conn)?;
            Ok(TemplateView { template, lines, changes, loaded_at })
        };
        self.base.db.read(read).await
    }

    /// Adds a template's lines to the party's draft, as [`Ordering::repeat`] adds an order's.
    pub async fn use_template(
        &self,
        party: &Party,
        event_key: &str,
        id: TemplateId,
    ) -> Result<Repeated, OrderError> {
        let (_, past) = self.past_of(party, id).await?;
        self.fill_again(party, event_key, past).await
    }

    /// The order that the party may make a template of.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotFound`]; [`TemplateError::NotAllowed`], [`TemplateError::NoProducts`].
    pub async fn template_source(
        &self,
        party: &Party,
        order: OrderId,
    ) -> Result<OrderView, OrderError> {
        let party = party.clone();
        self.base.db.read(move |conn| source(conn, &party, order).map(|(order, _)| order)).await
    }

    /// Keeps the order's products, quantities and units under this name. The same event makes one
    /// template.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Full`], and those of [`Ordering::template_source`].
    pub async fn save_template(
        &self,
        party: &Party,
        event_key: &str,
        order: OrderId,
        name: TemplateName,
    ) -> Result<Named<SavedTemplate>, OrderError> {
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                let organization = keeper(&party)?;
                let (view, lines) = source(tx, &party, order)?;
                let left_out = view.lines.len() - lines.len();
                if let Some(template) = templates::find_by_name(tx, organization, &name)? {
                    let repeated = template.event_key == event_key;
                    return Ok(if repeated {
                        Named::Done(SavedTemplate { template, left_out })
                    } else {
                        Named::Taken(template)
                    });
                }
                if templates::count(tx, organization)? >= TEMPLATES_MOST {
                    return Err(TemplateError::Full.into());
                }
                let id = templates::insert(tx, organization, &name, &lines, &event_key, now)?;
                let template = own(tx, &party, id)?;
                note(tx, &party, "template.saved", &template, None, now)?;
                Ok(Named::Done(SavedTemplate { template, left_out }))
            })
            .await
    }

    /// Puts the order's lines into the place of those of a template. The same event does it once.
    ///
    /// # Errors
    ///
    /// [`TemplateError::NotFound`], [`TemplateError::Stale`], and those of
    /// [`Ordering::template_source`].
    pub async fn replace_template(
        &self,
        party: &Party,
        event_key: &str,
        id: TemplateId,
        version: i64,
        order: OrderId,
    ) -> Result<SavedTemplate, OrderError> {
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                let before = own(tx, &party, id)?;
                let (view, lines) = source(tx, &party, order)?;
                let left_out = view.lines.len() - lines.len();
                if before.event_key == event_key {
                    return Ok(SavedTemplate { template: before, left_out });
                }
                if before.revision != version {
                    return Err(TemplateError::Stale(id).into());
                }
                templates::replace_lines(tx, id, &lines, &event_key, now)?;
                let template = own(tx, &party, id)?;
                note(tx, &party, "template.saved", &template, None, now)?;
                Ok(SavedTemplate { template, left_out })
            })
            .await
    }

    /// The template that the party may change.
    ///
    /// # Errors
    ///
    /// [`TemplateError::NotFound`], [`TemplateError::NotAllowed`].
    pub async fn own_template(
        &self,
        party: &Party,
        id: TemplateId,
    ) -> Result<TemplateRow, OrderError> {
        let party = party.clone();
        let read = move |conn: &Connection| {
            let template = own(conn, &party, id)?;
            keeper(&party)?;
            Ok(template)
        };
        self.base.db.read(read).await
    }

    /// Gives a template another name.
    ///
    /// # Errors
    ///
    /// Those of [`Ordering::own_template`].
    pub async fn rename_template(
        &self,
        party: &Party,
        id: TemplateId,
        name: TemplateName,
    ) -> Result<Named<TemplateRow>, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let before = own(tx, &party, id)?;
                let organization = keeper(&party)?;
                let namesake = templates::find_by_name(tx, organization, &name)?;
                if let Some(other) = namesake.filter(|other| other.id != id) {
                    return Ok(Named::Taken(other));
                }
                if before.name == name.as_str() {
                    return Ok(Named::Done(before));
                }
                templates::rename(tx, id, &name, now)?;
                let template = own(tx, &party, id)?;
                note(tx, &party, "template.renamed", &template, Some(&before.name), now)?;
                Ok(Named::Done(template))
            })
            .await
    }

    /// Takes a template away.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Stale`], and those of [`Ordering::own_template`].
    pub async fn delete_template(
        &self,
        party: &Party,
        id: TemplateId,
        version: i64,
    ) -> Result<(), OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let template = own(tx, &party, id)?;
                keeper(&party)?;
                if template.revision != version {
                    return Err(TemplateError::Stale(id).into());
                }
                templates::remove(tx, id)?;
                note(tx, &party, "template.removed", &template, None, now)
            })
            .await
    }

    /// A template with its lines as they were when it was saved.
    async fn past_of(
        &self,
        party: &Party,
        id: TemplateId,
    ) -> Result<(TemplateRow, Vec<Past>), OrderError> {
        let party = party.clone();
        let read = move |conn: &Connection| {
            let template = own(conn, &party, id)?;
            let past = templates::lines(conn, id)?.into_iter().map(Past::from).collect();
            Ok((template, past))
        };
        self.base.db.read(read).await
    }
}

/// The organization for which the party keeps templates.
fn keeper(party: &Party) -> Result<OrganizationId, TemplateError> {
    let organization = party.organization.filter(|_| party.keeps_templates());
    organization.ok_or(TemplateError::NotAllowed)
}

/// The template, if it is of the party's organization.
fn own(conn: &Connection, party: &Party, id: TemplateId) -> Result<TemplateRow, OrderError> {
    let template = templates::find(conn, id)?.ok_or(TemplateError::NotFound)?;
    let owned = party.person.is_some() && party.organization == Some(template.organization);
    if owned { Ok(template) } else { Err(TemplateError::NotFound.into()) }
}

/// An order of the party's organization, and those of its lines that a template keeps.
fn source(
    conn: &Connection,
    party: &Party,
    order: OrderId,
) -> Result<(OrderView, Vec<TemplateLine>), OrderError> {
    let view = seen_by_buyer(conn, party, order)?;
    keeper(party)?;
    let lines: Vec<TemplateLine> = view.lines.iter().filter_map(kept).collect();
    if lines.is_empty() { Err(TemplateError::NoProducts.into()) } else { Ok((view, lines)) }
}

fn kept(line: &OrderLineRow) -> Option<TemplateLine> {
    line.product.map(|product| TemplateLine {
        product: Some(product),
        title: line.title.clone(),
        quantity: line.quantity,
        // A number without a unit was of the base one, whatever that will be.
        unit: if line.unit.is_empty() { line.base_unit.clone() } else { line.unit.clone() },
        price: line.price,
    })
}

impl From<TemplateLine> for Past {
    fn from(line: TemplateLine) -> Self {
        let TemplateLine { product, title, quantity, unit, price } = line;
        let amount = quantity.map(|quantity| format!(" — {}", quantity.with_unit(&unit)));
        let words = format!("{title}{}", amount.unwrap_or_default());
        let again = NewDraftLine {
            raw: if product.is_some() { title } else { words.clone() },
            state: Some(if product.is_some() { LineState::Ok } else { LineState::None }),
            product,
            quantity,
            unit,
            ..NewDraftLine::default()
        };
        Self { line: again, words, price, lost: product.is_none() }
    }
}

/// Writes into the journal what was done with a template.
fn note(
    tx: &Transaction<'_>,
    party: &Party,
    action: &str,
    template: &TemplateRow,
    before: Option<&str>,
    now: Timestamp,
) -> Result<(), OrderError> {
    let Actor { person, channel } = Actor::buyer(party);
    let object = format!("organization:{}", template.organization);
    let after = Some(template.name.as_str());
    let entry =
        Entry { at: now, channel, person, address: "", action, object: &object, before, after };
    Ok(audit::record(tx, &entry)?)
}
