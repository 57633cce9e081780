//! The recognition bench: what a text would become, why, and teaching it better. The engine, the
//! words and the history are those of the bot; nothing is ordered.

pub mod answer;
mod file;
mod golden;
pub mod score;

use super::Base;
use super::accounts::Actor;
use super::catalog::{Catalog, CatalogError};
use super::journal::entry;
use super::live::Change;
use super::models::Models;
use crate::clients::llm::{Answer, ProviderKind};
use crate::domain::{LineState, OrganizationId, ProductId};
use crate::recognition::{Buyer, Index, Line, Recognition, RemarkKind};
use crate::services::directory::Listed;
use crate::services::ordering::keep_unknown;
use crate::storage::figures::{self, Gap, Recognised};
use crate::storage::offers::{self, Offer};
use crate::storage::synonyms::{self, Means, SynonymFilter, SynonymRow};
use crate::storage::{StorageError, audit, entries, words};

pub use file::SynonymsImported;
pub use golden::{CasesImported, Run, Verdict};

/// Longer texts are cut: a page is for looking, files go through the bot.
pub const TEXT_MAX_CHARS: usize = 20_000;

/// The bench. Clones share it.
#[derive(Clone)]
pub struct Bench {
    base: Base,
    catalog: Catalog,
}

/// What a text was understood to say.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The lines.
    pub lines: Vec<TriedLine>,
    /// What orders nothing.
    pub remarks: Vec<(RemarkKind, String)>,
    /// How long it took, in microseconds.
    pub micros: u128,
}

/// A line with the words it was made of and the products around it.
#[derive(Debug, Clone)]
pub struct TriedLine {
    /// The words.
    pub raw: String,
    /// What was understood.
    pub line: Line,
    /// The candidates, best first, with their scores.
    pub offers: Vec<(Offer, f64)>,
}

/// The local engine and the models side by side.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What the local engine made of the text.
    pub local: Tried,
    /// The models that are set up, in the order they are asked.
    pub answers: Vec<ModelAnswer>,
}

/// What came of asking one model.
#[derive(Debug, Clone)]
pub struct ModelAnswer {
    /// Who.
    pub provider: ProviderKind,
    /// What recognition makes of its words, and the answer itself; or why there is none, in Russian.
    pub outcome: Result<(Tried, Answer), String>,
}

/// A text that was read.
struct Read {
    text: String,
    found: Recognition,
    micros: u128,
    index: std::sync::Arc<Index>,
    buyer: Buyer,
}

