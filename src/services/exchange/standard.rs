//! The standard exchange of 1C with a site: sessions, files on their way in, imports that go on
//! while 1C asks how far they are.
//!
//! What 1C puts on the wire is in `web::onec::standard`; this is what follows from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::sale::Handed;
use super::staging::{Name, Staged, StagingError};
use super::{ApplyReport, Exchange, ExchangeError, Origin, Way, apply, blocking, note, raw};
use crate::domain::{OrderId, ProductId, Timestamp, ru};
use crate::formats::commerceml::{CommerceMl, CommerceMlError, Content, content, read_documents};
use crate::formats::onec_json::Reopen;
use crate::services::live::Change;
use crate::storage::exchange_log::{self, StepRow};
use crate::storage::{StorageError, entries};
use crate::tasks::Tasks;

/// A session that nobody has used so long is over: a full upload with pictures takes hours.
const IDLE: Duration = Duration::from_hours(3);
/// Sessions that are kept; of more the oldest go.
const SESSIONS: usize = 500;
/// Files of one session.
const FILES: usize = 2_000;
/// Steps of a session that wait for their line in the journal.
const STEPS: usize = 200;
/// What was uploaded and not asked for is imported after this: 11 can be told not to ask.
const QUIET: Duration = Duration::from_mins(10);

/// What the exchange remembers between requests.
#[derive(Debug)]
pub struct Standard {
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    mentioned: Arc<Mutex<HashMap<ProductId, Timestamp>>>,
    handed: Mutex<Handed>,
    /// From here on we know what was mentioned.
    since: Timestamp,
    last: Mutex<Option<LastRequest>>,
}

/// The last request of the standard exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRequest {
    /// When.
    pub at: Timestamp,
    /// `catalog checkauth`.
    pub what: String,
    /// From where.
    pub address: String,
    /// The program, by its `User-Agent`.
    pub sender: String,
}

/// Products that exchanges have mentioned, and when.
#[derive(Debug, Clone)]
pub struct Mentions {
    all: Arc<Mutex<HashMap<ProductId, Timestamp>>>,
    /// When the session began.
    pub began: Timestamp,
}

impl Mentions {
    /// Mentioned since the session began.
    pub fn in_session(&self) -> Vec<ProductId> {
        let all = lock(&self.all);
        all.iter().filter(|(_, at)| **at >= self.began).map(|(id, _)| *id).collect()
    }

    /// These have been mentioned.
    pub fn note(&self, products: Vec<ProductId>, now: Timestamp) {
        lock(&self.all).extend(products.into_iter().map(|id| (id, now)));
    }
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
    offered: Vec<OrderId>,
}

#[derive(Debug)]
struct File {
    name: Name,
    staged: Arc<Staged>,
    at: Timestamp,
    /// The import, once it has been asked for; `None` inside: it goes on.
    job: Option<watch::Receiver<Option<Result<(), String>>>>,
    progress: super::Progress,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is in the database.
    Done,
    /// It goes on: so many records so far.
    GoesOn(usize),
    /// It came to nothing, and why.
    Failed(String),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Standard {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            sessions: Mutex::default(),
            mentioned: Arc::default(),
            handed: Mutex::default(),
            since: now,
            last: Mutex::default(),
        }
    }

    pub(super) fn choose(&self, waiting: &[OrderId]) -> Vec<OrderId> {
        lock(&self.handed).choose(waiting)
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

    fn origin(&self, mentions: &Arc<Mutex<HashMap<ProductId, Timestamp>>>) -> Origin {
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
            mentions: Some(Mentions { all: mentions.clone(), began: self.began }),
            ..Origin::new(Way::CommerceMl)
        }
    }
}

impl Exchange {
    fn folder(&self) -> std::path::PathBuf {
        self.base.config.data_dir.join("exchange")
    }

    /// The last request of the standard exchange since the program began.
    pub fn last_request(&self) -> Option<LastRequest> {
        lock(&self.standard.last).clone()
    }

