//! Products that fit → ✅, ❓ or ❌, and the next question.

use super::index::{ASIDE, Index};
use super::interpret::asks_for_junk;
use super::lexer::lex;
use super::normalize::{Chars, FxMap, sound};
use super::rank::{Hit, Need, Seeker, Want};
use super::terms::{Measure, Number};
use super::types::{Question, QuestionOption};
use crate::domain::ProductId;

/// How much worse than the best a product may fit and still be meant.
const MARGIN: f32 = 0.0495;

/// Where the best does not fit as well as this …
const CLEAN: f32 = 0.93;
/// … others may be worse by this and still be meant.
const WIDE: f32 = 0.13;

/// A plain thing's title says at most so much more than the buyer did.
const FEW: usize = 2;

/// A name goes on with at most so many marks, «Lux», «Plus»: more of them are names of their own.
const MARKS: usize = 2;

/// Above this many products nobody compares them pair by pair.
const COMPARED: usize = 200;

/// Products that may be meant, and why others that fit are not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meant {
    /// Best first.
    pub(crate) hits: Vec<Hit>,
    /// What was left out, for people: «с признаком, которого не называли».
    pub(crate) left_out: Vec<&'static str>,
}

impl Meant {
    /// Leaves some out for a reason.
    fn narrow(&mut self, reason: &'static str, leave_out: impl FnOnce(&mut Vec<Hit>)) {
        let before = self.hits.len();
        if before > 1 {
            leave_out(&mut self.hits);
        }
        if self.hits.len() < before {
            self.left_out.push(reason);
        }
    }
}

/// Of products that satisfy every want, those that may be meant: not the junk, not those that fit
/// by a stretch where others fit plainly, not those with a mark that nobody named where the same
/// product without it is there.
pub(crate) fn meant(seeker: &Seeker<'_>, hits: &[Hit], wants: &[Want]) -> Meant {
    let index = seeker.index;
    let junk = |h: &Hit| index.junk[h.row as usize];
    let mut fit: Vec<Hit> = hits.to_vec();
    let mut left_out = Vec::new();
    if asks_for_junk(wants) {
        if fit.iter().any(junk) {
            fit.retain(junk);
        }
    } else {
        fit.retain(|h| !junk(h));
        if fit.len() < hits.len() {
            left_out.push("не для заказа");
        }
    }
    let mut meant = Meant { hits: fit, left_out };
    let first = wants.iter().find(|w| w.known && !w.numeric && !w.without);
    if let Some(thing) = first {
        meant.narrow("подходят только по синониму", |fit| {
            begun_so(seeker, fit, thing);
        });
    }
    if wants.iter().any(|w| w.plain) && first.is_some_and(|w| seeker.is_head(w)) {
        meant.narrow("просили обычный", |fit| {
            let named: Vec<u32> = first.map(Seeker::words_of).into_iter().flatten().collect();
            prefer(fit, |h| !seeker.is_mention(h.row, &named));
            let unsaid: Vec<usize> =
                fit.iter().map(|h| seeker.count_unsaid(h.row, wants)).collect();
            // «КМЧ обычный» is no «Счётчик воды с КМЧ», though that says the least.
            let least = unsaid.iter().min().copied().filter(|least| *least <= FEW);
            let mut unsaid = unsaid.into_iter();
            fit.retain(|_| least.is_none() || unsaid.next() == least);
        });
    }
    meant.narrow("подходят хуже", |fit| {
        let best = fit.first().map_or(0.0, |h| h.quality);
        let margin = if best < CLEAN { WIDE } else { MARGIN };
        fit.retain(|h| h.quality >= best - margin);
    });
    meant.narrow("в другой упаковке", |fit| {
        prefer(fit, |h| seeker.is_packed_as_said(h.row, wants));
    });
    // «Нож» is a knife before it is a blade for one.
    if let Some(first) = first {
        let named: Vec<u32> = Seeker::words_of(first).collect();
        meant.narrow("названное в них только упомянуто", |fit| {
            prefer(fit, |h| !seeker.is_mention(h.row, &named));
        });
        meant.narrow("называются иначе", |fit| {
            called_so(seeker, fit, first, wants);
        });
    }
    if meant.hits.len() > COMPARED {
        return meant;
    }
    // «Этикетка 40 25» is one of 40×25, not one of 43×25 on a core of 40.
    meant.narrow("числа стоят врозь", |fit| {
        prefer(fit, |h| seeker.has_in_a_row(h.row, wants));
    });
    // «Муфта 25» is the plain one, not that from 25 to 20.
    meant.narrow("с размером сверх сказанного", |fit| {
        prefer(fit, |h| !seeker.is_sized_further(h.row, wants));
    });
    if let Some(rivals) = called_now_and_then(seeker, &meant.hits, wants) {
        meant.hits = rivals;
        return meant;
    }
    // «Подпятник забивной» is the one whose title says so, not another of its category.
    meant.narrow(
        "сказанное есть только в названии группы",
        |fit| {
            prefer(fit, |h| seeker.is_literal(h.row, wants));
        },
    );
    meant.narrow("подходят только по синониму", |fit| {
        as_called(seeker, fit, wants);
    });
    meant.narrow("из группы с уточнением", |fit| {
        prefer(fit, |h| seeker.is_of_plain_category(h.row, wants));
    });
    // «Bella» is «Bella» before it is «Bella Lux».
    meant.narrow("название продолжается", |fit| {
        without_longer_names(seeker, fit, wants);
    });
    // «СГВ-15» is that before it is «СГВ-15Д».
    meant.narrow("обозначение продолжается", |fit| {
        prefer(fit, |h| !has_longer_code(index, h.row, wants));
    });
    meant.narrow("с признаком, которого не называли", |fit| {
        only_plain(index, fit);
    });
    // «Розетка с/з» is no «розетка двойная с/з» where one stands that counts nothing.
    meant.narrow("двойные, о чём не говорили", |fit| {
        prefer(fit, |h| !seeker.is_manifold(h.row, wants));
    });
    meant
}

