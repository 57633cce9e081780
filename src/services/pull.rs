//! The catalogue pulled from 1C on a schedule or by hand; never two pulls at once.
//!
//! It ends in the same [`Exchange::apply`] as a push. A fault of the network or of the server is
//! tried again sooner than the interval, later each time; a refusal waits for the interval.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::Base;
use super::accounts::Actor;
use super::exchange::raw;
use super::exchange::spool::{Spool, SpoolWriter};
use super::exchange::{ApplyReport, Exchange, ExchangeError, Origin, Way};
use super::live::Change;
use crate::clients::http::HttpSetupError;
use crate::clients::onec::{Fetched, OnecClient, OnecError, OnecLimits, Validators};
use crate::domain::{Timestamp, ru};
use crate::formats::onec_json::{CatalogJson, CatalogJsonError};
use crate::storage::exchange_log::{self, ExchangeRow, StepRow};
use crate::storage::{StorageError, audit};

/// The first wait after a fault; the next ones are twice as long, up to the interval.
const FIRST_BACK_OFF: Duration = Duration::from_mins(1);
/// A shorter interval would keep 1C busy with nothing else.
const SHORTEST_INTERVAL: Duration = Duration::from_mins(1);

/// The pull. Clones share it.
#[derive(Clone)]
pub struct Pull {
    base: Base,
    exchange: Exchange,
    client: Option<Arc<OnecClient>>,
    turn: Arc<tokio::sync::Mutex<Validators>>,
    state: Arc<Mutex<PullStatus>>,
}

/// Where the pull stands, for pages and health.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PullStatus {
    /// Whether the schedule is on.
    pub scheduled: bool,
    /// Since when one runs.
    pub running_since: Option<Timestamp>,
    /// When the last one that succeeded ended, in the life of this process.
    pub succeeded_at: Option<Timestamp>,
    /// When and why the last one failed; `None` after a success.
    pub failed_at: Option<(Timestamp, String)>,
    /// Failures in a row.
    pub failures: u32,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    /// Since when there was no success, once that is longer than two intervals: time to tell the
    /// administrators.
    pub silent_since: Option<Timestamp>,
    started_at: Timestamp,
}

/// What a pull brought.
#[derive(Debug, Clone)]
pub enum Pulled {
    /// 1C says that nothing has changed.
    Unchanged,
    /// The catalogue was applied.
    Applied(Box<ApplyReport>),
}

