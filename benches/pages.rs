//! How long the panel's pages take over a big base: 100 000 products, 100 000 orders, 5 000
//! organizations, 20 000 threads. The base is made in place, the real program serves it, and every
//! main page and list (filtered, searched, sorted, its last page) is asked for over HTTP as a
//! browser does: the time to the first byte, the size of the page as it is and as it was sent.
//!
//! `cargo bench --bench pages [-- --samples 100] [part of an address]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use partner_m::domain::{Clock, Zone};
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};

const PASSWORD: &str = "семь раз отмерь";

/// The aim: so long to the first byte in 99 of 100 cases, and so many bytes of HTML.
const FIRST_BYTE: Duration = Duration::from_millis(30);
const LARGEST: usize = 100_000;

/// Everything that the pages show, with an even spread of what filters ask about. What belongs
/// together, as an order's lines do, is written together, as it is in life.
const BASE: &str = "
    insert into price_types (id, name, is_default) values (1, '', 1);
    insert into warehouses (id, name) values (1, 'Саратов'), (2, 'Энгельс');
    insert into categories (id, external_id, parent_id, title)
        select value, 'c' || value, case when value > 30 then 1 + value % 30 end, 'Раздел ' || value
        from numbers where value between 1 and 300;
    insert into products (id, external_id, sku, title, category_id, unit, available_thousandths, hidden, withdrawn, updated_at_ms)
        select value, 'e' || value, printf('МФ-%06d', value),
            case value % 5 when 0 then 'Саморез' when 1 then 'Петля накладная' when 2 then 'Ручка-скоба'
                when 3 then 'Спанбонд' else 'Опора мебельная' end || ' ' || (3 + value % 12) || '×' || (10 + value % 71)
                || ' ' || case value % 4 when 0 then 'белый' when 1 then 'чёрный' when 2 then 'хром' else 'бронза' end
                || ' DIN ' || value,
            1 + value % 300, 'шт', (value % 50) * 1000000, value % 97 = 0, value % 89 = 0, :now
        from numbers where value between 1 and 100000;
    insert into prices (product_id, price_type_id, amount_kopecks, per)
        select id, 1, 50 + id % 90000, 1 from products where id % 20 > 0;
    insert into packs (product_id, unit, coefficient_thousandths) select id, 'уп', 100000 from products where id % 3 = 0;
    insert into stocks (product_id, warehouse_id, quantity_thousandths)
        select id, 1 + id % 2, available_thousandths from products where available_thousandths > 0;
    insert into persons (id, name, phone, phone_verified, created_at_ms, seen_at_ms)
        select value, 'Покупатель ' || value, '+7921' || (1000000 + value), 1, :now - value * 60000, :now - value * 60000
        from numbers where value between 100 and 10099;
    insert into persons (id, name, phone, phone_verified, granted_role, created_at_ms)
        select value, 'Менеджер ' || value, '+7922' || (1000000 + value), 1, 'manager', :now from numbers where value between 2 and 9;
    insert into organizations (id, kind, name, inn, external_id, verified, manager_id, created_at_ms)
        select value, case when value % 10 = 0 then 'person' else 'company' end, 'ООО «Мебель ' || value || '»',
            printf('64%08d', value), 'org' || value, value % 7 > 0, 2 + value % 8, :now - value * 3600000
        from numbers where value between 1 and 5000;
    insert into members (organization_id, person_id, role, state, created_at_ms)
        select 1 + (id - 100) % 5000, id, case when id < 5100 then 'owner' else 'buyer' end, 'active', :now
        from persons where id >= 100;
    insert into chats (key, person_id, title, linked_at_ms, blocked_at_ms)
        select 'tg:' || id, id, name, :now, case when id % 50 = 0 then :now end from persons where id >= 100;
    insert into balances (organization_id, debt_kopecks, overdue_kopecks, limit_kopecks, as_of_ms, updated_at_ms)
        select id, id * 1000, id * 10, 10000000, :now, :now from organizations where id % 2 = 0;
    insert into drafts (id, chat_key, person_id, organization_id, state, created_at_ms, updated_at_ms)
        select value, 'tg:' || (100 + value % 10000), 100 + value % 10000, 1 + value % 5000, 'sent',
            :now - (30000 - value) * 60000, :now - (30000 - value) * 60000
        from numbers where value between 1 and 30000;
    insert into draft_lines (draft_id, position, raw, phrase, state, product_id, quantity_thousandths)
        select d.id, n.value, 'саморез ' || n.value || 'х' || (d.id % 400), 'саморез ' || n.value || ' ' || (d.id % 400),
            case when (d.id + n.value) % 17 = 0 then 'manager' else 'ok' end,
            case when (d.id + n.value) % 17 > 0 then 1 + (d.id * 7 + n.value * 31) % 100000 end, 10000
        from drafts d, (select value from numbers where value <= 5) n order by d.id, n.value;
    insert into orders (id, number, uuid, organization_id, author_id, manager_id, status, source, delivery_kind,
            delivery_date, total_kopecks, created_at_ms, updated_at_ms, onec_number, onec_acknowledged_at_ms)
        select value, 1000 + value, 'u' || value, 1 + value % 5000, 100 + value % 10000,
            case when value <= 99700 then 2 + value % 8 end,
            case when value > 99700 then 'new' when value > 99500 then 'needs_client' when value > 99000 then 'accepted'
                when value > 98500 then 'picking' when value > 98300 then 'ready' when value > 97000 then 'shipped'
                when value % 20 = 0 then 'cancelled' when value % 33 = 0 then 'rejected' else 'done' end,
            case value % 3 when 0 then 'panel' else 'bot' end,
            case when value % 2 then 'date' else 'any' end,
            case when value % 2 then date(:now / 1000 - (99900 - value) * 240, 'unixepoch') end,
            1000 + (value * 7919) % 9000000, :now - (100000 - value) * 240000, :now - (100000 - value) * 240000,
            case when value < 98000 then 'УТ-' || value end, case when value < 98000 then :now end
        from numbers where value between 1 and 100000;
    insert into order_lines (order_id, position, raw, phrase, state, product_id, title, sku, quantity_thousandths, unit,
            base_quantity_thousandths, base_unit, price_amount_kopecks, price_per, sum_kopecks)
        select o.id, n.value, 'саморез ' || n.value, 'саморез ' || n.value,
            case when o.id > 98000 and (o.id + n.value) % 19 = 0 then 'manager' else 'ok' end,
            case when not (o.id > 98000 and (o.id + n.value) % 19 = 0) then 1 + (o.id * 7 + n.value * 31) % 100000 end,
            'Саморез ' || n.value, 'МФ-' || n.value, 10000, 'шт', 10000, 'шт', 100, 1, 1000
        from orders o, (select value from numbers where value <= 6) n order by o.id, n.value;
    insert into order_events (order_id, at_ms, channel, person_id, kind, text)
        select o.id, o.created_at_ms + n.value * 60000, 'bot', case when n.value > 1 then 2 end,
            case n.value when 1 then 'created' else 'status' end, 'Запись ' || n.value
        from orders o, (select value from numbers where value <= 3) n order by o.id, n.value;
    insert into threads (id, organization_id, author_id, topic, subject, state, manager_id, created_at_ms, updated_at_ms)
        select value, 1 + value % 5000, 100 + value % 10000, case value % 3 when 0 then 'stock' when 1 then 'delivery' else 'other' end,
            'Вопрос ' || value, case when value > 19500 then 'open' else 'resolved' end, case when value % 3 then 2 + value % 8 end,
            :now - (20000 - value) * 1000000, :now - (20000 - value) * 1000000
        from numbers where value between 1 and 20000;
    insert into thread_messages (thread_id, person_id, from_staff, text, at_ms)
        select t.id, t.author_id, n.value = 2 and t.id % 5 > 0, 'Сообщение ' || n.value, t.updated_at_ms - 60000 * (3 - n.value)
        from threads t, (select value from numbers where value <= 2) n order by t.id, n.value;
    insert into synonyms (organization_id, words, means, origin, created_at_ms)
        select case when value % 2 then 1 + value % 5000 end, 'слово ' || value, 'саморез ' || value,
            case value % 3 when 0 then 'learnt' else 'manual' end, :now from numbers where value between 1 and 3000;
    insert into learnt_phrases (organization_id, phrase, product_id, learnt_at_ms)
        select 1 + value % 5000, 'фраза ' || value, 1 + value % 100000, :now from numbers where value between 1 and 50000;
    insert into audit (at_ms, channel, person_id, action, object, before, after)
        select :now - (100000 - value) * 60000, case value % 2 when 0 then 'panel' else 'bot' end, 2 + value % 8,
            'order.status', 'order:' || value, 'Новая', 'Принята' from numbers where value between 1 and 100000;
    insert into exchanges (id, at_ms, duration_ms, way, kind, received, changed, request_id)
        select value, :now - (20000 - value) * 600000, 200, 'json', case value % 3 when 0 then 'orders' else 'catalog' end, 100, 2, 'r' || value
        from numbers where value between 1 and 20000;
    insert into outbox (chat_key, dedup_key, payload, due_at_ms, state, error, created_at_ms, closed_at_ms)
        select 'tg:' || (100 + value % 10000), 'd' || value, '{\"notice\":\"order_status\"}', :now,
            case when value % 200 = 0 then 'failed' else 'sent' end, case when value % 200 = 0 then 'Forbidden' else '' end,
            :now - value * 60000, :now - value * 60000 from numbers where value between 1 and 50000;
    update counters set value = 101000 where name = 'order_number';
