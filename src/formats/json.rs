//! A pull reader of JSON that forgives what 1C's hand-made writers get wrong: trailing commas and
//! raw control characters inside strings. Reads a stream piece by piece, so that the size of a
//! body does not matter, and knows the line and column of what it cannot read.
//!
//! Everything else is as in RFC 8259; `NaN` and `Infinity` are read as (unreadable) numbers, so
//! that they spoil one field and not the whole body.

use std::io::{self, Read};

/// Why a text is not JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text breaks off or says something else.
    #[error("строка {line}, столбец {column}: {why}")]
    Syntax {
        /// The line, from 1.
        line: u64,
        /// The character in the line, from 1.
        column: u64,
        /// What is wrong there, in Russian.
        why: String,
    },
    /// The source could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; its text is as written.
    Number,
    /// A string.
    Text,
    /// `{`: read on with [`Reader::next_key`].
    Object,
    /// `[`: read on with [`Reader::next_element`].
    Array,
}

/// Values inside values beyond this depth are refused.
pub const MAX_DEPTH: usize = 64;

/// A string longer than this is refused: it is no name and no description.
const MAX_STRING: usize = 16 * 1024 * 1024;

const BUFFER: usize = 64 * 1024;

/// The reader. UTF-8 only: see [`super::text::Utf8Reader`].
pub struct Reader<R> {
    source: R,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Lines before the buffer, and characters of its first line that are before it.
    lines: u64,
    characters: u64,
}

impl<R: Read> Reader<R> {
    /// Reads `source` from its start.
    pub fn new(source: R) -> Self {
        Self::with_buffer(source, BUFFER)
    }

    fn with_buffer(source: R, size: usize) -> Self {
        let buffer = vec![0; size.max(1)].into_boxed_slice();
        Self { source, buffer, at: 0, end: 0, lines: 0, characters: 0 }
    }

