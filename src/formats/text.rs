//! Text as 1C and people's tables bring it: encodings, numbers, words for yes and no.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Encoding, UTF_8, WINDOWS_1251};
use memchr::memchr_iter;

use crate::domain::{Money, Price, Quantity};

/// Tells while a file goes by how its text is encoded: a byte-order mark decides; else what is
/// valid UTF-8 is UTF-8, and the rest is windows-1251.
#[derive(Debug, Default)]
pub struct Sniffer {
    head: Vec<u8>,
    carry: Vec<u8>,
    invalid: bool,
}

impl Sniffer {
    /// Looks at the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.head.len() < 3 {
            self.head.extend(bytes.iter().take(3 - self.head.len()));
        }
        if self.invalid {
            return;
        }
        let mut rest = bytes;
        // A character cut at the border of two pieces: at most three bytes wait for their end.
        while !self.carry.is_empty() && !rest.is_empty() {
            self.carry.push(rest[0]);
            rest = &rest[1..];
            match std::str::from_utf8(&self.carry) {
                Ok(_) => self.carry.clear(),
                Err(error) if error.error_len().is_some() => {
                    self.invalid = true;
                    return;
                }
                Err(_) => {}
            }
        }
        let valid = Encoding::utf8_valid_up_to(rest);
        if valid == rest.len() {
            return;
        }
        match std::str::from_utf8(&rest[valid..]) {
            Err(error) if error.error_len().is_none() => self.carry = rest[valid..].to_vec(),
            _ => self.invalid = true,
        }
    }

    /// What it is, when all has gone by.
    pub fn encoding(&self) -> &'static Encoding {
        if let Some((encoding, _)) = Encoding::for_bom(&self.head) {
            return encoding;
        }
        if self.invalid || !self.carry.is_empty() { WINDOWS_1251 } else { UTF_8 }
    }
}

/// The encoding of a whole text in memory.
pub fn sniff(bytes: &[u8]) -> &'static Encoding {
    let mut sniffer = Sniffer::default();
    sniffer.feed(bytes);
    sniffer.encoding()
}

/// The text without its byte-order mark; what cannot be decoded becomes U+FFFD.
pub fn decode(bytes: &[u8]) -> String {
    sniff(bytes).decode_with_bom_removal(bytes).0.into_owned()
}

/// Reads bytes of some encoding as UTF-8 without a byte-order mark.
pub struct Utf8Reader<R> {
    source: R,
    decoder: encoding_rs::Decoder,
    raw: Box<[u8]>,
    start: usize,
    end: usize,
    eof: bool,
    finished: bool,
    /// Decoded bytes that did not fit the caller's buffer, when that is tiny.
    spill: Vec<u8>,
}

impl<R: Read> Utf8Reader<R> {
    /// Reads `source`, whose encoding is known.
    pub fn new(source: R, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; 64 * 1024].into_boxed_slice(),
            start: 0,
            end: 0,
            eof: false,
            finished: false,
            spill: Vec::new(),
        }
    }

    fn decode_some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.start == self.end && !self.eof {
                self.end = self.source.read(&mut self.raw)?;
                self.start = 0;
                self.eof = self.end == 0;
            }
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(&self.raw[self.start..self.end], out, self.eof);
            self.start += read;
            self.finished = self.eof && result == encoding_rs::CoderResult::InputEmpty;
            if written > 0 || self.finished {
                return Ok(written);
            }
        }
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.spill.is_empty() {
            if self.finished || out.is_empty() {
                return Ok(0);
            }
            if out.len() >= 16 {
                return self.decode_some(out);
            }
            let mut small = [0; 64];
            let written = self.decode_some(&mut small)?;
            self.spill = small[..written].to_vec();
        }
        let count = self.spill.len().min(out.len());
        out[..count].copy_from_slice(&self.spill[..count]);
        self.spill.drain(..count);
        Ok(count)
    }
}

/// A decimal number, exact: `mantissa` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Why a text is not a number that we can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a number at all.
    #[error("не число")]
    NotANumber,
    /// Beyond every price and stock.
    #[error("слишком большое число")]
    TooLarge,
    /// A price that would be stored as none.
    #[error("слишком маленькое число")]
    TooSmall,
    /// A negative number where there can be none.
    #[error("отрицательное число")]
    Negative,
    /// Zero or less where something must be.
    #[error("должно быть больше нуля")]
    NotPositive,
}

