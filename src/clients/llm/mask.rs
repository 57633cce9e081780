//! Takes out of a text what names people before it leaves: phones, e-mail addresses, ИНН, and the
//! names and addresses that the caller knows.
//!
//! It errs on the side of masking: a model that sees less proposes less, and that is all.

use std::ops::Range;

/// The text with everything private replaced by a word in brackets. `secrets` are names and
/// addresses; case, «ё», punctuation and spacing do not matter, and an address is also found by
/// its end («Ленина 5»).
pub fn mask(text: &str, secrets: &[String]) -> String {
    Mask::of(text, secrets).piece(text, 0..text.len())
}

/// What is private in a text: for pieces of it, since a name may stand across two of them.
#[derive(Debug)]
pub struct Mask {
    /// In the order of the text; none begins inside another one.
    hits: Vec<Hit>,
}

impl Mask {
    /// What is private in this text.
    pub fn of(text: &str, secrets: &[String]) -> Self {
        let tokens = tokens(text);
        let mut found = emails(text);
        found.extend(numbers(text));
        for secret in secrets {
            found.extend(named(&tokens, secret));
        }
        found.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        let mut hits: Vec<Hit> = Vec::with_capacity(found.len());
        for hit in found {
            match hits.last_mut() {
                // What sticks out of a piece that is masked already goes with it.
                Some(last) if hit.start < last.end => last.end = last.end.max(hit.end),
                _ => hits.push(hit),
            }
        }
        Self { hits }
    }

    /// A piece of the same text, masked; a span outside it is empty.
    pub fn piece(&self, text: &str, span: Range<usize>) -> String {
        let mut masked = String::new();
        let mut at = span.start;
        for hit in self.hits.iter().filter(|hit| hit.start < span.end && hit.end > span.start) {
            masked.push_str(text.get(at..hit.start).unwrap_or_default());
            masked.push_str(hit.word);
            at = hit.end;
        }
        masked.push_str(text.get(at..span.end).unwrap_or_default());
        masked
    }
}

#[derive(Debug)]
struct Hit {
    start: usize,
    end: usize,
    word: &'static str,
}

const PHONE: &str = "[телефон]";
const EMAIL: &str = "[почта]";
const INN: &str = "[ИНН]";
const NAME: &str = "[скрыто]";

fn emails(text: &str) -> Vec<Hit> {
    let local = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let hit = |(at, _): (usize, &str)| {
        let before = text[..at].trim_end_matches(local).len();
        let after = &text[at + 1..];
        let after = after.len() - after.trim_start_matches(domain).len();
        (before < at && after > 0).then_some(Hit {
            start: before,
            end: at + 1 + after,
            word: EMAIL,
        })
    };
    text.match_indices('@').filter_map(hit).collect()
}

/// A group of digits and where it stands.
struct Group {
    start: usize,
    end: usize,
}

/// Phones and ИНН among the groups of digits.
fn numbers(text: &str) -> Vec<Hit> {
    let groups = groups(text);
    let mut hits = Vec::new();
    let mut next = 0;
    while let Some(group) = groups.get(next) {
        let found = phone(text, &groups[next..]).or_else(|| inn(text, group));
        next += found.as_ref().map_or(1, |(taken, _)| *taken);
        hits.extend(found.map(|(_, hit)| hit));
    }
    hits
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        match groups.last_mut() {
            Some(last) if last.end == at => last.end += c.len_utf8(),
            _ => groups.push(Group { start: at, end: at + c.len_utf8() }),
        }
    }
    groups
}

/// A phone that begins with the first group, with the number of groups it takes.
fn phone(text: &str, groups: &[Group]) -> Option<(usize, Hit)> {
    let first = groups.first()?;
    let plus = text[..first.start].ends_with('+');
    let mut digits = String::new();
    for (taken, group) in groups.iter().enumerate().take(6) {
        if taken > 0 {
            let between = &text[groups[taken - 1].end..group.start];
            let joined = between.chars().all(|c| " \u{a0}\u{202f}-–()./".contains(c));
            if !joined || between.chars().count() > 3 {
                return None;
            }
        }
        digits.push_str(&text[group.start..group.end]);
        let start = if plus { first.start - 1 } else { first.start };
        if is_phone(&digits, plus, first.end - first.start) {
            return Some((taken + 1, Hit { start, end: group.end, word: PHONE }));
        }
    }
    None
}