    /// Begins the next value: a scalar is read whole, its text put into `text`; of an object or an
    /// array only the bracket is read.
    pub fn value(&mut self, text: &mut String) -> Result<Kind, JsonError> {
        text.clear();
        match self.peek_token()? {
            Some(b'{') => Ok(self.take(Kind::Object)),
            Some(b'[') => Ok(self.take(Kind::Array)),
            Some(b'"') => {
                self.at += 1;
                self.string(text)?;
                Ok(Kind::Text)
            }
            Some(b'-' | b'0'..=b'9' | b'I' | b'N') => {
                self.word(text)?;
                if number(text) { Ok(Kind::Number) } else { Err(self.not_a_value(text)) }
            }
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                self.word(text)?;
                match text.as_str() {
                    "null" => Ok(Kind::Null),
                    "true" => Ok(Kind::Bool(true)),
                    "false" => Ok(Kind::Bool(false)),
                    _ => Err(self.not_a_value(text)),
                }
            }
            Some(_) => Err(self.error("ожидается значение")),
            None => Err(self.error("текст обрывается: ожидается значение")),
        }
    }

    /// The next key of the object whose bracket has been read, or `false` at its end. `first` is
    /// `true` at the beginning and kept by the caller.
    pub fn next_key(&mut self, first: &mut bool, key: &mut String) -> Result<bool, JsonError> {
        if !self.next_member(first, b'}')? {
            return Ok(false);
        }
        match self.peek_token()? {
            Some(b'"') => self.at += 1,
            None => return Err(self.error("текст обрывается внутри объекта")),
            Some(_) => return Err(self.error("ожидается имя поля в кавычках")),
        }
        key.clear();
        self.string(key)?;
        match self.peek_token()? {
            Some(b':') => self.at += 1,
            None => return Err(self.error("текст обрывается внутри объекта")),
            Some(_) => return Err(self.error("после имени поля ожидается двоеточие")),
        }
        Ok(true)
    }

    /// Whether the array whose bracket has been read has a next element.
    pub fn next_element(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.next_member(first, b']')
    }

    fn next_member(&mut self, first: &mut bool, close: u8) -> Result<bool, JsonError> {
        let began = !std::mem::replace(first, false);
        match self.peek_token()? {
            Some(b) if b == close => {
                self.at += 1;
                return Ok(false);
            }
            Some(b',') if began => self.at += 1,
            Some(_) if !began => return Ok(true),
            Some(_) => return Err(self.error("ожидается запятая или закрывающая скобка")),
            None => return Err(self.error("текст обрывается: нет закрывающей скобки")),
        }
        // A comma before the closing bracket is forgiven.
        match self.peek_token()? {
            Some(b) if b == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => Err(self.error("текст обрывается: нет закрывающей скобки")),
        }
    }

    /// Passes over the rest of a value that [`Reader::value`] began.
    pub fn skip(&mut self, kind: Kind, text: &mut String) -> Result<(), JsonError> {
        // For each open bracket: whether it is an object, whether nothing has been read of it.
        let mut open: Vec<(bool, bool)> = Vec::new();
        let mut kind = kind;
        loop {
            match kind {
                Kind::Object => open.push((true, true)),
                Kind::Array => open.push((false, true)),
                _ => {}
            }
            if open.len() > MAX_DEPTH {
                return Err(self.error("слишком глубокая вложенность"));
            }
            loop {
                let Some((object, first)) = open.last_mut() else { return Ok(()) };
                let more =
                    if *object { self.next_key(first, text)? } else { self.next_element(first)? };
                if more {
                    break;
                }
                open.pop();
            }
            kind = self.value(text)?;
        }
    }

    /// Reads a whole value into memory; for bodies that are small.
    pub fn tree(&mut self) -> Result<Value, JsonError> {
        self.tree_at(0)
    }

    fn tree_at(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error("слишком глубокая вложенность"));
        }
        let mut text = String::new();
        let mut first = true;
        Ok(match self.value(&mut text)? {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number => Value::Number(text),
            Kind::Text => Value::Text(text),
            Kind::Array => {
                let mut elements = Vec::new();
                while self.next_element(&mut first)? {
                    elements.push(self.tree_at(depth + 1)?);
                }
                Value::Array(elements)
            }
            Kind::Object => {
                let mut members = Vec::new();
                while self.next_key(&mut first, &mut text)? {
                    members.push((text.clone(), self.tree_at(depth + 1)?));
                }
                Value::Object(members)
            }
        })
    }

    /// Checks that nothing but blanks follows.
    pub fn finish(&mut self) -> Result<(), JsonError> {
        match self.peek_token()? {
            None => Ok(()),
            Some(_) => Err(self.error("лишнее после конца данных")),
        }
    }

    /// An error at the present place.
    pub fn error(&self, why: &str) -> JsonError {
        let seen = &self.buffer[..self.at.min(self.end)];
        let (lines, characters) = advance(self.lines, self.characters, seen);
        JsonError::Syntax { line: lines + 1, column: characters + 1, why: why.to_owned() }
    }

    fn not_a_value(&self, text: &str) -> JsonError {
        let shown = super::text::excerpt(text);
        self.error(&format!("«{shown}» — не значение JSON"))
    }

    fn take(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    /// The next byte that is not a blank, without taking it.
    fn peek_token(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            while let Some(&byte) = self.buffer[..self.end].get(self.at) {
                if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                    return Ok(Some(byte));
                }
                self.at += 1;
            }
            if !self.refill()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next piece once the present one is used up.
    fn refill(&mut self) -> Result<bool, JsonError> {
        let used = &self.buffer[..self.end];
        (self.lines, self.characters) = advance(self.lines, self.characters, used);
        self.at = 0;
        self.end = 0;
        loop {
            match self.source.read(&mut self.buffer) {
                Ok(count) => {
                    self.end = count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Letters, digits and signs: a number or a literal.
    fn word(&mut self, text: &mut String) -> Result<(), JsonError> {
        loop {
            let rest = &self.buffer[self.at..self.end];
            let stop = |b: &u8| !matches!(b, b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_');
            let count = rest.iter().position(stop).unwrap_or(rest.len());
            text.extend(rest[..count].iter().map(|b| char::from(*b)));
            self.at += count;
            if text.len() > 1_000 {
                return Err(self.error("слишком длинное число"));
            }
            if self.at < self.end || !self.refill()? {
                return Ok(());
            }
        }
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self, out: &mut String) -> Result<(), JsonError> {
        // The usual string has no escapes and lies in the buffer whole.
        let rest = &self.buffer[self.at..self.end];
        if let Some(count) = rest.iter().position(|b| matches!(b, b'"' | b'\\'))
            && rest[count] == b'"'
            && let Ok(text) = std::str::from_utf8(&rest[..count])
        {
            out.push_str(text);
            self.at += count + 1;
            return Ok(());
        }
        let mut bytes = std::mem::take(out).into_bytes();
        loop {
            let rest = &self.buffer[self.at..self.end];
            let count = rest.iter().position(|b| matches!(b, b'"' | b'\\')).unwrap_or(rest.len());
            bytes.extend_from_slice(&rest[..count]);
            self.at += count;
            if bytes.len() > MAX_STRING {
                return Err(self.error("слишком длинная строка"));
            }
            match self.next_byte()? {
                None => return Err(self.error("текст обрывается внутри строки")),
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut bytes)?,
                // The first byte of a new piece.
                Some(_) => self.at -= 1,
            }
        }
        *out = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(())
    }

    fn next_byte(&mut self) -> Result<Option<u8>, JsonError> {
        if self.at == self.end && !self.refill()? {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(self.buffer[self.at - 1]))
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let byte = match self.next_byte()? {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'u') => {
                let mut units = vec![self.hex4()?];
                // A pair of surrogates is two escapes; whatever follows a lone one is read again.
                while matches!(units.last(), Some(0xd800..=0xdbff)) && self.peek_escape()? {
                    units.push(self.hex4()?);
                }
                let text = String::from_utf16_lossy(&units);
                out.extend_from_slice(text.as_bytes());
                return Ok(());
            }
            Some(_) => {
                self.at -= 1;
                return Err(
                    self.error("обратная косая черта перед этим знаком пишется дважды: \\\\")
                );
            }
            None => return Err(self.error("текст обрывается внутри строки")),
        };
        out.push(byte);
        Ok(())
    }

    /// Takes `\u` when it follows.
    fn peek_escape(&mut self) -> Result<bool, JsonError> {
        if self.at == self.end && !self.refill()? {
            return Ok(false);
        }
        if self.buffer[self.at] != b'\\' {
            return Ok(false);
        }
        // The backslash may be the last of its piece: one byte is all that is looked ahead.
        self.at += 1;
        if self.at == self.end && !self.refill()? {
            return Err(self.error("текст обрывается внутри строки"));
        }
        if self.buffer[self.at] == b'u' {
            self.at += 1;
            return Ok(true);
        }
        // Another escape: it is read here, as the backslash is gone already.
        self.pending_escape()
    }

    /// A lone surrogate followed by another escape is no text of anyone's; it is refused.
    fn pending_escape(&mut self) -> Result<bool, JsonError> {
        Err(self.error("половина символа \\u без второй половины"))
    }

    fn hex4(&mut self) -> Result<u16, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next_byte()?.and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit.and_then(|d| u16::try_from(d).ok()) else {
                return Err(self.error("после \\u нужны четыре шестнадцатеричные цифры"));
            };
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }
}

/// A value in memory, for bodies that are small. Members keep their order and may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The member with one of these names: of a name that repeats the last, and of several names
    /// the first that holds anything.
    pub fn get(&self, names: &[&str]) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let find = |name: &&str| members.iter().rev().find(|(key, _)| key == *name).map(|(_, v)| v);
        let mut found = names.iter().filter_map(find);
        let filled = found.clone().find(|value| !value.is_empty());
        filled.or_else(|| found.next())
    }

    /// Whether it is `null` or an empty string.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The text of a string or a number; `None` for anything else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The elements; anything but an array is the one element of its own.
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::Array(elements) => elements,
            other => std::slice::from_ref(other),
        }
    }
}

