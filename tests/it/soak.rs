//! A crowd orders through the bot while managers work in the panel and the program is restarted:
//! nothing is lost, nothing is doubled.
//!
//! Minutes long, so it is asked for: `.ci/soak [seconds] [buyers]`. It prints what it saw; how fast
//! it was is for people to judge.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partner_m::storage::backup;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use tokio::sync::watch;

use super::program::{Program, Running, run};
use crate::support::bot_api::{BotApi, Person, TOKEN};
use crate::support::desk::CATALOG;
use crate::support::session::Session;

const PASSWORD: &str = "семь раз отмерь";
const MANAGERS: usize = 2;
/// How often the program is stopped and started again.
const RESTART_EVERY: Duration = Duration::from_secs(45);
/// How often a person looks at the screen.
const LOOK: Duration = Duration::from_millis(200);

/// What the crowd has seen.
#[derive(Default)]
struct Seen {
    next: AtomicI64,
    /// Buyer and quantity of every order whose number has been shown.
    ordered: Mutex<Vec<(i64, i64)>>,
    /// From the message to the card with «Оформить» under it, on the buyer's screen.
    cards: Mutex<Vec<Duration>>,
    /// From «Отправить» to the number.
    sent: Mutex<Vec<Duration>>,
    /// Orders that managers took, and pages that they opened.
    taken: AtomicU64,
    pages: AtomicU64,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes long: .ci/soak"]
async fn a_crowd_of_buyers_loses_and_doubles_nothing() {
    let seconds = setting("PARTNER_M_SOAK_SECONDS", 300);
    let buyers = i64::try_from(setting("PARTNER_M_SOAK_BUYERS", 200)).expect("a number");
    let program = Program::new();
    std::fs::create_dir(program.data()).expect("made");
    let path = program.data().join("partner-m.db");
    Db::open(&path, Create::Yes)
        .expect("opens")
        .write_blocking(|tx| {
            tx.execute_batch(CATALOG)?;
            Ok::<_, StorageError>(tx.execute_batch(&people(buyers))?)
        })
        .expect("seeded");
    let password = program.folder().join("password");
    std::fs::write(&password, PASSWORD).expect("written");
    let who = ["admin", "create", "--phone", "+79210000001", "--name", "Мария", "--password-stdin"];
    let mut admin = program.command(&who);
    admin.stdin(std::fs::File::open(password).expect("opens"));
    assert_eq!(run(admin).code, 0);

    let bot_api = Arc::new(BotApi::start().await);
    let (seen, over) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let mut running = start(&program, &bot_api);
    let session = Session::open(running.address, "%2B79210000001", PASSWORD);
    let (address, at) = watch::channel(running.address);
    let managers: Vec<_> = (0..MANAGERS)
        .map(|_| {
            let (session, seen, over, at) =
                (session.clone(), seen.clone(), over.clone(), at.clone());
            std::thread::spawn(move || manage(session, &at, &seen, &over))
        })
        .collect();
    let first_rss = rss(&running);
    let mut crowd = Vec::new();
    for id in 1_001..=1_000 + buyers {
        let buyer = bot_api.user(id, "Покупатель");
        crowd.push(tokio::spawn(buy(bot_api.clone(), buyer, seen.clone(), over.clone())));
    }

    let begun = Instant::now();
    let (mut largest, mut restarts, mut restarted) = (first_rss, 0, Instant::now());
    // Each run of the program begins small: its memory is told from one start to the next stop.
    let mut before_stops = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        largest = largest.max(rss(&running));
        if restarted.elapsed() >= RESTART_EVERY {
            before_stops.push(rss(&running));
            let (code, log) = running.stop();
            assert_eq!(code, Some(0), "{log}");
            running = start(&program, &bot_api);
            address.send(running.address).expect("managers listen");
            (restarts, restarted) = (restarts + 1, Instant::now());
        }
    }
    over.store(true, Ordering::SeqCst);
    let crowd = async {
        for buyer in crowd {
            buyer.await.expect("sound");
        }
    };
    tokio::time::timeout(Duration::from_mins(5), crowd).await.expect("the last orders go through");
    for manager in managers {
        manager.join().expect("sound");
    }
    before_stops.push(rss(&running));
    running.stop();
    bot_api.assert_tidy();
    check(&program, &seen);