/// «Отвод 110х90 наружный» and the plain «колено 110х90», where the catalogue calls its elbows so now
/// and then: whichever was meant must be asked.
fn called_now_and_then(seeker: &Seeker<'_>, fit: &[Hit], wants: &[Want]) -> Option<Vec<Hit>> {
    let unsaid = |h: &Hit| seeker.count_unsaid(h.row, wants);
    let (own, others): (Vec<Hit>, Vec<Hit>) =
        fit.iter().copied().partition(|h| seeker.is_literal(h.row, wants));
    let others: Vec<Hit> = others.into_iter().filter(|h| seeker.goes_by(h.row, wants)).collect();
    let least = own.iter().map(unsaid).min()?;
    let plainest = others.iter().map(unsaid).min().filter(|other| *other < least)?;
    let own = own.into_iter().filter(|h| unsaid(h) == least);
    Some(own.chain(others.into_iter().filter(|h| unsaid(h) == plainest)).collect())
}

/// Whether a code of the title ends with a letter that nobody said: «СГВ-15Д», «06-20Д».
fn has_longer_code(index: &Index, row: u32, wants: &[Want]) -> bool {
    let title = lex(&Chars::new(&index.entries[row as usize].title));
    let said = |letter: &str| wants.iter().any(|w| w.text.ends_with(letter) && w.text.len() < 4);
    let needs = || wants.iter().flat_map(|w| &w.ways).flat_map(|w| &w.needs);
    let named = |value: i64| {
        needs()
            .any(|need| matches!(need, Need::Size(s) if s.numbers.iter().any(|n| n.value == value)))
    };
    (1..title.len().saturating_sub(1)).any(|at| {
        let (before, number, letter) = (&title[at - 1], &title[at], &title[at + 1]);
        number.is_number()
            && !number.spaced
            && named(number.value)
            && before.is('-')
            && !before.spaced
            && letter.is_word()
            && !letter.spaced
            && letter.text.chars().count() == 1
            && Measure::read(&letter.text, true).is_none()
            && title.get(at + 2).is_none_or(|l| l.spaced)
            && !said(&letter.text)
    })
}

/// Leaves out the products that are another of these with something more.
fn only_plain(index: &Index, fit: &mut Vec<Hit>) {
    let full = full_words(index, fit);
    let cores: Vec<Core> = fit.iter().map(|h| Core::of(index, h.row, &full)).collect();
    let keep: Vec<bool> = (0..fit.len())
        .map(|b| !(0..fit.len()).any(|a| a != b && cores[a].is_plainer(&cores[b], a < b)))
        .collect();
    // Of two that are each plainer than the other in their way, neither is left out.
    if keep.contains(&true) {
        let mut keep = keep.into_iter();
        fit.retain(|_| keep.next().unwrap_or(false));
    }
}

