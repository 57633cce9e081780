//! The catalogue, read once: its vocabulary, its numbers, and what its titles teach.

use super::adjectives;
use super::learn;
use super::lexer::{Lexeme, lex};
use super::normalize::{Chars, FxMap, FxSet, stem};
use super::synonyms::Lexicon;
use super::terms::{COUNT, HELD, Measure, Number, Term, packings, terms};
use super::titles::{Titles, fingerprint};
use super::types::{Entry, Synonym};
use super::vocabulary::Vocabulary;
use crate::domain::ProductId;

/// A word of a title that is not in the title itself: from the company's own field or from the
/// description.
pub(crate) const ASIDE: u32 = 1 << 31;

/// A number of a title, packed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// The number's row among the values.
    pub(crate) value: u32,
    /// The unit.
    pub(crate) measure: Measure,
    /// The letter before it.
    pub(crate) marker: u8,
    /// Which size of the title it belongs to.
    pub(crate) group: u8,
}

/// Lists of numbers by row, in one piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Rows<T> {
    offsets: Vec<u32>,
    items: Vec<T>,
}

impl<T> Rows<T> {
    /// No rows yet.
    pub(crate) fn new() -> Self {
        Self { offsets: vec![0], items: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = T>) {
        self.items.extend(row);
        self.offsets.push(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
    }

    /// The row; empty where there is none.
    pub(crate) fn row(&self, row: usize) -> &[T] {
        let from = self.offsets.get(row).copied().unwrap_or(0) as usize;
        let to = self.offsets.get(row + 1).copied().unwrap_or(0) as usize;
        self.items.get(from..to).unwrap_or(&[])
    }
}

/// The recognizer of one state of the catalogue. Immutable: a changed catalogue is a new index.
#[derive(Debug)]
pub struct Index {
    /// Products, by category; a row here is «a product» for everything below.
    pub(crate) entries: Vec<Entry>,
    pub(crate) by_id: FxMap<i64, u32>,
    pub(crate) articles: Articles,
    /// Titles as they are written.
    pub(crate) titles: Titles,
    pub(crate) vocabulary: Vocabulary,
    /// Words of each product's title in order, and words aside.
    pub(crate) words: Rows<u32>,
    /// After which of its words a title has something else than the next: a bit for each.
    pub(crate) breaks: Vec<u32>,
    /// Which of its words a title only mentions, after «для», «к», «под»: a bit for each.
    pub(crate) aims: Vec<u32>,
    /// For each product, a bit for each word of its title that says what goes with the thing: «с
    /// доводчиком».
    pub(crate) extras: Vec<u32>,
    /// Numbers of each product's title.
    pub(crate) figures: Rows<Figure>,
    /// Values of numbers, in thousandths.
    pub(crate) values: Vec<i64>,
    pub(crate) value_rows: FxMap<i64, u32>,
    /// Products by word.
    pub(crate) by_word: Rows<u32>,
    /// Products by value.
    pub(crate) by_value: Rows<u32>,
    /// The category of each product.
    pub(crate) category: Vec<u32>,
    /// The products of each category.
    pub(crate) ranges: Vec<(u32, u32)>,
    /// Categories by a word of their path.
    pub(crate) by_path: FxMap<u32, Vec<u32>>,
    /// Categories by a word that names their products without telling them apart.
    pub(crate) by_alias: FxMap<u32, Vec<u32>>,
    /// Other names by which titles of a category begin.
    pub(crate) called: FxSet<(u32, u32)>,
    /// Words (by category) that many titles do without and mean the same.
    pub(crate) optional: FxSet<(u32, u32)>,
    /// Values that say nothing in a category: every product has them.
    pub(crate) constants: FxSet<(u32, u32, u8)>,
    /// Values (by the first word) that titles have as a whole size: «Муфта 25 мм», «Муфта 25х25».
    pub(crate) alone: FxSet<(u32, u32)>,
    /// Numbers of each category's path.
    pub(crate) path_figures: Rows<Figure>,
    /// Categories by a value of their path.
    pub(crate) by_path_value: FxMap<u32, Vec<u32>>,
    /// How articles are spelt: `A-9/9`.
    pub(crate) shapes: FxMap<String, u32>,
    /// Words of the last step of each category's path.
    pub(crate) leaves: Rows<u32>,
    /// Whether that step names several kinds: «Малярные и клейкие».
    pub(crate) several: Vec<bool>,
    /// Products not offered unless asked for.
    pub(crate) junk: Vec<bool>,
    /// The units that titles measure in.
    pub(crate) measures: FxSet<Measure>,
    pub(crate) lexicon: Lexicon,
}

impl Index {
    /// Reads a catalogue and the common synonyms.
    pub fn build(entries: Vec<Entry>, words: &[Synonym]) -> Self {
        build(entries, words)
    }

    /// Whether a title writes this, whatever alphabet its letters are of: «ВА47-100».
    pub(crate) fn writes(&self, text: &str) -> bool {
        let key = article_key(text);
        let digits = text.rsplit(|c: char| !c.is_ascii_digit()).find(|run| !run.is_empty());
        let value = digits.and_then(|run| run.parse::<i64>().ok()).map(|n| n.saturating_mul(1000));
        let row = value.and_then(|value| self.value_rows.get(&value));
        row.is_some_and(|row| {
            let titles = self.by_value.row(*row as usize).iter();
            let titles = titles.map(|row| article_key(&self.entries[*row as usize].title));
            titles.into_iter().any(|title| title.contains(&key))
        })
    }

    /// Whether a title has the number, in thousandths and in whatever unit.
    pub(crate) fn knows_number(&self, value: i64) -> bool {
        let row = self.value_rows.get(&value);
        row.is_some_and(|row| !self.by_value.row(*row as usize).is_empty())
    }

    /// How many products there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no products.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The product, or `None` when the catalogue has no such.
    pub fn entry(&self, product: ProductId) -> Option<&Entry> {
        let row = *self.by_id.get(&product.0)?;
        self.entries.get(row as usize)
    }

    /// The product's row.
    pub(crate) fn row(&self, product: ProductId) -> Option<u32> {
        self.by_id.get(&product.0).copied()
    }

    /// A number of a title, unpacked.
    pub(crate) fn number(&self, figure: Figure) -> Number {
        let value = self.values.get(figure.value as usize).copied().unwrap_or(0);
        Number { value, measure: figure.measure, marker: figure.marker }
    }
}

/// Articles, whole and by their digits.
#[derive(Debug, Default)]
pub(crate) struct Articles {
    whole: FxMap<String, Vec<u32>>,
    digits: FxMap<String, Vec<u32>>,
}

impl Articles {
    fn add(&mut self, article: &str, row: u32) {
        let key = article_key(article);
        if key.is_empty() {
            return;
        }
        let tail = digit_tail(&key);
        if tail.len() >= 4 {
            self.digits.entry(tail).or_default().push(row);
        }
        self.whole.entry(key).or_default().push(row);
    }

    /// An article that the title repeats: found whole, or without the letters that end it,
    /// «mcb4763-3-25C» of «mcb4763-3-25C-pro».
    fn repeat(&mut self, article: &str, row: u32) {
        self.repeat_whole(article, row);
        let mut rest = article;
        while let Some((start, end)) = rest.rsplit_once('-')
            && !end.is_empty()
            && end.chars().all(char::is_alphabetic)
            && start.bytes().filter(u8::is_ascii_digit).count() >= 4
        {
            self.repeat_whole(start, row);
            rest = start;
        }
    }

    fn repeat_whole(&mut self, article: &str, row: u32) {
        let rows = self.whole.entry(article_key(article)).or_default();
        if !rows.contains(&row) {
            rows.push(row);
        }
    }

    /// Products with this article.
    pub(crate) fn whole(&self, text: &str) -> &[u32] {
        self.whole.get(&article_key(text)).map_or(&[], Vec::as_slice)
    }

    /// Products whose article ends in these digits.
    pub(crate) fn fragment(&self, text: &str) -> &[u32] {
        let key = article_key(text);
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_digit()) {
            return &[];
        }
        self.digits.get(&digit_tail(&key)).map_or(&[], Vec::as_slice)
    }
}

/// An article as it is compared: capitals and Latin twins, letters and digits only.
pub(crate) fn article_key(text: &str) -> String {
    let upper = text.chars().flat_map(char::to_lowercase);
    upper
        .filter(|c| c.is_alphanumeric())
        .map(|c| super::normalize::latin_twin(c).unwrap_or(c))
        .collect()
}

/// The last digits of an article without leading zeros: «00-00023541» → «23541».
fn digit_tail(key: &str) -> String {
    let from = key
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |i| i + key[i..].chars().next().map_or(1, char::len_utf8));
    key[from..].trim_start_matches('0').to_owned()
}

