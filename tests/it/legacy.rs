//! Moving in from the former program.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use partner_m::config::Config;
use partner_m::domain::{ChatKey, Clock, OrderNumber, Role, Zone};
use partner_m::services::Base;
use partner_m::services::accounts::Accounts;
use partner_m::services::live::Live;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, orders, persons};
use serde_json::Value;

use super::program::{Program, Running};

const DUMP: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/legacy/partner-m-2026-02-03.sql");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The answers of a query, a line for each row.
fn rows(program: &Program, sql: &str) -> String {
    let path = program.data().join("partner-m.db");
    Db::look(&path, |conn| {
        let mut stmt = conn.prepare(sql)?;
        let columns = stmt.column_count();
        let mut rows = stmt.query([])?;
        let mut text = String::new();
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                let value = match row.get_ref(column)? {
                    rusqlite::types::ValueRef::Null => "-".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Text(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                    other => format!("{other:?}"),
                };
                text.push_str(&value);
                text.push_str(if column + 1 == columns { "\n" } else { " | " });
            }
        }
        Ok(text)
    })
    .expect("read")
}

fn number(program: &Program, sql: &str) -> i64 {
    rows(program, sql).trim().parse().expect("a number")
}

/// Everything but the journal, as text: two databases that hold the same say the same.
/// But for when a running program did its rounds.
fn everything(program: &Program) -> String {
    let tables = rows(
        program,
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'
            and name <> 'jobs'",
    );
    tables
        .lines()
        .map(|table| format!("{table}\n{}", rows(program, &format!("select * from {table}"))))
        .collect()
}

fn services(program: &Program) -> (Base, Accounts) {
    let config = Config { data_dir: program.data(), ..Config::default() };
    let base = Base {
        db: Db::open(&program.data().join("partner-m.db"), Create::No).expect("opens"),
        clock: Clock::system(),
        zone: Zone::named("Europe/Moscow").expect("a zone"),
        config: config.into(),
        live: Live::default(),
    };
    let accounts = Accounts::new(base.clone());
    (base, accounts)
}

/// A dump of these tables.
fn dump(body: &str) -> String {
    format!(
        "--\n-- PostgreSQL database dump\n--\n{body}--\n-- PostgreSQL database dump complete\n--\n"
    )
}