/// Why a pull brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// There is no address.
    #[error("адрес 1С не указан: onec.pull.base_url")]
    NotConfigured,
    /// Another one runs, here or in another process.
    #[error("обмен с 1С уже идёт")]
    Running,
    /// 1C did not give a catalogue.
    #[error(transparent)]
    Remote(#[from] OnecError),
    /// What it gave cannot be read, or stored now.
    #[error("{0}")]
    Apply(#[from] ExchangeError<CatalogJsonError>),
    /// The database or the disk refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl PullError {
    /// Whether trying again soon may help.
    fn is_transient(&self) -> bool {
        match self {
            Self::Remote(error) => error.is_transient(),
            Self::Apply(error) => !matches!(error, ExchangeError::Source(_)),
            Self::Running | Self::Storage(_) => true,
            Self::NotConfigured => false,
        }
    }
}

impl Pull {
    /// The pull that the settings describe.
    ///
    /// # Errors
    ///
    /// [`HttpSetupError`], when the address is of no use: the start stops.
    pub fn new(base: Base, exchange: Exchange) -> Result<Self, HttpSetupError> {
        Self::with_limits(base, exchange, OnecLimits::default())
    }

    /// [`Pull::new`] with other limits.
    pub fn with_limits(
        base: Base,
        exchange: Exchange,
        limits: OnecLimits,
    ) -> Result<Self, HttpSetupError> {
        let settings = &base.config.onec.pull;
        let client = OnecClient::new(settings, limits)?.map(Arc::new);
        let state = PullStatus {
            scheduled: settings.enabled && client.is_some(),
            started_at: base.clock.now(),
            ..PullStatus::default()
        };
        let (turn, state) = (Arc::default(), Arc::new(Mutex::new(state)));
        Ok(Self { base, exchange, client, turn, state })
    }

    fn state(&self) -> MutexGuard<'_, PullStatus> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the pull stands.
    pub fn status(&self) -> PullStatus {
        self.state().clone()
    }

    /// What `check` warns about.
    pub fn warning(&self) -> Option<&'static str> {
        self.client.as_ref().and_then(|client| client.warning())
    }

    /// Whether there is an address to pull from.
    pub fn is_set_up(&self) -> bool {
        self.client.is_some()
    }

    /// The host and port that the catalogue is pulled from; `None`: it is not set up.
    pub fn address(&self) -> Option<String> {
        self.client.as_ref().map(|client| client.address())
    }

    fn interval(&self) -> Duration {
        self.base.config.onec.pull.interval.max(SHORTEST_INTERVAL)
    }

    /// Pulls now.
    ///
    /// # Errors
    ///
    /// [`PullError`]; what failed is in the journal, except [`PullError::Running`] and
    /// [`PullError::NotConfigured`].
    pub async fn pull(&self) -> Result<Pulled, PullError> {
        let client = self.client.clone().ok_or(PullError::NotConfigured)?;
        let mut known = self.turn.try_lock().map_err(|_| PullError::Running)?;
        let _alone = self.alone()?;
        let began = self.base.clock.now();
        self.state().running_since = Some(began);
        self.base.live.tell(Change::Exchange);
        let running = Running(&self.state);
        let pulled = self.pull_from(&client, &mut known, began).await;
        drop(running);
        self.base.live.tell(Change::Exchange);
        let now = self.base.clock.now();
        let mut state = self.state();
        match &pulled {
            Ok(_) => {
                state.succeeded_at = Some(now);
                (state.failed_at, state.failures, state.silent_since) = (None, 0, None);
            }
            Err(error) => {
                state.failed_at = Some((now, error.to_string()));
                state.failures = state.failures.saturating_add(1);
                let since = state.succeeded_at.unwrap_or(state.started_at);
                if state.scheduled && now.since(since) > self.interval() * 2 {
                    if state.silent_since.is_none() {
                        warn!("1С не отвечает дольше двух интервалов обмена: {error}");
                    }
                    state.silent_since = Some(since);
                }
            }
        }
        pulled
    }

    /// Pulls now because somebody says so, which the journal of changes remembers.
    ///
    /// # Errors
    ///
    /// Those of [`Pull::pull`].
    pub async fn pull_by_hand(&self, by: Actor) -> Result<Pulled, PullError> {
        if !self.is_set_up() {
            return Err(PullError::NotConfigured);
        }
        let now = self.base.clock.now();
        let write = move |tx: &rusqlite::Transaction<'_>| {
            audit::record(tx, &by.entry("exchange.pull", "onec", now))
        };
        self.base.db.write(write).await?;
        self.pull().await
    }

    /// The lock that keeps other processes from pulling meanwhile; gone with the process.
    fn alone(&self) -> Result<File, PullError> {
        let folder = self.folder();
        let failed = |source| StorageError::Io { path: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let file = File::create(folder.join("pull.lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(PullError::Running),
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error).into()),
        }
    }

    fn folder(&self) -> std::path::PathBuf {
        self.base.config.data_dir.join("exchange")
    }

    async fn pull_from(
        &self,
        client: &OnecClient,
        known: &mut Validators,
        began: Timestamp,
    ) -> Result<Pulled, PullError> {
        let mut origin = Origin::new(Way::Pull);
        origin.request_id = Uuid::new_v4().to_string();
        origin.address = client.address();
        let (spool, validators) = match self.fetch(client, known).await {
            Ok(Some(fetched)) => fetched,
            Ok(None) => {
                info!(request.id = origin.request_id, "каталог в 1С не изменился");
                self.note_unchanged(&origin, began).await?;
                return Ok(Pulled::Unchanged);
            }
            Err(error) => {
                warn!(request.id = origin.request_id, "каталог из 1С не получен: {error}");
                self.note_failure(&origin, began, &error).await?;
                return Err(error.into());
            }
        };
        let now = self.base.clock.now();
        match raw::keep(&self.base.config, spool.path(), "catalog.json", spool.size(), now) {
            Ok(file) => origin.files.push(file),
            Err(error) => warn!("a raw file is not kept: {error}"),
        }
        let report = self.exchange.apply(CatalogJson(spool), origin).await?;
        // Only now: what was not stored is to be given again.
        *known = validators;
        Ok(Pulled::Applied(Box::new(report)))
    }

    /// The body on the disk with its validators; `None` when nothing has changed.
    async fn fetch(
        &self,
        client: &OnecClient,
        known: &Validators,
    ) -> Result<Option<(Spool, Validators)>, OnecError> {
        let sink = |error: &dyn std::fmt::Display| OnecError::Sink(error.to_string());
        let limit = OnecLimits::default().bytes;
        let writer = SpoolWriter::create(&self.folder(), limit).map_err(|e| sink(&e))?;
        let mut writer = Some(writer);
        let fetched = client
            .catalog(known, |bytes| {
                let taken = writer.take().ok_or_else(|| "запись прервана".to_owned())?;
                writer = Some(taken.write(bytes).map_err(|error| error.to_string())?);
                Ok(())
            })
            .await?;
        match (fetched, writer) {
            (Fetched::Body(validators), Some(writer)) => {
                Ok(Some((writer.finish().map_err(|e| sink(&e))?, validators)))
            }
            _ => Ok(None),
        }
    }

    async fn note_failure(
        &self,
        origin: &Origin,
        began: Timestamp,
        error: &OnecError,
    ) -> Result<(), StorageError> {
        let error = ru::ellipsis(&error.to_string(), 500);
        self.note(ExchangeRow { error, ..self.row(origin, began) }, None).await
    }

    /// The journal tells that 1C was asked, although there was nothing to apply.
    async fn note_unchanged(&self, origin: &Origin, began: Timestamp) -> Result<(), StorageError> {
        self.note(self.row(origin, began), Some("В 1С ничего не изменилось")).await
    }

    fn row(&self, origin: &Origin, began: Timestamp) -> ExchangeRow {
        let took = self.base.clock.now().since(began);
        ExchangeRow {
            at: began,
            duration_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            way: origin.way.as_str().to_owned(),
            kind: "catalog".to_owned(),
            request_id: origin.request_id.clone(),
            address: origin.address.clone(),
            ..ExchangeRow::default()
        }
    }

    async fn note(&self, row: ExchangeRow, step: Option<&'static str>) -> Result<(), StorageError> {
        let at = self.base.clock.now();
        let write = move |tx: &rusqlite::Transaction<'_>| {
            let id = exchange_log::insert(tx, &row)?;
            if let Some(step) = step {
                exchange_log::add_step(tx, id, &StepRow { at, step: step.to_owned() })?;
            }
            Ok::<_, StorageError>(())
        };
        self.base.db.write(write).await?;
        self.base.live.tell(Change::Exchange);
        Ok(())
    }

    /// One turn of the schedule; how long to wait for the next.
    pub async fn turn(&self) -> Duration {
        let interval = self.interval();
        let wait = match self.pull().await {
            Err(error) if error.is_transient() => {
                let doublings = self.status().failures.saturating_sub(1).min(10);
                (FIRST_BACK_OFF * 2_u32.pow(doublings)).min(interval)
            }
            Ok(_) | Err(_) => interval,
        };
        self.state().next_at = Some(self.base.clock.now().plus(wait));
        wait
    }

    /// Pulls on schedule until told to stop; returns at once when the schedule is off.
    pub async fn run(self, stop: CancellationToken) {
        if !self.status().scheduled {
            stop.cancelled().await;
            return;
        }
        loop {
            // A pull that is broken off stores nothing: stopping need not wait for it.
            let wait = tokio::select! {
                wait = self.turn() => wait,
                () = stop.cancelled() => return,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Says that a pull runs for as long as it lives.
struct Running<'a>(&'a Arc<Mutex<PullStatus>>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).running_since = None;
    }
}