/// Whether a title says that its product must not be offered.
fn is_junk(lexemes: &[Lexeme]) -> bool {
    const ALONE: &[&str] =
        &["удал", "уценк", "уценен", "некондиц", "дубль", "ошибоч", "неиспольз", "выведен"];
    // «не использовать», «не исп.», «не заказывать»
    const NOT: &[&str] = &["исп", "заказ", "продав", "выпис", "отгруж", "брать", "трогать"];
    const OLD: &[&str] = &["код", "арт", "карт", "номенкл"];
    lexemes.iter().enumerate().any(|(at, lexeme)| {
        if !lexeme.is_word() {
            return false;
        }
        let begins = |list: &[&str], word: &str| list.iter().any(|w| word.starts_with(w));
        let next = lexemes.get(at + 1).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
        // «ЯСТАРЫЙ», «яя_»: a letter that sorts what is retired last.
        let last = at == 0
            && (lexeme.text.starts_with("ястар") || matches!(lexeme.text.as_str(), "яя" | "яяя"));
        last || begins(ALONE, &lexeme.text)
            || matches!(lexeme.text.as_str(), "брак" | "архив")
            || lexeme.text == "не" && begins(NOT, next)
            || (lexeme.text.starts_with("стар") || lexeme.text == "ст") && begins(OLD, next)
            || (lexeme.text.starts_with("снят") && matches!(next, "с" | "со"))
    })
}

