//! A catalogue inside its transaction.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use rusqlite::{Connection, Transaction};

use super::known::{Known, News};
use super::matching::{Digests, Matcher, Mention, Plan, Reader, Step, Why};
use super::places::{Categories, PriceTypes, Warehouses};
use super::state::{Resolved, State, overlay};
use super::undo::Ledger;
use super::variants::Variants;
use super::{
    ApplyReport, DIFFERENCES_KEPT, Difference, ExchangeError, LeftAlone, Origin, PROBLEMS_KEPT,
    Way, count_one,
};
use crate::domain::catalog::{
    CatalogHead, CatalogSource, Field, ProductRecord, Record, SkippedRecord,
};
use crate::domain::{ProductId, Timestamp};
use crate::services::Base;
use crate::storage::db::Watch;
use crate::storage::products::Withdrawn;
use crate::storage::{Db, StorageError, exchange_log, mentions, prices, products};

/// A batch that has been read once.
pub struct Batch<S> {
    /// Where it can be read again.
    pub source: S,
    /// All its records, when they are few enough to be kept.
    pub records: Option<Vec<Record>>,
    /// What it says of itself.
    pub head: CatalogHead,
    /// What each record says of its identity.
    pub mentions: Vec<Mention>,
    /// What the mentions were digested with.
    pub digests: Digests,
    /// What is stored, when it has been read already.
    pub stored: Option<Stored>,
}

/// The stored catalogue, read ahead of the transaction.
pub struct Stored {
    known: Known,
    matcher: Matcher,
    watch: Watch,
}

impl Stored {
    /// Reads it. Whether it still stands is seen in the transaction.
    pub fn read(db: &Db, digests: &Digests) -> Result<Self, StorageError> {
        let ((known, matcher), watch) = db.read_and_watch(|conn| load(conn, digests))?;
        Ok(Self { known, matcher, watch })
    }
}

/// Products to be hidden, too many to do so unasked.
pub struct Held {
    /// The products.
    pub products: Vec<ProductId>,
    /// How many were on sale.
    pub of_total: usize,
}

/// What came of a batch.
pub struct Outcome {
    /// For the one who brought it.
    pub report: ApplyReport,
    /// What waits for a person.
    pub held: Option<Held>,
    /// Whether the catalogue is another one now.
    pub changed: bool,
    /// Products that the batch mentioned.
    pub mentioned: Vec<ProductId>,
    /// What was before, where that is to be noted.
    pub ledger: Option<Ledger>,
}

/// More than one in so many of the catalogue, and …
const GUARD_SHARE: usize = 10;
/// … more than this many products are hidden only by a person.
const GUARD_COUNT: usize = 20;