/// The largest price in kopecks and the largest quantity in thousandths.
const LARGEST: i128 = 1_000_000_000_000_000;

/// A mantissa that takes no more digits.
const FULL: i128 = 10_i128.pow(30);

/// More decimals of a price than this are rounded away: it is the precision that is stored.
const PRICE_DECIMALS: u32 = 6;

impl Decimal {
    /// Reads «1 234,50», «1234.5», «-0,5», «1'234.50», «1.5e3»; thousands may be parted by any
    /// space or apostrophe, and by a comma or point when the other one follows.
    ///
    /// # Errors
    ///
    /// [`NumberError::NotANumber`] and [`NumberError::TooLarge`].
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let (negative, body) = match text.strip_prefix(['-', '−']) {
            Some(body) => (true, body),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, exponent) = match body.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent_of(exponent)?),
            None => (body, 0),
        };
        let (whole, fraction) = split(digits)?;
        Self::build(negative, whole, fraction, exponent)
    }

    fn build(
        negative: bool,
        whole: &str,
        fraction: &str,
        exponent: i32,
    ) -> Result<Self, NumberError> {
        let mut mantissa: i128 = 0;
        let mut scale: i64 = 0;
        let mut seen = false;
        for (text, fractional) in [(whole, false), (fraction, true)] {
            for c in text.chars() {
                let Some(digit) = c.to_digit(10) else {
                    if !fractional && (c.is_whitespace() || matches!(c, '\'' | '’' | ',' | '.')) {
                        continue;
                    }
                    return Err(NumberError::NotANumber);
                };
                seen = true;
                // Thirty digits hold every number we keep; further decimals do not count.
                if mantissa >= FULL {
                    if fractional {
                        continue;
                    }
                    return Err(NumberError::TooLarge);
                }
                mantissa = mantissa * 10 + i128::from(digit);
                scale += i64::from(fractional);
            }
        }
        if !seen {
            return Err(NumberError::NotANumber);
        }
        scale -= i64::from(exponent);
        while scale < 0 && mantissa != 0 {
            mantissa = mantissa
                .checked_mul(10)
                .filter(|m| *m < 10_i128.pow(36))
                .ok_or(NumberError::TooLarge)?;
            scale += 1;
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale = if mantissa == 0 { 0 } else { scale - 1 };
        }
        let scale = u32::try_from(scale).unwrap_or(0);
        Ok(Self { mantissa: if negative { -mantissa } else { mantissa }, scale })
    }

    /// The number × 10^`decimals`, half rounded up.
    fn scaled(self, decimals: u32) -> Result<i128, NumberError> {
        if self.scale <= decimals {
            let factor = 10_i128.pow(decimals - self.scale);
            return self.mantissa.checked_mul(factor).ok_or(NumberError::TooLarge);
        }
        // Beyond 10^38 nothing is left of a mantissa of at most 36 digits.
        let Some(divisor) = 10_i128.checked_pow(self.scale - decimals) else { return Ok(0) };
        Ok((self.mantissa + divisor / 2).div_euclid(divisor))
    }

    /// The number as a quantity, rounded to thousandths.
    pub fn quantity(self) -> Result<Quantity, NumberError> {
        let thousandths = self.scaled(3)?;
        if thousandths.abs() > LARGEST {
            return Err(NumberError::TooLarge);
        }
        i64::try_from(thousandths)
            .map(Quantity::from_thousandths)
            .map_err(|_| NumberError::TooLarge)
    }

    /// The number as a quantity above zero.
    pub fn positive_quantity(self) -> Result<Quantity, NumberError> {
        let quantity = self.quantity()?;
        if quantity.is_positive() { Ok(quantity) } else { Err(NumberError::NotPositive) }
    }

    /// The number as a price in roubles of one base unit: up to six decimals are exact.
    pub fn price(self) -> Result<Price, NumberError> {
        self.price_for(Quantity::whole(1))
    }

    /// The number as a price in roubles of `coefficient` base units, exact up to six decimals.
    pub fn price_for(self, coefficient: Quantity) -> Result<Price, NumberError> {
        if self.mantissa < 0 {
            return Err(NumberError::Negative);
        }
        let coefficient = i128::from(coefficient.thousandths());
        if coefficient <= 0 {
            return Err(NumberError::NotPositive);
        }
        let decimals = self.scale.clamp(2, PRICE_DECIMALS);
        let mut amount = self.scaled(decimals)?;
        if amount > LARGEST {
            return Err(NumberError::TooLarge);
        }
        if amount == 0 && self.mantissa != 0 {
            return Err(NumberError::TooSmall);
        }
        let mut per = 10_i128.pow(decimals - 2);
        while per > 1 && amount % 10 == 0 {
            amount /= 10;
            per /= 10;
        }
        if coefficient % 1_000 == 0 {
            per *= coefficient / 1_000;
        } else {
            amount *= 1_000;
            per *= coefficient;
            let common = gcd(amount, per);
            amount /= common;
            per /= common;
        }
        if amount > LARGEST {
            return Err(NumberError::TooLarge);
        }
        let amount = i64::try_from(amount).map_err(|_| NumberError::TooLarge)?;
        let per = u32::try_from(per).map_err(|_| NumberError::TooLarge)?;
        Price::new(Money::from_kopecks(amount), per).ok_or(NumberError::Negative)
    }

    /// The number as money, rounded to kopecks; may be negative.
    pub fn money(self) -> Result<Money, NumberError> {
        let kopecks = self.scaled(2)?;
        if kopecks.abs() > LARGEST {
            return Err(NumberError::TooLarge);
        }
        i64::try_from(kopecks).map(Money::from_kopecks).map_err(|_| NumberError::TooLarge)
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

fn exponent_of(text: &str) -> Result<i32, NumberError> {
    let exponent: i32 = text.parse().map_err(|_| {
        let digits = text.trim_start_matches(['+', '-']);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { NumberError::TooLarge } else { NumberError::NotANumber }
    })?;
    Ok(exponent.clamp(-60, 60))
}

/// The whole part and the decimals. A lone comma or point begins the decimals; of both, the last.
fn split(digits: &str) -> Result<(&str, &str), NumberError> {
    let digits = digits.trim();
    let Some(at) = digits.rfind([',', '.']) else { return groups(digits).map(|()| (digits, "")) };
    let (whole, fraction) = (&digits[..at], &digits[at + 1..]);
    let other = if digits.as_bytes()[at] == b',' { '.' } else { ',' };
    if whole.contains([',', '.']) {
        // «1,234,567.50»: groups of three by the other mark only.
        let mut parts = whole.split(other);
        let first = parts.next().unwrap_or("");
        let three = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
        if first.is_empty() || first.contains([',', '.']) || !parts.all(three) {
            return Err(NumberError::NotANumber);
        }
    } else {
        groups(whole)?;
    }
    Ok((whole, fraction))
}

/// Digits parted by single spaces or apostrophes: «12 34» is as 1C writes it, «1  2» is not.
fn groups(whole: &str) -> Result<(), NumberError> {
    let mut previous_digit = whole.is_empty();
    for c in whole.chars() {
        let digit = c.is_ascii_digit();
        if !digit && !previous_digit {
            return Err(NumberError::NotANumber);
        }
        previous_digit = digit;
    }
    if previous_digit || whole.is_empty() { Ok(()) } else { Err(NumberError::NotANumber) }
}

/// «Да», «Истина», `true`, `1` and their opposites; `None` for anything else.
pub fn yes_no(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "1" | "да" | "истина" | "yes" | "y" | "+" => Some(true),
        "false" | "0" | "нет" | "ложь" | "no" | "n" | "-" => Some(false),
        _ => None,
    }
}

