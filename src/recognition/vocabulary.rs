//! The words of the catalogue and how a word of an order is found among them.

use std::sync::{Arc, Mutex, PoisonError};

use super::decide::names_colour;
use super::ear;
use super::normalize::{
    FxMap, distance, is_cyrillic, letter_set, sound, spelt_out, stem, without_diminutive,
};
use super::speech;
use super::terms::{Word, cyrillic_twin, twin};

/// A word of the catalogue.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what is learnt of a word, one each")]
pub(crate) struct Known {
    /// Its stem.
    pub(crate) stem: Box<str>,
    /// Its first spelling seen, for people.
    pub(crate) surface: Box<str>,
    letters: u64,
    /// In how many titles it stands.
    pub(crate) titles: u32,
    /// Whether titles cut it with a full stop.
    pub(crate) cut: bool,
    /// Whether it has told products apart.
    pub(crate) telling: bool,
    /// Whether it is a name: written with a capital, or in Latin letters.
    pub(crate) name: bool,
    /// Whether titles or categories begin with it: a word that opens a new item.
    pub(crate) head: bool,
    /// Whether most of its titles begin with it.
    pub(crate) leads: bool,
    /// Whether titles have it as letters of an article: «MVA20-3-032-C».
    pub(crate) article: bool,
}

impl Known {
    /// Whether a title says what its thing is without.
    pub(crate) fn is_without(&self) -> bool {
        self.stem.starts_with(WITHOUT)
    }
}

/// Words of the catalogue by spelling, by sound and by beginning.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    words: Vec<Known>,
    by_stem: FxMap<Box<str>, u32>,
    /// Surface spellings met while building, so that each is stemmed once.
    by_surface: FxMap<Box<str>, u32>,
    by_sound: FxMap<Box<str>, Vec<u32>>,
    /// Stems with a vowel that comes and goes, without it: «угл» of «угол», «стекл» of «стекол».
    by_fleeting: FxMap<String, Vec<u32>>,
    /// Rows in the order of their stems.
    sorted: Vec<u32>,
    /// Names in Latin letters by how they sound, for slips of the ear.
    latin: Vec<(u32, u64, Box<str>)>,
    /// Names in Latin letters with the sounds that they may begin with.
    aloud: Vec<(u32, u32)>,
    /// Cyrillic words by how they sound, in order.
    sounds: Vec<(Box<str>, u32)>,
    /// Cyrillic words by their consonants, in order.
    consonants: Vec<(Box<str>, u32)>,
    /// Words of which titles leave the first letters and the last, «ф-р», by their parts.
    clipped: Vec<(Box<str>, Box<str>, u32)>,
    /// Words that titles cut with a slash, «г/к», by their parts.
    slashed: Vec<(Box<str>, Box<str>, u32)>,
    /// What words of orders mean: the same ones come again and again.
    remembered: Mutex<FxMap<Spelling, Arc<Meanings>>>,
}

/// What of a word decides its meanings: its letters, dotted, code, after a number.
type Spelling = (String, bool, bool, bool);

/// So many words of orders are remembered, then all are forgotten.
const REMEMBERED: usize = 2_000;

/// Words of the catalogue that a word of an order may mean, each with how surely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meanings {
    /// By row, the best quality of each.
    pub(crate) words: Vec<(u32, f32)>,
    /// Whether the word is spelt so in the catalogue (or heard so), not guessed from typos.
    pub(crate) sure: bool,
}

impl Meanings {
    fn add(&mut self, word: u32, quality: f32) {
        self.words.push((word, quality));
    }

    /// The quality of this word, or 0.
    pub(crate) fn quality(&self, word: u32) -> f32 {
        self.words.binary_search_by_key(&word, |(w, _)| *w).map_or(0.0, |at| self.words[at].1)
    }

    fn sort(&mut self) {
        best_of_each(&mut self.words);
    }
}

/// A word that means another so well is spelt so, or heard so.
const HEARD: f32 = 0.95;

/// «Перчатки нитрил» are «нитриловые».
const MADE_OF: f32 = 0.96;

/// Those that cost least.
fn least_of(heard: Vec<(u32, u8)>) -> Vec<(u32, u8)> {
    let least = heard.iter().map(|(_, cost)| *cost).min();
    heard.into_iter().filter(|(_, cost)| Some(*cost) == least).collect()
}

/// A name of fewer sounds is hardly known by them.
const SHORTEST: usize = 3;

/// A name that is read aloud for so little is that name.
const PLAIN: u8 = 1;

/// «ХХЛ» is «XXL».
fn clothing_size(text: &str) -> Option<String> {
    let crosses = text.strip_suffix('л')?;
    let all = !crosses.is_empty() && crosses.chars().all(|c| c == 'х');
    all.then(|| format!("{}l", "x".repeat(crosses.chars().count())))
}

