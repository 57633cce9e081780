//! Which record of a batch means which product.
//!
//! Works on digests of keys, so that a batch of any size and a big catalogue fit in memory: what
//! is kept of a record is some sixty bytes.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use crate::domain::catalog::{Field, ProductRecord, SkippedRecord};

/// A digest of a key; 0 is no key. 128 bits, so that two keys do not meet by chance.
pub type Key = u128;

/// Keys are digests with a secret already: half of one is as good a hash as any.
#[derive(Debug, Default)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write_u128(&mut self, key: u128) {
        let half = (key >> 64) as u64;
        self.0 ^= half;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type KeyMap<K, V> = HashMap<K, V, BuildHasherDefault<KeyHasher>>;

/// Makes digests, with a secret of this run: nobody can choose keys that collide.
#[derive(Debug, Clone)]
pub struct Digests {
    high: RandomState,
    low: RandomState,
    seed: u64,
}

impl Default for Digests {
    fn default() -> Self {
        let (high, low) = (RandomState::new(), RandomState::new());
        let seed = high.hash_one(0);
        Self { high, low, seed }
    }
}

/// A quick digest by folded multiplication, as in wyhash.
/// Source: <https://github.com/wangyi-fudan/wyhash>.
fn fold(seed: u64, bytes: &[u8]) -> u64 {
    const ODD: u64 = 0xa076_1d64_78bd_642f;
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
        let (low, high) = (product as u64, (product >> 64) as u64);
        low ^ high
    };
    let mut state = seed ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        state = mix(state ^ word, ODD);
    }
    let word = chunks.remainder().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(state ^ word, ODD), seed | 1)
}

impl Digests {
    fn key(&self, kind: u8, text: &str) -> Key {
        if text.is_empty() {
            return 0;
        }
        let high = u128::from(self.high.hash_one((kind, text)));
        let low = u128::from(self.low.hash_one((kind, text)));
        high << 64 | low | 1
    }

    /// The digest of a source's id.
    pub fn external_id(&self, text: &str) -> Key {
        self.key(0, text)
    }

    /// The digest of an article.
    pub fn sku(&self, text: &str) -> Key {
        self.key(1, text)
    }

    /// The digest of a title.
    pub fn title(&self, text: &str) -> Key {
        self.key(2, text)
    }

    /// The digest of a text that is only compared with what stood there before.
    pub fn content(&self, text: &str) -> u64 {
        if text.is_empty() { 0 } else { fold(self.seed, text.as_bytes()) | 1 }
    }
}

/// What a record says of its identity.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "many are kept: small and independent")]
pub struct Mention {
    /// The record's number in its source, for reports.
    pub index: u32,
    external_id: Key,
    sku: Key,
    title: Key,
    clears_sku: bool,
    /// Whether it could be read.
    usable: bool,
    /// Whether a product may be made of it.
    can_create: bool,
    /// An offer of CommerceML, which goes beside its item and not instead of it.
    offer: bool,
    /// Which of several files of the batch it is from.
    part: u16,
}

impl Mention {
    /// Of a record that could be read.
    pub fn of(record: &ProductRecord, digests: &Digests) -> Self {
        let external_id = digests.external_id(&record.external_id);
        let sku = record.sku.set().map_or(0, |sku| digests.sku(sku));
        // The title is a key only where there is no other.
        let keyless = external_id == 0 && sku == 0;
        let title = record.title.set().filter(|_| keyless);
        Self {
            index: u32::try_from(record.index).unwrap_or(u32::MAX),
            external_id,
            sku,
            title: title.map_or(0, |title| digests.title(title)),
            clears_sku: record.sku == Field::Clear,
            usable: true,
            can_create: record.title.set().is_some() || record.placeholder,
            offer: record.placeholder,
            part: record.part,
        }
    }

    /// Of one that could not: it still mentions its product.
    pub fn of_skipped(skipped: &SkippedRecord, digests: &Digests) -> Self {
        Self {
            index: u32::try_from(skipped.index).unwrap_or(u32::MAX),
            external_id: digests.external_id(&skipped.external_id),
            sku: digests.sku(&skipped.sku),
            ..Self::default()
        }
    }