/// Whether the text has DEL or one of these control characters.
fn has_control(text: &str, one: impl Fn(u8) -> bool) -> bool {
    // Counted to the end in any case: so the compiler looks at many bytes at once.
    text.bytes().filter(|byte| one(*byte) || *byte == 0x7f).count() > 0
}

/// A name on one line: without control characters and blanks around; no-break spaces inside stay.
pub fn line(text: &str) -> Cow<'_, str> {
    if has_control(text, |b| b < 0x20) {
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words = clean.split(' ').filter(|word| !word.is_empty());
        return Cow::Owned(words.collect::<Vec<_>>().join(" "));
    }
    Cow::Borrowed(text.trim())
}

/// [`line()`], owned.
pub fn one_line(text: &str) -> String {
    line(text).into_owned()
}

/// [`line()`] of a text that is ours: most are as they should be.
pub fn into_line(text: String) -> String {
    let clean = matches!(line(&text), Cow::Borrowed(whole) if whole.len() == text.len());
    if clean { text } else { one_line(&text) }
}

/// [`many_lines`] of a text that is ours.
pub fn into_lines(text: String) -> String {
    let clean = matches!(lines(&text), Cow::Borrowed(whole) if whole.len() == text.len());
    if clean { text } else { many_lines(&text) }
}

