//! Killed at any moment under writes through every door, the program loses nothing that it
//! acknowledged and doubles nothing.
//!
//! Twenty rounds here; `PARTNER_M_KILL_ROUNDS` asks for more, `.ci/kill-loop` for 200.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partner_m::storage::backup;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};

use super::program::{Program, Running, run};
use crate::support::bot_api::{BotApi, Person, TOKEN};
use crate::support::desk::CATALOG;
use crate::support::session::{Session, ask};

const WEBHOOK: &str = "a-token-of-the-kill-loop-0123456789";
const PASSWORD: &str = "семь раз отмерь";
const BUYERS: i64 = 8;
/// Twenty messages a minute from one person are too many.
const PACE: Duration = Duration::from_millis(3_100);
/// Talks in a thread.
const TALKER: i64 = 109;

/// People with chats, a thread, and orders for the panel to take.
const PEOPLE: &str = "
    insert into persons (id, name, phone, phone_verified, created_at_ms)
        select value, 'Покупатель ' || value, '+7921000' || (1000 + value), 1, 0
        from json_each('[101, 102, 103, 104, 105, 106, 107, 108, 109, 110]');
    insert into organizations (id, kind, name, verified, created_at_ms)
        select id, 'company', 'ООО ' || id, 1, 0 from persons where id > 100;
    insert into members (organization_id, person_id, role, state, created_at_ms)
        select id, id, 'owner', 'active', 0 from persons where id > 100;
    insert into chats (key, person_id, linked_at_ms)
        select 'tg:' || id, id, 0 from persons where id between 101 and 109;
    insert into threads (id, organization_id, author_id, topic, subject, created_at_ms, updated_at_ms)
        values (1, 109, 109, 'other', 'Когда?', 0, 0);
    insert into thread_messages (thread_id, person_id, from_staff, text, at_ms)
        values (1, 109, 0, 'Когда?', 0);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 900)
    insert into orders (number, uuid, organization_id, author_id, status, source, created_at_ms, updated_at_ms)
        select i, 'u' || i, 110, 110, 'new', 'panel', 0, 0 from n;
";

/// What was acknowledged, whoever heard it.
#[derive(Default)]
struct Journal {
    /// Pushes by their number: whether 200 came.
    pushes: Mutex<BTreeMap<u64, bool>>,
    /// Orders that the panel took.
    taken: Mutex<BTreeSet<i64>>,
    /// Notes: whether the panel said that they are there.
    notes: Mutex<BTreeMap<u64, bool>>,
    /// Messages that went into the thread through the bot.
    replies: Mutex<Vec<String>>,
    /// Buyers whose order's number has been shown: the quantity of its line.
    ordered: Mutex<Vec<(i64, u64)>>,
    next: AtomicU64,
}

impl Journal {
    fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// 1C pushes until the program is gone.
fn push(address: SocketAddr, journal: &Journal) {
    loop {
        let n = journal.next();
        let items: Vec<String> = (0..3)
            .map(|i| format!(r#"{{"sku":"P{n}-{i}","title":"Товар {n}-{i}","price":{n}}}"#))
            .collect();
        journal.pushes.lock().unwrap().insert(n, false);
        let head = format!(
            "POST /integrations/1c/catalog HTTP/1.1\r\nAuthorization: Bearer {WEBHOOK}\r\n\
             Content-Type: application/json"
        );
        let body = format!("[{}]", items.join(","));
        let Some((status, answer)) = ask(address, &head, &body) else { return };
        assert_eq!(status, 200, "{answer}");
        journal.pushes.lock().unwrap().insert(n, true);
    }
}

/// A manager takes orders, writes notes and answers until the program is gone.
fn work(
    address: SocketAddr,
    mut session: Session,
    journal: &Journal,
    shown: &dyn Fn() -> Vec<i64>,
) {
    if session.refresh(address).is_none() {
        return;
    }
    let mut seeded = 1;
    loop {
        let taken = journal.taken.lock().unwrap().clone();
        // Orders of buyers first: they are told.
        let order = shown().into_iter().find(|number| !taken.contains(number)).or_else(|| {
            seeded = (seeded..=900).find(|number| !taken.contains(number))?;
            Some(seeded)
        });
        let Some(order) = order else { return };
        let path = format!("/admin/orders/{order}/status");
        match session.post(address, &path, "status=accepted") {
            // Taken in a round whose answer was lost: it says so.
            Some((303 | 409 | 422, _)) => journal.taken.lock().unwrap().insert(order),
            Some((status, answer)) => panic!("№ {order}: {status} {answer}"),
            None => return,
        };
        let n = journal.next();
        journal.notes.lock().unwrap().insert(n, false);
        let path = format!("/admin/orders/{order}/messages");
        match session.post(address, &path, &format!("kind=note&text=note-{n}.")) {
            Some((303, _)) => journal.notes.lock().unwrap().insert(n, true),
            Some((status, answer)) => panic!("a note: {status} {answer}"),
            None => return,
        };
    }
}

/// The numbers of orders in what the bot has shown.
fn numbers(bot_api: &BotApi) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    for call in bot_api.calls().iter().filter(|call| call.ok) {
        let text = call.params["text"].as_str().unwrap_or_default().replace('\u{a0}', " ");
        for part in text.split("№ ").skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            found.extend(digits.parse::<i64>());
        }
    }
    found
}

/// A buyer orders, one order after another, tapping whatever leads on.
async fn buy(bot_api: Arc<BotApi>, buyer: Person, journal: Arc<Journal>, over: Arc<AtomicBool>) {
    let mut tapped: HashSet<String> = HashSet::new();
    while !over.load(Ordering::SeqCst) {
        let n = journal.next();
        let next_at = tokio::time::Instant::now() + PACE;
        let before = bot_api.last_order_number(buyer.id);
        buyer.says(&format!("саморез 4х25 желтый {n} шт"));
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if bot_api.last_order_number(buyer.id) > before {
                journal.ordered.lock().unwrap().push((buyer.id, n));
                break;
            }
            let chat = bot_api.chat(buyer.id);
            let buttons = chat.messages.iter().rev().flat_map(|message| {
                message.buttons.iter().flatten().map(move |button| (message.id, button))
            });
            let mut ways =
                buttons.filter(|(_, (label, _))| label == "Отправить" || label == "Оформить");
            if let Some((message, (_, button))) = ways.next() {
                let data = button["callback_data"].as_str().expect("a callback").to_owned();
                if tapped.insert(format!("{message} {data}")) {
                    buyer.taps_data(message, &data);
                }
            }
        }
        tokio::time::sleep_until(next_at).await;
    }
}