/// What the thing's name begins goes before what only has the word. A maker's name is none of the
/// thing: «Shell Helix» is one whether or not its title says first that it is oil, unless that is of
/// another name, «Soft» and «Neo Soft».
fn called_so(seeker: &Seeker<'_>, fit: &mut Vec<Hit>, first: &Want, wants: &[Want]) {
    let known = |word: u32| seeker.index.vocabulary.get(word);
    let name = Seeker::words_of(first).all(|w| known(w).name && !known(w).leads);
    let names = |h: &Hit| seeker.names_unsaid(h.row, wants);
    let headed: Vec<Hit> = fit.iter().filter(|h| seeker.is_headed(h.row, first)).copied().collect();
    let own: Vec<u32> = headed.iter().filter(|_| name).flat_map(names).collect();
    let alike = |h: &Hit| name && names(h).iter().all(|word| own.contains(word));
    if !headed.is_empty() {
        fit.retain(|h| seeker.is_headed(h.row, first) || alike(h));
    }
}

/// What begins with the very word, however worse the rest of what was said fits it, goes before what
/// only a synonym makes so: «шуруп потай» is a «шуруп потайной» before it is a «саморез потай».
fn begun_so(seeker: &Seeker<'_>, fit: &mut Vec<Hit>, thing: &Want) {
    let one = std::slice::from_ref(thing);
    let called = |h: &Hit| seeker.is_called(h.row, one);
    let category = |h: &Hit| seeker.index.category[h.row as usize];
    let begun: Vec<u32> = fit
        .iter()
        .filter(|h| called(h) && seeker.is_headed(h.row, thing))
        .filter(|h| seeker.quality(h.row, thing) >= CALLED)
        .map(category)
        .collect();
    let apart = fit.iter().filter(|h| !called(h)).all(|h| !begun.contains(&category(h)));
    if !begun.is_empty() && apart {
        fit.retain(called);
    }
}

/// What is called so itself goes before what a synonym makes it, if the catalogue keeps them apart:
/// «стропа» is a «стропа» before it is a «лента», while an «автомат» stands among its like under
/// either name.
fn as_called(seeker: &Seeker<'_>, fit: &mut Vec<Hit>, wants: &[Want]) {
    let own: Vec<bool> = fit.iter().map(|h| seeker.is_called(h.row, wants)).collect();
    let categories = |called: bool| -> Vec<u32> {
        let of = |(hit, own): (&Hit, &bool)| {
            (*own == called).then(|| seeker.index.category[hit.row as usize])
        };
        fit.iter().zip(&own).filter_map(of).collect()
    };
    let (called, other) = (categories(true), categories(false));
    if called.is_empty() || called.iter().any(|c| other.contains(c)) {
        return;
    }
    let mut own = own.into_iter();
    fit.retain(|_| own.next().unwrap_or(false));
}

/// Whether the only product that fits is none that was asked for: «муфта 25» is no «муфта 25×20», and
/// «счётчик 20» is no «комплект для счётчика 20».
pub(crate) fn is_another(seeker: &Seeker<'_>, row: u32, wants: &[Want]) -> bool {
    // «Магнитная доска» is no «губка для доски», «пена под пистолет» no «пистолет для пены».
    let begun = wants.iter().any(|w| !w.aimed && seeker.begins(row, w));
    let mentions = |want: &Want| {
        let named: Vec<u32> = Seeker::words_of(want).collect();
        seeker.is_mention(row, &named)
    };
    let thing = wants.iter().find(|w| !w.without && !w.aimed && w.known && seeker.is_head(w));
    // «UTP наружная» of a «кабель UTP с тросом наружный»
    let thing = thing.filter(|w| !super::line::is_adjective(&w.text));
    // «Напишите «250» или 3 кор»: a bare number names nothing.
    // «Гигиенический душ F7503» is the set for one.
    let marked = wants.len() > 2 && wants.iter().any(|w| w.is_mark() && seeker.has(row, w));
    wants.iter().all(is_bare_number)
        || seeker.is_packed_otherwise(row, wants)
        || seeker.is_sized_further(row, wants)
        || !begun && !marked && thing.is_some_and(mentions)
}

