//! How well a product satisfies what is wanted, or that it contradicts it.

use super::super::decide::is_ordinary;
use super::super::index::{ASIDE, Figure};
use super::super::quantity::{Said, counts};
use super::super::terms::{BARE, Measure, Number, PACK, Size};
use super::super::threads;
use super::postings::{scaled, scales};
use super::{Need, Seeker, Sought, Stretch, Want, Way};

/// Numbers in the units that they were said in, in thousandths.
const AS_SAID: i64 = 1000;

/// Litres in millilitres, in thousandths.
const THOUSANDFOLD: i64 = 1_000_000;

/// Metres in centimetres, in thousandths.
const CENTIMETRES: i64 = 100_000;

/// Nothing is wider, in thousandths of a metre; whatever is longer is how long the thing is.
const LONGEST_WIDTH: i64 = 5_000;

impl Seeker<'_> {
    /// How well a product satisfies the wants, or `None` when it contradicts one. Sizes of many
    /// numbers are to come first, so that a lone number does not take one of theirs.
    pub(super) fn fit(&self, row: u32, wants: &[&Want], stretch: Stretch) -> Option<f32> {
        let mut used = 0_u64;
        let mut lost = 0.0;
        for want in wants {
            lost += 1.0 - self.satisfies(row, want, stretch, &mut used)?;
        }
        Some(1.0 - lost)
    }

    /// The number of wants a product satisfies, for suggestions.
    pub(crate) fn satisfied(&self, row: u32, wants: &[Want]) -> f32 {
        let mut used = 0_u64;
        let quality =
            |w: &Want, used: &mut u64| self.satisfies(row, w, Stretch::No, used).unwrap_or(0.0);
        wants.iter().filter(|w| w.known).map(|w| quality(w, &mut used)).sum()
    }

    pub(super) fn satisfies(
        &self,
        row: u32,
        want: &Want,
        stretch: Stretch,
        used: &mut u64,
    ) -> Option<f32> {
        let mut best: Option<(f32, u64)> = None;
        for way in &want.ways {
            // «2-местная»: the two is said once more.
            let mut taken = if way.free { 0 } else { *used };
            let mut quality = way.quality;
            for need in &way.needs {
                let found = match need {
                    Need::Word(sought) if want.without => {
                        if sought.without.is_some_and(|w| self.has_word(row, w)) {
                            1.0
                        } else if self.in_title(row, sought) > 0.0 {
                            0.0
                        } else {
                            0.93
                        }
                    }
                    Need::Word(sought) => self.word(row, sought),
                    Need::Size(size) => self.size(row, size, stretch, &mut taken),
                    Need::Pack { value, must } => {
                        match (self.is_packed(row, *value, *must), must) {
                            (true, true) => 0.9,
                            (true, false) => 1.0,
                            (false, true) => 0.0,
                            (false, false) => 0.94,
                        }
                    }
                    Need::Sold(unit) => {
                        let own = self.index.entries[row as usize].unit.as_ref();
                        f32::from(u8::from(own.is_some_and(|own| own.as_str() == *unit)))
                    }
                    Need::Product(sought) => f32::from(u8::from(*sought == row)),
                };
                quality *= found;
                if quality == 0.0 {
                    break;
                }
            }
            if quality > 0.0 && way.adjacent && !self.side_by_side(row, &way.needs) {
                quality = 0.0;
            }
            if quality > 0.0 && best.is_none_or(|(q, _)| quality > q) {
                best = Some((quality, if way.free { *used } else { taken }));
            }
        }
        let (quality, taken) = best?;
        *used = taken;
        Some(quality)
    }

    /// Whether a product comes in the packs that the wants speak of.
    pub(crate) fn is_packed_as_said(&self, row: u32, wants: &[Want]) -> bool {
        wants.iter().flat_map(|w| &w.ways).flat_map(|w| &w.needs).all(|need| match need {
            Need::Pack { value, must: false } => self.is_packed(row, *value, false),
            _ => true,
        })
    }

    /// Whether a product's title says how many are in a pack, and the wants say another number.
    pub(crate) fn is_packed_otherwise(&self, row: u32, wants: &[Want]) -> bool {
        let figures = self.index.figures.row(row as usize);
        figures.iter().any(|f| f.measure == Measure::Piece) && !self.is_packed_as_said(row, wants)
    }

    /// Whether a title says how large the thing is in the measure of a quantity.
    pub(crate) fn is_measured_in(&self, row: u32, unit: &Said) -> bool {
        let measure = unit.short().filter(|_| !unit.counts()).and_then(|u| Measure::read(u, true));
        measure.is_some_and(|measure| {
            // Neither is felt sold by the metre because it is 4 mm thick and 1,05 m wide.
            let length = measure.is_like(Measure::Metre);
            let alike = |f: &&Figure| {
                let value = self.index.values.get(f.value as usize).copied().unwrap_or(0);
                // «Спанбонд 80 гр» is of eighty grams on a square metre.
                let dense = measure == Measure::Gram && f.measure == Measure::Density;
                (f.measure.is_like(measure) || dense)
                    && f.marker != PACK
                    && !(length && (f.measure != Measure::Metre || value < LONGEST_WIDTH))
            };
            self.index.figures.row(row as usize).iter().any(|f| alike(&f))
        })
    }

    /// Whether a product may be said in this unit of what fills things: it is sold so, or its title says
    /// how much of it there is.
    pub(crate) fn holds(&self, row: u32, unit: &Said) -> bool {
        let own = self.index.entries[row as usize].unit.as_ref();
        own.is_none_or(|own| unit.is(own) || !counts(own)) || self.is_measured_in(row, unit)
    }

    /// Whether a product's title says so much, in thousandths, of this unit.
    pub(crate) fn says_amount(&self, row: u32, value: i64, unit: Option<&Said>) -> bool {
        // «6500К»: a letter may be any measure.
        let unit = unit.filter(|unit| unit.short().is_some());
        let measure = unit.map(|unit| unit.short().and_then(|u| Measure::read(u, true)));
        let same = |f: &Figure| self.index.number(*f).value == value;
        let said = |f: &Figure| match measure {
            None => same(f),
            // «3,05 м» of a title's 3050
            Some(Some(Measure::Metre)) if f.measure == Measure::None => {
                self.index.number(*f).value == value.saturating_mul(1000)
            }
            Some(Some(measure)) => f.measure.is_like(measure) && same(f),
            Some(None) => matches!(f.measure, Measure::Piece | Measure::None) && same(f),
        };
        self.index.figures.row(row as usize).iter().any(said)
    }

    /// Whether plain numbers that were said one after another stand so in one size of the title.
    pub(crate) fn has_in_a_row(&self, row: u32, wants: &[Want]) -> bool {
        let figures = self.index.figures.row(row as usize);
        let plain = |want: &Want| {
            let number = want.numbers().next().filter(|n| n.marker == 0);
            number.filter(|n| want.numeric && !want.inherited && n.measure == Measure::None)
        };
        let pairs = wants.windows(2).filter_map(|pair| Some((plain(&pair[0])?, plain(&pair[1])?)));
        let mut pairs = pairs.peekable();
        pairs.peek().is_some()
            && pairs.all(|(one, two)| {
                figures.windows(2).any(|at| {
                    at[0].group == at[1].group
                        && one.agrees(self.index.number(at[0])) > 0.0
                        && two.agrees(self.index.number(at[1])) > 0.0
                })
            })
    }

    /// How many words of a title were not said and tell it from others of its category.
    pub(crate) fn count_unsaid(&self, row: u32, wants: &[Want]) -> usize {
        let category = self.index.category[row as usize];
        // A doubled thing is less plain than one of another name.
        let weight = |word: u32| {
            let stem = &*self.index.vocabulary.get(word).stem;
            let names = self.index.optional.contains(&(word, category))
                || self.index.by_alias.get(&word).is_some_and(|kinds| kinds.contains(&category))
                || self.index.by_path.get(&word).is_some_and(|kinds| kinds.contains(&category))
                || is_ordinary(stem);
            if names {
                0
            } else if is_manifold(stem) {
                3
            } else {
                1
            }
        };
        self.unsaid(row, wants).map(weight).sum()
    }

    /// Whether a title says that its thing is a double one, and nobody did.
    pub(crate) fn is_manifold(&self, row: u32, wants: &[Want]) -> bool {
        let own = self.index.words.row(row as usize).iter().filter(|w| **w & ASIDE == 0);
        let said =
            wants.iter().any(|w| is_manifold(&w.key) || w.numbers().any(|n| n.value == 2000));
        !said && own.into_iter().any(|w| is_manifold(&self.index.vocabulary.get(*w).stem))
    }

    /// Whether all lengths and plain numbers of a title were said.
    pub(crate) fn has_only_said_numbers(&self, row: u32, wants: &[Want]) -> bool {
        let needs = || wants.iter().flat_map(|w| &w.ways).flat_map(|w| &w.needs);
        let said = |own: &Number| {
            needs().any(|need| match need {
                Need::Size(size) => size.numbers.iter().any(|n| {
                    // «2 м» are 2000, and «200» may be.
                    let scaled = [10, 100, 1000].map(|by| n.value.saturating_mul(by));
                    n.agrees(*own) > 0.0 || scaled.contains(&own.value)
                }),
                _ => false,
            })
        };
        let plain = |n: &Number| n.marker != b'#' && n.is_sized_with(Number::default());
        let figures = self.index.figures.row(row as usize).iter();
        figures.map(|f| self.index.number(*f)).filter(plain).all(|own| said(&own))
    }

    /// Whether a title has this number, in thousandths, by itself and without a unit: the thing's own.
    pub(crate) fn is_numbered(&self, row: u32, value: i64) -> bool {
        const LEAST: i64 = 20_000;
        let figures = self.index.figures.row(row as usize);
        value >= LEAST
            && figures.iter().any(|f| {
                let alone = figures.iter().filter(|other| other.group == f.group).count() == 1;
                let plain = f.measure == Measure::None && f.marker == 0;
                plain && alone && self.index.number(*f).value == value
            })
    }

    /// Whether a number, in thousandths, is one of the title that is no quantity of the product: a part
    /// of what is sold by the piece, a colour temperature, a voltage.
    pub(crate) fn says_as_attribute(&self, row: u32, value: i64) -> bool {
        const LEAST: i64 = 100_000;
        let own = self.index.entries[row as usize].unit.as_ref();
        let part = value % 1000 != 0 && own.is_some_and(counts);
        let electric =
            |f: &Figure| matches!(f.measure, Measure::Kelvin | Measure::Lumen | Measure::Volt);
        let attribute = |f: &Figure| part || value >= LEAST && electric(f);
        let mut figures = self.index.figures.row(row as usize).iter();
        figures.any(|f| attribute(f) && self.index.number(*f).value == value)
    }

    /// Whether a product's title says that so many are in a pack.
    fn is_packed(&self, row: u32, value: i64, strictly: bool) -> bool {
        self.index.figures.row(row as usize).iter().any(|figure| {
            let numbered = figure.marker == b'#';
            (figure.measure == Measure::Piece
                || (!strictly || numbered) && figure.measure == Measure::None)
                && self.index.values.get(figure.value as usize) == Some(&value)
        })
    }

    /// Whether the words of the needs follow one another in the title; what the category may leave
    /// unsaid may be missing at the end.
    pub(super) fn side_by_side(&self, row: u32, needs: &[Need]) -> bool {
        let words = self.index.words.row(row as usize);
        let has = |at: usize, need: &Need| match need {
            Need::Word(sought) => {
                words.get(at).is_some_and(|w| w & ASIDE == 0 && sought.meanings.quality(*w) > 0.0)
            }
            _ => false,
        };
        let category = self.index.category[row as usize];
        let implied = |need: &Need| match need {
            Need::Word(sought) => sought.aliases.binary_search_by_key(&category, |c| c.0).is_ok(),
            _ => false,
        };
        (0..words.len()).any(|from| {
            needs.iter().enumerate().all(|(n, need)| has(from + n, need) || n > 0 && implied(need))
        })
    }

    /// Whether the product is called by the want: its title begins so, or its category goes by it.
    pub(crate) fn is_headed(&self, row: u32, want: &Want) -> bool {
        let category = self.index.category[row as usize];
        let known = |word: u32| self.index.vocabulary.get(word);
        let latin = |word: u32| known(word).surface.is_ascii();
        let words = self.index.words.row(row as usize);
        let first = words.first().filter(|w| **w & ASIDE == 0);
        // «Glossa Диммер» is a dimmer: what stands before it is a maker's name.
        let makers = words.iter().take_while(|w| **w & ASIDE == 0 && known(**w).name).count();
        let kinds = words.iter().take(makers + 1).filter(|w| **w & ASIDE == 0 && !latin(**w));
        // «Держатель» of «Трубы и держатели» is no «труба».
        let leaf = self.index.leaves.row(category as usize);
        let of_another = first.is_some_and(|w| leaf.contains(w));
        let first = first.into_iter().chain(kinds);
        want.ways.iter().flat_map(|w| &w.needs).any(|need| match need {
            Need::Word(sought) => {
                first.clone().any(|w| sought.meanings.quality(*w) > 0.0)
                    || sought
                        .meanings
                        .words
                        .iter()
                        .any(|(w, _)| self.index.called.contains(&(*w, category)))
                    || !of_another && leaf.iter().any(|w| sought.meanings.quality(*w) > 0.0)
            }
            _ => false,
        })
    }

    /// Whether a product's title begins with a word of the want.
    pub(crate) fn begins(&self, row: u32, want: &Want) -> bool {
        let first = self.index.words.row(row as usize).first().filter(|w| **w & ASIDE == 0);
        want.ways.iter().flat_map(|w| &w.needs).any(|need| match need {
            Need::Word(sought) => first.is_some_and(|w| sought.meanings.quality(*w) > 0.0),
            _ => false,
        })
    }

    /// Whether a product's title has a word that tells products apart and that nobody said, or a
    /// name, if these are asked for too.
    pub(crate) fn is_told_apart_unsaid(&self, row: u32, wants: &[Want], named: bool) -> bool {
        let tells = |word: u32| {
            let known = self.index.vocabulary.get(word);
            known.telling || named && known.name && !known.article
        };
        self.unsaid(row, wants).any(tells)
    }

    /// The words of a product's title that nobody said.
    fn unsaid<'w>(&'w self, row: u32, wants: &'w [Want]) -> impl Iterator<Item = u32> + 'w {
        let said = |word: u32| {
            wants
                .iter()
                .flat_map(|w| &w.ways)
                .flat_map(|w| &w.needs)
                .any(|need| matches!(need, Need::Word(s) if s.meanings.quality(word) > 0.0))
        };
        let words = self.index.words.row(row as usize).iter().copied();
        words.filter(move |word| word & ASIDE == 0 && !said(*word))
    }

    /// Whether a product's title has a word that nobody said and that its like do not all have.
    pub(crate) fn is_more_than_said(&self, row: u32, wants: &[Want]) -> bool {
        let kind = self.index.category[row as usize];
        let idle = |word: u32| {
            self.index.vocabulary.get(word).article
                || self.index.optional.contains(&(word, kind))
                || self.index.by_alias.get(&word).is_some_and(|kinds| kinds.contains(&kind))
        };
        !self.unsaid(row, wants).all(idle)
    }

    /// Whether a word of the want is in a title of the product's category, or in one that begins
    /// with the same thing.
    pub(crate) fn is_said_of_kind(&self, row: u32, thing: &Want, want: &Want) -> bool {
        let kind = self.index.category[row as usize];
        Self::words_of(want).any(|word| {
            let rows = self.index.by_word.row(word as usize);
            rows.iter().any(|row| {
                self.index.category[*row as usize] == kind || self.is_headed(*row, thing)
            })
        })
    }

    /// The names in a product's title that nobody said.
    pub(crate) fn names_unsaid(&self, row: u32, wants: &[Want]) -> Vec<u32> {
        let is_name = |word: &u32| {
            let known = self.index.vocabulary.get(*word);
            known.name && !known.article
        };
        self.unsaid(row, wants).filter(is_name).collect()
    }

    /// Whether a product satisfies a want, whatever else it is.
    pub(crate) fn has(&self, row: u32, want: &Want) -> bool {
        self.satisfies(row, want, Stretch::No, &mut 0).is_some()
    }

    /// How well a product satisfies a want.
    pub(crate) fn quality(&self, row: u32, want: &Want) -> f32 {
        self.satisfies(row, want, Stretch::No, &mut 0).unwrap_or(0.0)
    }

    /// Whether a want names the thing itself: titles begin with its word, and it tells none apart.
    pub(crate) fn is_head(&self, want: &Want) -> bool {
        !want.numeric
            && Self::words_of(want).any(|word| {
                let known = self.index.vocabulary.get(word);
                known.head && !known.telling
            })
    }

    /// Whether a want is of a name, a maker's or a product's own.
    pub(crate) fn is_named(&self, want: &Want) -> bool {
        let name = |word: u32| self.index.vocabulary.get(word).name;
        !want.numeric && Self::words_of(want).any(name)
    }

    /// The same, but for a maker's name that some titles begin with.
    pub(crate) fn is_thing(&self, want: &Want) -> bool {
        !want.numeric
            && Self::words_of(want).any(|word| {
                let known = self.index.vocabulary.get(word);
                known.head && !known.telling && (!known.name || known.leads)
            })
    }

    /// Whether a want's word is of goods and not of what they are like: titles begin with it, or it
    /// belongs to one category only.
    pub(crate) fn names_goods(&self, want: &Want) -> bool {
        !want.numeric
            && Self::words_of(want).any(|word| {
                let known = self.index.vocabulary.get(word);
                // Products stand by category: the first and the last tell whether it is one.
                let rows = self.index.by_word.row(word as usize);
                let category = |row: Option<&u32>| row.map(|r| self.index.category[*r as usize]);
                let alone = category(rows.first()) == category(rows.last());
                let coloured = crate::recognition::decide::names_colour(&known.stem);
                !coloured && (known.head || alone)
            })
    }

    /// Whether a want is of a word that tells products apart: a colour, a finish.
    pub(crate) fn is_telling(&self, want: &Want) -> bool {
        !want.numeric && Self::words_of(want).any(|word| self.index.vocabulary.get(word).telling)
    }

    /// Whether a number is the number of a colour or a type: titles mark it so.
    pub(crate) fn is_colour_number(&self, want: &Want) -> bool {
        want.numbers().any(|number| {
            let Some(value) = self.index.value_rows.get(&number.value) else { return false };
            let rows = self.index.by_value.row(*value as usize).iter().take(40);
            let (mut marked, mut all) = (0, 0);
            for figure in rows.flat_map(|row| self.index.figures.row(*row as usize)) {
                if figure.value == *value {
                    all += 1;
                    marked += usize::from(figure.marker == b'#');
                }
            }
            marked * 2 > all
        })
    }

    /// The words of the catalogue that a want surely means.
    pub(crate) fn words_of(want: &Want) -> impl Iterator<Item = u32> + '_ {
        want.ways.iter().flat_map(|w| &w.needs).flat_map(|need| match need {
            Need::Word(sought) => {
                let best = sought.meanings.words.iter().map(|w| w.1).fold(0.0_f32, f32::max);
                let near = move |w: &&(u32, f32)| w.1 >= best - 0.03 && w.1 >= 0.7;
                sought.meanings.words.iter().filter(near).map(|w| w.0).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Whether a product has every word of the wants in its own title.
    pub(crate) fn is_literal(&self, row: u32, wants: &[Want]) -> bool {
        wants.iter().filter(|w| w.known && !w.numeric && !w.without && !w.plain).all(|want| {
            want.ways.iter().any(|way| {
                way.needs.iter().all(|need| match need {
                    Need::Word(sought) => self
                        .index
                        .words
                        .row(row as usize)
                        .iter()
                        .any(|word| word & ASIDE == 0 && sought.meanings.quality(*word) > 0.85),
                    _ => true,
                })
            })
        })
    }

    /// Whether all that a product's title lacks of the wants begins other titles of its category.
    pub(crate) fn goes_by(&self, row: u32, wants: &[Want]) -> bool {
        let category = self.index.category[row as usize];
        let called = |w: u32| self.index.called.contains(&(w, category));
        wants.iter().filter(|w| w.known && !w.numeric && !w.without && !w.plain).all(|want| {
            let one = std::slice::from_ref(want);
            self.is_literal(row, one) || Self::words_of(want).any(called)
        })
    }

    /// Whether a product has the words of the wants themselves, and not what synonyms make of them.
    pub(crate) fn is_called(&self, row: u32, wants: &[Want]) -> bool {
        wants.iter().filter(|w| w.known && !w.numeric && !w.without && !w.plain).all(|want| {
            want.ways.iter().filter(|way| !way.free).any(|way| {
                let has = |need: &Need| match need {
                    Need::Word(sought) => self.word(row, sought) > 0.0,
                    _ => true,
                };
                // «Пена под пистолет» is no «пистолет для пены».
                let named = |need: &Need| match need {
                    Need::Word(sought) => sought.meanings.words.iter().map(|w| w.0).collect(),
                    _ => Vec::new(),
                };
                let mentioned = way.needs.len() > 1
                    && way.needs.first().is_some_and(|n| self.is_mention(row, &named(n)));
                way.needs.iter().all(has) && !mentioned
            })
        })
    }

    /// Whether all the words of the last step of a product's category were said: «Шариковые», where
    /// another is in «Шариковые с доводчиком».
    pub(crate) fn is_of_plain_category(&self, row: u32, wants: &[Want]) -> bool {
        let leaf = self.index.leaves.row(self.index.category[row as usize] as usize);
        !leaf.is_empty()
            && leaf.iter().all(|word| {
                wants
                    .iter()
                    .filter(|w| !w.numeric)
                    // Not by a synonym: «Шурупы» are no plain «саморез».
                    .flat_map(|w| w.ways.iter().filter(|way| way.quality > 0.99))
                    .flat_map(|w| &w.needs)
                    .any(|need| matches!(need, Need::Word(s) if s.meanings.quality(*word) > 0.9))
            })
    }

    /// Whether a size of a title is more than the one number of it that was said: «муфта 25» is no
    /// «муфта 25×20» and no «муфта 25×1/2», while «труба 25» may be any «труба 25×4,2».
    pub(crate) fn is_sized_further(&self, row: u32, wants: &[Want]) -> bool {
        let figures = self.index.figures.row(row as usize);
        let value = |f: &Figure| self.index.values.get(f.value as usize).copied().unwrap_or(0);
        let sizes = || {
            // What a synonym adds was not said.
            wants
                .iter()
                .filter(|w| w.numeric)
                .flat_map(|w| &w.ways)
                .flat_map(|w| &w.needs)
                .filter_map(|n| match n {
                    Need::Size(size) => Some(size),
                    _ => None,
                })
        };
        let said = |f: &Figure| sizes().flat_map(|s| &s.numbers).any(|n| n.value == value(f));
        // «Муфта 32х1 НР»: the inch is of the thread.
        let vocabulary = &self.index.vocabulary;
        let sided = self
            .index
            .words
            .row(row as usize)
            .iter()
            .any(|w| w & ASIDE == 0 && threads::is_side(&vocabulary.get(*w).surface));
        let inches =
            |group: u8| figures.iter().any(|f| f.group == group && f.measure == Measure::Inch);
        let threaded = |f: &Figure| {
            f.measure == Measure::Inch
                || matches!(value(f), 1000 | 2000) && (sided || inches(f.group))
        };
        let first = self.index.words.row(row as usize).first().copied().unwrap_or(ASIDE);
        let whole = |f: &Figure| self.index.alone.contains(&(first, f.value));
        let further = |figure: &Figure| {
            let own = value(figure);
            figures.iter().any(|other| {
                let more = value(other);
                // «1х1,5» is a wire and its section, «110х2000» a pipe and its length.
                let near =
                    || own.min(more) >= 10_000 && own.max(more) < own.min(more).saturating_mul(4);
                let alike = || other.measure == figure.measure && whole(other) && near();
                other.group == figure.group
                    && !said(other)
                    && (threaded(other) && (sided || whole(figure)) || whole(figure) && alike())
            })
        };
        sizes().filter(|s| s.numbers.len() == 1).any(|size| {
            let own = |f: &&Figure| value(f) == size.numbers[0].value;
            figures.iter().any(|f| own(&f)) && figures.iter().filter(own).all(further)
        })
    }

    /// Whether a title only mentions what these words name: «крышка к форме», «клей для поролона».
    pub(crate) fn is_mention(&self, row: u32, named: &[u32]) -> bool {
        let words = self.index.words.row(row as usize);
        let aims = self.index.aims[row as usize];
        let mut found = false;
        for (at, word) in words.iter().enumerate().take(32) {
            if word & ASIDE != 0 || !named.contains(word) {
                continue;
            }
            if aims >> at & 1 == 0 {
                return false;
            }
            found = true;
        }
        found
    }

    /// The name that was not said with which one that was goes on in the title: «Lux» of «Bella Lux».
    pub(crate) fn goes_on_with(&self, row: u32, wants: &[Want]) -> Option<u32> {
        let words = self.index.words.row(row as usize);
        let said = |word: u32| {
            wants.iter().filter(|w| !w.numeric).flat_map(|w| &w.ways).flat_map(|w| &w.needs).any(
                |need| matches!(need, Need::Word(sought) if sought.meanings.quality(word) > 0.0),
            )
        };
        // A name does not go on with an article.
        let is_name = |word: u32| {
            let known = self.index.vocabulary.get(word);
            known.name && !known.article
        };
        let breaks = self.index.breaks[row as usize];
        let goes_on = |at: usize, pair: &[u32]| {
            pair[0] & ASIDE == 0
                && pair[1] & ASIDE == 0
                && at < 32
                && breaks >> at & 1 == 0
                && is_name(pair[0])
                && is_name(pair[1])
                && said(pair[0])
                && !said(pair[1])
        };
        words.windows(2).enumerate().find(|(at, pair)| goes_on(*at, pair)).map(|(_, pair)| pair[1])
    }

    pub(crate) fn has_word(&self, row: u32, word: u32) -> bool {
        self.index.words.row(row as usize).iter().any(|w| w & !ASIDE == word)
    }

    /// How well a product has the word: in its title, aside, in its category.
    pub(super) fn word(&self, row: u32, sought: &Sought) -> f32 {
        let best = self.in_title(row, sought);
        // «Перчатки без ПВХ» have none, whatever category they are in.
        if best == 0.0 && sought.without.is_some_and(|w| self.has_word(row, w)) {
            return 0.0;
        }
        let category = self.index.category[row as usize];
        let placed = |list: &[(u32, f32)]| {
            list.binary_search_by_key(&category, |c| c.0).map_or(0.0, |at| list[at].1)
        };
        let mut named = placed(&sought.paths).max(placed(&sought.aliases));
        // A «выключатель» of the same category is hardly the «розетка» that was asked for.
        if named > best && best == 0.0 && self.names_otherwise(row, sought) {
            named *= 0.85;
        }
        best.max(named)
    }

    /// Whether the first thing that a title names is another than the word.
    fn names_otherwise(&self, row: u32, sought: &Sought) -> bool {
        // «Обжимной» is what a «тройник» is like: it names nothing. In «Малярные и клейкие» there are
        // several kinds.
        let several = self.index.several[self.index.category[row as usize] as usize];
        let alike = |w: &(u32, f32)| {
            w.1 > 0.9 && super::super::line::is_adjective(&self.index.vocabulary.get(w.0).surface)
        };
        if !several && sought.meanings.words.iter().any(alike) {
            return false;
        }
        let own = self.index.words.row(row as usize).iter().filter(|w| **w & ASIDE == 0);
        let mut names = own.filter(|word| {
            let known = self.index.vocabulary.get(**word);
            known.head && !known.name && !known.telling
        });
        names.next().is_some_and(|word| sought.meanings.quality(*word) == 0.0)
    }

    /// How well a product's title, or the words aside, have the word.
    pub(super) fn in_title(&self, row: u32, sought: &Sought) -> f32 {
        let mut best = 0.0_f32;
        for word in self.index.words.row(row as usize) {
            let quality = sought.meanings.quality(word & !ASIDE);
            let quality = if word & ASIDE == 0 { quality } else { quality * 0.95 };
            best = best.max(quality);
        }
        best
    }

    /// How well a product has the size, taking its numbers.
    pub(super) fn size(&self, row: u32, size: &Size, stretch: Stretch, used: &mut u64) -> f32 {
        let direct = self.numbers(row, &size.numbers, AS_SAID, used);
        // «20/10» is no «2/1».
        if direct > 0.0 || stretch == Stretch::No || size.slash {
            return direct;
        }
        let turned = match size.numbers.as_slice() {
            [first, second] => Some([*second, *first]),
            _ => None,
        };
        for by in scales(size.numbers[0], stretch, size.numbers.len() == 1) {
            let found = self.numbers(row, &size.numbers, *by, used);
            if found > 0.0 {
                return found * 0.93;
            }
            let found = turned.map_or(0.0, |turned| self.numbers(row, &turned, *by, used));
            if found > 0.0 {
                return found * 0.9;
            }
        }
        let found = turned.map_or(0.0, |turned| self.numbers(row, &turned, AS_SAID, used) * 0.9);
        if found > 0.0 {
            return found;
        }
        // «1400х2000х60» of «60 мм (2000х1400)»
        if let [a, b, c] = *size.numbers.as_slice() {
            let orders = [[b, a, c], [c, b, a], [c, a, b], [b, c, a], [a, c, b]];
            let found = orders.iter().map(|order| {
                let mut taken = *used;
                (self.numbers(row, order, AS_SAID, &mut taken), taken)
            });
            let Some((found, taken)) = found.max_by(|a, b| a.0.total_cmp(&b.0)) else {
                return 0.0;
            };
            if found > 0.0 {
                *used = taken;
            }
            return found * 0.88;
        }
        // «0,9х1,9 м» of a title's 190×90 without a unit
        let metres = size.numbers.iter().all(|n| n.measure == Measure::Metre);
        let Some(turned) = turned.filter(|_| metres) else { return 0.0 };
        let centimetres = |numbers: &[Number]| -> Vec<Number> {
            let bare = |n: &Number| Number { measure: Measure::None, ..scaled(*n, CENTIMETRES) };
            numbers.iter().map(bare).collect()
        };
        let found = self.numbers(row, &centimetres(&size.numbers), AS_SAID, used);
        if found > 0.0 {
            return found * 0.93;
        }
        self.numbers(row, &centimetres(&turned), AS_SAID, used) * 0.9
    }

    /// Whether a product has a number only as the length of its roll: «25» of a «50мм чёрная 25м».
    pub(crate) fn is_length_of_roll(&self, row: u32, number: Number) -> bool {
        let figures = self.index.figures.row(row as usize).iter().map(|f| self.index.number(*f));
        let mut same = figures.filter(|title| number.agrees(*title) > 0.0).peekable();
        same.peek().is_some()
            && same.all(|title| title.marker == PACK || title.measure == Measure::Metre)
    }

    /// How well a product fits a number that no figure free in its title says: its pack or its
    /// category may say it.
    fn said_beside(&self, row: u32, number: Number) -> f32 {
        let index = self.index;
        let figures = index.figures.row(row as usize);
        // «№50» of a pharmacy is fifty in a pack.
        let packed = |f: &Figure| {
            f.measure == Measure::Piece && index.values[f.value as usize] == number.value
        };
        if number.marker == b'#' && figures.iter().any(packed) {
            return 0.93;
        }
        // «40» of «Нитки №40» is of the category «№40» as well, and is said once.
        if figures.iter().any(|f| number.agrees(index.number(*f)) > 0.0) {
            return 0.0;
        }
        // «DIN 603» may be said by the category alone.
        let path = index.path_figures.row(index.category[row as usize] as usize);
        path.iter().map(|f| number.agrees(index.number(*f))).fold(0.0, f32::max) * 0.95
    }

    /// How well a product has the numbers, times `by` thousandths, in this order.
    fn numbers(&self, row: u32, wanted: &[Number], by: i64, used: &mut u64) -> f32 {
        let index = self.index;
        let figures = index.figures.row(row as usize);
        let category = index.category[row as usize];
        let mut taken = *used;
        let mut total = 0.0;
        let mut last: Option<(usize, u8)> = None;
        for number in wanted.iter().map(|n| if by == AS_SAID { *n } else { scaled(*n, by) }) {
            if number.is_bound() {
                let mut same = figures.iter().filter(|f| f.marker == number.marker).peekable();
                if same.peek().is_some()
                    && !same.any(|f| number.same_amount(index.number(*f)) > 0.0)
                {
                    return 0.0;
                }
            }
            let mut best: Option<(f32, usize)> = None;
            for (at, figure) in figures.iter().enumerate().take(64) {
                if taken >> at & 1 == 1 || figure.measure == Measure::Piece {
                    continue;
                }
                let title = index.number(*figure);
                if !may_be_scaled(title, by) {
                    continue;
                }
                let mut quality = number.agrees(title);
                if quality == 0.0 && wanted.len() > 2 && number.rounds(title) {
                    quality = 0.9;
                }
                // «40х50» is no 30×40 of 50 microns.
                let thick = matches!(title.measure, Measure::Micron | Measure::Density);
                if quality == 0.0 || wanted.len() > 1 && number.measure == Measure::None && thick {
                    continue;
                }
                // «10 мА» is none of «MDV10-2-016-030 … 30мА».
                let measured = |f: &Figure| f.measure == number.measure && f.marker == 0;
                let mark = title.is_code() || title.is_lettered();
                let elsewhere = mark && number.measure != Measure::None
                    || title.measure == Measure::None && number.measure.is_never_left_out();
                // «H16» is in no «3х16».
                let crossed = |f: &Figure| {
                    f.group == figure.group && f.value != figure.value && f.group != u8::MAX
                };
                if elsewhere && figures.iter().any(measured)
                    || number.marker == BARE && figures.iter().any(crossed)
                {
                    continue;
                }
                if wanted.len() == 1 {
                    // «E14» and «3000К» are said on purpose, however many have them.
                    let plain = number.marker == 0 && number.measure == Measure::None;
                    // «40» is what «Нитки №40» is about, though each of its category has it.
                    let path = index.path_figures.row(category as usize);
                    if plain
                        && index.constants.contains(&(category, figure.value, figure.measure as u8))
                        && !path.iter().any(|f| f.value == figure.value)
                    {
                        quality *= 0.85;
                    }
                    // «20» is all of «20 мм» and of «20х20», and a part of «20х1/2»; «12 Вт» is all
                    // that «12Вт-E27-4000К» says of watts.
                    let part_of = |f: &Figure| {
                        f.group == figure.group
                            && f.value != figure.value
                            && index.number(*f).is_sized_with(title)
                    };
                    if figures.iter().any(part_of) {
                        quality *= 0.96;
                    }
                } else if let Some((before, group)) = last {
                    quality *= match (at > before, group == figure.group) {
                        (true, true) => 1.0,
                        (false, true) => 0.0,
                        (true, false) => 0.85,
                        (false, false) => 0.75,
                    };
                }
                if best.is_none_or(|(q, _)| quality > q) {
                    best = Some((quality, at));
                }
            }
            let Some((quality, at)) = best.filter(|b| b.0 > 0.0) else {
                return if wanted.len() == 1 { self.said_beside(row, number) } else { 0.0 };
            };
            taken |= 1 << at;
            total += quality;
            last = Some((at, figures[at].group));
        }
        *used = taken;
        let mut quality = total / f32::from(u8::try_from(wanted.len()).unwrap_or(u8::MAX));
        if wanted.len() > 1
            && let Some((_, group)) = last
            && figures.iter().filter(|f| f.group == group).count() > wanted.len()
        {
            // «1/2» is all of «1/2"» and a part of «3/4"х1/2"».
            quality *= 0.94;
        }
        quality
    }
}

/// Whether a title's number may be said `by` thousandths of itself: «0,5» is 500 ml and no five
/// litres, only lengths are said in centimetres.
fn may_be_scaled(title: Number, by: i64) -> bool {
    let length = title.measure == Measure::None || title.measure.is_like(Measure::Mm);
    by == AS_SAID || by == THOUSANDFOLD || length
}

/// Whether a stem says that a thing is a double one.
fn is_manifold(stem: &str) -> bool {
    const MANIFOLD: &[&str] = &["двойн", "сдвоен", "двухместн", "двухпост"];
    MANIFOLD.iter().any(|word| stem.starts_with(word))
}

pub(super) fn numbers_in(want: &Want) -> usize {
    let count = |way: &Way| {
        way.needs
            .iter()
            .map(|n| if let Need::Size(size) = n { size.numbers.len() } else { 0 })
            .sum::<usize>()
    };
    want.ways.iter().map(count).max().unwrap_or(0)
}