/// Applies the batch. The caller writes the journal.
pub fn apply<S: CatalogSource>(
    tx: &Transaction<'_>,
    batch: Batch<S>,
    base: &Base,
    origin: &Origin,
) -> Result<Outcome, ExchangeError<S::Error>> {
    let Batch { mut source, records, head, mentions, digests, stored } = batch;
    let (known, matcher) = match stored {
        Some(Stored { known, matcher, watch }) if watch.stands()? => (known, matcher),
        _ => load(tx, &digests)?,
    };
    let plan = matcher.plan(&mentions);
    drop(mentions);
    let exchange = &base.config.onec.exchange;
    let ledger = origin.undoable && !origin.dry_run;
    let mut work = Work {
        tx,
        now: base.clock.now(),
        made: vec![None; plan.mentioned.len().saturating_sub(known.len())],
        kept: HashMap::new(),
        categories: Categories::load(tx)?,
        price_types: PriceTypes::load(tx, exchange.price_type.as_deref().unwrap_or(""))?,
        warehouses: Warehouses::load(tx, exchange.warehouse.as_deref().unwrap_or(""))?,
        batch_type: None,
        variants: if head.variants { Variants::load(tx)? } else { Variants::default() },
        known,
        digests,
        left_alone: origin.left_alone,
        reader: match origin.way {
            Way::Json | Way::Pull => Reader::Program,
            _ if head.tabular => Reader::Rows,
            _ => Reader::Records,
        },
        ledger: if ledger { Some(Ledger::begin(tx)?) } else { None },
        report: ApplyReport { tabular: head.tabular, ..ApplyReport::default() },
    };
    work.variants.kept = ledger.then(Vec::new);
    work.report.warnings.clone_from(&head.warnings);
    work.begin(&head)?;
    let mut steps = plan.steps.iter();
    let mut failure = None;
    let mut each = |record: Record| {
        // A source that grew between the two readings is not what was planned.
        let step = steps.next().copied().unwrap_or(Step::Skip(Why::Unreadable));
        count_one(origin.progress.as_ref());
        match work.record(record, step, &head) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    match records {
        Some(records) => {
            let _ = records.into_iter().try_for_each(each);
        }
        None => {
            source.read(&mut each).map_err(ExchangeError::Source)?;
        }
    }
    if let Some(error) = failure {
        return Err(error.into());
    }
    work.variants.finish(tx, work.now)?;
    work.note_followed()?;
    let held = work.finish(&head, &plan, origin)?;
    let default = work.price_types.mark_default(tx)?;
    let changed =
        work.report.created + work.report.changed + work.report.hidden + work.variants.followed > 0
            || work.categories.changed
            || work.price_types.changed
            || default;
    let mentioned = work.mentioned(&plan).collect();
    Ok(Outcome { report: work.report, held, changed, mentioned, ledger: work.ledger })
}

fn load(conn: &Connection, digests: &Digests) -> Result<(Known, Matcher), StorageError> {
    let mut known = Known::default();
    let mut matcher = Matcher::with_capacity(products::count_all(conn)? as usize);
    products::scan(conn, |product| {
        let keyless = product.external_id.is_empty() && product.sku.is_empty();
        matcher.add(
            digests.external_id(product.external_id),
            digests.sku(product.sku),
            if keyless { digests.title(product.title) } else { 0 },
            product.withdrawn == Withdrawn::No,
        );
        known.add(&product, digests);
    })?;
    known.load_belongings(conn, digests)?;
    Ok((known, matcher))
}

/// The work on one batch.
struct Work<'t> {
    tx: &'t Transaction<'t>,
    now: Timestamp,
    known: Known,
    digests: Digests,
    /// Ids of products that the batch has made, by slot after the known ones.
    made: Vec<Option<ProductId>>,
    /// Records that wait for a later one of the same product, and how many they are.
    kept: HashMap<u32, (ProductRecord, usize)>,
    categories: Categories,
    price_types: PriceTypes,
    warehouses: Warehouses,
    /// The type of a price that names none.
    batch_type: Option<i64>,
    /// Items and characteristics that the batch has made or changed.
    variants: Variants,
    /// What of known products the batch does not touch.
    left_alone: LeftAlone,
    /// Who reads what was left out.
    reader: Reader,
    /// What was before, where that is to be noted.
    ledger: Option<Ledger>,
    report: ApplyReport,
}