    fn key(&self) -> Key {
        [self.external_id, self.sku, self.title].into_iter().find(|key| *key != 0).unwrap_or(0)
    }

    /// Records of one kind in one file: items, or offers.
    fn list(&self) -> (u16, bool) {
        (self.part, self.offer)
    }

    /// Records with one such key stand for each other: of them the last counts.
    fn rival(&self) -> Rival {
        (self.key(), self.list())
    }
}

type Rival = (Key, (u16, bool));

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is kept back: a later record means the same product, and goes over it.
    Keep(u32),
    /// It is applied to the product in this slot.
    Apply(u32),
    /// It is left out.
    Skip(Why),
}

/// Why a record is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It could not be read: the source has said why.
    Unreadable,
    /// It names no key and no title.
    NoKey,
    /// It has no title, and its product is not known.
    NoTitle,
    /// Several products have its article.
    Ambiguous,
    /// A later record has the same key: that one's number.
    Repeated(u32),
}

/// Who reads why a record is left out, and how they count records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A program: fields by their names on the wire, records by their index from 0.
    Program,
    /// A person before a table: rows from 1, as they are numbered there.
    Rows,
    /// A person before another file: records from 1.
    Records,
}

impl Why {
    /// The reason in Russian.
    pub fn text(self, sku: &str, reader: Reader) -> String {
        let program = reader == Reader::Program;
        match self {
            Self::Unreadable => "не читается".to_owned(),
            Self::NoKey if program => "нет ни external_id, ни артикула, ни названия".to_owned(),
            Self::NoKey => "нет ни кода 1С, ни артикула, ни названия".to_owned(),
            Self::NoTitle => "нет названия, а товар ещё не известен".to_owned(),
            Self::Ambiguous => {
                let wanted = if program { "external_id" } else { "код 1С" };
                format!("артикул «{sku}» есть у нескольких товаров: нужен {wanted}")
            }
            Self::Repeated(by) => match reader {
                Reader::Program => {
                    format!("повтор: действует последняя запись с этим ключом, её индекс {by}")
                }
                Reader::Rows => {
                    format!("повтор: этот товар есть ниже, действует строка\u{a0}{}", by + 1)
                }
                Reader::Records => {
                    format!("повтор: этот товар есть ниже, действует запись\u{a0}{}", by + 1)
                }
            },
        }
    }
}

/// A product's keys.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    external_id: Key,
    sku: Key,
    title: Key,
    live: bool,
}

/// The keys of all products. Slots are numbered from 0 in the order of [`Matcher::add`]; products
/// that a batch makes follow.
#[derive(Debug, Default)]
pub struct Matcher {
    slots: Vec<Slot>,
    by_external_id: KeyMap<Key, u32>,
    by_sku: KeyMap<Key, Owners>,
    by_title: KeyMap<Key, u32>,
}

#[derive(Debug)]
enum Owners {
    One(u32),
    Many(Vec<u32>),
}

impl Owners {
    fn list(&self) -> &[u32] {
        match self {
            Self::One(slot) => std::slice::from_ref(slot),
            Self::Many(slots) => slots,
        }
    }
}

/// A batch with every record's place found.
#[derive(Debug)]
pub struct Plan {
    /// For each record in the order of the source.
    pub steps: Vec<Step>,
    /// For each slot: whether the batch mentions it, be it by a record that was left out.
    pub mentioned: Vec<bool>,
}

impl Matcher {
    /// A matcher with room for so many products.
    pub fn with_capacity(products: usize) -> Self {
        Self {
            slots: Vec::with_capacity(products),
            by_external_id: KeyMap::with_capacity_and_hasher(products, BuildHasherDefault::new()),
            by_sku: KeyMap::with_capacity_and_hasher(products, BuildHasherDefault::new()),
            by_title: KeyMap::default(),
        }
    }

