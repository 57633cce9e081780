//! The standard exchange of 1C with a site: sessions, files on their way in, orders on their way
//! out.
//!
//! What 1C puts on the wire is in `web::onec::standard`; this is what follows from it.

mod earlier;
mod import;
mod restart;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use import::Imported;

use super::sale::Handed;
use super::staging::{Name, Note, Staged, StagingError};
use super::{ApplyReport, Exchange, Origin, Way, apply, blocking, note, raw};
use crate::domain::{OrderId, Timestamp, ru};
use crate::formats::commerceml::Form;
use crate::services::live::Change;
use crate::storage::exchange_log::{self, StepRow};
use crate::storage::{StorageError, entries, mentions, products};
use crate::tasks::Tasks;

/// A session that nobody has used so long is over: a full upload with pictures takes hours.
const IDLE: Duration = Duration::from_hours(3);
/// Sessions that are kept; of more the oldest go.
const SESSIONS: usize = 500;
/// Files of one session.
const FILES: usize = 2_000;
/// Steps of a session that wait for their line in the journal.
const STEPS: usize = 200;

/// What the exchange remembers between requests.
#[derive(Debug, Default)]
pub struct Standard {
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    handed: Mutex<Handed>,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    /// The cookie's value.
    pub id: String,
    began: Timestamp,
    address: String,
    sender: String,
    state: Mutex<State>,
    /// One file at a time: pieces of it come one after another.
    upload: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    used: Timestamp,
    files: HashMap<String, File>,
    pictures: usize,
    steps: Vec<StepRow>,
    /// Orders that queries have handed out and 1C has not confirmed yet.
    offered: Vec<OrderId>,
    form: Form,
}

impl State {
    /// The key of the file that a name means: of the one with this path, else of the only one with
    /// its last part, of those that nobody has asked for first.
    fn key_of(&self, name: &Name) -> Option<String> {
        if self.files.contains_key(&name.key) {
            return Some(name.key.clone());
        }
        let only = |closed: bool| {
            let alike = |file: &&File| file.name.last() == name.last() && (closed || !file.closed);
            let mut found = self.files.values().filter(alike);
            found.next().filter(|_| found.next().is_none()).map(|file| file.name.key.clone())
        };
        only(true).or_else(|| only(false))
    }
}

#[derive(Debug)]
struct File {
    name: Name,
    staged: Arc<Staged>,
    at: Timestamp,
    /// Whether its import has been asked for: what comes under its name now is a new file.
    closed: bool,
    /// The import, once it has been asked for; `None` inside: it goes on.
    job: Option<watch::Receiver<Option<Result<(), String>>>>,
    progress: super::Progress,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Standard {
    pub(super) fn choose(&self, waiting: &[OrderId], given: &[OrderId]) -> Vec<OrderId> {
        lock(&self.handed).choose(waiting, given)
    }

    pub(super) fn forget(&self, taken: &[OrderId]) {
        lock(&self.handed).forget(taken);
    }
}

impl Session {
    /// Writes down what happens; the journal gets it with the next file or batch of orders.
    pub fn step(&self, at: Timestamp, step: impl Into<String>) {
        let mut state = lock(&self.state);
        if state.steps.len() < STEPS {
            state.steps.push(StepRow { at, step: step.into() });
        }
    }

    /// What is to be known of a file of its that outlives the program.
    fn note(&self, name: &Name, at: Timestamp, size: u64) -> Note {
        Note {
            session: self.id.clone(),
            began_ms: self.began.millis(),
            address: self.address.clone(),
            sender: self.sender.clone(),
            name: name.clone(),
            at_ms: at.millis(),
            size,
        }
    }

    /// Lets all its files go; the names of those that nobody had asked to import.
    fn discard(&self) -> Vec<String> {
        let mut state = lock(&self.state);
        let mut open = Vec::new();
        for (_, file) in state.files.drain() {
            file.staged.forget_note();
            if !file.closed {
                open.push(file.name.shown);
            }
        }
        open.sort_unstable();
        open
    }

    /// Ends it.
    fn end(&self) {
        for name in self.discard() {
            warn!("{name}: сеанс 1С закончился, файл не загружен");
        }
    }

    fn origin(&self) -> Origin {
        let mut state = lock(&self.state);
        let mut steps = std::mem::take(&mut state.steps);
        if let Some(last) = steps.last().filter(|_| state.pictures > 0) {
            let step = format!("картинок получено: {}, они не хранятся", state.pictures);
            let at = last.at;
            state.pictures = 0;
            steps.push(StepRow { at, step });
        }
        Origin {
            address: self.address.clone(),
            sender: self.sender.clone(),
            session: self.id.clone(),
            steps,
            began: Some(self.began),
            ..Origin::new(Way::CommerceMl)
        }
    }
}

impl Exchange {
    fn folder(&self) -> std::path::PathBuf {
        self.base.config.data_dir.join("exchange")
    }