impl Work<'_> {
    fn begin(&mut self, head: &CatalogHead) -> Result<(), StorageError> {
        let warnings = self.categories.apply(self.tx, &head.categories)?;
        self.report.warnings.extend(warnings);
        self.price_types.apply(self.tx, &head.price_types)?;
        for (external_id, name) in &head.warehouses {
            self.warehouses.resolve(self.tx, external_id, name)?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        record: Record,
        step: Step,
        head: &CatalogHead,
    ) -> Result<(), StorageError> {
        self.report.received += 1;
        match (record, step) {
            (Record::Skipped(skipped), _) => {
                self.skip(skipped);
                Ok(())
            }
            (Record::Product(product), Step::Skip(why)) => {
                let name = product.name().to_owned();
                self.skip(SkippedRecord {
                    index: product.index,
                    external_id: product.external_id,
                    reason: why.text(&name, self.reader),
                    sku: name,
                });
                Ok(())
            }
            (Record::Product(product), Step::Keep(slot)) => {
                self.report.upserted += 1;
                let laid = match self.kept.remove(&slot) {
                    Some((earlier, count)) => (overlay(earlier, &product), count + 1),
                    None => (product, 1),
                };
                self.kept.insert(slot, laid);
                Ok(())
            }
            (Record::Product(product), Step::Apply(slot)) => {
                self.report.upserted += 1;
                if self.kept.is_empty() {
                    return self.product(&product, slot, 1, head);
                }
                match self.kept.remove(&slot) {
                    Some((earlier, count)) => {
                        self.product(&overlay(earlier, &product), slot, count + 1, head)
                    }
                    None => self.product(&product, slot, 1, head),
                }
            }
        }
    }

    fn skip(&mut self, skipped: SkippedRecord) {
        self.report.skipped += 1;
        if self.report.problems.len() < PROBLEMS_KEPT {
            self.report.problems.push(skipped);
        }
    }

    /// Stores a product; `records` of the batch have been laid together for it.
    fn product(
        &mut self,
        record: &ProductRecord,
        slot: u32,
        records: usize,
        head: &CatalogHead,
    ) -> Result<(), StorageError> {
        let made = (slot as usize).checked_sub(self.known.len());
        let left = if made.is_none() { self.left_alone } else { LeftAlone::NOTHING };
        let record = &*left.out_of(record);
        let resolved = self.resolve(record, head)?;
        let known = match made {
            Some(made) => self.made[made],
            None => self.known.id(slot),
        };
        let Some(id) = known else {
            let mut state = State::new();
            state.merge(record, &resolved);
            let id = state.save(self.tx, None, self.now)?;
            if let Some(made) = made {
                self.made[made] = Some(id);
            }
            if let Some(ledger) = &mut self.ledger {
                ledger.makes(id);
            }
            if head.variants {
                self.variants.stored(self.tx, &state.row, None, self.now)?;
                self.note_followed()?;
            }
            self.report.created += records;
            return Ok(());
        };
        match self.known.news(slot, record, &resolved, &self.digests) {
            News::None => {
                self.report.unchanged += records;
                return Ok(());
            }
            News::Figures { available, prices }
                if self.ledger.is_none() && self.stands_alone(record, head) =>
            {
                products::set_available(self.tx, id, available, self.now)?;
                for (price_type, price) in prices {
                    match price {
                        Some(price) => prices::set(self.tx, id, price_type, price)?,
                        None => prices::remove(self.tx, id, price_type)?,
                    }
                }
                self.report.changed += records;
                return Ok(());
            }
            News::Figures { .. } | News::Unclear => {}
        }
        let old = match self.known.state(self.tx, slot)? {
            Some(state) => state,
            None => State::load(self.tx, id)?,
        };
        let mut state = old.clone();
        state.merge(record, &resolved);
        if state == old {
            self.report.unchanged += records;
            return Ok(());
        }
        if self.report.differences.len() < DIFFERENCES_KEPT {
            self.report.differences.push(Difference::between(&old, &state));
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.changes(&old);
        }
        state.save(self.tx, Some(&old), self.now)?;
        if head.variants {
            self.variants.stored(self.tx, &state.row, Some(&old.row), self.now)?;
            self.note_followed()?;
        }
        self.report.changed += records;
        Ok(())
    }

    /// Notes the products that have followed others since.
    fn note_followed(&mut self) -> Result<(), StorageError> {
        let (Some(ledger), Some(kept)) = (&mut self.ledger, &mut self.variants.kept) else {
            return Ok(());
        };
        kept.drain(..).try_for_each(|old| ledger.has_changed(self.tx, old))
    }

    /// Whether nothing follows from the product's figures: whether an item is sold itself beside its
    /// characteristics depends on them.
    fn stands_alone(&self, record: &ProductRecord, head: &CatalogHead) -> bool {
        !head.variants || !self.variants.any() || record.external_id.contains('#')
    }

    fn resolve(
        &mut self,
        record: &ProductRecord,
        head: &CatalogHead,
    ) -> Result<Resolved, StorageError> {
        let category = match &record.category {
            Field::Keep => Field::Keep,
            Field::Clear => Field::Clear,
            Field::Set(category) => Field::Set(self.categories.resolve(self.tx, category)?),
        };
        let mut prices: Vec<(i64, Option<crate::domain::Price>)> = Vec::new();
        let mut note = |price_type: i64, price| {
            prices.retain(|(noted, _)| *noted != price_type);
            prices.push((price_type, price));
        };
        if record.price != Field::Keep {
            let price_type = match self.batch_type {
                Some(price_type) => price_type,
                None => self.price_types.resolve(self.tx, "", &head.price_type)?,
            };
            self.batch_type = Some(price_type);
            note(price_type, record.price.set().copied());
        }
        for price in &record.prices {
            let price_type =
                self.price_types.resolve(self.tx, &price.type_external_id, &price.type_name)?;
            note(price_type, price.price);
        }
        for external_id in record.whole_types.iter() {
            let price_type = self.price_types.resolve(self.tx, external_id, "")?;
            if prices.iter().all(|(noted, _)| *noted != price_type) {
                prices.push((price_type, None));
            }
        }
        let stocks = match &record.stocks {
            Field::Keep => Field::Keep,
            Field::Clear => Field::Clear,
            Field::Set(list) => {
                let mut stocks: Vec<(i64, crate::domain::Quantity)> = Vec::new();
                for stock in list {
                    let warehouse = self.warehouses.resolve(
                        self.tx,
                        &stock.warehouse_external_id,
                        &stock.warehouse,
                    )?;
                    stocks.retain(|(noted, _)| *noted != warehouse);
                    stocks.push((warehouse, stock.quantity));
                }
                stocks.sort_unstable();
                let counted = stocks.iter().filter(|(id, _)| self.warehouses.counts(*id));
                let total = counted.fold(crate::domain::Quantity::ZERO, |sum, (_, quantity)| {
                    sum.checked_add(*quantity).unwrap_or(sum)
                });
                Field::Set((stocks, total))
            }
        };
        Ok(Resolved { category, prices, stocks })
    }

    /// The stored products that the batch mentions, and those that it has made.
    fn mentioned<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = ProductId> + 'a {
        let known = plan.mentioned.iter().enumerate().filter(|(_, mentioned)| **mentioned);
        let known = known.filter_map(|(slot, _)| self.known.id(u32::try_from(slot).ok()?));
        known.chain(self.made.iter().flatten().copied())
    }

    /// Hides what a full batch does not mention, or says that it is too much.
    fn finish(
        &mut self,
        head: &CatalogHead,
        plan: &Plan,
        origin: &Origin,
    ) -> Result<Option<Held>, StorageError> {
        let waiting = exchange_log::waiting_hiding(self.tx)?.is_some();
        let absences = exchange_log::absences(self.tx)?;
        if waiting || !absences.is_empty() {
            for id in self.mentioned(plan) {
                if waiting {
                    exchange_log::forget_hiding(self.tx, id)?;
                }
                if absences.contains_key(&id) {
                    exchange_log::forget_absence(self.tx, id)?;
                }
            }
        }
        let absent = if head.full {
            let absent = self.known.on_sale().filter(|(slot, _)| !plan.mentioned[*slot]);
            absent.map(|(_, id)| id).collect()
        } else if head.full_catalog && self.report.received > 0 {
            self.absent_again(plan, origin, &absences)?
        } else {
            return Ok(None);
        };
        let on_sale = self.known.on_sale().count();
        let confirmed = origin.hides.is_some_and(|typed| typed == absent.len());
        if !confirmed && needs_person(absent.len(), on_sale, &self.report) {
            self.report.held = absent.len();
            return Ok(Some(Held { products: absent, of_total: on_sale }));
        }
        for id in &absent {
            if let Some(ledger) = &mut self.ledger {
                ledger.will_change(self.tx, *id)?;
            }
        }
        withdraw(self.tx, absent, self.now, &mut self.report)?;
        Ok(None)
    }

    /// Counts this exchange for products that it has not mentioned, once a session, and says which
    /// of them two in a row have not. A characteristic goes with its item.
    fn absent_again(
        &self,
        plan: &Plan,
        origin: &Origin,
        absences: &HashMap<ProductId, (u32, String)>,
    ) -> Result<Vec<ProductId>, StorageError> {
        let mut seen: HashSet<ProductId> = self.mentioned(plan).collect();
        if let Some(began) = origin.began {
            seen.extend(mentions::since(self.tx, began)?);
        }
        let on_sale = self.known.on_sale().map(|(_, id)| id);
        let mut absent = Vec::new();
        for id in unseen(self.tx, on_sale, &seen)? {
            let before = absences.get(&id);
            let counted = before.is_some_and(|(_, session)| *session == origin.session);
            let exchanges = before.map_or(0, |(count, _)| *count) + u32::from(!counted);
            exchange_log::note_absence(self.tx, id, exchanges, &origin.session)?;
            if exchanges >= 2 {
                absent.push(id);
            }
        }
        Ok(absent)
    }
}