/// Whether the one word that was said is none that the product is called: «клещи» of a «к-т, 8кл.»,
/// «ластик» of a «карандаш с ластиком». An adjective, what is made of one and a maker's name may be
/// said alone: «потайная», «киперка», «Domestos».
pub(crate) fn is_called_otherwise(seeker: &Seeker<'_>, row: u32, wants: &[Want]) -> bool {
    let known = |word: u32| seeker.index.vocabulary.get(word);
    let mut words = wants.iter().filter(|w| !w.numeric);
    if let (Some(word), None) = (words.next(), words.next()) {
        // «Стериллиум 0,5» is no «игла стер. 0,5», and no synonym is meant by the three letters of
        // another word.
        let noun = !word.text.contains(' ') && !super::line::is_adjective(&word.text);
        let cut = |w: u32| {
            let known = known(w);
            let own = word.text.starts_with(&*known.surface);
            let others = || seeker.index.vocabulary.is_cut_of_others(&word.text, &known.surface);
            let short = known.surface.chars().count() <= 3;
            known.cut && if own { noun && others() } else { word.text.contains(' ') && short }
        };
        let mut named = Seeker::words_of(word).filter(|w| seeker.has_word(row, *w)).peekable();
        if named.peek().is_some() && named.all(cut) {
            return true;
        }
    }
    let [want] = wants else { return false };
    let named: Vec<u32> = Seeker::words_of(want).filter(|w| seeker.has_word(row, *w)).collect();
    // «Слюноотсос» is no «2сл.».
    let short = |word: &u32| known(*word).cut && known(*word).stem.chars().count() < 3;
    if !named.is_empty() && named.iter().all(short) && want.text.chars().count() > 3 {
        return true;
    }
    if want.numeric || want.without || want.inherited || seeker.is_headed(row, want) {
        return false;
    }
    // «Киперка» is of a «киперная», a «труба» no «трубный».
    let base = super::normalize::stem(&want.text);
    let alike = |word: &u32| {
        let word = known(*word);
        let made = super::line::is_adjective(&word.surface) && !word.stem.starts_with(&base);
        word.name || word.article || !word.cut && made
    };
    let noun = |word: &u32| !super::line::is_adjective(&known(*word).surface);
    let said_so = super::line::is_adjective(&want.text)
        || seeker.quality(row, want) >= CALLED && (named.is_empty() || named.iter().any(noun));
    seeker.is_mention(row, &named) || !said_so && !named.iter().any(alike)
}

/// A product is called so by a word that fits as well as this.
const CALLED: f32 = 0.945;

/// Whether a want is one number without a letter, a unit or a name, said by itself.
fn is_bare_number(want: &Want) -> bool {
    let plain = |n: &Number| n.measure == Measure::None && n.marker == 0;
    let bare = |need: &Need| match need {
        Need::Size(size) => matches!(size.numbers.as_slice(), [n] if plain(n)),
        Need::Pack { .. } => true,
        _ => false,
    };
    want.numeric && !want.inherited && want.ways.iter().flat_map(|w| &w.needs).all(bare)
}

/// Leaves out products whose name goes on, «Bella Lux», where the same without that is there. «Monin
/// Вишня» stays beside «Monin Кокос»: neither is the other with something more.
fn without_longer_names(seeker: &Seeker<'_>, fit: &mut Vec<Hit>, wants: &[Want]) {
    let index = seeker.index;
    let known = |word: u32| index.vocabulary.get(word);
    let words = |row: u32| index.words.row(row as usize).iter().filter(|w| **w & ASIDE == 0);
    let more: Vec<Option<u32>> = fit.iter().map(|h| seeker.goes_on_with(h.row, wants)).collect();
    let mut kinds: Vec<u32> = more.iter().flatten().copied().collect();
    kinds.sort_unstable();
    kinds.dedup();
    // What many names go on with is not more of the same.
    let marks = kinds.len() <= MARKS;
    let plain: Vec<u32> =
        fit.iter().zip(&more).filter(|(_, more)| more.is_none()).map(|(h, _)| h.row).collect();
    let alike = |one: u32, other: u32| {
        one == other || sound(&known(one).surface) == sound(&known(other).surface)
    };
    let is_more = |row: u32, mark: u32| {
        plain.iter().any(|other| {
            let plainly = |w: &&u32| !names_colour(&known(**w).stem);
            !words(*other).any(|word| alike(*word, mark))
                && words(*other).filter(plainly).all(|one| words(row).any(|w| alike(*one, *w)))
        })
    };
    let mut more = more.into_iter();
    fit.retain(|h| !(marks && more.next().flatten().is_some_and(|mark| is_more(h.row, mark))));
}