    /// Begins a session. `owner` names who comes without a cookie: the session is found by it too.
    pub fn begin_session(&self, owner: &str, address: &str, sender: &str) -> Arc<Session> {
        let now = self.base.clock.now();
        let session = Arc::new(Session {
            id: uuid::Uuid::new_v4().simple().to_string(),
            began: now,
            address: address.to_owned(),
            sender: ru::ellipsis(sender, 120),
            state: Mutex::new(State { used: now, ..State::default() }),
            upload: tokio::sync::Mutex::default(),
        });
        let mut sessions = lock(&self.standard.sessions);
        sessions.retain(|key, session| {
            let live = now.since(lock(&session.state).used) < IDLE;
            if !live && *key == session.id {
                session.end();
            }
            live
        });
        while sessions.len() >= SESSIONS {
            // One whose files still wait for their import goes after all the others.
            let oldest = sessions.iter().min_by_key(|(_, session)| {
                let state = lock(&session.state);
                (state.files.values().any(|file| !file.closed), state.used)
            });
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            if let Some(session) = sessions.remove(&oldest).filter(|one| one.id == oldest) {
                session.end();
            }
        }
        sessions.insert(session.id.clone(), session.clone());
        sessions.insert(owner.to_owned(), session.clone());
        session
    }

    /// The session with this cookie, or of this owner.
    pub fn session(&self, key: &str) -> Option<Arc<Session>> {
        let now = self.base.clock.now();
        let session = lock(&self.standard.sessions).get(key).cloned()?;
        let mut state = lock(&session.state);
        if now.since(state.used) >= IDLE {
            return None;
        }
        state.used = now;
        drop(state);
        Some(session)
    }

    /// `mode=init`: what was uploaded before is forgotten. An import that goes on ends by itself.
    /// `form`: how this client reads orders.
    pub fn init(&self, session: &Session, form: Form) {
        for name in session.discard() {
            session.step(self.base.clock.now(), format!("{name}: 1С начала заново, не загружен"));
        }
        let mut state = lock(&session.state);
        state.form = form;
        state.pictures = 0;
    }

    /// A picture has come; nothing shows it.
    pub fn picture(&self, session: &Session) {
        lock(&session.state).pictures += 1;
    }