/// Of these products on sale those that came from 1C and are neither seen nor characteristics of an
/// item that is.
pub fn unseen(
    tx: &Transaction<'_>,
    on_sale: impl IntoIterator<Item = ProductId>,
    seen: &HashSet<ProductId>,
) -> Result<Vec<ProductId>, StorageError> {
    let mut unseen = Vec::new();
    for id in on_sale.into_iter().filter(|id| !seen.contains(id)) {
        // What 1C did not bring it cannot miss.
        let Some(external_id) = products::external_id_on_sale(tx, id)? else { continue };
        let item = match external_id.split_once('#') {
            Some((item, _)) => products::find_by_external_id(tx, item)?,
            None => None,
        };
        if item.is_none_or(|item| !seen.contains(&item)) {
            unseen.push(id);
        }
    }
    Ok(unseen)
}

/// Hides products, or says that they are too many to do so unasked.
pub fn hide(
    tx: &Transaction<'_>,
    absent: Vec<ProductId>,
    on_sale: usize,
    now: Timestamp,
    report: &mut ApplyReport,
) -> Result<Option<Held>, StorageError> {
    if needs_person(absent.len(), on_sale, report) {
        report.held = absent.len();
        return Ok(Some(Held { products: absent, of_total: on_sale }));
    }
    withdraw(tx, absent, now, report)?;
    Ok(None)
}