#[test]
fn the_documented_dump_moves_in_whole() {
    let program = Program::new();
    let said = program.run(&["import-legacy", DUMP, "--staff", "89040000001"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    insta::assert_snapshot!(said.out.replace(DUMP, "ДАМП").replace('\u{a0}', " "));

    insta::assert_snapshot!("people", rows(&program, "
        select p.name, p.phone, p.phone_verified, coalesce(p.granted_role, '') as role, substr(p.password_hash, 1, 15),
            (select group_concat(c.key) from chats c where c.person_id = p.id) as chats,
            p.email, (select group_concat(o.name || ' ' || m.role || ' ' || m.state) from members m
                join organizations o on o.id = m.organization_id where m.person_id = p.id) as places
        from persons p order by p.id"));
    insta::assert_snapshot!("organizations", rows(&program, "
        select o.name, o.kind, o.verified, o.hours, (select group_concat(address) from addresses a where a.organization_id = o.id)
        from organizations o order by o.id"));
    insta::assert_snapshot!("orders", rows(&program, "
        select o.number, o.status, o.history, o.delivery_kind, o.delivery_date, o.comment, o.total_kopecks,
            datetime(o.created_at_ms / 1000, 'unixepoch') as created, o.updated_at_ms - o.created_at_ms as took,
            count(l.id) as lines, sum(l.product_id is null) as unknown
        from orders o left join order_lines l on l.order_id = o.id group by o.id order by o.number limit 14"));
    insta::assert_snapshot!("lines", rows(&program, "
        select l.position, l.raw, l.title, l.sku, l.base_quantity_thousandths, l.base_unit, l.price_amount_kopecks, l.sum_kopecks
        from order_lines l join orders o on o.id = l.order_id where o.number = 3 order by l.position"));
    insta::assert_snapshot!("threads", rows(&program, "
        select t.id, o.name as org, p.name as author, r.number, t.topic, t.subject, t.state,
            count(m.id) as messages, sum(m.from_staff) as by_staff
        from threads t left join organizations o on o.id = t.organization_id left join persons p on p.id = t.author_id
            left join orders r on r.id = t.order_id left join thread_messages m on m.thread_id = t.id
        group by t.id order by t.id limit 12"));
    assert_eq!(
        rows(&program, "select text from thread_messages order by id limit 1"),
        "Текст вопроса 0\nвторая строка \\N \t таб\n"
    );
    let dump = std::fs::read_to_string(DUMP).expect("read");
    let block = dump.split("COPY public.products (").nth(1).expect("products");
    let products = block.lines().skip(1).take_while(|line| *line != "\\.").count();
    assert_eq!(
        number(&program, "select count(*) from products"),
        i64::try_from(products).expect("few")
    );
    assert_eq!(number(&program, "select count(*) from outbox"), 0, "nobody is told");
    assert_eq!(number(&program, "select count(*) from orders where not history"), 0);
    assert_eq!(
        number(&program, "select count(*) from drafts"),
        0,
        "an old draft is nobody's open draft"
    );
    assert_eq!(program.run(&["db", "check"]).code, 0);
}

#[test]
fn a_second_move_changes_nothing() {
    let program = Program::new();
    assert_eq!(program.run(&["import-legacy", DUMP]).code, 0);
    let before = everything(&program);
    let again = json(&program.run(&["import-legacy", DUMP, "--json"]).out);
    assert_eq!(everything(&program), before);
    for kind in ["people", "organizations", "products", "orders", "lines", "threads", "messages"] {
        let tally = &again["data"][kind];
        assert_eq!(tally["already"], tally["found"], "{kind}: {tally}");
        assert_eq!(tally["moved"], 0, "{kind}");
    }
    let copy = again["data"]["copy"].as_str().expect("a copy was made before");
    assert!(Path::new(&program.folder().join(copy)).is_file());
}

#[test]
fn a_rehearsal_says_the_same_and_writes_nothing() {
    let program = Program::new();
    let rehearsed = json(&program.run(&["import-legacy", DUMP, "--dry-run", "--json"]).out);
    assert!(!program.data().exists(), "not even a folder");
    let moved = json(&program.run(&["import-legacy", DUMP, "--json"]).out);
    assert_eq!(rehearsed, moved);
    let before = everything(&program);
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let again = program.run(&["import-legacy", DUMP, "--dry-run"]);
    assert_eq!(again.code, 0, "beside a running program: {}", again.err);
    let held = program.run(&["import-legacy", DUMP]);
    assert_eq!(held.code, 7, "the data is in use: {}", held.err);
    running.stop();
    assert_eq!(everything(&program), before);
}

#[tokio::test]
async fn old_passwords_go_on_and_are_hashed_anew_at_the_first_login() {
    let program = Program::new();
    assert_eq!(program.run(&["import-legacy", DUMP]).code, 0);
    let (base, accounts) = services(&program);
    let phone = "+79131112234".parse().expect("a number");
    let hash = || {
        let found = base.db.read_blocking(|conn| persons::find_by_phone(conn, &phone));
        found.expect("read").expect("somebody").password_hash.expect("a password")
    };
    assert!(hash().starts_with("$pbkdf2-sha256$"));
    let chat = ChatKey::Telegram(99);
    let enter = |password: &'static str| {
        accounts.sign_in_by_password(&chat, "8 913 111-22-34", password, "", false)
    };
    assert!(enter("it's \\ Password").await.is_err());
    let who = enter("it's \\ password").await.expect("signed in");
    assert_eq!(who.role(), Role::Client);
    assert!(hash().starts_with("$argon2id$"));
    enter("it's \\ password").await.expect("again");
}

#[tokio::test]
async fn a_role_is_kept_only_for_whom_the_operator_names() {
    let program =
        Program::new().with(".env", "ADMIN_PHONE=+89040000001\nMANAGER_PHONE=+7999999999\n");
    let report = json(&program.run(&["import-legacy", DUMP, "--json"]).out);
    assert_eq!(report["data"]["roles_kept"][0]["phone"], "+79040000001");
    assert_eq!(report["data"]["roles_left"][0]["phone"], "+79040000002");
    let staff = |program: &Program| {
        json(&program.run(&["admin", "list", "--json"]).out)["data"].to_string()
    };
    let listed = staff(&program);
    assert!(listed.contains("Сергей") && !listed.contains("Вятская"), "{listed}");
    let named = Program::new();
    named.run(&["import-legacy", DUMP, "--staff", "+79040000002"]);
    let listed = staff(&named);
    assert!(!listed.contains("Сергей") && listed.contains("Вятская"), "{listed}");
}

#[tokio::test]
async fn waiting_orders_stay_in_work_from_the_day_named_and_numbers_go_on() {
    let program = Program::new();
    let said = program.run(&["import-legacy", DUMP, "--open-since", "30.01.2026", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let open = rows(
        &program,
        "select number, status from orders where not history order by number limit 1",
    );
    assert_eq!(open, "10 | new\n");
    assert_eq!(number(&program, "select min(status = 'new') from orders where not history"), 1);
    let report = json(&said.out);
    let last = report["data"]["last_number"].as_i64().expect("a number");
    assert!(last >= number(&program, "select max(number) from orders"));
    let (base, _) = services(&program);
    let next = base.db.write_blocking(orders::next_number).expect("a number");
    assert_eq!(next, OrderNumber(last + 1));
}

#[test]
fn what_is_here_already_is_joined_and_stays_as_it_is() {
    let program = Program::new();
    let fresh = r#"[{"sku":"00-00027815","title":"Новое имя","price":"1,00"}]"#;
    let catalog = program.folder().join("catalog.json");
    std::fs::write(&catalog, fresh).expect("written");
    assert_eq!(program.run(&["catalog", "import", "catalog.json"]).code, 0);
    let password = program.folder().join("password");
    std::fs::write(&password, "семь раз отмерь").expect("written");
    let mut command = program.command(&[
        "admin",
        "create",
        "--phone",
        "+79131112233",
        "--name",
        "Пётр",
        "--password-stdin",
    ]);
    command.stdin(std::fs::File::open(password).expect("opens"));
    assert_eq!(super::program::run(command).code, 0);
    let report = json(&program.run(&["import-legacy", DUMP, "--json"]).out);
    assert_eq!(report["data"]["people"]["joined"], 1);
    assert_eq!(report["data"]["products"]["joined"], 1);
    assert_eq!(
        rows(
            &program,
            "select title, (select amount_kopecks from prices where product_id = p.id) from products p where sku = '00-00027815'"
        ),
        "Новое имя | 100\n"
    );
    let hash = rows(
        &program,
        "select substr(password_hash, 1, 9), name from persons where phone = '+79131112233'",
    );
    assert_eq!(hash, "$argon2id | Пётр\n", "the password of a proven account is not the old one");
}

/// What later versions of the former program have, and what nobody has.
const LATER: &str = "CREATE TABLE public.users (id int, tg_id bigint, fio text, phone text, password_hash text, role text, is_24h boolean, work_time text, created_at timestamp, vk_id bigint);
CREATE TABLE public.organizations (id int, name text, external_id text, owner_user_id int);
CREATE TABLE public.org_members (org_id int, user_id int, role_in_org text, status text);
CREATE TABLE public.products (id int, sku text, title_ru text, price numeric, stock_qty int);
CREATE TABLE public.orders (id int, org_id int, created_by_user_id int, status text, created_at timestamp);
CREATE TABLE public.order_items (id int, order_id int, product_id int, qty int, price_at_time numeric);
CREATE TABLE public.threads (id int, org_id int, title text, created_at timestamp, closed_at timestamp);
CREATE TABLE public.messages (id int, thread_id int, author_user_id int, author_name_snapshot text, text text, created_at timestamp);
CREATE TABLE public.org_aliases (id int, alias text);
INSERT INTO public.users VALUES (1, 5000000001, 'Ольга', '89211234567', '!', 'client', false, NULL, '2026-01-01 10:00:00', 7);
INSERT INTO public.users VALUES (2, NULL, 'Без номера', '+7999999999', '$2b$12$abc', 'client', true, NULL, '2026-01-01 10:00:00+03', NULL);
INSERT INTO public.organizations VALUES (1, 'ООО «Диван»', 'B0C4F5E1-8D1A-11E5-9C55-00155D0A4E11', NULL), (2, 'ИП Диван', NULL, 2);
INSERT INTO public.org_members VALUES (1, 1, 'director', 'active'), (9, 1, 'owner', 'active');
INSERT INTO public.products VALUES (1, NULL, 'Поролон', 100, 5), (2, NULL, 'Поролон', 100, 5), (3, 'A', 'Саморез', 0, 'NaN');
INSERT INTO public.orders VALUES (2001, NULL, 1, 'в пути', '2026-01-02 10:00:00'), (2002, NULL, NULL, 'pending', '2026-01-02 10:00:00');
INSERT INTO public.order_items VALUES (1, 2001, 3, 7, 0), (2, 2001, 99, 1, 5), (3, 777, 1, 1, 1);
INSERT INTO public.threads VALUES (1, NULL, 'Вопрос', '2026-01-02 10:00:00', NULL);
INSERT INTO public.messages VALUES (1, 1, 1, 'Ольга', 'Когда?', '2026-01-02 10:00:00'), (2, 1, 42, 'Кто-то', 'Завтра', '2026-01-02 10:00:00');
INSERT INTO public.org_aliases VALUES (1, 'мд'), (2, 'мд2');
SELECT pg_catalog.setval('public.orders_id_seq', 2050, true);
";

#[test]
fn a_later_schema_moves_in_and_says_what_it_does_not_take() {
    let program = Program::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(dump(LATER).as_bytes()).expect("packed");
    let path: PathBuf = program.folder().join("later.sql.gz");
    std::fs::write(&path, packed.finish().expect("packed")).expect("written");
    let said = program.run(&["import-legacy", "later.sql.gz"]);
    assert_eq!(said.code, 4, "rows were left out: {}", said.err);
    insta::assert_snapshot!(said.out.replace('\u{a0}', " "));
    assert_eq!(
        rows(
            &program,
            "select name, phone, password_hash, created_at_ms from persons order by id limit 2"
        ),
        format!(
            "Ольга | +79211234567 | - | {}\nБез номера | - | - | {}\n",
            1_767_261_600_000_i64, 1_767_250_800_000_i64
        )
    );
    assert_eq!(
        rows(
            &program,
            "select name, kind, verified, coalesce(external_id, '') from organizations order by kind, id"
        ),
        "ООО «Диван» | company | 1 | b0c4f5e1-8d1a-11e5-9c55-00155d0a4e11\nИП Диван | company | 0 | \nАвтор неизвестен | person | 0 | \n"
    );
    assert_eq!(
        rows(
            &program,
            "select o.number, g.name, p.name, o.status from orders o join organizations g on g.id = o.organization_id join persons p on p.id = o.author_id order by 1"
        ),
        "2001 | ООО «Диван» | Ольга | done\n2002 | Автор неизвестен | Автор неизвестен | new\n"
    );
    assert!(
        rows(&program, "select text from order_events")
            .contains("Статус в прежней программе: «в пути»")
    );
    assert_eq!(number(&program, "select value from counters where name = 'order_number'"), 2050);
    let before = everything(&program);
    program.run(&["import-legacy", "later.sql.gz"]);
    assert_eq!(everything(&program), before);
}

#[test]
fn what_is_no_dump_of_the_former_program_is_refused_and_makes_nothing() {
    let program = Program::new();
    let whole = std::fs::read_to_string(DUMP).expect("read");
    let files: [(&str, Vec<u8>); 6] = [
        ("чужой.sql", dump("CREATE TABLE public.wp_posts (id int);\nCREATE TABLE public.users (id int, login text);\n").into()),
        ("пустой.sql", dump("").into()),
        ("обрезан.sql", whole.as_bytes()[..whole.len() / 2].to_vec()),
        ("двоичный.dump", b"PGDMP\x01\x0e\0".to_vec()),
        ("список.txt", "саморез 4х25\n".into()),
        ("битый.sql.gz", vec![0x1f, 0x8b, 8, 0, 1, 2, 3]),
    ];
    let mut said = String::new();
    for (name, bytes) in files {
        std::fs::write(program.folder().join(name), bytes).expect("written");
        let refused = program.run(&["import-legacy", name]);
        assert_eq!(refused.code, 1, "{name}: {}", refused.err);
        said.push_str(&refused.err);
    }
    let absent = program.run(&["import-legacy", "нет.sql"]);
    assert_eq!(absent.code, 5);
    said.push_str(&absent.err);
    insta::assert_snapshot!(said);
    assert!(!program.data().join("partner-m.db").exists());
}

#[test]
fn a_move_that_fails_leaves_the_data_as_it_was() {
    let program = Program::new();
    assert_eq!(program.run(&["init"]).code, 0);
    let before = everything(&program);
    // The last thing that a move writes is refused.
    let (base, _) = services(&program);
    base.db
        .write_blocking(|tx| {
            tx.execute_batch("create trigger t before insert on thread_messages begin select raise(abort, 'нет'); end")
                .map_err(partner_m::storage::StorageError::from)
        })
        .expect("set");
    drop(base);
    assert_eq!(program.run(&["import-legacy", DUMP]).code, 1);
    assert_eq!(everything(&program), before);
}

#[test]
fn the_old_settings_start_the_new_program_as_they_are() {
    let program = Program::new().with(".env", super::settings::OLD_DOTENV);
    assert_eq!(program.run(&["import-legacy", DUMP]).code, 0);
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    // Nobody outside is to be asked.
    command
        .env("TELEGRAM_API_URL", "http://127.0.0.1:1")
        .env("ONE_C_BASE_URL", "http://127.0.0.1:1");
    let running = Running::begin(command);
    assert_eq!(running.get("/health").0, 200);
    assert!(running.said.contains("REDIS_URL больше не нужна"), "{}", running.said);
    let (code, _) = running.stop();
    assert_eq!(code, Some(0));
}
