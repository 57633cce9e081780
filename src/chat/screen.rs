//! What to show.

use std::fmt;

use super::Action;
use crate::formats::html::Html;
use crate::services::notifications::{
    ButtonTarget, InlineButton, Message, Outgoing, Place, ReplyKeyboard,
};

/// A message to show, with its buttons. [`fmt::Display`] draws it as text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Screen {
    /// The text.
    pub html: Html,
    /// Rows of buttons.
    pub rows: Vec<Vec<Button>>,
    /// A new reply keyboard.
    pub keyboard: Option<ReplyKeyboard>,
}

/// A button under a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it does.
    pub does: Does,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// An action of ours.
    Act(Action),
    /// Opens an address.
    Link(String),
    /// Copies a text.
    Copy(String),
}

impl Button {
    /// A button that does an action.
    pub fn new(label: impl Into<String>, action: Action) -> Self {
        Self { label: label.into(), does: Does::Act(action) }
    }

    /// The button as a wire shows it.
    pub(super) fn inline(self) -> InlineButton {
        InlineButton {
            label: self.label,
            target: match self.does {
                Does::Act(action) => ButtonTarget::Press(action.encode()),
                Does::Link(url) => ButtonTarget::Link(url),
                Does::Copy(text) => ButtonTarget::Copy(text),
            },
        }
    }

    /// A button that opens an address.
    pub fn link(label: impl Into<String>, url: impl Into<String>) -> Self {
        Self { label: label.into(), does: Does::Link(url.into()) }
    }
}

impl Screen {
    /// A screen with this text.
    pub fn new(html: Html) -> Self {
        Self { html, ..Self::default() }
    }

    /// A screen with plain text.
    pub fn text(text: impl fmt::Display) -> Self {
        Self::new(Html::text(text))
    }

    /// With one more row of buttons; an empty one is left out.
    #[must_use]
    pub fn row(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        let row: Vec<Button> = buttons.into_iter().collect();
        if !row.is_empty() {
            self.rows.push(row);
        }
        self
    }

    /// With a new reply keyboard.
    #[must_use]
    pub fn keyboard(mut self, keyboard: ReplyKeyboard) -> Self {
        self.keyboard = Some(keyboard);
        self
    }

    /// The message that a wire shows.
    pub fn into_message(self) -> Message {
        let buttons =
            self.rows.into_iter().map(|row| row.into_iter().map(Button::inline).collect());
        Message {
            html: self.html,
            buttons: buttons.collect(),
            keyboard: self.keyboard,
            silent: false,
        }
    }

    /// Shown as a message of its own.
    pub fn send(self) -> Outgoing {
        Outgoing::Show { slot: None, place: Place::Below, message: self.into_message() }
    }

    /// Shown as a card, where the card stands.
    pub fn in_place(self, slot: impl Into<String>) -> Outgoing {
        let slot = Some(slot.into());
        Outgoing::Show { slot, place: Place::InPlace, message: self.into_message() }
    }

    /// Shown as a card, below everything.
    pub fn below(self, slot: impl Into<String>) -> Outgoing {
        let slot = Some(slot.into());
        Outgoing::Show { slot, place: Place::Below, message: self.into_message() }
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.html.plain())?;
        for row in &self.rows {
            let row: Vec<String> = row.iter().map(|b| format!("[{}]", b.label)).collect();
            write!(f, "\n{}", row.join(" "))?;
        }
        Ok(())
    }
}