/// A title before its words are known to the vocabulary for good.
pub(crate) struct Draft {
    pub(crate) words: Vec<DraftWord>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) aside: Vec<u32>,
    /// Numbers that are said in a word, «однослойный»: learning does not look at them.
    pub(crate) spelt: Vec<Figure>,
}

/// A word of a title on its way into the index.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what a title says of a word is said apart")]
pub(crate) struct DraftWord {
    pub(crate) id: u32,
    pub(crate) dotted: bool,
    pub(crate) proper: bool,
    /// Whether anything but the next word follows it.
    pub(crate) ends: bool,
    /// Whether the next word follows it at once, or after a hyphen.
    pub(crate) joins: bool,
    /// Whether it is what the thing is for: «клей для поролона».
    pub(crate) aimed: bool,
    /// Whether «с» stands before it.
    pub(crate) with: bool,
    /// Whether a number stands before it, «3-местная».
    pub(crate) counted: bool,
}

#[expect(clippy::too_many_lines, reason = "every list of the index is filled once")]
fn build(mut entries: Vec<Entry>, synonyms: &[Synonym]) -> Index {
    entries.sort_by(|a, b| a.category.cmp(&b.category));
    let mut vocabulary = Vocabulary::default();
    let mut values: Vec<i64> = Vec::new();
    let mut value_rows: FxMap<i64, u32> = FxMap::default();
    let mut drafts: Vec<Draft> = Vec::with_capacity(entries.len());
    let mut category: Vec<u32> = Vec::with_capacity(entries.len());
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    let mut by_id = FxMap::default();
    let mut articles = Articles::default();
    let mut junk = Vec::with_capacity(entries.len());
    let mut titles = Vec::with_capacity(entries.len());
    let mut by_path: FxMap<u32, Vec<u32>> = FxMap::default();
    let mut path_figures = Rows::new();
    let mut leaves = Rows::new();
    let mut several = Vec::new();
    let mut by_path_value: FxMap<u32, Vec<u32>> = FxMap::default();
    let mut shapes: FxMap<String, u32> = FxMap::default();
    for (row, entry) in entries.iter().enumerate() {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        if row == 0 || entries[row as usize - 1].category != entry.category {
            let number = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
            ranges.push((row, row));
            for word in vocabulary.add_text(&entry.category) {
                vocabulary.set_head(word);
                let at = by_path.entry(word).or_default();
                if at.last() != Some(&number) {
                    at.push(number);
                }
            }
            let figures = path_numbers(&entry.category, &mut values, &mut value_rows);
            for figure in &figures {
                by_path_value.entry(figure.value).or_default().push(number);
            }
            path_figures.push(figures);
            let leaf = entry.category.rsplit('/').next().unwrap_or("");
            leaves.push(vocabulary.add_text(leaf));
            several.push(leaf.contains(" и ") || leaf.contains(','));
        }
        if let Some(last) = ranges.last_mut() {
            last.1 = row + 1;
        }
        category.push(u32::try_from(ranges.len()).unwrap_or(1).saturating_sub(1));
        by_id.insert(entry.id.0, row);
        articles.add(&entry.article, row);
        if !entry.article.is_empty() {
            *shapes.entry(article_shape(&entry.article)).or_default() += 1;
        }
        articles.add(&entry.barcode, row);
        let mut lexemes = lex(&Chars::new(&entry.title));
        threaded(&mut lexemes);
        for code in codes(&entry.title, &lexemes) {
            articles.repeat(code, row);
            *shapes.entry(article_shape(code)).or_default() += 1;
        }
        let (draft, is_junk, title) =
            draft(entry, &lexemes, &mut vocabulary, &mut values, &mut value_rows);
        junk.push(is_junk);
        titles.push((title, row));
        drafts.push(draft);
    }
    join_apart(&vocabulary, &mut drafts);
    let lessons = learn::learn(&mut vocabulary, &mut drafts, &category, &ranges, &junk);
    let mut words = Rows::new();
    let mut figures = Rows::new();
    let mut breaks: Vec<u32> = Vec::with_capacity(drafts.len());
    let mut aims: Vec<u32> = Vec::with_capacity(drafts.len());
    let mut extras: Vec<u32> = Vec::with_capacity(drafts.len());
    let mut word_rows: Vec<(u32, u32)> = Vec::new();
    let mut figure_rows: Vec<(u32, u32)> = Vec::new();
    let mut measures: FxSet<Measure> = FxSet::default();
    let mut alone: FxSet<(u32, u32)> = FxSet::default();
    for (row, draft) in drafts.into_iter().enumerate() {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        let mut own: Vec<u32> = Vec::with_capacity(draft.words.len() + draft.aside.len());
        let mut stops = 0_u32;
        let mut aimed = 0_u32;
        let mut extra = 0_u32;
        for word in &draft.words {
            if !own.contains(&word.id) {
                if word.ends && own.len() < 32 {
                    stops |= 1 << own.len();
                }
                if word.with && own.len() < 32 {
                    extra |= 1 << own.len();
                }
                if word.aimed && own.len() < 32 {
                    aimed |= 1 << own.len();
                }
                own.push(word.id);
            }
        }
        breaks.push(stops);
        aims.push(aimed);
        extras.push(extra);
        for word in draft.aside {
            if !own.contains(&word) && !own.contains(&(word | ASIDE)) {
                own.push(word | ASIDE);
            }
        }
        word_rows.extend(own.iter().map(|w| (w & !ASIDE, row)));
        let opening = own.first().copied().unwrap_or(ASIDE);
        words.push(own);
        let mut seen: Vec<u32> = Vec::new();
        let mut all = draft.figures;
        all.extend(draft.spelt);
        for figure in &all {
            measures.insert(figure.measure);
            let mut of_size = all.iter().filter(|f| f.group == figure.group);
            let equal = values[figure.value as usize] >= 10_000
                && of_size.clone().all(|f| f.value == figure.value);
            if of_size.nth(1).is_none() || equal {
                alone.insert((opening, figure.value));
            }
            if figure.measure != Measure::Piece && !seen.contains(&figure.value) {
                seen.push(figure.value);
                figure_rows.push((figure.value, row));
            }
        }
        figures.push(all);
    }
    let by_word = invert(word_rows, vocabulary.len());
    let by_value = invert(figure_rows, values.len());
    vocabulary.finish(|word| by_word.row(word as usize).len());
    let mut index = Index {
        entries,
        by_id,
        articles,
        titles: Titles::new(titles),
        vocabulary,
        breaks,
        aims,
        extras,
        words,
        figures,
        values,
        value_rows,
        by_word,
        by_value,
        category,
        ranges,
        by_path,
        by_alias: lessons.aliases,
        optional: lessons.optional,
        called: lessons.called,
        constants: lessons.constants,
        alone,
        path_figures,
        leaves,
        several,
        by_path_value,
        shapes,
        junk,
        measures,
        lexicon: Lexicon::default(),
    };
    index.lexicon = Lexicon::new(synonyms);
    index
}