/// Sorts pairs by their key and keeps the best of each.
pub(crate) fn best_of_each(pairs: &mut Vec<(u32, f32)>) {
    pairs.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    pairs.dedup_by_key(|p| p.0);
}

/// The mark of a word that a title has «без».
const WITHOUT: char = '-';

impl Vocabulary {
    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word by its row.
    pub(crate) fn get(&self, word: u32) -> &Known {
        &self.words[word as usize]
    }

    /// Adds a word of a title. `without`: the title has «без» before it.
    pub(crate) fn add(&mut self, surface: &str, without: bool) -> u32 {
        if !without && let Some(found) = self.by_surface.get(surface) {
            return *found;
        }
        let mut key = String::new();
        if without {
            key.push(WITHOUT);
        }
        key.push_str(&stem(&surface.replace('/', "")));
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let id = match self.by_stem.get(key.as_str()) {
            Some(found) => *found,
            None => {
                self.words.push(Known {
                    letters: letter_set(&key),
                    stem: key.clone().into(),
                    surface: surface.into(),
                    titles: 0,
                    cut: false,
                    telling: false,
                    name: surface.is_ascii() && surface.len() > 1,
                    head: false,
                    leads: false,
                    article: false,
                });
                self.by_stem.insert(key.into(), next);
                next
            }
        };
        if !without {
            self.by_surface.insert(surface.into(), id);
        }
        id
    }

    /// Marks a word as cut with a full stop in titles.
    pub(crate) fn set_cut(&mut self, word: u32) {
        self.words[word as usize].cut = true;
    }

    /// Marks a word as one that tells products apart.
    pub(crate) fn set_telling(&mut self, word: u32) {
        self.words[word as usize].telling = true;
    }

    /// Marks a word as a name.
    pub(crate) fn set_name(&mut self, word: u32) {
        self.words[word as usize].name = true;
    }

    /// Marks a word as letters of an article.
    pub(crate) fn set_article(&mut self, word: u32) {
        self.words[word as usize].article = true;
    }

    /// Marks a word as one that opens an item.
    pub(crate) fn set_head(&mut self, word: u32) {
        self.words[word as usize].head = true;
    }

    /// Takes the mark of a word that opens an item away.
    pub(crate) fn unset_head(&mut self, word: u32) {
        self.words[word as usize].head = false;
    }

    /// Marks a word as one that most of its titles begin with.
    pub(crate) fn set_leads(&mut self, word: u32) {
        self.words[word as usize].leads = true;
    }

    /// Makes the lookups that need the whole vocabulary; `titles` counts a word's products.
    pub(crate) fn finish(&mut self, titles: impl Fn(u32) -> usize) {
        self.by_surface = FxMap::default();
        self.sorted = (0..u32::try_from(self.words.len()).unwrap_or(u32::MAX)).collect();
        let words = &self.words;
        self.sorted.sort_by(|a, b| words[*a as usize].stem.cmp(&words[*b as usize].stem));
        self.consonants = words
            .iter()
            .zip(0..)
            .filter(|(known, _)| !known.stem.starts_with(WITHOUT) && !known.stem.is_ascii())
            .map(|(known, row)| (consonants(&known.surface).into(), row))
            .collect();
        self.consonants.sort_unstable();
        let parts = words.iter().zip(0..).filter_map(|(known, row)| {
            let (one, two) = known.surface.split_once('/')?;
            let whole = !one.is_empty() && !two.is_empty() && !two.contains('/');
            whole.then(|| (one.into(), two.into(), row))
        });
        self.slashed = parts.collect();
        let parts = words.iter().zip(0..).filter_map(|(known, row)| {
            let (one, two) = known.surface.split_once('-')?;
            Some((one.into(), two.into(), row))
        });
        self.clipped = parts.collect();
        for id in 0..self.words.len() {
            let row = u32::try_from(id).unwrap_or(u32::MAX);
            self.words[id].titles = u32::try_from(titles(row)).unwrap_or(u32::MAX);
            let known = &self.words[id];
            if known.is_without() {
                // «Без клапана» is no «клапан», however alike they sound.
                continue;
            }
            let mut keys = vec![sound(&known.stem), sound(&known.surface)];
            if known.stem.is_ascii() && known.stem.len() > 3 {
                keys.push(trimmed(&keys[0]).to_owned());
            }
            if known.stem.is_ascii() && known.stem.len() > 3 {
                self.latin.push((row, letter_set(&keys[0]), keys[0].clone().into()));
            }
            if known.surface.len() > 1 && known.surface.bytes().all(|c| c.is_ascii_lowercase()) {
                self.aloud.push((row, ear::first_sounds(&known.surface)));
            } else if known.surface.chars().all(is_cyrillic) {
                self.sounds.push((sound(&known.surface).into(), row));
            }
            keys.sort();
            keys.dedup();
            for key in keys {
                if !key.is_empty() {
                    self.by_sound.entry(key.into()).or_default().push(row);
                }
            }
        }
        self.sounds.sort_unstable();
        for (known, row) in self.words.iter().zip(0..) {
            if let Some(without) = without_fleeting(&known.stem) {
                self.by_fleeting.entry(without).or_default().push(row);
            }
        }
    }

