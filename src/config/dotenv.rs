//! `.env`: the lines `NAME=value` that the old program read, with the same quoting.
//!
//! Source: python-dotenv, <https://saurabh-kumar.com/python-dotenv/reference/>.

use std::collections::BTreeMap;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value, quotes taken off.
    pub value: String,
    /// Its line, from 1.
    pub line: usize,
}

/// What a `.env` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DotEnv {
    /// Values by name; of two equal names the last wins.
    pub entries: BTreeMap<String, Entry>,
    /// Lines that say nothing readable.
    pub unreadable: Vec<usize>,
}

impl DotEnv {
    /// Reads the file's text. `known` are the variables that `${NAME}` may name beside the file's
    /// own.
    pub fn parse(text: &str, known: &BTreeMap<String, String>) -> Self {
        let mut parsed = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, rest)) = line.split_once('=') else {
                parsed.unreadable.push(index + 1);
                continue;
            };
            let name = name.trim();
            if name.is_empty() || name.contains(char::is_whitespace) {
                parsed.unreadable.push(index + 1);
                continue;
            }
            let rest = rest.trim_start();
            let value = match rest.chars().next() {
                Some(quote @ ('\'' | '"')) => {
                    let mut body = rest[1..].to_owned();
                    let mut closed = cut_at_quote(&mut body, quote);
                    let ahead = lines.clone();
                    while !closed {
                        let Some((_, more)) = lines.next() else { break };
                        body.push('\n');
                        body.push_str(more);
                        closed = cut_at_quote(&mut body, quote);
                    }
                    if !closed {
                        // The quote was never meant to open anything.
                        lines = ahead;
                        expand(bare(rest), &parsed.entries, known)
                    } else if quote == '"' {
                        expand(&unescape(&body), &parsed.entries, known)
                    } else {
                        body.replace("\\'", "'").replace("\\\\", "\\")
                    }
                }
                _ => expand(bare(rest), &parsed.entries, known),
            };
            parsed.entries.insert(name.to_owned(), Entry { value, line: index + 1 });
        }
        parsed
    }
}

/// Cuts the text at the closing quote; whether there was one.
fn cut_at_quote(body: &mut String, quote: char) -> bool {
    let mut escaped = false;
    let end = body.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    });
    end.map(|end| body.truncate(end)).is_some()
}

/// A value without quotes: it ends before « #».
fn bare(rest: &str) -> &str {
    if rest.starts_with('#') {
        return "";
    }
    let comment = rest.match_indices('#').find(|(at, _)| rest[..*at].ends_with([' ', '\t']));
    comment.map_or(rest, |(at, _)| &rest[..at]).trim_end()
}

fn unescape(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some(c @ ('"' | '\'' | '\\')) => text.push(c),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

/// Puts values in the place of `${NAME}` and `${NAME:-otherwise}`.
fn expand(text: &str, own: &BTreeMap<String, Entry>, known: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let inside = &rest[start + 2..start + length];
        let (name, otherwise) = inside.split_once(":-").unwrap_or((inside, ""));
        let value = known.get(name).or_else(|| own.get(name).map(|entry| &entry.value));
        out.push_str(&rest[..start]);
        out.push_str(value.map_or(otherwise, String::as_str));
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str, name: &str) -> String {
        let parsed = DotEnv::parse(text, &BTreeMap::new());
        parsed.entries.get(name).map_or_else(|| "(none)".to_owned(), |entry| entry.value.clone())
    }

    #[test]
    fn values_are_read_as_the_old_program_read_them() {
        assert_eq!(value("A=1", "A"), "1");
        assert_eq!(value("\u{feff}export A = 1 # comment\r\n", "A"), "1");
        assert_eq!(value("A=pass#word", "A"), "pass#word");
        assert_eq!(value("A=# nothing", "A"), "");
        assert_eq!(
            value("A=\"with # and \\\"quotes\\\"\" # comment", "A"),
            "with # and \"quotes\""
        );
        assert_eq!(value("A='single $x \\n'", "A"), "single $x \\n");
        assert_eq!(value("A=\"two\nlines\"\nB=2", "A"), "two\nlines");
        assert_eq!(value("A=\"two\nlines\"\nB=2", "B"), "2");
        assert_eq!(value("A=1\nA=2", "A"), "2");
        assert_eq!(value("A=1\nB=${A}/${C:-3}/$A", "B"), "1/3/$A");
        assert_eq!(value("A=\"never closed\nB=2", "B"), "2");
    }

    #[test]
    fn a_line_that_says_nothing_is_told_by_its_number() {
        let parsed = DotEnv::parse("A=1\nnonsense\n=x\n", &BTreeMap::new());
        assert_eq!(parsed.unreadable, [2, 3]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A-Z=\"'#\\\\${}: \n]{0,60}") {
            DotEnv::parse(&text, &BTreeMap::new());
        }
    }
}