    /// Adds a stored product; `live`: on sale.
    pub fn add(&mut self, external_id: Key, sku: Key, title: Key, live: bool) {
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { external_id, sku, title, live });
        self.enter(slot);
    }

    fn enter(&mut self, slot: u32) {
        let keys = self.slots[slot as usize];
        if keys.external_id != 0 {
            self.by_external_id.insert(keys.external_id, slot);
        }
        if keys.sku != 0 {
            match self.by_sku.get_mut(&keys.sku) {
                None => {
                    self.by_sku.insert(keys.sku, Owners::One(slot));
                }
                Some(Owners::Many(slots)) => slots.push(slot),
                Some(owners @ Owners::One(_)) => {
                    let mut slots = owners.list().to_vec();
                    slots.push(slot);
                    *owners = Owners::Many(slots);
                }
            }
        } else if keys.external_id == 0 && keys.title != 0 {
            self.by_title.insert(keys.title, slot);
        }
    }

    fn leave(&mut self, slot: u32) {
        let keys = self.slots[slot as usize];
        if keys.sku != 0
            && let Some(owners) = self.by_sku.get_mut(&keys.sku)
        {
            let left: Vec<u32> = owners.list().iter().copied().filter(|s| *s != slot).collect();
            *owners = Owners::Many(left);
        }
        if self.by_title.get(&keys.title) == Some(&slot) {
            self.by_title.remove(&keys.title);
        }
    }

    /// The product that a mention means; `Ok(None)`: none yet.
    fn find(&self, mention: &Mention) -> Result<Option<u32>, Why> {
        let owners = self.by_sku.get(&mention.sku).map_or(&[][..], Owners::list);
        if mention.external_id != 0 {
            if let Some(slot) = self.by_external_id.get(&mention.external_id) {
                return Ok(Some(*slot));
            }
            let nameless = |slot: &&u32| self.slots[**slot as usize].external_id == 0;
            return Ok(owners.iter().find(nameless).copied());
        }
        if mention.sku != 0 {
            let live = |slot: &u32| self.slots[*slot as usize].live;
            let live: Vec<u32> = owners.iter().copied().filter(live).collect();
            return match (live.as_slice(), owners) {
                ([slot], _) | ([], [slot]) => Ok(Some(*slot)),
                ([], []) => Ok(None),
                _ => Err(Why::Ambiguous),
            };
        }
        if mention.title == 0 {
            return Err(Why::NoKey);
        }
        Ok(self.by_title.get(&mention.title).copied())
    }

    /// Finds the place of every record.
    pub fn plan(mut self, mentions: &[Mention]) -> Plan {
        let winners = self.winners(mentions);
        let mut mentioned = vec![false; self.slots.len()];
        let mut steps = Vec::with_capacity(mentions.len());
        for (position, mention) in mentions.iter().enumerate() {
            let step = if mention.usable {
                self.step(position, mention, mentions, &winners)
            } else {
                Step::Skip(Why::Unreadable)
            };
            if let Step::Skip(_) = step {
                if let Ok(Some(slot)) = self.find(mention) {
                    mark(&mut mentioned, slot);
                } else if mention.external_id == 0 {
                    // Whichever of several it means, none of them is to be hidden for it.
                    let owners = self.by_sku.get(&mention.sku).map_or(&[][..], Owners::list);
                    for slot in owners {
                        mark(&mut mentioned, *slot);
                    }
                }
            }
            if let Step::Apply(slot) = step {
                mark(&mut mentioned, slot);
            }
            steps.push(step);
        }
        // Of several records for one product all but the last are kept back; items and offers go
        // apart, so that a file of both is not kept in memory. Lists follow one another.
        let mut later: Vec<Option<(u16, bool)>> = vec![None; self.slots.len()];
        for (step, mention) in steps.iter_mut().zip(mentions).rev() {
            if let Step::Apply(slot) = *step
                && later[slot as usize].replace(mention.list()) == Some(mention.list())
            {
                *step = Step::Keep(slot);
            }
        }
        mentioned.resize(self.slots.len(), true);
        Plan { steps, mentioned }
    }

    /// For each key the position of the last record that can be stored.
    fn winners(&self, mentions: &[Mention]) -> KeyMap<Rival, u32> {
        let mut winners =
            KeyMap::with_capacity_and_hasher(mentions.len(), BuildHasherDefault::new());
        for (position, mention) in mentions.iter().enumerate() {
            if mention.usable && (mention.can_create || matches!(self.find(mention), Ok(Some(_)))) {
                winners.insert(mention.rival(), u32::try_from(position).unwrap_or(u32::MAX));
            }
        }
        winners
    }

    fn step(
        &mut self,
        position: usize,
        mention: &Mention,
        mentions: &[Mention],
        winners: &KeyMap<Rival, u32>,
    ) -> Step {
        // A record after the last that can be stored has no title of its own: it goes over that one.
        if let Some(winner) = winners.get(&mention.rival())
            && *winner as usize > position
        {
            return Step::Skip(Why::Repeated(mentions[*winner as usize].index));
        }
        let slot = match self.find(mention) {
            Err(why) => return Step::Skip(why),
            Ok(Some(slot)) => slot,
            Ok(None) if !mention.can_create => return Step::Skip(Why::NoTitle),
            Ok(None) => {
                self.add(mention.external_id, mention.sku, mention.title, true);
                return Step::Apply(u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX));
            }
        };
        let keys = &self.slots[slot as usize];
        let new = Slot {
            external_id: if mention.external_id == 0 {
                keys.external_id
            } else {
                mention.external_id
            },
            sku: if mention.sku != 0 || mention.clears_sku { mention.sku } else { keys.sku },
            title: if mention.title == 0 { keys.title } else { mention.title },
            live: true,
        };
        if (new.external_id, new.sku, new.title) != (keys.external_id, keys.sku, keys.title) {
            self.leave(slot);
            self.slots[slot as usize] = new;
            self.enter(slot);
        }
        Step::Apply(slot)
    }
}