    /// Whether the catalogue has the word exactly so.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.by_stem.contains_key(stem(word).as_str())
    }

    /// Whether the catalogue has the word and never cuts it with a full stop.
    pub(crate) fn is_whole(&self, word: &str) -> bool {
        self.by_stem.get(stem(word).as_str()).is_some_and(|w| !self.words[*w as usize].cut)
    }

    /// Whether the catalogue has the word so, or a name that sounds so.
    pub(crate) fn hears(&self, word: &str) -> bool {
        let word = Word { text: word.to_owned(), ..Word::default() };
        self.meanings(&word).words.iter().any(|(_, quality)| *quality >= HEARD)
    }

    /// The row of a stem.
    pub(crate) fn row(&self, stem: &str) -> Option<u32> {
        self.by_stem.get(stem).copied()
    }

    /// What a word of an order may mean.
    pub(crate) fn meanings(&self, word: &Word) -> Arc<Meanings> {
        let spelling = (word.text.clone(), word.dotted, word.code, word.after_number);
        let remembered = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = remembered().get(&spelling) {
            return Arc::clone(found);
        }
        let found = Arc::new(self.understand(word));
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(spelling, Arc::clone(&found));
        found
    }

    fn understand(&self, word: &Word) -> Meanings {
        let mut out = Meanings::default();
        let text = word.text.replace('/', "");
        self.spelt(&text, 1.0, &mut out);
        self.heard(&text, &mut out);
        if let Some(latin) = twin(&text) {
            self.spelt(&latin, 0.97, &mut out);
        }
        if word.code
            && let Some(other) = cyrillic_twin(&text)
        {
            // «PA1500» of a «РА 1500»
            self.spelt(&other, 0.97, &mut out);
        }
        let length = text.chars().count();
        let exact = !out.words.is_empty();
        let talk = speech::is_delivery(&text);
        let aloud = if length >= SHORTEST && !talk && text.chars().all(is_cyrillic) {
            self.read_aloud(&text)
        } else if length >= SHORTEST && text.bytes().all(|c| c.is_ascii_lowercase()) {
            self.written_down(&text)
        } else {
            Vec::new()
        };
        for (word, cost) in &aloud {
            if *cost <= PLAIN {
                out.add(*word, 0.97 - 0.01 * f32::from(*cost));
            }
        }
        self.begun(&text, word.dotted, exact && !word.after_number, &mut out);
        if text.is_ascii() && length >= 3 {
            // «bum» for «бумажный»
            self.begun(&cyrillic(&text), word.dotted, exact, &mut out);
        }
        if length >= 4 {
            self.cut_in_titles(&text, &mut out);
        }
        if (length >= 5 || word.dotted && length >= 3) && !text.is_ascii() {
            // «атлас» for «AtlasDesign»
            let heard = sound(&text);
            let begun = self.latin.iter().filter(|(_, _, other)| other.starts_with(&heard));
            begun.for_each(|(id, ..)| out.add(*id, 0.9));
        }
        self.without_vowels_in_titles(&text, &mut out);
        if let Some(size) = clothing_size(&text) {
            self.spelt(&size, 0.97, &mut out);
        }
        self.kin(&text, &mut out);
        self.derived(&text, &mut out);
        for base in without_diminutive(&text) {
            self.spelt(&base, 0.93, &mut out);
        }
        if out.words.is_empty()
            && length >= 2
            && let Some(letters) = spelt_out(&text)
        {
            self.spelt(&letters, 0.93, &mut out);
            self.heard(&letters, &mut out);
            if length >= 4 {
                self.begun(&letters, false, false, &mut out);
            }
        }
        if out.words.is_empty()
            && let Some(base) = without_slang_ending(&text)
        {
            // «вэвэгэшка», «вагошки»
            self.spelt(base, 0.92, &mut out);
            self.heard(base, &mut out);
            if let Some(letters) = spelt_out(base) {
                self.spelt(&letters, 0.92, &mut out);
                self.begun(&letters, false, false, &mut out);
            }
        }
        if out.words.is_empty() && text.is_ascii() && length >= 3 {
            for other in other_latin(&text) {
                self.spelt(&cyrillic(&other), 0.93, &mut out);
                self.heard(&other, &mut out);
            }
        }
        if length >= 7 || length >= 5 && text.starts_with("не") {
            self.slashed(&text, &mut out);
        }
        self.clipped_in_titles(&text, &mut out);
        if let Some((one, two)) = word.text.split_once('/') {
            self.slashed_otherwise(one, two, &mut out);
        }
        if out.words.is_empty() && length >= 6 && super::line::is_adjective(&text) {
            self.second_half(&text, &mut out);
        }
        if out.words.is_empty() {
            self.of_a_name(&text, &mut out);
        }
        if out.words.is_empty() {
            self.fleeting(&text, &mut out);
        }
        out.sure = !out.words.is_empty();
        // A code of a few letters, «СХВ-20», is another code in another letter.
        let code = word.code && length <= 4 || super::threads::is_side(&word.text);
        if !out.sure && length >= 3 && !code {
            self.misspelt(&text, &mut out);
            for (word, cost) in aloud {
                out.add(word, 0.9 - 0.02 * f32::from(cost));
            }
        }
        out.sort();
        out
    }

    /// Adjectives of names: «боярдовские» are of Boyard, «рогачёвская» of «Рогачёв».
    fn of_a_name(&self, text: &str, out: &mut Meanings) {
        let key = stem(text);
        let Some(name) = key.strip_suffix("ск").filter(|n| n.chars().count() >= 4) else {
            return;
        };
        let bare = name.strip_suffix("ов").or_else(|| name.strip_suffix("ев"));
        for name in [Some(name), bare].into_iter().flatten() {
            self.spelt(name, 0.93, out);
            self.heard(name, out);
        }
        out.words.retain(|(word, _)| self.words[*word as usize].name);
    }

    /// Whether titles have exactly this word.
    pub(crate) fn spells(&self, word: &str) -> bool {
        let found = self.by_stem.get(stem(word).as_str());
        found.is_some_and(|row| *self.words[*row as usize].surface == *word)
    }

    /// Words that a misspelt word may mean though the catalogue has the word as it is written.
    pub(crate) fn near(&self, text: &str) -> Meanings {
        let mut out = Meanings::default();
        self.misspelt(text, &mut out);
        out.sort();
        out
    }

    /// Forms of a word whose last vowel comes and goes: «угла» of «угол», «стёкол» of «стекло».
    fn fleeting(&self, text: &str, out: &mut Meanings) {
        let key = stem(text);
        if let Some(without) = without_fleeting(&key)
            && let Some(found) = self.by_stem.get(without.as_str())
        {
            out.add(*found, 0.95);
        }
        for found in self.by_fleeting.get(&key).into_iter().flatten() {
            out.add(*found, 0.95);
        }
    }

    fn spelt(&self, text: &str, quality: f32, out: &mut Meanings) {
        let key = stem(text);
        if let Some(found) = self.by_stem.get(key.as_str()) {
            out.add(*found, quality);
        }
    }

    fn heard(&self, text: &str, out: &mut Meanings) {
        // «Класс В» is no «класс Б»: alone, a letter is the one that it looks like.
        if matches!(text, "b" | "c" | "h" | "y" | "x" | "б") {
            return;
        }
        let latin = text.is_ascii();
        // «Брайт» and «Brite» are one name in two alphabets.
        let twins = |word: u32| {
            text.chars().count() > 2 && self.words[word as usize].stem.is_ascii() != latin
        };
        let mut keys: Vec<(String, f32)> = vec![(sound(text), 0.96), (sound(&stem(text)), 0.95)];
        if latin {
            let back = cyrillic(text);
            let key = stem(&back);
            if let Some(found) = self.by_stem.get(key.as_str()) {
                out.add(*found, 0.96);
            }
            keys.push((sound(&key), 0.95));
        }
        if text.chars().count() > 3 {
            keys.push((trimmed(&keys[0].0).to_owned(), 0.93));
        }
        for (at, (key, quality)) in keys.into_iter().enumerate() {
            if key.is_empty() {
                continue;
            }
            for found in self.by_sound.get(key.as_str()).into_iter().flatten() {
                out.add(*found, if at == 0 && twins(*found) { quality.max(0.97) } else { quality });
            }
        }
    }

    /// Names in Latin letters that may be read aloud so, «Turtle» for «тартл», with what it costs.
    fn read_aloud(&self, text: &str) -> Vec<(u32, u8)> {
        let whole = sound(text);
        let stem = sound(&stem(text));
        let Some(first) = whole.bytes().next().map(ear::bit) else { return Vec::new() };
        let begun = self.aloud.iter().filter(|(_, sounds)| sounds & first != 0);
        let heard = begun.filter_map(|(word, _)| {
            let name = &*self.words[*word as usize].surface;
            // «Макитой» ends as Russian words do.
            let ended = || {
                let name = name.trim_end_matches(['a', 'e', 'i', 'o']);
                let long = name.len() >= SHORTEST && stem.len() >= SHORTEST;
                if long { Some(ear::cost(name, &stem)? + 1) } else { None }
            };
            Some((*word, ear::cost(name, &whole).or_else(ended)?))
        });
        least_of(heard.collect())
    }

    /// Cyrillic words that a name in Latin letters may be read aloud as: «Тартл» for «turtle».
    fn written_down(&self, name: &str) -> Vec<(u32, u8)> {
        let firsts = ear::first_sounds(name);
        let begun = (b'a'..=b'z').filter(|c| ear::bit(*c) & firsts != 0).flat_map(|first| {
            let from = self.sounds.partition_point(|(s, _)| s.as_bytes() < &[first][..]);
            self.sounds[from..].iter().take_while(move |(s, _)| s.as_bytes()[0] == first)
        });
        let long = begun.filter(|(sound, _)| sound.len() >= SHORTEST);
        least_of(long.filter_map(|(sound, row)| Some((*row, ear::cost(name, sound)?))).collect())
    }

    /// Whether titles cut the word with a slash.
    pub(crate) fn is_slashed(&self, text: &str) -> bool {
        let mut out = Meanings::default();
        self.slashed(text, &mut out);
        !out.words.is_empty()
    }

    /// Words that titles cut with a slash: «гипсокартон» is «г/к», «полуоткрытый» is «п/открытый».
    fn slashed(&self, text: &str, out: &mut Meanings) {
        for (one, two, word) in &self.slashed {
            let Some(rest) = text.strip_prefix(&**one) else { continue };
            let joint = ["о", "е", "у"].iter().any(|vowel| {
                let joint = format!("{vowel}{two}");
                // «Прожектор» is no «п/к»: what a letter stands for goes on as words do.
                let goes_on = |at: usize| {
                    let mut letters = rest[at + joint.len()..].chars();
                    two.chars().count() > 1
                        || letters.next().is_some_and(|l| "аеиоуыэюяёрл".contains(l))
                            && letters.count() >= 2
                };
                // «Неопудренные» are «н/опудр.».
                let apart = |at: usize| at > 0 || one.chars().count() > 1 || &**one == "н";
                rest.find(&joint).is_some_and(|at| apart(at) && goes_on(at))
            });
            if joint {
                out.add(*word, 0.9);
            }
        }
    }

    /// Words of which titles leave the beginning and the end: «фильтр» is «ф-р», «комплект» «к-т».
    fn clipped_in_titles(&self, text: &str, out: &mut Meanings) {
        let key = stem(text);
        let length = text.chars().count();
        for (begin, end, row) in &self.clipped {
            let told = begin.chars().count() + end.chars().count();
            let last = end.trim_end_matches(['а', 'я', 'и', 'ы', 'о', 'е']);
            let ended = text.ends_with(&**end) || !last.is_empty() && key.ends_with(last);
            if length > told + 2 && text.starts_with(&**begin) && ended {
                out.add(*row, 0.96);
            }
        }
    }

    /// Words that titles cut with a slash in another place: «в/с» is «в/сорт».
    fn slashed_otherwise(&self, one: &str, two: &str, out: &mut Meanings) {
        // «В/нагр.» is the «водонагреватель».
        let joint = format!("о{two}");
        if two.chars().count() >= 3 {
            for id in self.beginning(one) {
                if self.words[id as usize].stem.contains(&joint) {
                    out.add(id, 0.92);
                }
            }
        }
        let begins = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
        for (first, second, word) in &self.slashed {
            if begins(first, one) && begins(second, two) {
                out.add(*word, 0.92);
            }
        }
    }

    /// Compound adjectives that end so, «воздушно-пузырчатая» for «пузырчатая». Colours are none:
    /// «тёмно-серый» is no «серый».
    fn second_half(&self, text: &str, out: &mut Meanings) {
        let key = stem(text);
        let half = format!("о{key}");
        if names_colour(&key) {
            return;
        }
        for (known, row) in self.words.iter().zip(0..) {
            let first = known.stem.strip_suffix(half.as_str()).map_or(0, |f| f.chars().count());
            if first >= 3 {
                out.add(row, 0.9);
            }
        }
    }

    /// Words that begin with what is written: «самор», «бел.».
    fn begun(&self, text: &str, dotted: bool, exact: bool, out: &mut Meanings) {
        let length = text.chars().count();
        if !dotted && (length < 3 && exact) {
            return;
        }
        if !dotted && length < 2 {
            return;
        }
        let quality = if dotted {
            0.92
        } else if length >= 3 {
            0.88
        } else {
            0.8
        };
        for id in self.beginning(text) {
            out.add(id, if self.is_made_of(id, text) { MADE_OF } else { quality });
        }
        if length >= 5 && !dotted {
            // «шариковые» for «шарик.» is seen by the stem.
            let key = stem(text);
            if key.chars().count() >= 4 && key != text {
                let noun = !super::line::is_adjective(text);
                for id in self.beginning(&key) {
                    let made = noun && self.is_made_of(id, &key);
                    out.add(id, if made { MADE_OF } else { 0.9 });
                }
            }
        }
    }

    /// Whether a word is the adjective of what the text names, «нитриловые» of «нитрил», and begins no
    /// title: «кокосовая стружка» is no «кокос».
    fn is_made_of(&self, word: u32, text: &str) -> bool {
        let known = &self.words[word as usize];
        let suffix = known.stem.strip_prefix(text);
        text.chars().count() >= 5
            && !known.head
            && suffix.is_some_and(|suffix| matches!(suffix, "ов" | "ев" | "н" | "ян"))
            && super::line::is_adjective(&known.surface)
    }

    /// Words whose stem begins with the text.
    pub(crate) fn beginning<'a>(&'a self, text: &'a str) -> impl Iterator<Item = u32> + 'a {
        let from = self.sorted.partition_point(|w| &*self.words[*w as usize].stem < text);
        self.sorted[from..]
            .iter()
            .copied()
            .take_while(move |w| self.words[*w as usize].stem.starts_with(text))
    }

    /// Words from which only vowels, and perhaps the end, were left out: «чрн», «плст», «бежв».
    pub(crate) fn without_vowels(&self, text: &str) -> Vec<(u32, f32)> {
        let left = consonants(text);
        let length = text.chars().count();
        let bare = left.chars().count() == length;
        if length < 3 || left.chars().count() < 3 || !text.chars().all(is_cyrillic) {
            return Vec::new();
        }
        let quality = if bare { 0.88 } else { 0.86 };
        let from = self.consonants.partition_point(|(key, _)| **key < *left);
        let begun = self.consonants[from..].iter().take_while(|(key, _)| key.starts_with(&left));
        let fits = begun.filter(|(_, row)| {
            let surface = &self.words[*row as usize].surface;
            let mut rest = surface.chars();
            surface.chars().count() > length && text.chars().all(|c| rest.any(|r| r == c))
        });
        let mut out: Vec<(u32, f32)> = fits.map(|(_, row)| (*row, quality)).collect();
        best_of_each(&mut out);
        out
    }

    /// Words of the same root: «спиральная» for «спираль», «шестигранник» for «шестигранный».
    fn kin(&self, text: &str, out: &mut Meanings) {
        let key = stem(text);
        let count = key.chars().count();
        if count < 6 {
            return;
        }
        let root: String = key.chars().take((count * 3).div_ceil(4).max(5)).collect();
        for id in self.beginning(&root) {
            let other = self.words[id as usize].stem.chars().count();
            if other.abs_diff(count) <= 3 {
                out.add(id, 0.86);
            }
        }
    }

    /// The noun that an adjective is made of, «кокосовый» for «кокос», or the other way round.
    fn derived(&self, text: &str, out: &mut Meanings) {
        const SUFFIXES: &[&str] = &[
            "ов",
            "ев",
            "н",
            "ян",
            "ск",
            "очн",
            "ичн",
            "енн",
            "ист",
            "ирова",
            "ирован",
            "ированн",
            "ованн",
            "ова",
        ];
        let key = stem(text);
        // «войлок» for «войлочный», «мешкозашивка» for «мешкозашивочная»
        if let Some(base) = key.strip_suffix('к').filter(|b| b.chars().count() >= 4) {
            for suffix in ["чн", "очн"] {
                for id in self.beginning(&format!("{base}{suffix}")) {
                    out.add(id, 0.86);
                }
            }
        }
        // «пневматический» for «пневмо»
        let ends = key.char_indices().map(|(at, _)| at).skip(5);
        for root in ends.filter_map(|at| key.get(..at)) {
            if let Some(found) = self.by_stem.get(root)
                && self.words[*found as usize].surface.strip_suffix('о') == Some(root)
            {
                out.add(*found, 0.87);
            }
        }
        // «чашка» for «чашечный», «щётка» for «щёточный»
        if let Some(base) = key.strip_suffix("ечн").or_else(|| key.strip_suffix("очн"))
            && base.chars().count() >= 3
            && let Some(found) = self.by_stem.get(format!("{base}к").as_str())
        {
            out.add(*found, 0.87);
        }
        for suffix in SUFFIXES {
            let Some(base) = key.strip_suffix(suffix) else { continue };
            // «газовый» of «газ», but «медный» not of «мёд»
            let least = if matches!(*suffix, "ов" | "ев") { 3 } else { 4 };
            if base.chars().count() < least {
                continue;
            }
            for base in [base.to_owned(), stem(&format!("{base}ь"))] {
                if let Some(found) = self.by_stem.get(base.as_str()) {
                    out.add(*found, 0.87);
                }
            }
        }
    }

    /// Words of consonants alone that titles have for longer ones: «КМФ» for «камуфляж».
    fn without_vowels_in_titles(&self, text: &str, out: &mut Meanings) {
        const LETTERS: std::ops::RangeInclusive<usize> = 3..=4;
        let consonants: Vec<char> =
            text.chars().filter(|c| is_cyrillic(*c) && !"аеиоуыэюяьъ".contains(*c)).collect();
        if text.chars().count() < 6 {
            return;
        }
        for length in LETTERS.filter(|n| *n <= consonants.len()) {
            let short: String = consonants[..length].iter().collect();
            if !text.starts_with(&short)
                && let Some(found) = self.by_stem.get(short.as_str())
            {
                out.add(*found, 0.9);
            }
        }
    }

    /// Words that titles cut short: «внутр.» for «внутренняя».
    fn cut_in_titles(&self, text: &str, out: &mut Meanings) {
        let ends = text.char_indices().map(|(at, _)| at).skip(2);
        for end in ends {
            let cut = &text[..end];
            // «Белизна» is of no «бел.».
            let coloured = names_colour(cut) || is_colour_cut(cut);
            if let Some(found) = self.by_stem.get(cut)
                && self.words[*found as usize].cut
                && (!coloured || names_colour(&stem(text)))
            {
                out.add(*found, 0.93);
            }
        }
    }

    /// Whether titles have whole words that begin so, and all of them go on otherwise than the text.
    pub(crate) fn is_cut_of_others(&self, text: &str, cut: &str) -> bool {
        const MORE: usize = 2;
        let shared =
            |other: &str| text.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        let least = cut.chars().count() + MORE;
        let whole = self.beginning(cut).filter(|id| !self.words[*id as usize].cut);
        let mut going_on = whole.map(|id| shared(&self.words[id as usize].surface));
        let Some(first) = going_on.next().filter(|_| text != cut) else { return false };
        first < least && going_on.all(|count| count < least)
    }

    /// Words that differ by a slip of the finger or of the ear.
    fn misspelt(&self, text: &str, out: &mut Meanings) {
        let spelling = if text.is_ascii() { cyrillic(text) } else { text.to_owned() };
        let key = stem(&spelling);
        for candidate in [key.as_str(), text] {
            let chars: Vec<char> = candidate.chars().collect();
            let limit = match chars.len() {
                0..=2 => continue,
                3 => 1,
                4 => 2,
                5 => 3,
                6..=8 => 4,
                _ => 5,
            };
            let letters = letter_set(candidate);
            for (id, known) in self.words.iter().enumerate() {
                if (known.letters ^ letters).count_ones() as usize > limit + 1 {
                    continue;
                }
                if known.is_without() {
                    continue;
                }
                // A stem is compared with stems, the whole word with words as titles write them:
                // there an ending that is alike excuses nothing.
                let whole = candidate != key;
                let spelt = if whole { &known.surface } else { &known.stem };
                let limit = if whole { limit.min(3) } else { limit };
                let other: Vec<char> = spelt.chars().collect();
                let swapped = other.len() > 1 && chars[0] == other[1] && chars[1] == other[0];
                if other.len() < 3 || (chars[0] != other[0] && limit < 3 && !swapped) {
                    continue;
                }
                // «Товарный» is no «пожарный»: who misses the first letter misses no other.
                let first = distance(&chars[..1], &other[..1], 1).is_some();
                let limit = if first || swapped { limit } else { limit.min(2) };
                // «Velutto» is a name, and no «велюр».
                let limit = if text.is_ascii() && !known.name { limit.min(2) } else { limit };
                if let Some(cost) = distance(&chars, &other, limit) {
                    let cost = u8::try_from(cost).unwrap_or(9);
                    let id = u32::try_from(id).unwrap_or(u32::MAX);
                    // Of a long word a slip leaves enough to know it by.
                    let each = if chars.len() > 8 { 0.01 } else { 0.03 };
                    out.add(id, 0.9 - each * f32::from(cost));
                }
            }
            if candidate == text {
                break;
            }
        }
        if !text.is_ascii() || text.len() > 4 {
            let heard: Vec<char> = sound(text).chars().collect();
            let letters = letter_set(&sound(text));
            let limit = if heard.len() < 5 {
                0
            } else if heard.len() < 8 {
                2
            } else {
                4
            };
            for (id, set, other) in self.latin.iter().filter(|_| limit > 0) {
                if (set ^ letters).count_ones() as usize > limit + 1 {
                    continue;
                }
                let other: Vec<char> = other.chars().collect();
                if let Some(cost) = distance(&heard, &other, limit) {
                    out.add(*id, 0.88 - 0.03 * f32::from(u8::try_from(cost).unwrap_or(9)));
                }
            }
        }
        // Of many guesses only the nearest are worth anything.
        let best = out.words.iter().map(|w| w.1).fold(0.0_f32, f32::max);
        out.words.retain(|w| w.1 >= best - 0.035);
    }
}