/// Counts the lines of what has been read, and the characters after the last line end.
fn advance(lines: u64, characters: u64, bytes: &[u8]) -> (u64, u64) {
    let count = |part: &[u8]| part.iter().filter(|b| (**b & 0xc0) != 0x80).count() as u64;
    // Counting is quick where searching is not: most pieces have no line end at all.
    #[expect(clippy::naive_bytecount, reason = "the compiler makes vectors of it")]
    let ends = bytes.iter().filter(|b| **b == b'\n').count() as u64;
    if ends == 0 {
        return (lines, characters + count(bytes));
    }
    let last = bytes.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    (lines + ends, count(&bytes[last + 1..]))
}

/// Whether a word is a number of RFC 8259, or one of the three that are not finite.
fn number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    if matches!(text, "NaN" | "Infinity") {
        return true;
    }
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    // Leading zeros are an article that somebody forgot to quote: «00123» is kept as it is.
    digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &[u8], buffer: usize) -> Result<Value, JsonError> {
        let mut reader = Reader::with_buffer(text, buffer);
        let value = reader.tree()?;
        reader.finish()?;
        Ok(value)
    }

    fn place(text: &str) -> (u64, u64) {
        let places: Vec<_> = [1, 3, 4096]
            .into_iter()
            .map(|size| match parse(text.as_bytes(), size) {
                Err(JsonError::Syntax { line, column, .. }) => (line, column),
                other => panic!("{text}: {other:?}"),
            })
            .collect();
        assert!(places.iter().all(|p| *p == places[0]), "{text}: {places:?}");
        places[0]
    }

    #[test]
    fn an_error_names_its_line_and_column() {
        assert_eq!(place(""), (1, 1));
        assert_eq!(place("{\n  \"цена\": x\n}"), (2, 12));
        assert_eq!(place("[1 2]"), (1, 4));
        assert_eq!(place("[\"С:\\папка\"]"), (1, 6));
        assert_eq!(place("{\"a\":1} лишнее"), (1, 9));
        assert_eq!(place("[1,2"), (1, 5));
        assert_eq!(place("[01.]"), (1, 5));
    }

    #[test]
    fn trailing_commas_and_raw_control_characters_are_forgiven() {
        let value = parse(b"{\"a\":[1,2,],\"b\":\"x\ty\nz\x01\",}", 4).expect("reads");
        assert_eq!(value.get(&["b"]), Some(&Value::Text("x\ty\nz\u{1}".to_owned())));
        assert_eq!(value.get(&["a"]).map(|a| a.elements().len()), Some(2));
        for text in ["[,]", "[1,,2]", "{,}", "{\"a\"}", "[1", "{'a':1}", "[nul]", "\"\\x\"", "[tru"]
        {
            assert!(parse(text.as_bytes(), 4096).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
            assert!(parse(text.as_bytes(), 4096).is_err());
            let mut reader = Reader::new(text.as_bytes());
            let mut scratch = String::new();
            let kind = reader.value(&mut scratch).expect("a bracket");
            assert!(reader.skip(kind, &mut scratch).is_err());
        }
    }

    fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Value::Number(a), serde_json::Value::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
            (Value::Text(a), serde_json::Value::String(b)) => a == b,
            (Value::Array(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), serde_json::Value::Object(b)) => {
                b.iter().all(|(key, b)| ours.get(&[key]).is_some_and(|a| same(a, b)))
                    && a.iter().all(|(key, _)| b.contains_key(key))
            }
            _ => false,
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            (-1e9..1e9_f64).prop_map(Into::into),
            "\\PC{0,12}".prop_map(Into::into),
            "[\"\\\\\u{0}-\u{1f}/а-я😀]{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_back(value in any_json(), pretty: bool, size in 1_usize..40) {
            let text = if pretty {
                serde_json::to_string_pretty(&value)
            } else {
                serde_json::to_string(&value)
            };
            let text = text.expect("serializes");
            let read = parse(text.as_bytes(), size).expect("reads");
            prop_assert!(same(&read, &value), "{text}");
            // Passing over a value ends where reading it ends.
            let mut reader = Reader::with_buffer(text.as_bytes(), size);
            let mut scratch = String::new();
            let kind = reader.value(&mut scratch).expect("begins");
            reader.skip(kind, &mut scratch).expect("skips");
            prop_assert!(reader.finish().is_ok());
        }

        #[test]
        fn a_cut_text_is_an_error_and_not_a_panic(value in any_json(), at in 0.0..1.0_f64, size in 1_usize..40) {
            let text = serde_json::to_string(&serde_json::json!([value])).expect("serializes");
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let cut = (text.len() as f64 * at) as usize;
            prop_assert!(parse(&text.as_bytes()[..cut], size).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..20) {
            let _ = parse(&bytes, size);
        }

        #[test]
        fn near_json_does_not_make_it_panic(text in "[]\\[{}\",:\\\\u0-9a-fnltruesE+. \n-]{0,60}", size in 1_usize..20) {
            let all = parse(text.as_bytes(), size);
            let at_once = parse(text.as_bytes(), 4096);
            prop_assert_eq!(all.is_ok(), at_once.is_ok());
        }
    }
}