    let (cards, sent) = (seen.cards.lock().unwrap(), seen.sent.lock().unwrap());
    eprintln!("{buyers} buyers, {seconds} s, {restarts} restarts");
    eprintln!(
        "orders {}, lost 0, doubled 0; managers took {}, opened {} pages",
        seen.ordered.lock().unwrap().len(),
        seen.taken.load(Ordering::SeqCst),
        seen.pages.load(Ordering::SeqCst)
    );
    eprintln!("first card on the screen, Telegram's limits included: {}", spread(&cards));
    eprintln!("«Отправить» to the number on the screen: {}", spread(&sent));
    eprintln!("stored update to its answer in the outbox: {}", spread(&answers(&program)));
    eprintln!(
        "resident memory: {first_rss} MiB at start, largest {largest}, before each stop {before_stops:?}"
    );
}

/// The median, the 99th percentile and the longest.
fn spread(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let Some(longest) = times.last() else { return "none".to_owned() };
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let millis = |time: &Duration| time.as_millis();
    format!(
        "p50 {} ms, p99 {} ms, worst {} ms of {}",
        millis(&median),
        millis(&p99),
        millis(longest),
        times.len()
    )
}

/// Known buyers, each with an organization and a chat.
fn people(buyers: i64) -> String {
    format!(
        "with recursive n (i) as (select 1001 union all select i + 1 from n where i < 1000 + {buyers})
            insert into persons (id, name, phone, phone_verified, created_at_ms)
            select i, 'Покупатель ' || i, '+7921' || (1000000 + i), 1, 0 from n;
        insert into organizations (id, kind, name, verified, created_at_ms)
            select id, 'company', 'ООО ' || id, 1, 0 from persons where id > 1000;
        insert into members (organization_id, person_id, role, state, created_at_ms)
            select id, id, 'owner', 'active', 0 from persons where id > 1000;
        insert into chats (key, person_id, linked_at_ms)
            select 'tg:' || id, id, 0 from persons where id > 1000;"
    )
}

fn start(program: &Program, bot_api: &BotApi) -> Running {
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("RUST_LOG", "warn").env("BOT_TOKEN", TOKEN).env("TELEGRAM_API_URL", bot_api.url());
    Running::begin(command)
}

/// The program's resident memory in MiB.
fn rss(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0) / 1_024
}

/// A buyer writes an order, goes where the buttons lead, waits for the number, and again.
async fn buy(bot_api: Arc<BotApi>, buyer: Person, seen: Arc<Seen>, over: Arc<AtomicBool>) {
    let mut tapped: HashSet<String> = HashSet::new();
    // Not all in the same instant.
    tokio::time::sleep(Duration::from_millis(buyer.id.unsigned_abs() % 97 * 50)).await;
    while !over.load(Ordering::SeqCst) {
        let n = seen.next.fetch_add(1, Ordering::SeqCst) + 1;
        let before = bot_api.last_order_number(buyer.id);
        let mut since = Instant::now();
        let mut card = false;
        buyer.says(&format!(
            "саморез 4х25 желтый {n} шт\nспанбонд 70 белый 2 рул\nнитки 70лл черные 10 шт"
        ));
        while bot_api.last_order_number(buyer.id) == before {
            tokio::time::sleep(LOOK).await;
            let chat = bot_api.chat(buyer.id);
            let buttons = chat.messages.iter().rev().flat_map(|message| {
                message.buttons.iter().flatten().map(move |button| (message.id, button))
            });
            let mut ways =
                buttons.filter(|(_, (label, _))| label == "Отправить" || label == "Оформить");
            let Some((message, (label, button))) = ways.next() else { continue };
            let data = button["callback_data"].as_str().expect("a callback").to_owned();
            if !tapped.insert(format!("{message} {data}")) {
                continue;
            }
            if label == "Оформить" && !card {
                card = true;
                seen.cards.lock().unwrap().push(since.elapsed());
            }
            since = Instant::now();
            buyer.taps_data(message, &data);
        }
        seen.sent.lock().unwrap().push(since.elapsed());
        seen.ordered.lock().unwrap().push((buyer.id, n));
    }
}

