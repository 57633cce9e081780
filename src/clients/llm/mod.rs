//! Language models: GigaChat, then OpenAI or a compatible server, in a [`Chain`].
//!
//! A model proposes words and nothing else: ids and prices are never taken from an answer, and
//! what its words mean is for recognition to say. Keys, tokens, prompts and answers are not logged.

mod chain;
mod gigachat;
pub mod mask;
mod openai;
mod prompt;
pub mod reading;
mod wire;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;

pub use chain::{
    Answer, AskLines, Budget, BudgetError, Chain, ChainError, Faults, Limits, LineForModel, Probe,
    Proposal, ProviderState, ProviderStatus, Unlimited,
};
pub use gigachat::GigaChatClient;
pub use openai::OpenAiClient;
pub use prompt::Prompt;

/// A boxed future, so that providers can be kept behind `dyn`.
pub type Calling<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// GigaChat of Sber.
    #[serde(rename = "gigachat")]
    GigaChat,
    /// OpenAI or a server that speaks its protocol.
    #[serde(rename = "openai")]
    OpenAi,
}

impl ProviderKind {
    /// The code in settings, logs and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GigaChat => "gigachat",
            Self::OpenAi => "openai",
        }
    }

    /// The name as people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::GigaChat => "GigaChat",
            Self::OpenAi => "OpenAI",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A model behind a wire.
pub trait Provider: Send + Sync {
    /// Who it is.
    fn kind(&self) -> ProviderKind;

    /// The model asked for.
    fn model(&self) -> &str;

    /// Asks once. Renews its own token where it has one; does not wait and repeat: that is for the
    /// chain, which knows how much time is left.
    fn complete<'a>(&'a self, prompt: &'a Prompt) -> Calling<'a, Result<Completion, CallError>>;
}

/// What a model wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text, or the arguments of a function call as JSON.
    pub content: String,
    /// The model as the server names it, with its version.
    pub model: String,
    /// Tokens used, question and answer together.
    pub tokens: Option<u64>,
    /// The server's id of the request, for its support.
    pub request_id: Option<String>,
}

/// Why there is no answer, in words that an operator can act on, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct CallError {
    /// What follows from it.
    pub fault: Fault,
    /// Why, in Russian.
    pub why: String,
}

/// What follows from a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The key, the account or the settings: no use to ask again until someone has changed them.
    Refused,
    /// Too many requests; worth one more try after the wait.
    Busy(Option<Duration>),
    /// A fault of the server; worth one more try after the wait.
    Server(Option<Duration>),
    /// The network, TLS, or no answer in time.
    Network,
    /// The answer is no answer: a page of HTML, a cut or endless body.
    Garbled,
    /// This request is not answered; others may be.
    Declined,
}

impl CallError {
    fn new(fault: Fault, why: impl Into<String>) -> Self {
        Self { fault, why: why.into() }
    }
}