/// «ВВГ нг» is the `ВВГнг` of other titles: what some write apart and others as one is one word
/// everywhere, and its parts stand aside.
fn join_apart(vocabulary: &Vocabulary, drafts: &mut [Draft]) {
    const PARTS: [usize; 2] = [3, 2];
    const LONGEST: usize = 5;
    const LONGEST_NAME: usize = 8;
    let mut stands = vec![false; vocabulary.len()];
    for word in drafts.iter().flat_map(|d| &d.words) {
        stands[word.id as usize] = true;
    }
    let short = |word: &DraftWord| {
        let known = vocabulary.get(word.id);
        let longest = if known.surface.is_ascii() { LONGEST_NAME } else { LONGEST };
        known.surface.chars().count() <= longest && !known.is_without()
    };
    let whole = |parts: &[DraftWord]| {
        let (_, before) = parts.split_last()?;
        if !before.iter().all(|w| w.joins) || !parts.iter().all(short) {
            return None;
        }
        let text: String = parts.iter().map(|w| &*vocabulary.get(w.id).surface).collect();
        let id = vocabulary.row(&stem(&text.to_lowercase()))?;
        (stands[id as usize] && text.chars().count() > 3).then_some(id)
    };
    for draft in drafts {
        let mut at = 0;
        while at < draft.words.len() {
            let found = PARTS
                .iter()
                .find_map(|count| Some((whole(draft.words.get(at..at + count)?)?, at + count)));
            if let Some((id, to)) = found {
                let last = draft.words[to - 1];
                draft.aside.extend(draft.words[at..to].iter().map(|w| w.id));
                let joined =
                    DraftWord { id, ends: last.ends, joins: last.joins, ..draft.words[at] };
                draft.words.splice(at..to, [joined]);
            }
            at += 1;
        }
    }
}