/// Whether so many of those on sale are hidden only by a person.
fn needs_person(absent: usize, on_sale: usize, report: &ApplyReport) -> bool {
    let many = absent > GUARD_COUNT && absent * GUARD_SHARE > on_sale;
    absent > 0 && (many || report.received == 0)
}

fn withdraw(
    tx: &Transaction<'_>,
    absent: Vec<ProductId>,
    now: Timestamp,
    report: &mut ApplyReport,
) -> Result<(), StorageError> {
    for id in absent {
        report.hidden += usize::from(products::withdraw_absent(tx, id, now)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::{Way, scan};
    use super::*;
    use crate::domain::catalog::CatalogBatch;
    use crate::domain::{Clock, Zone};
    use crate::services::live::Live;
    use crate::storage::db::Create;

    #[test]
    fn what_was_read_ahead_and_written_over_since_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base = Base {
            db: Db::open(&folder.path().join("partner-m.db"), Create::Yes).expect("opens"),
            clock: Clock::system(),
            zone: Zone::utc(),
            config: crate::config::Config::default().into(),
            live: Live::default(),
        };
        let glue = |title: &str| {
            let title = Field::Set(title.to_owned());
            ProductRecord { external_id: "a".to_owned(), title, ..ProductRecord::default() }
        };
        let push = |title: &str, stored: Option<Stored>, digests: &Digests| {
            let batch = CatalogBatch { products: vec![glue(title)], ..CatalogBatch::default() };
            let Ok(batch) = scan(batch, digests.clone());
            let report = base.db.write_blocking(|tx| {
                let batch = Batch { stored, ..batch };
                let outcome = apply(tx, batch, &base, &Origin::new(Way::Json))?;
                Ok::<_, ExchangeError<Infallible>>(outcome.report)
            });
            let report = report.expect("applied");
            (report.created, report.changed, report.unchanged)
        };
        let digests = Digests::default();
        let ahead = || Some(Stored::read(&base.db, &digests).expect("reads"));
        let early = [ahead(), ahead()];
        assert_eq!(push("Клей", ahead(), &digests), (1, 0, 0));
        assert_eq!(push("Клей", ahead(), &digests), (0, 0, 1));
        let [first, second] = early;
        assert_eq!(push("Клей", first, &digests), (0, 0, 1), "not made twice");
        assert_eq!(push("Клей 88", second, &digests), (0, 1, 0));
    }
}