    /// Opens a file for its next piece. A file that has been imported begins anew.
    ///
    /// # Errors
    ///
    /// [`StagingError`] when there are too many files, or the disk refuses.
    pub async fn open_file<'s>(
        &self,
        session: &'s Session,
        name: &Name,
    ) -> Result<Upload<'s>, StagingError> {
        let turn = session.upload.lock().await;
        let folder = self.folder();
        let known = {
            let mut state = lock(&session.state);
            let open = state.files.get(&name.key).is_some_and(|file| !file.closed);
            let file = if open { state.files.remove(&name.key) } else { None };
            if file.is_none() && state.files.len() >= FILES {
                return Err(std::io::Error::other("слишком много файлов в одном сеансе").into());
            }
            let taken = file.map(|file| Arc::try_unwrap(file.staged));
            taken.and_then(|staged| staged.map_err(|staged| staged.forget_note()).ok())
        };
        let staged = match known {
            Some(staged) => staged,
            None => tokio::task::spawn_blocking(move || Staged::create(&folder))
                .await
                .map_err(std::io::Error::other)??,
        };
        let before = staged.size();
        let at = self.base.clock.now();
        let name = name.clone();
        Ok(Upload { session, name, staged: Some(staged), before, at, _turn: turn })
    }

    /// `mode=query`: the document with the orders that wait. In containers each goes once a
    /// session: the client asks until there are no more.
    pub async fn query(&self, session: &Session) -> Result<Vec<u8>, StorageError> {
        session.step(self.base.clock.now(), "1С запросила заявки");
        let (form, given) = {
            let state = lock(&session.state);
            let given =
                if state.form == Form::Containers { state.offered.clone() } else { Vec::new() };
            (state.form, given)
        };
        let (xml, orders) = self.orders_document(form, &given, &|| session.origin()).await?;
        lock(&session.state).offered = [given, orders].concat();
        Ok(xml)
    }

    /// `mode=success`: 1C has taken what the session's queries handed out.
    pub async fn confirm(&self, session: &Session) -> Result<(), StorageError> {
        let taken = std::mem::take(&mut lock(&session.state).offered);
        if taken.is_empty() {
            return Ok(());
        }
        session.step(self.base.clock.now(), "1С приняла заявки");
        self.taken(taken, session.origin()).await
    }

    /// `mode=deactivate`: hides what no exchange has mentioned since `since`, within reason.
    pub async fn deactivate(
        &self,
        session: &Session,
        since: Timestamp,
    ) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        session.step(now, "1С просит скрыть то, чего не было в выгрузке");
        if since < now.minus(mentions::KEPT) {
            // What was mentioned so long ago is not known any more: nothing is hidden by guess.
            session.step(now, "не скрыто ничего: названный момент слишком давний");
            return Ok(());
        }
        let origin = session.origin();
        let hidden = self
            .base
            .db
            .write(move |tx| {
                let seen = mentions::since(tx, since)?;
                let all = products::on_sale(tx)?;
                let on_sale = all.len();
                let absent = apply::unseen(tx, all, &seen)?;
                let mut report = ApplyReport { received: seen.len(), ..ApplyReport::default() };
                let held = apply::hide(tx, absent, on_sale, now, &mut report)?;
                let id = note(tx, "catalog", &origin, now, Duration::ZERO, &report)?;
                if let Some(held) = held {
                    let total = super::small(held.of_total);
                    exchange_log::hold_hiding(tx, id, now, total, &held.products)?;
                }
                if report.hidden > 0 {
                    entries::touch(tx, now)?;
                }
                Ok::<_, StorageError>(report.hidden)
            })
            .await?;
        if hidden > 0 {
            self.base.live.tell(Change::Catalog);
        }
        Ok(())
    }

    /// Removes raw files that are no longer kept.
    pub async fn sweep_raw(&self) -> Result<usize, StorageError> {
        let (config, now) = (self.base.config.clone(), self.base.clock.now());
        let removed = match blocking(move || raw::sweep(&config, now)).await? {
            Ok(removed) => removed,
            Err(error) => {
                warn!("старые файлы обмена не удаляются: {error}");
                return Ok(0);
            }
        };
        let count = removed.len();
        if count > 0 {
            self.base.db.write(move |tx| exchange_log::forget_files(tx, &removed)).await?;
        }
        Ok(count)
    }

    /// Looks after uploads and raw files until told to stop.
    pub async fn run(self, tasks: Tasks, stop: CancellationToken) {
        let mut minutes = 0_u32;
        loop {
            if minutes.is_multiple_of(60)
                && let Err(error) = self.sweep_raw().await
            {
                warn!("файлы обмена: {error}");
            }
            if let Err(error) = self.import_forgotten(&tasks).await {
                warn!("файлы, которые 1С не попросила загрузить: {error}");
            }
            minutes = minutes.wrapping_add(1);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_mins(1)) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

impl File {
    fn new(name: Name, staged: Staged, at: Timestamp) -> Self {
        let staged = Arc::new(staged);
        Self { name, staged, at, closed: false, job: None, progress: super::Progress::default() }
    }
}

/// A piece of a file on its way in.
pub struct Upload<'s> {
    session: &'s Session,
    name: Name,
    staged: Option<Staged>,
    before: u64,
    at: Timestamp,
    _turn: tokio::sync::MutexGuard<'s, ()>,
}

impl Upload<'_> {
    /// Adds bytes, on a thread of their own.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<(), StagingError> {
        let Some(mut staged) = self.staged.take() else { return Ok(()) };
        let written = tokio::task::spawn_blocking(move || {
            let result = staged.append(&bytes);
            (staged, result)
        });
        let (staged, result) = written.await.map_err(std::io::Error::other)?;
        self.staged = Some(staged);
        result
    }

    /// The piece has come whole; how many bytes it has.
    pub async fn finish(mut self) -> u64 {
        let Some(staged) = self.staged.take() else { return 0 };
        let bytes = staged.size() - self.before;
        let note = self.session.note(&self.name, self.at, staged.size());
        let noted = tokio::task::spawn_blocking(move || (staged.note(&note), staged));
        match noted.await {
            Ok((noted, staged)) => {
                if let Err(error) = noted {
                    warn!("файл обмена не переживёт перезапуска: {error}");
                }
                self.put(staged);
            }
            Err(error) => warn!("файл обмена пропал: {error}"),
        }
        bytes
    }

    fn put(&self, staged: Staged) {
        let file = File::new(self.name.clone(), staged, self.at);
        let former = lock(&self.session.state).files.insert(self.name.key.clone(), file);
        if let Some(former) = former {
            former.staged.forget_note();
        }
    }
}

impl Drop for Upload<'_> {
    /// A piece that broke off is taken back: it may come again.
    fn drop(&mut self) {
        if let Some(mut staged) = self.staged.take()
            && self.before > 0
            && staged.truncate(self.before).is_ok()
        {
            self.put(staged);
        }
    }
}