/// Whether a word is the name of a colour cut short: «чер».
pub(crate) fn is_colour_cut(word: &str) -> bool {
    COLOURS_CUT.contains(&word)
}

/// How colours are cut.
const COLOURS_CUT: &[&str] =
    &["чер", "крас", "зел", "жел", "роз", "гол", "голуб", "беж", "фиол", "оранж", "корич"];

/// What a noun of talk is made of: «вэвэгэ» of «вэвэгэшка», «пэвээс» of «пэвээска».
fn without_slang_ending(word: &str) -> Option<&str> {
    const ENDINGS: &[&str] =
        &["шками", "шка", "шки", "шку", "шек", "шкой", "ками", "ка", "ки", "ку", "кой"];
    let base = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending))?;
    // «узошка»
    let least = if word.contains("шк") { 3 } else { 4 };
    (base.chars().count() >= least).then_some(base)
}

/// Other ways in which people write Russian in Latin letters: х as x, ж as j, ш as w, й as i.
fn other_latin(word: &str) -> Vec<String> {
    const WAYS: &[(&str, &str)] =
        &[("x", "h"), ("j", "zh"), ("w", "sh"), ("ia", "ya"), ("iu", "yu")];
    let mut out = vec![word.to_owned()];
    for (from, to) in WAYS.iter().filter(|(from, _)| word.contains(from)) {
        let more: Vec<String> = out.iter().map(|w| w.replace(from, to)).collect();
        out.extend(more);
    }
    out.split_off(1)
}