/// Keeps what is preferred, if anything is.
fn prefer(fit: &mut Vec<Hit>, good: impl Fn(&Hit) -> bool) {
    if fit.iter().any(&good) {
        fit.retain(good);
    }
}

/// For each word that the titles of these products cut with a full stop, the word of theirs that it
/// begins: «бум.» is «бумажный», though in another category.
fn full_words(index: &Index, fit: &[Hit]) -> FxMap<u32, u32> {
    let known = |word: u32| index.vocabulary.get(word);
    let mut words: Vec<u32> = fit
        .iter()
        .flat_map(|h| index.words.row(h.row as usize))
        .copied()
        .filter(|w| w & ASIDE == 0)
        .collect();
    words.sort_unstable();
    words.dedup();
    let mut full = FxMap::default();
    for cut in words.iter().copied().filter(|w| known(*w).cut) {
        let begun = |w: &&u32| {
            **w != cut && !known(**w).cut && known(**w).stem.starts_with(&*known(cut).stem)
        };
        let mut begun = words.iter().filter(begun);
        if let (Some(word), None) = (begun.next(), begun.next()) {
            full.insert(cut, *word);
        }
    }
    full
}

/// What a title says, without other names for the same.
struct Core<'i> {
    index: &'i Index,
    category: u32,
    /// The category's path.
    path: &'i str,
    /// Words, without other names for the category's products.
    words: Vec<u32>,
    /// All words.
    full: Vec<u32>,
    /// All words but those of what is ordinary.
    told: Vec<u32>,
    /// All words but those that titles of the category may do without.
    needed: Vec<u32>,
    values: Vec<u32>,
    /// The values of numbers without a unit.
    bare: Vec<u32>,
    /// Words without which it would be more ordinary: «с доводчиком», «нерж».
    extras: Vec<u32>,
    /// Whether the title says what it is without.
    lacks: bool,
    /// How many are in packs, as far as the title says.
    packs: Vec<u32>,
    available: bool,
}

impl<'i> Core<'i> {
    fn of(index: &'i Index, row: u32, whole: &FxMap<u32, u32>) -> Self {
        let category = index.category[row as usize];
        let own = index.words.row(row as usize).iter().copied();
        let own: Vec<u32> = own.filter(|w| w & ASIDE == 0).collect();
        let own = joined(index, &own).into_iter();
        let mut full: Vec<u32> = own.map(|w| whole.get(&w).copied().unwrap_or(w)).collect();
        full.sort_unstable();
        full.dedup();
        let alias = |w: &u32| index.by_alias.get(w).is_some_and(|c| c.contains(&category));
        // The letters of an article in a title make no product less plain.
        let article = |w: &u32| {
            let known = index.vocabulary.get(*w);
            known.article && known.stem.chars().count() > 1
        };
        // «Р.43» and «ш.150» name their numbers.
        let plain = |w: &u32| {
            let stem = &*index.vocabulary.get(*w).stem;
            is_ordinary(stem) || names_standard(stem) || matches!(stem, "р" | "ш")
        };
        let words: Vec<u32> =
            full.iter().copied().filter(|w| !alias(w) && !article(w) && !plain(w)).collect();
        let values_of = |keep: fn(Measure) -> bool| {
            let figures = index.figures.row(row as usize).iter();
            let mut values: Vec<u32> =
                figures.filter(|f| keep(f.measure)).map(|f| f.value).collect();
            values.sort_unstable();
            values
        };
        let values = values_of(|m| m != Measure::Piece);
        let bare = values_of(|m| m == Measure::None);
        let packs = values_of(|m| m == Measure::Piece);

        let extra = |(at, word): (usize, &u32)| {
            let with = at < 32 && index.extras[row as usize] >> at & 1 == 1;
            let extra = with || is_special(&index.vocabulary.get(*word & !ASIDE).stem);
            (extra && word & ASIDE == 0).then(|| whole.get(word).copied().unwrap_or(*word))
        };
        let extras = index.words.row(row as usize).iter().enumerate().filter_map(extra).collect();
        let lacks = full.iter().any(|w| index.vocabulary.get(*w).is_without());

        // What the category is named after is not left out: a «Шар» is no plain «Свеча».
        let leaf = index.leaves.row(category as usize);
        let may_be_left_out = |w: u32| {
            index.optional.contains(&(w, category)) && !(leaf.len() == 1 && leaf.contains(&w))
        };
        let needed: Vec<u32> = full.iter().copied().filter(|w| !may_be_left_out(*w)).collect();
        let ordinary = |w: &u32| is_ordinary(&index.vocabulary.get(*w).stem);
        let told = full.iter().copied().filter(|w| !ordinary(w)).collect();
        Self {
            index,
            category,
            path: &index.entries[row as usize].category,
            words,
            full,
            told,
            needed,
            values,
            bare,
            extras,
            lacks,
            packs,
            available: index.entries[row as usize].available,
        }
    }