/// (row, item) pairs → items by row.
fn invert(mut pairs: Vec<(u32, u32)>, rows: usize) -> Rows<u32> {
    pairs.sort_unstable();
    pairs.dedup();
    let mut out = Rows::new();
    let mut at = 0;
    for row in 0..rows {
        let from = at;
        while at < pairs.len() && pairs[at].0 as usize == row {
            at += 1;
        }
        out.push(pairs[from..at].iter().map(|p| p.1));
    }
    out
}

/// The word of which a title leaves the beginning and the end, «ф-р», «к-т», where its first term
/// stands.
fn clipped(lexemes: &[Lexeme], at: usize) -> Option<String> {
    let part = |at: usize, longest: usize| {
        let lexeme = lexemes.get(at)?;
        let short = lexeme.text.chars().count() <= longest;
        let whole =
            lexeme.is_word() && short && lexeme.text.chars().all(super::normalize::is_cyrillic);
        whole.then_some(lexeme.text.as_str())
    };
    let tight = |at: usize| lexemes.get(at).is_some_and(|l| !l.spaced);
    let joined = |at: usize| {
        let hyphen = lexemes.get(at + 1).is_some_and(|l| l.is('-')) && tight(at + 1);
        let apart = at == 0 || lexemes[at].spaced;
        let ends = lexemes.get(at + 3).is_none_or(|l| l.spaced || !l.is_number() && !l.is('-'));
        let (one, two) = (part(at, 3)?, part(at + 2, 2)?);
        // «ТТИ-А» is a mark.
        (hyphen && !lexemes[at + 2].upper && tight(at + 2) && apart && ends)
            .then(|| format!("{one}-{two}"))
    };
    // «К» of «к-т» is no term by itself.
    let little = at.checked_sub(2).filter(|b| super::terms::is_little(&lexemes[*b].text));
    joined(at).or_else(|| little.and_then(joined))
}