/// A text of many lines: tabs and line ends stay, other control characters go.
pub fn lines(text: &str) -> Cow<'_, str> {
    // Beyond ASCII there are control characters too: U+0080 … U+009F are 0xC2 with 0x80 … 0x9F.
    let bytes = text.as_bytes();
    let mut beyond = memchr_iter(0xc2, bytes).map(|at| bytes[at + 1]);
    if !has_control(text, |b| b < 0x20 && !matches!(b, b'\n' | b'\t')) && !beyond.any(|b| b < 0xa0)
    {
        return Cow::Borrowed(text.trim());
    }
    let keep = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(text.chars().filter(|c| keep(*c)).collect::<String>().trim().to_owned())
}

/// [`lines`], owned.
pub fn many_lines(text: &str) -> String {
    lines(text).into_owned()
}

/// An id of 1C: trimmed; GUIDs in lower case; the empty reference is no id.
pub fn onec_id(text: &str) -> String {
    let text = line(text);
    let guid = |part: &str| {
        let part = part.as_bytes();
        part.len() == 36
            && [8, 13, 18, 23].iter().all(|at| part[*at] == b'-')
            && part.iter().filter(|b| b.is_ascii_hexdigit()).count() == 32
    };
    let empty = |part: &str| part.bytes().all(|b| matches!(b, b'0' | b'-'));
    match text.split_once('#') {
        Some((item, "")) if guid(item) => item.to_ascii_lowercase(),
        Some((item, variant)) if guid(item) && guid(variant) && empty(variant) => {
            item.to_ascii_lowercase()
        }
        Some((item, variant)) if guid(item) && guid(variant) => text.to_ascii_lowercase(),
        None if guid(&text) && empty(&text) => String::new(),
        None if guid(&text) => text.to_ascii_lowercase(),
        _ => text.into_owned(),
    }
}

