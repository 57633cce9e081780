//! What is said of lines that were said before: «петель сделайте 6», «добавьте до 8», «скотча
//! удвойте», «к первой ещё 500», «второй пункт вычеркните».

use super::super::inherit::inherit;
use super::super::interpret::{Draft, Light, only_quantity, read};
use super::super::lexer::Lexeme;
use super::super::rank::{Need, Seeker, Want};
use super::super::speech;
use super::super::split::Piece;
use super::{Desk, Pending};
use crate::domain::Quantity;

/// What becomes of a line's quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is another: «сделайте 6», «добавьте до 8».
    Set,
    /// It grows: «добавьте 6», «ещё 500».
    Add,
    /// It is so many times as much: «удвойте».
    Times(i64),
}

impl Change {
    /// The change that a word orders.
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "сделайте" | "сделай" | "сделаем" | "поставьте" | "поставь" | "исправьте"
            | "исправь" | "измените" | "измени" | "поменяйте" | "поменяй" | "увеличьте"
            | "увеличь" | "увеличим" | "уменьшите" | "уменьши" | "уменьшим" | "сократите"
            | "сократи" | "доведите" | "доведи" | "пусть" | "лучше" | "только" | "таки" => {
                Self::Set
            }
            "добавьте" | "добавь" | "добавим" | "прибавьте" | "прибавь" | "докиньте" | "докинь"
            | "накиньте" | "накинь" | "доложите" | "еще" => Self::Add,
            "удвойте" | "удвой" | "удвоим" | "вдвое" => Self::Times(2),
            "утройте" | "утрой" | "утроим" | "втрое" => Self::Times(3),
            _ => return None,
        })
    }
}

/// A line that is meant by its place in the list.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Counted from nought.
    line: usize,
    /// Lexemes that say it.
    from: usize,
    to: usize,
}