/// Whether the digits are a phone: eleven from 7 or 8, ten from 9, or what follows a plus. A
/// country code apart («8 921 …») or a long first group tells a phone from sizes in a row.
fn is_phone(digits: &str, plus: bool, first_group: usize) -> bool {
    let bytes = digits.as_bytes();
    let russian = |rest: &[u8]| rest.len() == 10 && matches!(rest[0], b'3' | b'4' | b'8' | b'9');
    match (bytes.first(), bytes.len()) {
        (Some(b'7' | b'8'), 11) => russian(&bytes[1..]) && (plus || matches!(first_group, 1 | 4..)),
        (Some(b'9'), 10) => first_group >= 3,
        (_, 11..=15) => plus,
        _ => false,
    }
}

/// An ИНН: ten or twelve digits together that the word names or whose check digits are right.
///
/// Source: приказ ФНС России от 29.06.2012 № ММВ-7-6/435@.
fn inn(text: &str, group: &Group) -> Option<(usize, Hit)> {
    let digits: Vec<u32> =
        text[group.start..group.end].chars().filter_map(|c| c.to_digit(10)).collect();
    if !matches!(digits.len(), 10 | 12) {
        return None;
    }
    let before = text[..group.start].trim_end_matches(|c: char| !c.is_alphanumeric());
    let named = before.to_lowercase().ends_with("инн") || before.to_lowercase().ends_with("inn");
    let hit = Hit { start: group.start, end: group.end, word: INN };
    (named || checks(&digits)).then_some((1, hit))
}

fn checks(digits: &[u32]) -> bool {
    let digit = |weights: &[u32]| {
        weights.iter().zip(digits).map(|(weight, digit)| weight * digit).sum::<u32>() % 11 % 10
    };
    let sums: &[(usize, &[u32])] = match digits.len() {
        10 => &[(9, &[2, 4, 10, 3, 5, 9, 4, 6, 8])],
        _ => &[(10, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]), (11, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8])],
    };
    sums.iter().all(|(at, weights)| digits.get(*at) == Some(&digit(weights)))
}

struct Token {
    start: usize,
    end: usize,
    word: String,
}

/// Words and numbers, folded: lower case, «ё» as «е».
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (at, c) in text.char_indices() {
        if !c.is_alphanumeric() {
            continue;
        }
        let digit = c.is_ascii_digit();
        let folded = c.to_lowercase().map(|c| if c == 'ё' { 'е' } else { c });
        match tokens.last_mut() {
            Some(last)
                if last.end == at && last.word.ends_with(|c: char| c.is_ascii_digit()) == digit =>
            {
                last.word.extend(folded);
                last.end = at + c.len_utf8();
            }
            _ => tokens.push(Token { start: at, end: at + c.len_utf8(), word: folded.collect() }),
        }
    }
    tokens
}

/// Words of names and addresses that may be there or not.
const OPTIONAL: &[&str] = &[
    "ооо",
    "оао",
    "зао",
    "пао",
    "ао",
    "ип",
    "г",
    "гор",
    "город",
    "ул",
    "улица",
    "д",
    "дом",
    "кв",
    "оф",
    "офис",
    "корп",
    "корпус",
    "к",
    "стр",
    "строение",
    "пр",
    "просп",
    "проспект",
    "пер",
    "переулок",
    "обл",
    "область",
    "р",
    "район",
    "пос",
    "поселок",
    "с",
    "село",
    "ш",
    "шоссе",
    "наб",
];