/// A value for a report: at most 40 characters, control characters shown as blanks.
pub fn excerpt(text: &str) -> String {
    crate::domain::ru::ellipsis(&one_line(text), 40)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(text: &str) -> Result<(i64, u32), NumberError> {
        Decimal::parse(text)?.price().map(|p| (p.amount.kopecks(), p.per))
    }

    #[test]
    fn numbers_are_read_as_1c_and_people_write_them() {
        for text in ["1234.5", "1234,50", "1 234,50", "1\u{a0}234,50", "1\u{202f}234,5"] {
            assert_eq!(price(text), Ok((123_450, 1)), "{text}");
        }
        for text in ["1'234.50", "1,234.50", "1.234,50", "+1234.500", "12345e-1", "1.2345E3"] {
            assert_eq!(price(text), Ok((123_450, 1)), "{text}");
        }
        let quantity = |text| Decimal::parse(text).and_then(Decimal::quantity);
        assert_eq!(quantity("-3"), Ok(Quantity::whole(-3)));
        assert_eq!(quantity("−0,5"), Ok(Quantity::from_thousandths(-500)));
        assert_eq!(quantity("0.0004"), Ok(Quantity::ZERO));
        assert_eq!(quantity(",5"), Ok(Quantity::from_thousandths(500)));
    }

    #[test]
    fn a_price_keeps_up_to_six_decimals() {
        assert_eq!(price("0,8125"), Ok((8_125, 100)));
        assert_eq!(price("0.008125"), Ok((8_125, 10_000)));
        assert_eq!(price("0.30000000000000004"), Ok((30, 1)));
        assert_eq!(price("12,30"), Ok((1_230, 1)));
        let per_roll = Decimal::parse("3150").and_then(|d| d.price_for(Quantity::whole(75)));
        assert_eq!(per_roll.map(|p| (p.amount.kopecks(), p.per)), Ok((315_000, 75)));
        let per_half =
            Decimal::parse("5").and_then(|d| d.price_for(Quantity::from_thousandths(2_500)));
        assert_eq!(per_half.map(|p| (p.amount.kopecks(), p.per)), Ok((200, 1)));
    }

    #[test]
    fn what_is_not_a_number_is_said_to_be_none() {
        for text in
            ["", "-", "12р", "договорная", "1  2", "NaN", "Infinity", "--5", "1,2,3", "1e", "0x1"]
        {
            assert_eq!(price(text), Err(NumberError::NotANumber), "{text}");
        }
        for text in ["1e308", "10000000000000000", "9e99999999999"] {
            assert_eq!(price(text), Err(NumberError::TooLarge), "{text}");
        }
        assert_eq!(price("-1"), Err(NumberError::Negative));
        for text in ["0.0000001", "0,00000049", "1e-9"] {
            assert_eq!(price(text), Err(NumberError::TooSmall), "{text}");
        }
        assert_eq!(price("0.000001"), Ok((1, 10_000)));
        assert_eq!(price("0.0000000"), Ok((0, 1)));
    }

    #[test]
    fn the_encoding_is_told_by_the_bytes() {
        let utf8 = "Саморез 4×25".as_bytes();
        let (cp1251, _, _) = WINDOWS_1251.encode("Саморез 4х25");
        for step in 1..5 {
            let told = |bytes: &[u8]| {
                let mut sniffer = Sniffer::default();
                bytes.chunks(step).for_each(|chunk| sniffer.feed(chunk));
                sniffer.encoding()
            };
            assert_eq!(told(utf8), UTF_8);
            assert_eq!(told(&cp1251), WINDOWS_1251);
            assert_eq!(told(b"\xef\xbb\xbf{}"), UTF_8);
            assert_eq!(told(b"\xff\xfe{\0"), encoding_rs::UTF_16LE);
        }
        assert_eq!(decode(&cp1251), "Саморез 4х25");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
    }

    #[test]
    fn ids_of_1c_are_compared_in_one_form() {
        let guid = "BFF15C98-94FD-11EF-8D93-00155D0A4E11";
        assert_eq!(onec_id(&format!(" {guid} ")), guid.to_lowercase());
        assert_eq!(onec_id(&format!("{guid}#{guid}")), format!("{guid}#{guid}").to_lowercase());
        assert_eq!(onec_id("00000000-0000-0000-0000-000000000000"), "");
        assert_eq!(onec_id("УТ-00012   "), "УТ-00012");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_number_reader_panic(text in "\\PC*") {
            let _ = Decimal::parse(&text).map(|d| (d.price().ok(), d.quantity().ok()));
        }

        #[test]
        fn near_numbers_do_not_panic(text in "[-+0-9 ,.'eE\u{a0}]{0,60}") {
            let _ = Decimal::parse(&text).map(|d| (d.price().ok(), d.quantity().ok(), d.money().ok()));
        }

        #[test]
        fn a_quantity_is_read_back(thousandths in -1_000_000_000_i64..1_000_000_000) {
            let quantity = Quantity::from_thousandths(thousandths);
            for text in [quantity.decimal(), quantity.to_string()] {
                prop_assert_eq!(Decimal::parse(&text).and_then(Decimal::quantity), Ok(quantity));
            }
        }

        #[test]
        fn a_price_is_read_back(kopecks in 0_i64..1_000_000_000_000, zeros in 0_u32..5) {
            let price = Price::new(Money::from_kopecks(kopecks), 10_u32.pow(zeros)).expect("a price");
            let read = Decimal::parse(&price.decimal()).and_then(Decimal::price).expect("a price");
            let cross = i128::from(read.amount.kopecks()) * i128::from(price.per);
            prop_assert_eq!(cross, i128::from(price.amount.kopecks()) * i128::from(read.per));
        }

        #[test]
        fn decoding_in_pieces_equals_decoding_at_once(text in "\\PC{0,200}", size in 1_usize..40) {
            let bytes = text.as_bytes();
            let mut reader = Utf8Reader::new(bytes, UTF_8);
            let mut out = Vec::new();
            let mut piece = vec![0; size];
            loop {
                let count = reader.read(&mut piece).expect("reads");
                if count == 0 { break; }
                out.extend_from_slice(&piece[..count]);
            }
            let expected = text.strip_prefix('\u{feff}').unwrap_or(&text);
            prop_assert_eq!(out, expected.as_bytes());
        }
    }
}
