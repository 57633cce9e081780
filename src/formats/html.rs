//! Text with the few marks that messages have.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// Text for a message, in the subset of HTML that Telegram reads: `<b>`, `<i>`, `<s>`, `<code>`.
/// Every value put into it is escaped; nothing is formatted into a message by hand.
///
/// Source: Bot API, HTML style <https://core.telegram.org/bots/api#html-style>.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Html(String);

impl Html {
    /// No text yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plain text, escaped.
    pub fn text(text: impl fmt::Display) -> Self {
        Self::new().push(text)
    }

    /// This text with more plain text after it.
    #[must_use]
    pub fn push(mut self, text: impl fmt::Display) -> Self {
        escape(&mut self.0, &text.to_string());
        self
    }

    /// This text with bold text after it.
    #[must_use]
    pub fn bold(self, text: impl fmt::Display) -> Self {
        self.marked("b", text)
    }

    /// This text with slanted text after it.
    #[must_use]
    pub fn italic(self, text: impl fmt::Display) -> Self {
        self.marked("i", text)
    }

    /// This text with text to be copied after it.
    #[must_use]
    pub fn code(self, text: impl fmt::Display) -> Self {
        self.marked("code", text)
    }

    /// This text with `other` after it.
    #[must_use]
    pub fn append(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// This text and a new line.
    #[must_use]
    pub fn line(mut self) -> Self {
        self.0.push('\n');
        self
    }

    fn marked(mut self, tag: &str, text: impl fmt::Display) -> Self {
        let _ = write!(self.0, "<{tag}>");
        self = self.push(text);
        let _ = write!(self.0, "</{tag}>");
        self
    }

    /// The markup, as Telegram and a page take it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without its marks.
    pub fn plain(&self) -> String {
        let mut plain = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(start) = rest.find('<') {
            plain.push_str(&rest[..start]);
            rest = rest[start..].split_once('>').map_or("", |(_, after)| after);
        }
        plain.push_str(rest);
        plain
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }

    /// Length as Telegram counts it: UTF-16 units after the marks are parsed.
    pub fn utf16_len(&self) -> usize {
        self.plain().encode_utf16().count()
    }
}

fn escape(into: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_come_back_plain() {
        let hostile = "<script>alert(\"1\")</script>&amp;";
        let html = Html::new().bold(hostile).line().push("1 < 2");
        assert_eq!(
            html.as_str(),
            "<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;</b>\n1 &lt; 2"
        );
        assert_eq!(html.plain(), format!("{hostile}\n1 < 2"));
        assert_eq!(Html::text("🆕").utf16_len(), 2);
    }
}