/// The first letter of a word and its consonants after it, doubled ones once.
fn consonants(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if !out.ends_with(c) && (out.is_empty() || !"аеиоуыэюяьъй".contains(c)) {
            out.push(c);
        }
    }
    out
}

/// A stem without the «о» or «е» before its last consonant, if another consonant is before that.
fn without_fleeting(stem: &str) -> Option<String> {
    const LEAST: usize = 4;
    let letters: Vec<char> = stem.chars().collect();
    let consonant = |c: char| is_cyrillic(c) && !"аеиоуыэюяьъй".contains(c);
    match letters.as_slice() {
        [start @ .., before, 'о' | 'е', last]
            if letters.len() >= LEAST && consonant(*before) && consonant(*last) =>
        {
            Some(start.iter().chain([before, last]).collect())
        }
        _ => None,
    }
}

/// A sound without its last vowels, as case endings would leave it.
fn trimmed(sound: &str) -> &str {
    let cut = sound.trim_end_matches(['a', 'e', 'i', 'o', 'u']);
    if cut.len() >= 3 { cut } else { sound }
}

/// A Latin word in Cyrillic, as people transliterate.
pub(crate) fn cyrillic(word: &str) -> String {
    const PAIRS: &[(&str, &str)] = &[
        ("shch", "щ"),
        ("sch", "щ"),
        ("zh", "ж"),
        ("kh", "х"),
        ("ts", "ц"),
        ("ch", "ч"),
        ("sh", "ш"),
        ("yu", "ю"),
        ("ju", "ю"),
        ("ya", "я"),
        ("ja", "я"),
        ("yo", "е"),
        ("jo", "е"),
        ("ye", "е"),
        ("yi", "ый"),
        ("ck", "к"),
        ("ph", "ф"),
        ("iy", "ий"),
        ("yj", "ый"),
        ("ij", "ий"),
        ("a", "а"),
        ("b", "б"),
        ("c", "ц"),
        ("d", "д"),
        ("e", "е"),
        ("f", "ф"),
        ("g", "г"),
        ("h", "х"),
        ("i", "и"),
        ("j", "й"),
        ("k", "к"),
        ("l", "л"),
        ("m", "м"),
        ("n", "н"),
        ("o", "о"),
        ("p", "п"),
        ("q", "к"),
        ("r", "р"),
        ("s", "с"),
        ("t", "т"),
        ("u", "у"),
        ("v", "в"),
        ("w", "в"),
        ("x", "кс"),
        ("y", "ы"),
        ("z", "з"),
    ];
    if word.chars().any(is_cyrillic) {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len() * 2);
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        match PAIRS.iter().find(|(latin, _)| rest.starts_with(latin)) {
            Some((latin, letter)) => {
                out.push_str(letter);
                rest = &rest[latin.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}