impl Desk<'_> {
    /// Carries out what a piece says of lines before it; gives back a piece that says nothing of them.
    pub(super) fn changed(&mut self, seeker: &mut Seeker<'_>, piece: Piece) -> Option<Piece> {
        let recalled = self.recalled.take();
        if self.lines.is_empty() || piece.row || piece.titled > 0 || piece.question {
            return Some(piece);
        }
        let said: Vec<usize> = (0..self.lines.len()).filter(|at| !self.lines[*at].header).collect();
        let place = place(&piece.lexemes, &said);
        if piece.cancels {
            let alone = place.filter(|p| {
                !(0..piece.lexemes.len()).filter(|at| !(p.from..p.to).contains(at)).any(|at| {
                    let lexeme = &piece.lexemes[at];
                    lexeme.is_number() || lexeme.is_word() && names(seeker, lexeme)
                })
            });
            return match alone {
                Some(place) => {
                    self.lines.remove(place.line);
                    None
                }
                None => Some(piece),
            };
        }
        if let Some(place) = place
            && self.described(seeker, &piece, place)
        {
            return None;
        }
        if self.mends_another(seeker, &piece, recalled) {
            return None;
        }
        let ordered = |l: &Lexeme| l.is_word().then(|| Change::of(&l.text)).flatten();
        // «Поправка: клей 3 канистры, стержней 2 уп»
        let amends = |l: &Lexeme| matches!(l.text.as_str(), "поправка" | "исправление" | "правка");
        // What follows in its sentence or in the next lines puts right as well.
        let goes_on = piece.continues || piece.new_line;
        self.amending = piece.lexemes.first().is_some_and(amends) || goes_on && self.amending;
        let change = piece.lexemes.iter().find_map(ordered);
        let Some(mut change) = change.or(self.amending.then_some(Change::Set)) else {
            return Some(piece);
        };
        let until = |at: usize| {
            piece.lexemes[at].text == "до"
                && piece.lexemes.get(at + 1).is_some_and(Lexeme::is_number)
        };
        if (0..piece.lexemes.len()).any(until) {
            change = Change::Set;
        }
        let kept: Vec<Lexeme> = (0..piece.lexemes.len())
            .filter(|at| {
                let lexeme = &piece.lexemes[*at];
                !(ordered(lexeme).is_some()
                    || amends(lexeme)
                    || until(*at)
                    || place.is_some_and(|p| (p.from..p.to).contains(at))
                    || matches!(lexeme.text.as_str(), "к" | "по" | "уже" | "там"))
            })
            .map(|at| piece.lexemes[at].clone())
            .collect();
        // The last number is how many, whatever sizes the goods come in.
        let last = kept.iter().rposition(Lexeme::is_number).unwrap_or(kept.len());
        let (goods, counted) = kept.split_at(last);
        let reading = only_quantity(counted).unwrap_or_default();
        let light = Light { header: true, ..Light::default() };
        let draft = Draft { reading, ..read(seeker, self.text, goods, light).0 };
        let line = match place {
            Some(place) if !draft.wants.iter().any(|w| w.known && !w.numeric) => Some(place.line),
            // «…, увеличьте до 7»: the line just said.
            _ if draft.wants.is_empty()
                && (0..piece.lexemes.len()).any(until)
                && piece.lexemes.iter().any(resizes) =>
            {
                said.last().copied()
            }
            _ => self.named(seeker, &draft),
        };
        match line {
            Some(line) if self.apply(line, change, &draft) => None,
            _ => Some(piece),
        }
    }

    /// Makes another product of the line in this place: «вторые давайте чёрные», «второй замените на
    /// 230х2,5».
    fn described(&mut self, seeker: &mut Seeker<'_>, piece: &Piece, place: Place) -> bool {
        let ordered = |l: &Lexeme| l.is_word() && replaces(&l.text);
        if !piece.lexemes.iter().any(ordered) {
            return false;
        }
        let kept: Vec<Lexeme> = (0..piece.lexemes.len())
            .filter(|at| !(place.from..place.to).contains(at) && !ordered(&piece.lexemes[*at]))
            .map(|at| piece.lexemes[at].clone())
            .collect();
        let light = Light { header: true, ..Light::default() };
        let draft = read(seeker, self.text, &kept, light).0;
        if draft.wants.is_empty() || draft.unknown() > 0 {
            return false;
        }
        let line = &mut self.lines[place.line];
        let Some((found, _)) = inherit(seeker, &line.draft.wants, &draft, false) else {
            return false;
        };
        line.draft = Draft { reading: line.draft.reading.clone(), ..found };
        line.end = line.end.max(piece.end);
        true
    }

    /// «…ой, двенадцатой не 10, а 14», «пардон, сотые не хром, а сатин»: puts right the only line
    /// before that is of this number.
    fn mends_another(
        &mut self,
        seeker: &mut Seeker<'_>,
        piece: &Piece,
        recalled: Option<usize>,
    ) -> bool {
        let told = |l: &Lexeme| l.is_number() || l.is_word() && !speech::is_correction(&l.text);
        let Some(at) = piece.lexemes.iter().position(told).filter(|_| piece.corrects) else {
            return false;
        };
        let (line, rest) = match recalled {
            Some(line) => (line, &piece.lexemes[at..]),
            None => match self.of_number(&piece.lexemes[at]) {
                Some(line) => (line, &piece.lexemes[at + 1..]),
                None => return false,
            },
        };
        let last = line + 1 == self.lines.len();
        if last && only_quantity(rest).is_none() {
            return false;
        }
        if !rest.iter().any(told) {
            // «Двенадцатой | не 10, а 14»
            self.recalled = Some(line);
            self.correcting = true;
            return true;
        }
        if let Some(reading) = only_quantity(rest) {
            return self.apply(line, Change::Set, &Draft { reading, ..Draft::default() });
        }
        let light = Light { header: true, ..Light::default() };
        let draft = read(seeker, self.text, rest, light).0;
        let line = &mut self.lines[line];
        let found = (!draft.wants.is_empty() && draft.unknown() == 0)
            .then(|| inherit(seeker, &line.draft.wants, &draft, false))
            .flatten();
        let Some((found, _)) = found else { return false };
        line.draft = Draft { reading: line.draft.reading.clone(), ..found };
        true
    }

    /// The only line that was said to be of a number, «двенадцатой».
    fn of_number(&self, number: &Lexeme) -> Option<usize> {
        let has = |need: &Need| match need {
            Need::Size(size) => size.numbers.iter().any(|n| n.value == number.value),
            _ => false,
        };
        let said = |line: &Pending| {
            line.draft.wants.iter().flat_map(|w| &w.ways).flat_map(|w| &w.needs).any(has)
        };
        let mut lines = (0..self.lines.len()).filter(|at| said(&self.lines[*at]));
        let line = lines.next().filter(|_| number.named && number.spoken)?;
        lines.next().is_none().then_some(line)
    }

    /// The one line whose every product has all that a draft says.
    fn named(&self, seeker: &Seeker<'_>, draft: &Draft) -> Option<usize> {
        let wants: Vec<&Want> = draft.wants.iter().filter(|w| w.known).collect();
        if wants.is_empty() || draft.unknown() > 0 {
            return None;
        }
        // «По 121 увеличьте до 25»: a number alone must have been said of the line.
        let bare = wants.iter().all(|w| w.numeric);
        let said = |line: &Pending| {
            !bare || wants.iter().all(|w| line.draft.wants.iter().any(|l| l.key == w.key))
        };
        let all = |line: usize, has: &dyn Fn(u32) -> bool| {
            let meant = &self.lines[line].draft.meant;
            !meant.is_empty() && meant.iter().all(|hit| has(hit.row))
        };
        let has = |row: u32| wants.iter().all(|w| seeker.has(row, w));
        let mut lines: Vec<usize> =
            (0..self.lines.len()).filter(|at| said(&self.lines[*at]) && all(*at, &has)).collect();
        if lines.len() > 1 {
            // «Клей 3 канистры» is of the glue, and not of the «стержни клеевые».
            let called = |row: u32| wants.iter().any(|w| seeker.is_headed(row, w));
            lines.retain(|at| all(*at, &called));
        }
        match lines[..] {
            [line] => Some(line),
            _ => None,
        }
    }

    /// Changes the quantity of a line; `false` where it cannot be so.
    fn apply(&mut self, line: usize, change: Change, draft: &Draft) -> bool {
        let line = &mut self.lines[line];
        let (said, unit) = (draft.reading.quantity, &draft.reading.unit);
        let same = unit.is_none() || line.unit.is_none() || *unit == line.unit;
        let quantity = match (change, line.quantity, said) {
            (Change::Set, _, Some(said)) => said,
            (Change::Add, Some(was), Some(more)) if same => {
                Quantity::from_thousandths(was.thousandths().saturating_add(more.thousandths()))
            }
            (Change::Times(times), Some(was), None) => {
                Quantity::from_thousandths(was.thousandths().saturating_mul(times))
            }
            _ => return false,
        };
        line.quantity = Some(quantity);
        if unit.is_some() {
            line.unit.clone_from(unit);
        }
        true
    }
}