fn draft(
    entry: &Entry,
    lexemes: &[Lexeme],
    vocabulary: &mut Vocabulary,
    values: &mut Vec<i64>,
    value_rows: &mut FxMap<i64, u32>,
) -> (Draft, bool, u64) {
    let mut words = Vec::new();
    let mut figures: Vec<Figure> = Vec::new();
    let mut group: u8 = 0;
    let mut spelt = Vec::new();
    let mut aside = Vec::new();
    let mut row_of = |value: i64| {
        let next = u32::try_from(values.len()).unwrap_or(u32::MAX);
        *value_rows.entry(value).or_insert_with(|| {
            values.push(value);
            next
        })
    };
    let packs = packings(lexemes);
    for term in terms(lexemes, |_| false) {
        match term {
            Term::Word(word) => {
                if let Some(clipped) = clipped(lexemes, word.from) {
                    let id = vocabulary.add(&clipped, false);
                    words.push(DraftWord { id, ..DraftWord::default() });
                }
                if let Some((count, rest)) = adjectives::counted(&word.text) {
                    spelt.push(Figure {
                        value: row_of(count * 1000),
                        measure: Measure::None,
                        marker: COUNT,
                        group: u8::MAX,
                    });
                    aside.push(vocabulary.add(rest, false));
                }
                if let Some(count) = adjectives::parts(&word.text) {
                    spelt.push(Figure {
                        value: row_of(count * 1000),
                        measure: Measure::None,
                        marker: COUNT,
                        group: u8::MAX,
                    });
                }
                let first = word.from == 0;
                let lexeme = &lexemes[word.from];
                let proper = (!first || word.code) && lexeme.upper && !lexeme.spoken;
                let id = vocabulary.add(&word.text, word.without);
                if is_in_article(lexemes, word.from) {
                    vocabulary.set_article(id);
                }
                let ends = !lexemes.get(word.to).is_some_and(super::lexer::Lexeme::is_word);
                // «Х-ка С» is a letter.
                let letter = |at: usize| at > 0 && lexemes[at - 1].text == "ка";
                let aims = |at: Option<usize>| {
                    at.is_some_and(|at| is_aim(&lexemes[at].text) && !letter(at))
                };
                let aimed = aims(word.from.checked_sub(1))
                    || !word.text.is_ascii()
                        && word.from.checked_sub(1).is_some_and(|at| lexemes[at].is_word())
                        && aims(word.from.checked_sub(2));
                let led = |at: Option<usize>| {
                    at.is_some_and(|at| {
                        matches!(lexemes[at].text.as_str(), "с" | "со") && !letter(at)
                    })
                };
                // «С пласт. лапками»
                let like = |l: &Lexeme| {
                    l.dotted || ["ым", "им", "ыми", "ими"].iter().any(|end| l.text.ends_with(end))
                };
                let with = led(word.from.checked_sub(1))
                    || word.from > 1 && like(&lexemes[word.from - 1]) && led(Some(word.from - 2));
                // «3-местная»: what is counted.
                let counted = match &lexemes[..word.from] {
                    [.., number, hyphen] if hyphen.is('-') => number.is_number(),
                    [.., number] => number.is_number(),
                    [] => false,
                };
                let dotted = word.dotted;
                let hyphen = lexemes.get(word.to).is_some_and(|l| l.is('-') && !l.spaced);
                let after = lexemes.get(word.to + usize::from(hyphen));
                let joins = !dotted && after.is_some_and(|l| l.is_word() && !(hyphen && l.spaced));
                words.push(DraftWord { id, dotted, proper, ends, joins, aimed, with, counted });
            }
            Term::Size(size) => {
                // «3/4"х1/2"» is one size though a cross and slashes make it.
                let crossed = size.from.checked_sub(1).is_some_and(|at| lexemes[at].is('x'));
                if crossed {
                    group = group.saturating_sub(1);
                }
                let packed = packs.iter().any(|p| p.contains(&size.from));
                let held = is_held(lexemes, &size);
                for number in size.numbers {
                    figures.push(Figure {
                        value: row_of(number.value),
                        measure: if packed { Measure::Piece } else { number.measure },
                        marker: if held { HELD } else { number.marker },
                        group,
                    });
                }
                group = group.saturating_add(1);
            }
        }
    }
    aside.extend(vocabulary.add_text(&entry.search_words));
    aside.extend(vocabulary.add_text(&entry.description));
    let title = fingerprint(lexemes);
    (Draft { words, figures, aside, spelt }, is_junk(lexemes), title)
}