    /// Whether the other is the same of a special kind that stands in a category beside: «Гайки/DIN 934»,
    /// «Гайки/Нержавеющие».
    fn is_unalloyed(&self, other: &Self) -> bool {
        // The letter of «А2» is of the steel.
        let special = |w: &u32| {
            let stem = &*self.index.vocabulary.get(*w).stem;
            is_special(stem) || stem.chars().count() == 1
        };
        let plain: Vec<u32> = other.words.iter().copied().filter(|w| !special(w)).collect();
        above(self.path) == above(other.path)
            && plain.len() < other.words.len()
            && !self.words.iter().any(special)
            && within(&plain, &self.words)
            && within(&self.values, &other.values)
    }

    /// Whether this is the ordinary product and the other the same with something more, or the
    /// other is this one over again. `first`: this one stands before the other.
    fn is_plainer(&self, other: &Self, first: bool) -> bool {
        if self.category != other.category {
            if self.is_unalloyed(other) {
                return true;
            }
            // A special category's product is the plain category's with something more.
            let special = other.path.starts_with(self.path);
            let (own, others) =
                if special { (&self.told, &other.told) } else { (&self.full, &other.full) };
            return !self.path.starts_with(other.path)
                && own.len() < others.len()
                && within(own, others)
                && !within(&other.needed, &self.full);
        }
        let named = |word: u32| self.index.vocabulary.get(word).name;
        // «НШВИ(2) 1,5-8» is no plainer than «НШВИ 1,5-8 IEK», as «кромка 1х19 бухта 100 м» is.
        let values = within(&self.values, &other.values)
            || within(&other.values, &self.values)
                && (self.bare.iter().all(|value| other.values.contains(value))
                    || !other.words.iter().all(|w| self.words.contains(w) || named(*w)));
        if self.words == other.words && self.values == other.values {
            // Two batteries in a pack are not four.
            let packs = within(&self.packs, &other.packs) || within(&other.packs, &self.packs);
            if !packs {
                return false;
            }
            return match (self.available, other.available) {
                (true, false) => true,
                (false, true) => false,
                _ => first,
            };
        }
        let extra = |w: &u32| other.extras.contains(w) && !self.words.contains(w);
        let bare: Vec<u32> = other.words.iter().copied().filter(|w| !extra(w)).collect();
        // «С пласт. лапками» is one kind of «лапки» beside «метал. лапки».
        let kinds = other.extras.iter().any(|w| self.words.contains(w));
        let special =
            self.extras.is_empty() && !self.lacks && !kinds && bare.len() < other.words.len();
        // «Петля H301» is plain beside «петля с доводчиком H401», whatever their numbers are.
        values && self.words.len() < other.words.len() && within(&self.words, &other.words)
            // «Ключ 13 CrV» beside «ключ 13 с трещоткой»
            || special && (values && within(&bare, &self.words) || bare == self.words)
    }
}

/// The path above the last step.
fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The words of a title, with what others write as one word made one: «PP-R» is «PPR».
fn joined(index: &Index, words: &[u32]) -> Vec<u32> {
    let latin = |word: u32| Some(&*index.vocabulary.get(word).surface).filter(|w| w.is_ascii());
    let mut out: Vec<u32> = Vec::with_capacity(words.len());
    for word in words {
        let one = out.last().and_then(|last| latin(*last));
        let both = one.zip(latin(*word)).filter(|(one, two)| one.len() > 1 && two.len() == 1);
        let whole = both.and_then(|(one, two)| index.vocabulary.row(&format!("{one}{two}")));
        match whole {
            Some(whole) => {
                out.pop();
                out.push(whole);
            }
            None => out.push(*word),
        }
    }
    out
}