/// Why the bench has no answer.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// What is taught is empty or leads to itself.
    #[error("{0}")]
    Invalid(&'static str),
    /// The index is not there.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Bench {
    /// Over this database and catalogue.
    pub fn new(base: Base, catalog: Catalog) -> Self {
        Self { base, catalog }
    }

    /// What the text would become for this organization, or for nobody in particular.
    pub async fn recognize(
        &self,
        organization: Option<OrganizationId>,
        text: &str,
    ) -> Result<Tried, BenchError> {
        let read = self.read(organization, text).await?;
        Ok(self.tried(&read.text, read.found, read.micros).await?)
    }

    /// What the local engine and every model that is set up make of the text, side by side. A model
    /// that does not answer tells why.
    pub async fn compare(
        &self,
        models: &Models,
        organization: Option<OrganizationId>,
        text: &str,
    ) -> Result<Comparison, BenchError> {
        let Read { text, found, micros, index, buyer } = self.read(organization, text).await?;
        if found.lines.is_empty() {
            // A model is asked about lines: without any there is nothing to pay for.
            let local = self.tried(&text, found, micros).await?;
            return Ok(Comparison { local, answers: Vec::new() });
        }
        let ask = |provider: ProviderKind| {
            let (index, text, found, buyer) = (&index, &text, &found, &buyer);
            async move { models.compare(provider, index, text, found, buyer, organization).await }
        };
        let configured: Vec<_> = models.status().into_iter().map(|s| s.provider).collect();
        let (gigachat, openai) =
            tokio::join!(ask(ProviderKind::GigaChat), ask(ProviderKind::OpenAi));
        let mut answers = Vec::new();
        for (provider, outcome) in
            [(ProviderKind::GigaChat, gigachat), (ProviderKind::OpenAi, openai)]
        {
            if !configured.contains(&provider) {
                continue;
            }
            let outcome = match outcome {
                Ok((recognition, answer)) => {
                    let micros = answer.took.as_micros();
                    Ok((self.tried(&text, recognition, micros).await?, answer))
                }
                Err(error) => Err(error.to_string()),
            };
            answers.push(ModelAnswer { provider, outcome });
        }
        Ok(Comparison { local: self.tried(&text, found, micros).await?, answers })
    }

    async fn read(
        &self,
        organization: Option<OrganizationId>,
        text: &str,
    ) -> Result<Read, BenchError> {
        let index = self.catalog.index().await?;
        let buyer = match organization {
            Some(id) => self.base.db.read(move |conn| words::buyer(conn, id)).await?,
            None => Buyer::default(),
        };
        let text: String = text.chars().take(TEXT_MAX_CHARS).collect();
        let work = move || {
            let begun = std::time::Instant::now();
            let found = keep_unknown(&text, index.recognize(&text, &buyer));
            Read { micros: begun.elapsed().as_micros(), text, found, index, buyer }
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(|_| StorageError::Interrupted)?)
    }

    /// What was recognised, with the products around it.
    async fn tried(
        &self,
        text: &str,
        found: Recognition,
        micros: u128,
    ) -> Result<Tried, StorageError> {
        let products = found
            .lines
            .iter()
            .flat_map(|line| line.candidates.iter().map(|c| c.product).chain(line.product));
        let ids: Vec<ProductId> = products.collect();
        let offers = self.base.db.read(move |conn| offers::load(conn, ids, None)).await?;
        let slice =
            |span: std::ops::Range<usize>| text.get(span).unwrap_or_default().trim().to_owned();
        let lines = found.lines.into_iter().map(|line| {
            let offers = line
                .candidates
                .iter()
                .filter_map(|c| offers.get(&c.product).map(|offer| (offer.clone(), c.score)));
            TriedLine { raw: slice(line.span.clone()), offers: offers.collect(), line }
        });
        let lines = lines.collect();
        let remarks = found.remarks.into_iter().map(|r| (r.kind, slice(r.span))).collect();
        Ok(Tried { lines, remarks, micros })
    }

    /// Teaches that a phrase means a product: to one organization's words, or to everyone's.
    pub async fn teach(
        &self,
        by: Actor,
        organization: Option<OrganizationId>,
        phrase: &str,
        product: ProductId,
    ) -> Result<(), BenchError> {
        let phrase = phrase.trim().to_owned();
        if phrase.is_empty() {
            return Err(BenchError::Invalid("Нечему учиться: в строке нет слов."));
        }
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                match organization {
                    Some(organization) => {
                        words::learn(tx, organization, &phrase, product, None, now)?;
                    }
                    None => {
                        let means = Means::Product(product);
                        synonyms::put(tx, None, &phrase, means, "learnt", now)?;
                        entries::touch(tx, now)?;
                    }
                }
                let (object, means) = (whose(organization), format!("{phrase} → товар {product}"));
                let change = (None, Some(means.as_str()));
                audit::record(tx, &entry(&by, now, "synonym.added", &object, change))?;
                Ok::<_, StorageError>(())
            })
            .await?;
        self.changed().await
    }

    /// A page of the synonyms.
    pub async fn synonyms(
        &self,
        filter: SynonymFilter,
        offset: u32,
        limit: u32,
    ) -> Result<Listed<SynonymRow>, StorageError> {
        self.base
            .db
            .read(move |conn| {
                let rows = synonyms::list(conn, &filter, offset, limit)?;
                Ok(Listed { rows, total: synonyms::count(conn, &filter)? })
            })
            .await
    }

    /// Adds a synonym: words that mean other words.
    ///
    /// # Errors
    ///
    /// [`BenchError::Invalid`] for empty words and for words that mean themselves.
    pub async fn add_synonym(
        &self,
        by: Actor,
        organization: Option<OrganizationId>,
        words: &str,
        means: &str,
    ) -> Result<(), BenchError> {
        let tidy =
            |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let (words, means) = (tidy(words), tidy(means));
        if words.is_empty() || means.is_empty() {
            return Err(BenchError::Invalid("Заполните оба поля: слова клиента и что они значат."));
        }
        if words == means {
            return Err(BenchError::Invalid("Слова значат сами себя: такой синоним не нужен."));
        }
        let (back, own) = (means.clone(), words.clone());
        let loops = self.base.db.read(move |conn| synonyms::leads_to(conn, &back, &own)).await?;
        if loops {
            return Err(BenchError::Invalid(
                "Синонимы замкнутся в круг: «это значит» уже ведёт обратно к этим словам.",
            ));
        }
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                synonyms::put(tx, organization, &words, Means::Words(&means), "manual", now)?;
                let (object, means) = (whose(organization), format!("{words} → {means}"));
                let change = (None, Some(means.as_str()));
                audit::record(tx, &entry(&by, now, "synonym.added", &object, change))?;
                entries::touch(tx, now)
            })
            .await?;
        self.changed().await
    }

    /// Words of the last ninety days that lead to no product, the most frequent first.
    pub async fn gaps(&self, limit: u32) -> Result<Vec<Gap>, StorageError> {
        let since = self.base.clock.now().minus(std::time::Duration::from_hours(24 * 90));
        self.base.db.read(move |conn| figures::gaps(conn, since, limit)).await
    }

    /// Says of words that we do not sell such a thing: they are no gap.
    pub async fn not_ours(&self, phrase: String) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        self.base.db.write(move |tx| figures::set_foreign(tx, &phrase, now)).await
    }

    /// The last lines recognised for clients, the newest first.
    pub async fn recognised(
        &self,
        state: Option<LineState>,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Recognised>, StorageError> {
        self.base.db.read(move |conn| figures::recognised(conn, state, offset, limit)).await
    }

    /// Whether a synonym is one organization's own, or `None` when there is no such synonym.
    pub async fn synonym_is_own(&self, id: i64) -> Result<Option<bool>, StorageError> {
        self.base.db.read(move |conn| synonyms::is_own(conn, id)).await
    }

    /// Switches a synonym on or off; whether there is one.
    pub async fn set_synonym_enabled(
        &self,
        by: Actor,
        id: i64,
        enabled: bool,
    ) -> Result<bool, BenchError> {
        let now = self.base.clock.now();
        let found = self
            .base
            .db
            .write(move |tx| {
                entries::touch(tx, now)?;
                let (object, after) =
                    (format!("synonym:{id}"), if enabled { "вкл" } else { "выкл" });
                let change = (None, Some(after));
                audit::record(tx, &entry(&by, now, "synonym.changed", &object, change))?;
                synonyms::set_enabled(tx, id, enabled)
            })
            .await?;
        self.changed().await?;
        Ok(found)
    }

    /// Takes a synonym away; whether there was one.
    pub async fn remove_synonym(&self, by: Actor, id: i64) -> Result<bool, BenchError> {
        let now = self.base.clock.now();
        let found = self
            .base
            .db
            .write(move |tx| {
                entries::touch(tx, now)?;
                let object = format!("synonym:{id}");
                audit::record(tx, &entry(&by, now, "synonym.removed", &object, (None, None)))?;
                synonyms::delete(tx, id)
            })
            .await?;
        self.changed().await?;
        Ok(found)
    }

    /// What was taught holds from the next text on.
    async fn changed(&self) -> Result<(), BenchError> {
        self.catalog.refresh().await?;
        self.base.live.tell(Change::Catalog);
        Ok(())
    }
}

/// Whose words change, as the journal writes it.
fn whose(organization: Option<OrganizationId>) -> String {
    organization.map_or_else(|| "synonym".to_owned(), |id| format!("organization:{id}"))
}