/// «Болт М 10х50» is one of «М10х50», however it is written. Of «Перчатки М 10 пар» there are ten.
fn threaded(lexemes: &mut [Lexeme]) {
    const WIDEST: i64 = 64_000;
    for at in 1..lexemes.len().saturating_sub(1) {
        let (letter, number) = (&lexemes[at], &lexemes[at + 1]);
        let thread = matches!(letter.text.as_str(), "м" | "m")
            && letter.upper
            && letter.spaced
            && number.is_number()
            && number.value <= WIDEST
            && lexemes.get(at + 2).is_none_or(|next| {
                !next.is_word() || Measure::read(&next.text, !next.spaced).is_none()
            })
            && super::quantity::unit_at(lexemes, at + 2).is_none_or(|(unit, _)| !unit.counts());
        if thread {
            lexemes[at + 1].spaced = false;
        }
    }
}

/// Whether a word begins what the thing is for, or what goes with it.
pub(crate) fn is_aim(word: &str) -> bool {
    matches!(word, "для" | "д" | "к" | "ко" | "под" | "от" | "с" | "со")
}

/// Whether a word is of an article that the title repeats: «MVA20-3-032-C», «ATN000151».
fn is_in_article(lexemes: &[Lexeme], at: usize) -> bool {
    let from = (0..=at).rev().find(|i| lexemes[*i].spaced).unwrap_or(0);
    let run = lexemes[from..].iter().enumerate().take_while(|(i, l)| *i == 0 || !l.spaced);
    let digits: usize = run.filter(|(_, l)| l.is_number()).map(|(_, l)| l.text.len()).sum();
    digits >= 5 && lexemes[at].text.is_ascii()
}