/// Whether every item of the sorted `part` is in the sorted `whole`, as often.
fn within(part: &[u32], whole: &[u32]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|p| rest.any(|w| w == p))
}

/// The attribute that parts the products best, with its values.
pub(crate) fn question(index: &Index, rows: &[u32]) -> Option<Question> {
    if rows.len() < 2 {
        return None;
    }
    // For every word and number, the products that have it; those that all have ask nothing.
    let mut words: FxMap<u32, Vec<u32>> = FxMap::default();
    let mut slots: FxMap<(u8, u8, usize), FxMap<u32, Vec<u32>>> = FxMap::default();
    for row in rows {
        for word in index.words.row(*row as usize) {
            if word & ASIDE == 0 {
                words.entry(*word).or_default().push(*row);
            }
        }
        let mut nth: FxMap<(u8, u8), usize> = FxMap::default();
        for figure in index.figures.row(*row as usize) {
            if figure.measure == Measure::Piece {
                continue;
            }
            let kind = (figure.measure as u8, figure.marker);
            let n = nth.entry(kind).or_default();
            slots
                .entry((kind.0, kind.1, *n))
                .or_default()
                .entry(figure.value)
                .or_default()
                .push(*row);
            *n += 1;
        }
    }
    let mut best: Option<(f64, Question)> = None;
    let mut offer = |score: f64, question: Question| {
        if best.as_ref().is_none_or(|(s, _)| score > *s) {
            best = Some((score, question));
        }
    };
    // Words that exclude one another and together cover most products are one attribute.
    let telling: Vec<(&u32, &Vec<u32>)> = words
        .iter()
        .filter(|(w, r)| {
            let known = index.vocabulary.get(**w);
            (known.telling || is_colour(&known.stem)) && r.len() < rows.len()
        })
        .collect();
    if !telling.is_empty() {
        let mut sorted = telling;
        sorted.sort_by_key(|(w, r)| (std::cmp::Reverse(r.len()), **w));
        let mut taken: Vec<u32> = Vec::new();
        let mut options: Vec<(u32, Vec<u32>)> = Vec::new();
        for (word, having) in sorted {
            if having.iter().all(|r| !taken.contains(r)) {
                taken.extend(having.iter());
                options.push((*word, having.clone()));
            }
        }
        if options.len() > 1 && taken.len() * 10 >= rows.len() * 6 {
            let stems: Vec<&str> =
                options.iter().map(|(w, _)| &*index.vocabulary.get(*w).stem).collect();
            let colours = stems.iter().filter(|s| is_colour(s)).count();
            let attribute = if colours * 2 >= options.len() { "цвет" } else { "" };
            let score = spread(options.iter().map(|o| o.1.len()), rows.len())
                + if attribute.is_empty() { 0.0 } else { 0.3 };
            let options =
                options.into_iter().map(|(w, r)| (index.vocabulary.get(w).surface.to_string(), r));
            offer(score, make(index, attribute, options.collect()));
        }
    }
    let mut kinds: Vec<_> = slots.into_iter().collect();
    kinds.sort_by_key(|(kind, _)| *kind);
    for ((_, marker, _), by_value) in kinds {
        let covered: usize = by_value.values().map(Vec::len).sum();
        if by_value.len() < 2 || covered * 10 < rows.len() * 8 {
            continue;
        }
        let mut options: Vec<(u32, Vec<u32>)> = by_value.into_iter().collect();
        options.sort_by_key(|(v, r)| (std::cmp::Reverse(r.len()), index.values[*v as usize]));
        let first = options.first().and_then(|(v, r)| {
            index.figures.row(r[0] as usize).iter().find(|f| f.value == *v).copied()
        });
        let noun = match marker {
            b'#' => "номер",
            b'h' => "высота",
            b'd' | super::terms::BORE => "диаметр",
            b'w' => "ширина",
            b'l' => "длина",
            b's' => "толщина",
            b'm' => "резьба",
            _ => first.map_or("размер", |f| f.measure.noun()),
        };
        let score = spread(options.iter().map(|o| o.1.len()), rows.len());
        let labelled = options.into_iter().map(|(v, r)| {
            let value = index.values[v as usize];
            let inches = first.is_some_and(|f| f.measure == Measure::Inch);
            let written = inches.then(|| super::threads::written(value)).flatten();
            (written.unwrap_or_else(|| super::rank::decimal(value).replace('.', ",")), r)
        });
        offer(score, make(index, noun, labelled.collect()));
    }
    best.map(|(_, question)| question).or_else(|| {
        let options = rows.iter().map(|r| (index.entries[*r as usize].title.clone(), vec![*r]));
        Some(make(index, "", options.collect()))
    })
}