/// Where the secret stands in the text.
fn named(text: &[Token], secret: &str) -> Vec<Hit> {
    let words: Vec<String> = tokens(secret).into_iter().map(|token| token.word).collect();
    let telling: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !OPTIONAL.contains(word)).collect();
    if telling.iter().map(|word| word.chars().count()).sum::<usize>() < 3 {
        return Vec::new();
    }
    let numbered = telling.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut forms = vec![telling.as_slice()];
    if numbered {
        // «г. Тверь, ул. Ленина, д. 5» is also «Ленина 5».
        let ends = (1..telling.len().saturating_sub(1)).map(|from| &telling[from..]);
        forms.extend(ends.filter(|end| end[0].chars().count() > 3));
    }
    let starts = 0..text.len();
    starts.filter_map(|at| forms.iter().find_map(|form| matched(&text[at..], form))).collect()
}

fn matched(text: &[Token], form: &[&str]) -> Option<Hit> {
    let first = text.first().filter(|token| token.word == form[0])?;
    let mut end = first.end;
    let mut rest = text[1..].iter();
    for word in &form[1..] {
        let token = rest.find(|token| !OPTIONAL.contains(&token.word.as_str()))?;
        if token.word != *word {
            return None;
        }
        end = token.end;
    }
    Some(Hit { start: first.start, end, word: NAME })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn phones_are_masked_in_every_spelling() {
        for phone in [
            "+7 (921) 123-45-67",
            "8 921 123 45 67",
            "8(921)1234567",
            "8-921-123-45-67",
            "89211234567",
            "79211234567",
            "+79211234567",
            "921 123-45-67",
            "9211234567",
            "+375 29 123-45-67",
            "8 (4822) 12-34-56",
        ] {
            let text = format!("саморез 3,5х45 2 пачки, {phone} Анна");
            assert_eq!(mask(&text, &[]), "саморез 3,5х45 2 пачки, [телефон] Анна", "{phone}");
        }
    }

    #[test]
    fn mail_and_inn_are_masked() {
        assert_eq!(mask("счёт на anna.p+1@mail.example.ru!", &[]), "счёт на [почта]!");
        assert_eq!(mask("почта анна@пример.рф", &[]), "почта [почта]");
        assert_eq!(mask("ИНН: 1234567890", &[]), "ИНН: [ИНН]");
        assert_eq!(mask("7707083893 и 500100732259", &[]), "[ИНН] и [ИНН]");
    }

    #[test]
    fn sizes_articles_and_quantities_stay() {
        for text in [
            "саморез 3,5х45 1000 шт, 4 000 гаек, болт М8х100 75 200 300",
            "артикул 4607001234567 2 уп",
            "мебельный щит 18 600 1200 5 шт",
            "нить 70/2 8 200 м 10 шт",
            "7 900 шт и 8 900 шт",
            "1234567890",
            "@ и @@ a@",
        ] {
            assert_eq!(mask(text, &[]), text);
        }
    }

    #[test]
    fn stored_names_and_addresses_are_masked() {
        let secrets = [
            "ООО «Мебельный двор»".to_owned(),
            "г. Тверь, ул. Королёва, д. 5".to_owned(),
            "Анна Петрова".to_owned(),
            "ИП".to_owned(),
        ];
        let text = "Для мебельный  двор: болт 5 шт на Королева 5, анна петрова; двор 5";
        assert_eq!(mask(text, &secrets), "Для [скрыто]: болт 5 шт на [скрыто], [скрыто]; двор 5");
        let whole = "Тверь, Королёва дом 5";
        assert_eq!(mask(whole, &secrets), "[скрыто]");
    }

    #[test]
    fn a_name_across_two_pieces_is_masked_in_both() {
        let text = "болт для Рога и Копыта 5 шт";
        let mask = Mask::of(text, &["Рога и Копыта".to_owned()]);
        let at = text.find(" и ").expect("it is there");
        assert_eq!(mask.piece(text, 0..at), "болт для [скрыто]");
        assert_eq!(mask.piece(text, at + 4..text.len()), "[скрыто] 5 шт");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_masked_stays_masked(
            text in ".{0,80}", secret in ".{0,20}", tail in "[0-9+() @.а-яё-]{0,60}",
        ) {
            let secrets = [secret];
            let once = mask(&format!("{text}{tail}"), &secrets);
            let _ = mask(&once, &secrets);
        }
    }
}