/// Whether a word says that there are to be more or fewer.
fn resizes(lexeme: &Lexeme) -> bool {
    const STEMS: &[&str] = &["увелич", "уменьш", "сократ", "добав", "довед"];
    lexeme.is_word() && STEMS.iter().any(|stem| lexeme.text.starts_with(stem))
}

/// Whether a word says that something is to be another.
fn replaces(word: &str) -> bool {
    matches!(
        word,
        "замените"
            | "замени"
            | "заменим"
            | "поменяйте"
            | "поменяй"
            | "давайте"
            | "пусть"
            | "лучше"
    )
}

/// Whether a word names goods or what they are like.
fn names(seeker: &Seeker<'_>, lexeme: &Lexeme) -> bool {
    !speech::is_filler(&lexeme.text)
        && !speech::is_cancel(&lexeme.text)
        && lexeme.text != "не"
        && !speech::is_refusal(&lexeme.text)
        && seeker.index.vocabulary.hears(&lexeme.text)
}

/// The one of `lines` that is meant by its place: «второй пункт», «позиция 3», «последнее».
fn place(lexemes: &[Lexeme], lines: &[usize]) -> Option<Place> {
    let position = |at: usize| {
        lexemes.get(at).is_some_and(|l| {
            l.is_word()
                && ["пункт", "позици", "строк", "строч", "номер"]
                    .iter()
                    .any(|w| l.text.starts_with(w))
        })
    };
    for (at, lexeme) in lexemes.iter().enumerate() {
        let line = if lexeme.is_word()
            && (lexeme.text.starts_with("последн") || lexeme.text.starts_with("предыдущ"))
        {
            lines.len().checked_sub(1)
        } else if lexeme.is_number()
            && (lexeme.named && lexeme.spoken || at > 0 && position(at - 1))
            && lexeme.value % 1000 == 0
        {
            usize::try_from(lexeme.value / 1000).ok().and_then(|n| n.checked_sub(1))
        } else {
            None
        };
        if let Some(line) = line.and_then(|nth| lines.get(nth)).copied() {
            let from = if at > 0 && position(at - 1) { at - 1 } else { at };
            let to = if position(at + 1) { at + 2 } else { at + 1 };
            return Some(Place { line, from, to });
        }
    }
    None
}