/// How evenly the products fall apart: entropy, for there must be few left after the answer.
fn spread(sizes: impl Iterator<Item = usize>, all: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of products are small")]
    let share = |n: usize| n as f64 / all as f64;
    sizes.map(share).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
}

fn make(index: &Index, attribute: &str, mut options: Vec<(String, Vec<u32>)>) -> Question {
    options.sort_by_key(|o| std::cmp::Reverse(o.1.len()));
    let product = |row: &u32| -> ProductId { index.entries[*row as usize].id };
    Question {
        attribute: attribute.to_owned(),
        options: options
            .into_iter()
            .map(|(label, rows)| QuestionOption {
                label,
                products: rows.iter().map(product).collect(),
            })
            .collect(),
    }
}

/// How the names of colours begin: a language, not a trade.
const COLOURS: &[&str] = &[
    "бел",
    "черн",
    "сер",
    "красн",
    "син",
    "зелен",
    "желт",
    "коричнев",
    "бежев",
    "розов",
    "голуб",
    "оранжев",
    "фиолетов",
    "бордов",
    "золот",
    "серебр",
    "хром",
    "бронз",
    "графит",
    "прозрачн",
    "никел",
    "сатин",
    "антик",
    "медн",
    "латун",
    "слонов",
    "кремов",
    "молочн",
    "шоколад",
    "изумрудн",
    "бирюзов",
    "терракотов",
    "горчичн",
    "оливков",
    "лилов",
    "сиренев",
    "салатов",
    "персиков",
    "песочн",
    "капучин",
    "лавандов",
    "малинов",
    "вишнев",
    "янтарн",
    "пудров",
];

/// Whether a word says that a thing is no ordinary one, so that whoever wants it says so.
pub(crate) fn is_special(stem: &str) -> bool {
    stem.starts_with("нерж")
        || stem.starts_with("утепл")
        // Packed for a shop's shelf.
        || stem.starts_with("блистер")
        || stem.starts_with("фасов")
        || ["a2", "a4", "а2", "а4"].iter().any(|steel| stem.starts_with(steel))
}

/// Whether a stem says that a thing is the ordinary one, which is meant unless something else is
/// said: zinc-plated, not stainless.
pub(crate) fn is_ordinary(stem: &str) -> bool {
    const BEGIN: &[&str] = &["оцинк", "обычн", "стандарт", "однослойн", "одинарн", "стальн"];
    matches!(stem, "цинк" | "оц" | "zn") || BEGIN.iter().any(|word| stem.starts_with(word))
}

/// Whether a word only says that the number of a standard follows.
fn names_standard(stem: &str) -> bool {
    matches!(stem, "din" | "гост" | "iso")
}

/// How the colour begins that a stem is a name of.
pub(crate) fn colour_of(stem: &str) -> Option<&'static str> {
    COLOURS.iter().copied().find(|c| stem.starts_with(c))
}

/// Whether a stem begins as a colour's name does.
pub(crate) fn is_colour(stem: &str) -> bool {
    colour_of(stem).is_some() || stem.starts_with("темно") || stem.starts_with("светло")
}

/// Whether a stem is a colour's name and nothing else: «белый», not «белизна».
pub(crate) fn names_colour(stem: &str) -> bool {
    const OTHERS: &[&str] = &["оранж", "беж", "борд", "сирен", "салат", "бирюз", "хак", "голуб"];
    COLOURS.contains(&stem)
        || OTHERS.contains(&stem)
        || ["темно", "светло"]
            .iter()
            .any(|shade| stem.strip_prefix(shade).is_some_and(|rest| COLOURS.contains(&rest)))
}