";

/// The addresses. `{day}` is today.
const PAGES: &[&str] = &[
    "/admin",
    "/admin/orders",
    "/admin/orders?view=all",
    "/admin/orders?view=all&page=2000",
    "/admin/orders?view=all&sort=oldest",
    "/admin/orders?view=all&sort=dearest",
    "/admin/orders?view=all&sort=cheapest&page=2000",
    "/admin/orders?view=all&sort=delivery",
    "/admin/orders?view=all&sort=organization",
    "/admin/orders?view=all&sort=organization&page=1000",
    "/admin/orders?view=all&q=Мебель 49",
    "/admin/orders?view=all&q=Покупатель 77",
    "/admin/orders?view=all&q=нет такого",
    "/admin/orders?view=all&status=done&status=cancelled",
    "/admin/orders?view=all&manager=3",
    "/admin/orders?view=all&manager=none",
    "/admin/orders?view=all&unresolved=1",
    "/admin/orders?view=all&source=panel",
    "/admin/orders?view=all&onec=no",
    "/admin/orders?view=all&organization=77",
    "/admin/orders?view=all&sum_from=80000",
    "/admin/orders?view=all&created_from=2026-01-01&created_to=2026-06-30",
    "/admin/orders?view=all&delivery_from={day}&delivery_to={day}",
    "/admin/orders?view=all&product=DIN 777",
    "/admin/orders?view=mine",
    "/admin/orders?view=picking",
    "/admin/orders?view=ship",
    "/admin/orders/100500",
    "/admin/orders/101000",
    "/admin/orders/new",
    "/admin/questions",
    "/admin/questions?view=all",
    "/admin/questions?view=closed",
    "/admin/questions?view=closed&page=390",
    "/admin/questions?view=closed&q=Вопрос 15",
    "/admin/questions?view=unread",
    "/admin/questions/20000",
    "/admin/catalog",
    "/admin/catalog?page=2000",
    "/admin/catalog?q=петля белый",
    "/admin/catalog?q=МФ-0777",
    "/admin/catalog?q=нет такого",
    "/admin/catalog?category=5",
    "/admin/catalog?category=105",
    "/admin/catalog?state=out",
    "/admin/catalog?state=priceless",
    "/admin/catalog?state=hidden",
    "/admin/catalog/products/777",
    "/admin/catalog/import",
    "/admin/clients",
    "/admin/clients?page=100",
    "/admin/clients?q=Мебель 49",
    "/admin/clients?q=Покупатель 77",
    "/admin/clients/77",
    "/admin/clients/77?tab=orders",
    "/admin/clients/77?tab=buys",
    "/admin/people",
    "/admin/people?page=200",
    "/admin/people?q=Покупатель 99",
    "/admin/people/777",
    "/admin/requests",
    "/admin/search",
    "/admin/search?text=саморез 4х25 желтый 4000\nпетля накладная 10 шт\nспанбонд 70 белый 2 рул",
    "/admin/search?text=саморез 4х25 желтый 4000&organization=77",
    "/admin/search/log",
    "/admin/search/log?state=manager",
    "/admin/search/gaps",
    "/admin/synonyms",
    "/admin/synonyms?q=слово 29",
    "/admin/find?q=Мебель 49",
    "/admin/find?q=петля",
    "/admin/find?q=МФ-000777",
    "/admin/exchange",
    "/admin/exchange?page=400",
    "/admin/exchange/queue",
    "/admin/exchange/connect",
    "/admin/exchange/mapping",
    "/admin/exchange/20000",
    "/admin/audit",
    "/admin/audit?q=order:777",
    "/admin/outbox",
    "/admin/outbox?view=failed",
    "/admin/backups",
    "/admin/settings",
    "/admin/health",
];