fn mark(mentioned: &mut Vec<bool>, slot: u32) {
    let slot = slot as usize;
    if slot >= mentioned.len() {
        mentioned.resize(slot + 1, false);
    }
    mentioned[slot] = true;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(text: &str) -> ProductRecord {
        let mut parts = text.split('|');
        let mut part = || parts.next().unwrap_or("").to_owned();
        let set = |text: String| if text.is_empty() { Field::Keep } else { Field::Set(text) };
        ProductRecord {
            external_id: part(),
            sku: set(part()),
            title: set(part()),
            ..ProductRecord::default()
        }
    }

    /// Products and records as «external id|article|title»; `-` before a product: withdrawn.
    fn plan(products: &[&str], records: &[&str]) -> Vec<Step> {
        let digests = Digests::default();
        let mut matcher = Matcher::default();
        for product in products {
            let live = !product.starts_with('-');
            let keys = record(product.trim_start_matches('-'));
            let mention = Mention::of(&keys, &digests);
            matcher.add(mention.external_id, mention.sku, mention.title, live);
        }
        let mentions: Vec<Mention> = records
            .iter()
            .enumerate()
            .map(|(index, text)| Mention::of(&ProductRecord { index, ..record(text) }, &digests))
            .collect();
        matcher.plan(&mentions).steps
    }

    #[test]
    fn the_id_goes_before_the_article_and_the_article_before_the_title() {
        let products = ["E1|S1|Т1", "|S2|Т2", "||Т3"];
        assert_eq!(plan(&products, &["E1||"]), [Step::Apply(0)]);
        assert_eq!(plan(&products, &["|S1|"]), [Step::Apply(0)]);
        assert_eq!(plan(&products, &["|S2|Новое"]), [Step::Apply(1)]);
        assert_eq!(plan(&products, &["||Т3"]), [Step::Apply(2)]);
        assert_eq!(plan(&products, &["||Т2"]), [Step::Apply(3)], "its key is the article");
        assert_eq!(plan(&products, &["||"]), [Step::Skip(Why::NoKey)]);
        assert_eq!(plan(&products, &["|S9|"]), [Step::Skip(Why::NoTitle)]);
        assert_eq!(plan(&products, &["E9|S9|Т"]), [Step::Apply(3)]);
    }

    #[test]
    fn a_new_id_adopts_the_product_that_has_only_the_article() {
        assert_eq!(plan(&["|S1|Т"], &["E1|S1|Т"]), [Step::Apply(0)]);
        assert_eq!(plan(&["E2|S1|Т"], &["E1|S1|Т"]), [Step::Apply(1)], "that one has an id");
        assert_eq!(
            plan(&["|S1|Т"], &["E1|S1|Т", "E2|S1|Т"]),
            [Step::Apply(0), Step::Apply(1)],
            "adopted once"
        );
    }

    #[test]
    fn an_article_of_several_is_ambiguous_unless_one_is_on_sale() {
        assert_eq!(plan(&["E1|S|Т", "E2|S|Т"], &["|S|"]), [Step::Skip(Why::Ambiguous)]);
        assert_eq!(plan(&["-E1|S|Т", "E2|S|Т"], &["|S|"]), [Step::Apply(1)]);
        assert_eq!(plan(&["-E1|S|Т", "-E2|S|Т"], &["|S|"]), [Step::Skip(Why::Ambiguous)]);
    }

    #[test]
    fn of_two_records_with_one_key_the_last_wins() {
        assert_eq!(
            plan(&[], &["|S|Т", "|Q|Т", "|S|Т2"]),
            [Step::Skip(Why::Repeated(2)), Step::Apply(0), Step::Apply(1)]
        );
        assert_eq!(plan(&[], &["|S|Т", "|S|"]), [Step::Keep(0), Step::Apply(0)], "needs the title");
        assert_eq!(
            plan(&["|S|Т"], &["|S|Т", "|S|"]),
            [Step::Skip(Why::Repeated(1)), Step::Apply(0)]
        );
    }

    #[test]
    fn records_with_different_keys_for_one_product_are_put_together() {
        assert_eq!(plan(&[], &["E|S|Т", "|S|"]), [Step::Keep(0), Step::Apply(0)]);
        assert_eq!(plan(&["|S|Т"], &["|S|", "E|S|Т"]), [Step::Keep(0), Step::Apply(0)]);
    }

    #[test]
    fn a_moved_article_is_followed() {
        assert_eq!(plan(&["E1|S1|Т"], &["E1|S2|Т", "|S1|Новый"]), [Step::Apply(0), Step::Apply(1)]);
    }

    proptest! {
        #[test]
        fn a_repeated_batch_finds_the_products_it_made(
            // An id keeps its article within a batch; articles may repeat and be missing.
            records in proptest::collection::vec("(a\\|s|a\\||b\\|s|c\\|t|\\|s|\\|t|\\|)\\|(|Т|У)", 0..12),
        ) {
            let texts: Vec<&str> = records.iter().map(String::as_str).collect();
            let digests = Digests::default();
            let mentions: Vec<Mention> = texts.iter().map(|t| Mention::of(&record(t), &digests)).collect();
            let steps = Matcher::default().plan(&mentions).steps;
            // Play the plan to learn what is stored.
            let mut stored: Vec<ProductRecord> = Vec::new();
            for (text, step) in texts.iter().zip(&steps) {
                let (Step::Apply(slot) | Step::Keep(slot)) = step else { continue };
                let slot = *slot as usize;
                if slot >= stored.len() {
                    stored.resize(slot + 1, ProductRecord::default());
                }
                let new = record(text);
                let old = &mut stored[slot];
                if !new.external_id.is_empty() { old.external_id = new.external_id; }
                if new.sku != Field::Keep { old.sku = new.sku; }
                if new.title != Field::Keep { old.title = new.title; }
            }
            let mut matcher = Matcher::default();
            for product in &stored {
                let mention = Mention::of(product, &digests);
                matcher.add(mention.external_id, mention.sku, mention.title, true);
            }
            let count = stored.len();
            let again = matcher.plan(&mentions);
            let made = again.steps.iter().filter(|s| matches!(s, Step::Apply(slot) if *slot as usize >= count));
            prop_assert_eq!(made.count(), 0, "{:?} then {:?}", steps, again.steps);
        }
    }
}