    /// Notes a request.
    pub fn note_request(&self, what: &str, address: &str, sender: &str) {
        let at = self.base.clock.now();
        let last = LastRequest {
            at,
            what: what.to_owned(),
            address: address.to_owned(),
            sender: sender.to_owned(),
        };
        let before = lock(&self.standard.last).replace(last);
        // Open pages wait for the first request; pieces of a file are no news.
        if before.is_none_or(|before| before.what != what) {
            self.base.live.tell(Change::Exchange);
        }
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
        sessions.retain(|_, session| now.since(lock(&session.state).used) < IDLE);
        while sessions.len() >= SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, session)| lock(&session.state).used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            sessions.remove(&oldest);
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
    pub fn init(&self, session: &Session) {
        let mut state = lock(&session.state);
        state.files.clear();
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
            let open = state.files.get(&name.key).is_some_and(|file| file.job.is_none());
            let file = if open { state.files.remove(&name.key) } else { None };
            if file.is_none() && state.files.len() >= FILES {
                return Err(std::io::Error::other("слишком много файлов в одном сеансе").into());
            }
            file.and_then(|file| Arc::try_unwrap(file.staged).ok())
        };
        let staged = match known {
            Some(staged) => staged,
            None => tokio::task::spawn_blocking(move || Staged::create(&folder))
                .await
                .map_err(std::io::Error::other)??,
        };
        let before = staged.size();
        let at = self.base.clock.now();
        Ok(Upload { session, name: name.clone(), staged: Some(staged), before, at, _turn: turn })
    }

    /// Imports a file that has been uploaded, and waits for it at most `patience`.
    pub async fn import(
        &self,
        session: &Arc<Session>,
        name: &Name,
        tasks: &Tasks,
        patience: Duration,
    ) -> Result<Imported, StorageError> {
        if !lock(&session.state).files.contains_key(&name.key) {
            self.unpack(session).await;
        }
        let (mut job, progress) = {
            let mut state = lock(&session.state);
            let Some(file) = state.files.get_mut(&name.key) else {
                return Ok(if name.picture {
                    Imported::Done
                } else {
                    Imported::Failed(format!("Файл {} не найден: передайте его снова", name.shown))
                });
            };
            let job = match &file.job {
                Some(job) => job.clone(),
                None => {
                    let (done, job) = watch::channel(None);
                    file.job = Some(job.clone());
                    let (this, session) = (self.clone(), session.clone());
                    let (name, staged) = (file.name.clone(), file.staged.clone());
                    let progress = file.progress.clone();
                    tasks.spawn_once("import", async move {
                        let result = this.work(&session, &name, staged, progress).await;
                        let _ = done.send(Some(result));
                    });
                    job
                }
            };
            (job, file.progress.clone())
        };
        let waited = tokio::time::timeout(patience, job.wait_for(Option::is_some)).await;
        let result = match waited {
            Err(_) => {
                let count = progress.load(std::sync::atomic::Ordering::Relaxed);
                return Ok(Imported::GoesOn(count));
            }
            Ok(Ok(result)) => result.clone().unwrap_or(Ok(())),
            // The work is gone without a word: it has panicked.
            Ok(Err(_)) => Err("Внутренняя ошибка, подробности в журнале Партнёр-М".to_owned()),
        };
        match result {
            Ok(()) => Ok(Imported::Done),
            Err(why) => {
                // Asked again, it is tried again.
                if let Some(file) = lock(&session.state).files.get_mut(&name.key) {
                    file.job = None;
                    file.progress = super::Progress::default();
                }
                Ok(Imported::Failed(why))
            }
        }
    }

    /// Does the import; why not, in Russian.
    async fn work(
        &self,
        session: &Arc<Session>,
        name: &Name,
        staged: Arc<Staged>,
        progress: super::Progress,
    ) -> Result<(), String> {
        let now = self.base.clock.now();
        session.step(now, format!("импорт {}", name.shown));
        let look = staged.clone();
        let looked = blocking(move || {
            if look.is_zip()? {
                return Ok(None);
            }
            let mut text = look.source()?;
            let content = content(text.reopen()?)?;
            Ok::<_, CommerceMlError>(Some((text, content)))
        })
        .await
        .map_err(|error| internal(&error))?;
        let mut origin = session.origin(&self.standard.mentioned);
        origin.progress = Some(progress.clone());
        self.keep_raw(&mut origin, &staged, name, now).await;
        let (text, content) = match looked {
            Ok(Some(found)) => found,
            Ok(None) => return Box::pin(self.archive(session, name, &staged, progress)).await,
            Err(error) => {
                let noted = self.note_failure("catalog", &origin, now, &error.to_string()).await;
                noted.map_err(|error| internal(&error))?;
                return Err(format!("{}: {error}", name.shown));
            }
        };
        match content {
            Content::Catalog => match self.apply(CommerceMl(text), origin).await {
                Ok(_) => Ok(()),
                Err(ExchangeError::Source(error)) => Err(format!("{}: {error}", name.shown)),
                Err(ExchangeError::Busy) => {
                    Err("Идёт другой обмен, повторите через минуту".to_owned())
                }
                Err(ExchangeError::Storage(error)) => Err(internal(&error)),
            },
            Content::Documents => self.read_orders(name, &text, origin).await,
            Content::Other => {
                session.step(now, format!("{}: ни товаров, ни заказов", name.shown));
                Ok(())
            }
        }
    }

    async fn read_orders(
        &self,
        name: &Name,
        text: &super::staging::StagedText,
        origin: Origin,
    ) -> Result<(), String> {
        let now = self.base.clock.now();
        let mut text = text.clone();
        let read = blocking(move || read_documents(text.reopen()?));
        match read.await.map_err(|error| internal(&error))? {
            Ok(documents) => {
                let stored = self.order_documents(documents, origin).await;
                stored.map(drop).map_err(|error| internal(&error))
            }
            Err(error) => {
                let noted = self.note_failure("statuses", &origin, now, &error.to_string()).await;
                noted.map_err(|error| internal(&error))?;
                Err(format!("{}: {error}", name.shown))
            }
        }
    }

    /// Imports every file of an archive.
    async fn archive(
        &self,
        session: &Arc<Session>,
        name: &Name,
        staged: &Arc<Staged>,
        progress: super::Progress,
    ) -> Result<(), String> {
        let (archive, folder) = (staged.clone(), self.folder());
        let files = blocking(move || archive.unpack(&folder)).await;
        let mut files = match files.map_err(|error| internal(&error))? {
            Ok(files) => files,
            Err(error) => return Err(format!("{}: {error}", name.shown)),
        };
        files.sort_by_key(|(name, _)| rank(&name.key));
        for (name, staged) in files {
            if !rank(&name.key).1.ends_with(".xml") {
                continue;
            }
            let staged = Arc::new(staged);
            Box::pin(self.work(session, &name, staged, progress.clone())).await?;
        }
        Ok(())
    }

    /// 1C asks for a file by the name that it has inside an archive.
    async fn unpack(&self, session: &Arc<Session>) {
        let archives: Vec<Arc<Staged>> = {
            let state = lock(&session.state);
            let open = state.files.values().filter(|file| file.job.is_none());
            open.filter(|file| file.name.key.ends_with(".zip")).map(|f| f.staged.clone()).collect()
        };
        for archive in archives {
            let folder = self.folder();
            let files =
                blocking(
                    move || {
                        if archive.is_zip()? { archive.unpack(&folder) } else { Ok(Vec::new()) }
                    },
                );
            match files.await {
                Ok(Ok(files)) => {
                    let now = self.base.clock.now();
                    let mut state = lock(&session.state);
                    for (name, staged) in files {
                        if state.files.len() < FILES && !state.files.contains_key(&name.key) {
                            state.files.insert(name.key.clone(), File::new(name, staged, now));
                        }
                    }
                }
                Ok(Err(error)) => session.step(self.base.clock.now(), error.to_string()),
                Err(error) => warn!("архив не читается: {error}"),
            }
        }
    }

    /// A file of orders may be processed as soon as it is whole: no `import` follows in 10.3.
    ///
    /// # Errors
    ///
    /// Why it came to nothing, in Russian.
    pub async fn orders_uploaded(
        &self,
        session: &Arc<Session>,
        name: &Name,
        tasks: &Tasks,
        patience: Duration,
    ) -> Result<(), String> {
        let staged = {
            let state = lock(&session.state);
            state.files.get(&name.key).map(|file| file.staged.clone())
        };
        let Some(staged) = staged else { return Ok(()) };
        let whole = blocking(move || {
            if staged.is_zip()? {
                return Ok(false);
            }
            let mut text = staged.source()?;
            if content(text.reopen()?)? != Content::Documents {
                return Ok(false);
            }
            read_documents(text.reopen()?)?;
            Ok::<_, CommerceMlError>(true)
        });
        match whole.await.map_err(|error| internal(&error))? {
            // The next piece may be on its way.
            Ok(false) | Err(CommerceMlError::Cut(_)) => Ok(()),
            Ok(true) | Err(_) => match self.import(session, name, tasks, patience).await {
                Ok(Imported::Failed(why)) => Err(why),
                Ok(Imported::Done | Imported::GoesOn(_)) => Ok(()),
                Err(error) => Err(internal(&error)),
            },
        }
    }

    /// `mode=query`: the document with the orders that wait.
    pub async fn query(&self, session: &Session) -> Result<Vec<u8>, StorageError> {
        session.step(self.base.clock.now(), "1С запросила заявки");
        let origin = || session.origin(&self.standard.mentioned);
        let (xml, orders) = self.orders_document(&origin).await?;
        lock(&session.state).offered = orders;
        Ok(xml)
    }

    /// `mode=success`: 1C has taken what the session's last query handed out.
    pub async fn confirm(&self, session: &Session) -> Result<(), StorageError> {
        let taken = std::mem::take(&mut lock(&session.state).offered);
        if taken.is_empty() {
            return Ok(());
        }
        session.step(self.base.clock.now(), "1С приняла заявки");
        self.taken(taken, session.origin(&self.standard.mentioned)).await
    }

    /// `mode=deactivate`: hides what no exchange has mentioned since `since`, within reason.
    pub async fn deactivate(
        &self,
        session: &Session,
        since: Timestamp,
    ) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        session.step(now, "1С просит скрыть то, чего не было в выгрузке");
        if since < self.standard.since {
            // After a restart we do not know what was mentioned: nothing is hidden by guess.
            session.step(now, "не скрыто ничего: программа запущена позже начала обмена");
            return Ok(());
        }
        let origin = session.origin(&self.standard.mentioned);
        let seen: std::collections::HashSet<ProductId> = {
            let all = lock(&self.standard.mentioned);
            all.iter().filter(|(_, at)| **at >= since).map(|(id, _)| *id).collect()
        };
        let hidden = self
            .base
            .db
            .write(move |tx| {
                let (absent, on_sale) = apply::unseen(tx, &seen)?;
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

    async fn keep_raw(
        &self,
        origin: &mut Origin,
        staged: &Arc<Staged>,
        name: &Name,
        now: Timestamp,
    ) {
        let (config, staged, shown) =
            (self.base.config.clone(), staged.clone(), name.shown.clone());
        let kept = blocking(move || raw::keep(&config, staged.path(), &shown, staged.size(), now));
        match kept.await {
            Ok(Ok(file)) => origin.files.push(file),
            Ok(Err(error)) => warn!("исходный файл не сохранён: {error}"),
            Err(error) => warn!("исходный файл не сохранён: {error}"),
        }
    }

    /// Imports what was uploaded a while ago and never asked for; how many files.
    pub async fn import_forgotten(&self, tasks: &Tasks) -> Result<usize, StorageError> {
        let now = self.base.clock.now();
        let sessions: Vec<Arc<Session>> = {
            let all = lock(&self.standard.sessions);
            all.iter()
                .filter(|(key, session)| **key == session.id)
                .map(|(_, s)| s.clone())
                .collect()
        };
        let mut count = 0;
        for session in sessions {
            let mut names: Vec<Name> = {
                let state = lock(&session.state);
                if now.since(state.used) < QUIET {
                    continue;
                }
                let open = state.files.values().filter(|file| file.job.is_none());
                open.filter(|file| now.since(file.at) >= QUIET).map(|f| f.name.clone()).collect()
            };
            names.sort_by_key(|name| rank(&name.key));
            for name in names {
                session.step(now, format!("{}: 1С не попросила импорта, он начат сам", name.shown));
                let hour = Duration::from_hours(1);
                if let Imported::Failed(why) = self.import(&session, &name, tasks, hour).await? {
                    // Once is enough: what cannot be read now cannot be read later.
                    info!("незапрошенная выгрузка не загружена: {why}");
                    lock(&session.state).files.remove(&name.key);
                }
                count += 1;
            }
        }
        Ok(count)
    }

    /// Removes raw files that are no longer kept.
    pub async fn sweep_raw(&self) -> Result<usize, StorageError> {
        let (config, now) = (self.base.config.clone(), self.base.clock.now());
        let removed = match blocking(move || raw::sweep(&config, now)).await? {
            Ok(removed) => removed,
            Err(error) => {
                warn!("старые исходные файлы не удалены: {error}");
                return Ok(0);
            }
        };
        let count = removed.len();
        if count > 0 {
            self.base.db.write(move |tx| exchange_log::forget_files(tx, &removed)).await?;
        }
        Ok(count)
    }

    /// Looks after uploads until told to stop.
    pub async fn run(self, tasks: Tasks, stop: CancellationToken) {
        loop {
            if let Err(error) = self.import_forgotten(&tasks).await {
                warn!("незапрошенные выгрузки: {error}");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_mins(1)) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Our fault: 1C is told to come again, the log is told why.
fn internal(error: &StorageError) -> String {
    if error.is_full() {
        return "На диске Партнёр-М кончилось место".to_owned();
    }
    warn!("обмен не удался: {error}");
    "Внутренняя ошибка, повторите обмен; подробности в журнале Партнёр-М".to_owned()
}

/// Goods before offers before prices before stock, portions in their order.
fn rank(key: &str) -> (usize, String) {
    let order = ["import", "goods", "offers", "prices", "rests"];
    let place = order.iter().position(|begin| key.starts_with(begin)).unwrap_or(order.len());
    (place, key.to_owned())
}

impl File {
    fn new(name: Name, staged: Staged, at: Timestamp) -> Self {
        let staged = Arc::new(staged);
        Self { name, staged, at, job: None, progress: super::Progress::default() }
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
    pub fn finish(mut self) -> u64 {
        let Some(staged) = self.staged.take() else { return 0 };
        let bytes = staged.size() - self.before;
        self.put(staged);
        bytes
    }

    fn put(&self, staged: Staged) {
        let file = File::new(self.name.clone(), staged, self.at);
        lock(&self.session.state).files.insert(self.name.key.clone(), file);
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