/// The program that is asked; ends with the bench.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() {
    let mut samples = 100;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--samples" => samples = arguments.next().unwrap().parse().unwrap(),
            part => part.clone_into(&mut only),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    seed(folder.path());
    println!("база готова за {:.1}\u{a0}с", begun.elapsed().as_secs_f64());
    let serving = start(folder.path());
    let mut browser = Browser::sign_in(serving.address);
    let zone = Zone::named("Europe/Moscow").unwrap();
    let day = zone.civil(Clock::system().now()).date().to_string();
    println!("{:>9} {:>9} {:>9} {:>8} {:>8}  адрес", "медиана", "99 %", "худшее", "КБ", "gzip КБ");
    let mut over = 0;
    for page in PAGES.iter().filter(|page| page.contains(&only)) {
        let path = address(&page.replace("{day}", &day));
        let (_, _, plain) = browser.get(&path, false);
        let mut times = Vec::new();
        let mut sent = 0;
        // The first ones bring the pages of the base into memory.
        for turn in 0..samples + 3 {
            let (first, status, body) = browser.get(&path, true);
            assert!(status == 200 || status == 303, "{page}: {status}");
            sent = body.len();
            if turn >= 3 {
                times.push(first);
            }
        }
        times.sort_unstable();
        // Of a hundred, the 99th: one may be longer.
        let p99 = times[(times.len() * 99).div_ceil(100) - 1];
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        let bad = p99 > FIRST_BYTE || plain.len() > LARGEST;
        over += usize::from(bad);
        println!(
            "{:>6.1} мс {:>6.1} мс {:>6.1} мс {:>8} {:>8} {} {page}",
            millis(median),
            millis(p99),
            millis(worst),
            plain.len() / 1_000,
            sent / 1_000,
            if bad { "!" } else { " " },
        );
    }
    println!("больше {} мс или {} КБ: {over}", FIRST_BYTE.as_millis(), LARGEST / 1_000);
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// An address as a browser sends it.
fn address(page: &str) -> String {
    page.bytes().fold(String::new(), |mut coded, byte| {
        if byte.is_ascii_graphic() {
            coded.push(char::from(byte));
        } else {
            let _ = write!(coded, "%{byte:02X}");
        }
        coded
    })
}