/// A client answers into a thread, again and again.
async fn talk(bot_api: Arc<BotApi>, talker: Person, journal: Arc<Journal>, over: Arc<AtomicBool>) {
    let answered = bot_api.wait_for(TALKER, |chat| !chat.of_bot().is_empty()).await;
    let message = answered.last().id;
    while !over.load(Ordering::SeqCst) {
        let text = format!("ответ-{}.", journal.next());
        talker.replies(message, &text);
        journal.replies.lock().unwrap().push(text);
        tokio::time::sleep(PACE).await;
    }
}

/// One number from the database.
fn count(program: &Program, sql: &str) -> i64 {
    let path = program.data().join("partner-m.db");
    Db::look(&path, |conn| Ok(conn.query_row(sql, [], |row| row.get(0))?)).expect("read")
}

/// Moments to kill at: any will do, and a failure names what it began with.
struct Chance(u64);

impl Chance {
    fn millis(&mut self, from: u64, to: u64) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_millis(from + self.0 % (to - from))
    }
}

fn start(program: &Program, bot_api: &BotApi) -> Running {
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("RUST_LOG", "warn")
        .env("BOT_TOKEN", TOKEN)
        .env("TELEGRAM_API_URL", bot_api.url())
        .env("ONE_C_WEBHOOK_TOKEN", WEBHOOK);
    Running::begin(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_program_killed_at_any_moment_keeps_what_it_acknowledged_once() {
    let rounds: u32 = std::env::var("PARTNER_M_KILL_ROUNDS")
        .ok()
        .map_or(20, |rounds| rounds.parse().expect("a number of rounds"));
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock")
        .as_nanos();
    let mut chance = Chance(u64::try_from(seed % 1_000_000_007).expect("small") + 1);
    let program = Program::new();
    std::fs::create_dir(program.data()).expect("made");
    let path = program.data().join("partner-m.db");
    Db::open(&path, Create::Yes)
        .expect("opens")
        .write_blocking(|tx| {
            tx.execute_batch(CATALOG)?;
            Ok::<_, StorageError>(tx.execute_batch(PEOPLE)?)
        })
        .expect("seeded");
    let password = program.folder().join("password");
    std::fs::write(&password, PASSWORD).expect("written");
    let mut admin = program.command(&[
        "admin",
        "create",
        "--phone",
        "+79210000001",
        "--name",
        "Мария",
        "--password-stdin",
    ]);
    admin.stdin(std::fs::File::open(password).expect("opens"));
    assert_eq!(run(admin).code, 0);

    let bot_api = Arc::new(BotApi::start().await);
    let journal = Arc::new(Journal::default());
    let over = Arc::new(AtomicBool::new(false));
    let mut people = Vec::new();
    for id in 101..101 + BUYERS {
        let buyer = bot_api.user(id, "Анна");
        people.push(tokio::spawn(buy(bot_api.clone(), buyer, journal.clone(), over.clone())));
    }
    let talker = bot_api.user(TALKER, "Пётр");
    people.push(tokio::spawn(talk(bot_api.clone(), talker, journal.clone(), over.clone())));

    let mut running = start(&program, &bot_api);
    let session = Session::open(running.address, "%2B79210000001", PASSWORD);
    let answer = "kind=answer&text=soon";
    let (status, said) =
        session.post(running.address, "/admin/questions/1/messages", answer).expect("answered");
    assert_eq!(status, 303, "{said}");
    bot_api.wait_for(TALKER, |chat| !chat.of_bot().is_empty()).await;

    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        let address = running.address;
        let doors = [
            std::thread::spawn({
                let journal = journal.clone();
                move || push(address, &journal)
            }),
            std::thread::spawn({
                let (journal, session, bot_api) =
                    (journal.clone(), session.clone(), bot_api.clone());
                move || {
                    let shown = || numbers(&bot_api).into_iter().filter(|n| *n > 1_000).collect();
                    work(address, session, &journal, &shown);
                }
            }),
        ];
        tokio::time::sleep(chance.millis(200, 1_500)).await;
        running.signal("KILL");
        running.wait();
        for door in doors {
            door.join().expect("a door");
        }
        backup::inspect(&path).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let begun = Instant::now();
        running = start(&program, &bot_api);
        slowest = slowest.max(begun.elapsed());
    }

    over.store(true, Ordering::SeqCst);
    for (id, person) in (101..).zip(people) {
        let done = tokio::time::timeout(Duration::from_mins(2), person).await;
        let chat = bot_api.chat(if id < 101 + BUYERS { id } else { TALKER });
        done.unwrap_or_else(|_| panic!("seed {seed}: {id} waits for ever: {:#?}", chat.texts()))
            .expect("sound");
    }
    let settled = || {
        bot_api.unacknowledged() == 0
            && count(&program, "select count(*) from inbox where state = 'pending'") == 0
            && count(
                &program,
                "select count(*) from outbox
                    where state = 'queued' and due_at_ms <= unixepoch() * 1000 + 5000",
            ) == 0
    };
    let begun = Instant::now();
    while !settled() {
        assert!(begun.elapsed() < Duration::from_mins(3), "it does not come to rest");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.stop();
    let told = check(&program, &bot_api, &journal);
    eprintln!("{rounds} kills, seed {seed}: {told}, slowest start {} ms", slowest.as_millis());
}

/// Everything acknowledged is there, each once; what it was, in words.
fn check(program: &Program, bot_api: &BotApi, journal: &Journal) -> String {
    backup::inspect(&program.data().join("partner-m.db")).expect("sound");
    let one = |sql: String| count(program, &sql);

    let shown: Vec<i64> = numbers(bot_api).into_iter().filter(|n| *n > 1_000).collect();
    for number in &shown {
        assert_eq!(
            one(format!("select count(*) from orders where number = {number}")),
            1,
            "№ {number}"
        );
    }
    let ordered = journal.ordered.lock().unwrap();
    for (buyer, n) in ordered.iter() {
        let sql = format!(
            "select count(*) from orders o join order_lines l on l.order_id = o.id
            where o.author_id = {buyer} and l.quantity_thousandths = {n} * 1000"
        );
        assert_eq!(one(sql), 1, "buyer {buyer}, {n} pieces");
    }
    let gap = "select max(number) - 1000 - count(*) from orders where number > 1000".to_owned();
    assert_eq!(one(gap), 0, "numbers without a gap");
    let dead = "select count(*) from inbox where state = 'dead'".to_owned();
    assert_eq!(one(dead), 0, "no event was given up");

    let pushes = journal.pushes.lock().unwrap();
    for (n, acknowledged) in pushes.iter() {
        let stored = one(format!(
            "select count(*) from products p join prices r on r.product_id = p.id
            where p.sku in ('P{n}-0', 'P{n}-1', 'P{n}-2') and r.amount_kopecks = {n} * 100"
        ));
        assert!(stored == 3 || (stored == 0 && !acknowledged), "push {n}: {stored} of 3");
    }
    let taken = journal.taken.lock().unwrap();
    for number in taken.iter() {
        let sql = format!(
            "select count(*) from orders o join order_events e on e.order_id = o.id
            where o.number = {number} and o.status = 'accepted' and e.kind = 'status'"
        );
        assert_eq!(one(sql), 1, "№ {number} was taken once");
    }
    let notes = journal.notes.lock().unwrap();
    for (n, acknowledged) in notes.iter() {
        let stored = one(format!("select count(*) from order_events where text = 'note-{n}.'"));
        assert!(stored == 1 || (stored == 0 && !acknowledged), "note {n}: {stored}");
    }
    let replies = journal.replies.lock().unwrap();
    for text in replies.iter() {
        let stored = one(format!("select count(*) from thread_messages where text = '{text}'"));
        assert_eq!(stored, 1, "{text}");
    }
    let acknowledged = |map: &BTreeMap<u64, bool>| map.values().filter(|ok| **ok).count();
    assert!(
        acknowledged(&pushes) > 0
            && !taken.is_empty()
            && !replies.is_empty()
            && !ordered.is_empty()
    );
    format!(
        "orders {}, pushes {}, statuses {}, notes {}, messages {}, lost 0, doubled 0",
        ordered.len(),
        acknowledged(&pushes),
        taken.len(),
        acknowledged(&notes),
        replies.len()
    )
}