/// A manager opens the list and the orders in it, takes them, notes and writes to the client.
fn manage(
    mut session: Session,
    at: &watch::Receiver<std::net::SocketAddr>,
    seen: &Seen,
    over: &AtomicBool,
) {
    while !over.load(Ordering::SeqCst) {
        let address = *at.borrow();
        std::thread::sleep(Duration::from_millis(300));
        // The program is being restarted: look again in a moment.
        let Some((200, list)) = session.get(address, "/admin/orders?view=new") else { continue };
        seen.pages.fetch_add(1, Ordering::SeqCst);
        let mut links = list.split("href=\"/admin/orders/").skip(1);
        let number = links.find_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
        let (Some(number), Some(())) = (number, session.refresh(address)) else { continue };
        let order = format!("/admin/orders/{number}");
        if session.get(address, &order).is_some() {
            seen.pages.fetch_add(1, Ordering::SeqCst);
        }
        match session.post(address, &format!("{order}/status"), "status=accepted") {
            Some((303, _)) => {
                seen.taken.fetch_add(1, Ordering::SeqCst);
            }
            // The other manager was quicker.
            Some((409 | 422, _)) | None => continue,
            Some((status, answer)) => panic!("№ {number}: {status} {answer}"),
        }
        session.post(address, &format!("{order}/messages"), "kind=note&text=note");
    }
}

/// Every order that was shown is there once, each buyer's words made one order, numbers have no gap.
fn check(program: &Program, seen: &Seen) {
    let path = program.data().join("partner-m.db");
    backup::inspect(&path).expect("sound");
    let stored = Db::look(&path, |conn| {
        let mut stmt = conn.prepare(
            "select o.author_id, l.quantity_thousandths / 1000 from orders o
            join order_lines l on l.order_id = o.id and l.product_id = 1",
        )?;
        let rows = stmt.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    });
    let mut times: HashMap<(i64, i64), u32> = HashMap::new();
    for order in stored.expect("read") {
        *times.entry(order).or_default() += 1;
    }
    let doubled: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
    let ordered = seen.ordered.lock().unwrap();
    let lost: Vec<_> = ordered.iter().filter(|order| !times.contains_key(order)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert!(
        !ordered.is_empty() && times.len() == ordered.len(),
        "{} of {}",
        ordered.len(),
        times.len()
    );
    for (sql, what) in [
        ("select max(number) - 1000 - count(*) from orders", "numbers without a gap"),
        ("select count(*) from inbox where state <> 'done'", "every event was answered"),
    ] {
        let count =
            Db::look(&path, |conn| Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?));
        assert_eq!(count.expect("read"), 0, "{what}");
    }
}

/// How long each stored event waited for its answer to be in the outbox.
fn answers(program: &Program) -> Vec<Duration> {
    let waits = Db::look(&program.data().join("partner-m.db"), |conn| {
        let mut stmt =
            conn.prepare("select handled_at_ms - received_at_ms from inbox where state = 'done'")?;
        let rows = stmt.query_map([], |row| row.get::<_, i64>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    });
    let waits = waits.expect("read").into_iter();
    waits.map(|wait| Duration::from_millis(wait.max(0).unsigned_abs())).collect()
}