fn seed(folder: &Path) {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let db = Db::open(&data.join("partner-m.db"), Create::Yes).unwrap();
    let now = Clock::system().now().millis();
    let base = BASE.replace(":now", &now.to_string());
    db.write_blocking(|tx| {
        tx.execute_batch(
            "create temp table numbers (value integer primary key);
            insert into numbers with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
                select i from n;",
        )?;
        tx.execute_batch(&base)?;
        tx.execute_batch("drop table temp.numbers; analyze;")?;
        Ok::<_, StorageError>(())
    })
    .unwrap();
    let mut command = partner_m(folder);
    command.args([
        "admin",
        "create",
        "--phone",
        "+79210000001",
        "--name",
        "Мария",
        "--password-stdin",
    ]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn partner_m(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-m"));
    command.current_dir(folder).env_clear().env("RUST_LOG", "warn").stderr(Stdio::piped());
    command
}

/// Serves the folder; ready once the catalogue can be searched.
fn start(folder: &Path) -> Serving {
    let mut command = partner_m(folder);
    command
        .env("RUST_LOG", "info")
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let (mut address, mut ready) = (None, false);
    let mut line = String::new();
    while address.is_none() || !ready {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
        if let Some((_, rest)) = line.split_once("http://") {
            address = address
                .or(rest.split(['/', '"', ' ']).next().and_then(|at| at.trim().parse().ok()));
        }
        ready |= line.contains("поиск по каталогу готов");
    }
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Serving { child, address: address.unwrap() }
}

/// One connection that is kept, as a browser keeps it.
struct Browser {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    cookie: String,
}

impl Browser {
    fn sign_in(address: SocketAddr) -> Self {
        let stream = BufReader::new(TcpStream::connect(address).unwrap());
        stream.get_ref().set_nodelay(true).unwrap();
        let mut browser = Self { stream, address, cookie: String::new() };
        let (_, _, page) = browser.get("/admin/login", false);
        let page = String::from_utf8(page).unwrap();
        let (_, token) = page.split_once("name=\"csrf\" value=\"").unwrap();
        let token = token.split('"').next().unwrap();
        let password =
            PASSWORD.bytes().fold(String::new(), |coded, byte| coded + &format!("%{byte:02X}"));
        let form = format!("csrf={token}&phone=%2B79210000001&password={password}&next=");
        let head = format!(
            "POST /admin/login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            form.len()
        );
        let (_, status, _) = browser.ask(&head, &form);
        assert_eq!(status, 303, "signed in");
        browser
    }

    fn get(&mut self, path: &str, packed: bool) -> (Duration, u16, Vec<u8>) {
        let packed = if packed { "Accept-Encoding: gzip\r\n" } else { "" };
        self.ask(&format!("GET {path} HTTP/1.1\r\n{packed}"), "")
    }

    /// The time to the first byte of the answer, its status and its body.
    fn ask(&mut self, head: &str, body: &str) -> (Duration, u16, Vec<u8>) {
        let host =
            format!("Host: 127.0.0.1:{}\r\nCookie: {}\r\n\r\n", self.address.port(), self.cookie);
        let begun = Instant::now();
        self.stream.get_mut().write_all(format!("{head}{host}{body}").as_bytes()).unwrap();
        self.stream.fill_buf().unwrap();
        let first = begun.elapsed();
        let (mut status, mut length, mut chunked) = (0, 0, false);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            let Some((name, value)) = line.split_once(": ") else { continue };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "transfer-encoding" => chunked = value == "chunked",
                "set-cookie" => value.split(';').next().unwrap().clone_into(&mut self.cookie),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let mut line = String::new();
                self.stream.read_line(&mut line).unwrap();
                let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
                let mut chunk = vec![0; length + 2];
                self.stream.read_exact(&mut chunk).unwrap();
                if length == 0 {
                    break;
                }
                body.extend_from_slice(&chunk[..length]);
            }
        } else {
            body = vec![0; length];
            self.stream.read_exact(&mut body).unwrap();
        }
        (first, status, body)
    }
}