/// «Ланч-бокс 500 мл (450)»: a number in brackets that ends a title.
fn is_held(lexemes: &[Lexeme], size: &super::terms::Size) -> bool {
    let [number] = size.numbers.as_slice() else { return false };
    let open = size.from.checked_sub(1).is_some_and(|at| lexemes[at].is('('));
    let plain = number.measure == Measure::None && number.marker == 0;
    open && plain
        && number.value >= 10_000
        && number.value % 1000 == 0
        && matches!(&lexemes[size.to..], [close] if close.is(')'))
}

/// Articles of makers that a title repeats: runs without blanks with a long number, «36200-125-1.0»,
/// «2608615059», or with letters around a shorter one, «L4055W».
fn codes<'t>(title: &'t str, lexemes: &[Lexeme]) -> Vec<&'t str> {
    const LONG: usize = 7;
    const JOINED: usize = 5;
    const MODEL: usize = 4;
    let mut out = Vec::new();
    let mut from = 0;
    while from < lexemes.len() {
        let goes_on = |l: &Lexeme| {
            !l.spaced && (l.is_word() || l.is_number() || ['-', '.', '/'].iter().any(|c| l.is(*c)))
        };
        let to = from + 1 + lexemes[from + 1..].iter().take_while(|l| goes_on(l)).count();
        let run = &lexemes[from..to];
        let tells = |l: &Lexeme| l.is_word() || l.is_number();
        let Some(told) = run.iter().rposition(tells) else {
            from = to;
            continue;
        };
        let run = &run[run.iter().position(tells).unwrap_or(0)..=told];
        let most = run.iter().filter(|l| l.is_number()).map(|l| l.text.len()).max().unwrap_or(0);
        let joined = run.iter().any(|l| l.is('-') || l.is_word());
        let latin = run.iter().all(|l| !l.is_word() || l.text.is_ascii());
        let digits: usize = run.iter().filter(|l| l.is_number()).map(|l| l.text.len()).sum();
        let hyphens = run.iter().filter(|l| l.is('-')).count();
        // «L4055W», «MVA20-1-010-C»
        let model = run[0].is_word()
            && digits >= MODEL
            && (run.len() > 2 && run[run.len() - 1].is_word() || hyphens > 1);
        if latin && (most >= LONG || joined && most >= JOINED || model) {
            out.extend(title.get(run[0].start..run[run.len() - 1].end));
        }
        from = to;
    }
    out
}

/// Numbers of a category's path.
fn path_numbers(
    path: &str,
    values: &mut Vec<i64>,
    value_rows: &mut FxMap<i64, u32>,
) -> Vec<Figure> {
    let mut out = Vec::new();
    for term in terms(&lex(&Chars::new(path)), |_| false) {
        let Term::Size(size) = term else { continue };
        for number in size.numbers {
            let next = u32::try_from(values.len()).unwrap_or(u32::MAX);
            let value = *value_rows.entry(number.value).or_insert_with(|| {
                values.push(number.value);
                next
            });
            out.push(Figure { value, measure: number.measure, marker: number.marker, group: 0 });
        }
    }
    out
}

/// How an article is spelt: runs of letters are `A`, of digits `9`, marks stand as they are.
pub(crate) fn article_shape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let sign = if c.is_ascii_digit() {
            '9'
        } else if c.is_alphabetic() {
            'A'
        } else {
            c
        };
        if !out.ends_with(sign) || !sign.is_alphanumeric() {
            out.push(sign);
        }
    }
    out
}

impl Vocabulary {
    /// Adds the words of a text and returns them.
    pub(crate) fn add_text(&mut self, text: &str) -> Vec<u32> {
        if text.is_empty() {
            return Vec::new();
        }
        let found = terms(&lex(&Chars::new(text)), |_| false);
        let words = found.into_iter().filter_map(|term| match term {
            Term::Word(word) => Some(self.add(&word.text, word.without)),
            Term::Size(_) => None,
        });
        words.collect()
    }
}
