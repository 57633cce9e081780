//! Who is who: proof of a number, passwords, sessions, one-time links, people of organizations.

use std::time::Duration;

use partner_m::config::{Config, Registration};
use partner_m::domain::{
    ChatKey, Clock, MemberState, OrgRole, PersonId, Phone, Role, Timestamp, Zone,
};
use partner_m::services::Base;
use partner_m::services::accounts::{
    AccessDecision, AccountError, Accounts, Actor, Confirm, Contact, NewAccessRequest, NewAccount,
    NewOrg, NewStaff, SignInError, Who,
};
use partner_m::services::live::Live;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};

const START: Timestamp = Timestamp::from_millis(1_795_518_300_000);
const PASSWORD: &str = "пароль с пробелом ";
const ADDRESS: &str = "203.0.113.5";

struct Bench {
    accounts: Accounts,
    base: Base,
    _folder: tempfile::TempDir,
}

fn phone(text: &str) -> Phone {
    text.parse().unwrap()
}

fn tg(id: i64) -> ChatKey {
    ChatKey::Telegram(id)
}

fn web(persona: &str) -> ChatKey {
    ChatKey::Web(persona.to_owned())
}

impl Bench {
    fn start() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("partner-m.db"), Create::Yes).unwrap();
        let clock = Clock::manual(START);
        let zone = Zone::named("Europe/Moscow").unwrap();
        let base = Base { db, clock, zone, config: config.into(), live: Live::default() };
        Self { accounts: Accounts::new(base.clone()), base, _folder: folder }
    }

    /// The program started again, perhaps with other settings.
    fn restarted(&self, config: Config) -> Accounts {
        Accounts::new(Base { config: config.into(), ..self.base.clone() })
    }

    async fn staff(&self, number: &str, role: Role) -> PersonId {
        let new = NewStaff {
            phone: phone(number),
            name: "Мария".to_owned(),
            role,
            password: PASSWORD.to_owned(),
        };
        self.accounts.create_staff(&Actor::cli(), new).await.unwrap()
    }

    async fn register(&self, chat: &ChatKey, number: &str, organization: NewOrg) -> Who {
        self.accounts.register(form(chat, number, organization)).await.unwrap()
    }

    async fn log_in(&self, number: &str) -> String {
        let signed = self.accounts.sign_in_panel(number, PASSWORD, ADDRESS, "test").await;
        signed.unwrap().token.expose().to_owned()
    }

    async fn fail(&self, number: &str, times: u32) {
        for _ in 0..times {
            let tried = self.accounts.sign_in_panel(number, "не тот пароль", ADDRESS, "test").await;
            assert!(matches!(tried, Err(SignInError::Wrong)), "{tried:?}");
        }
    }

    fn sql(&self, sql: &str) {
        self.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(sql)?)).unwrap();
    }

    fn text(&self, sql: &str) -> String {
        self.base
            .db
            .read_blocking(|conn| Ok::<_, StorageError>(conn.query_row(sql, [], |row| row.get(0))?))
            .unwrap()
    }

    /// The chats that are told something of this kind.
    fn told(&self, kind: &str) -> String {
        self.text(&format!(
            "select coalesce(group_concat(chat_key, ' '), '') from
            (select chat_key from outbox where payload like '%{kind}%' order by id)"
        ))
    }
}

fn form(chat: &ChatKey, number: &str, organization: NewOrg) -> NewAccount {
    NewAccount {
        chat: chat.clone(),
        chat_title: "Telegram Анны".to_owned(),
        phone: phone(number),
        name: "Анна Иванова".to_owned(),
        organization,
        address: "г. Энгельс, ул. Полтавская, 12".to_owned(),
        hours: "09:00–18:00".to_owned(),
        email: String::new(),
        password: PASSWORD.to_owned(),
    }
}

fn company(name: &str) -> NewOrg {
    NewOrg::New { name: name.to_owned(), inn: None }
}

fn admins(numbers: &[&str]) -> Config {
    let mut config = Config::default();
    config.access.admin_phones = numbers.iter().map(|number| phone(number)).collect();
    config
}

// Who is who -----------------------------------------------------------------------------------

#[tokio::test]
async fn a_number_typed_in_the_browser_gives_neither_a_role_nor_an_account() {
    let bench = Bench::with(admins(&["+79210000001"]));
    let contact = bench.accounts.link_contact(&web("guest"), &phone("+79210000001"), "").await;
    assert_eq!(contact.unwrap(), Contact::Unknown);
    let who = bench.register(&web("guest"), "+79210000001", company("ООО «Диван»")).await;
    assert_eq!(who.role(), Role::Client);
    assert!(!who.person.as_ref().unwrap().verified);
    assert!(!who.sees_prices());

    // The true owner comes: the browser's account is not theirs and gets nothing of them.
    let contact = bench.accounts.link_contact(&tg(1), &phone("+79210000001"), "").await;
    assert_eq!(contact.unwrap(), Contact::Unknown);
    let owner = bench.register(&tg(1), "+79210000001", company("АО «Настоящее»")).await;
    assert_eq!(owner.role(), Role::Admin);
    let guest = bench.accounts.who(&web("guest")).await.unwrap();
    assert_eq!(guest.role(), Role::Client);
    assert_ne!(guest.person_id(), owner.person_id());
}

#[tokio::test]
async fn an_account_of_an_unproven_number_leaves_the_true_owner_no_foreign_password_or_chat() {
    let bench = Bench::start();
    // As moved in from a program that believed whoever typed a number.
    bench.sql(
        "insert into persons (id, name, phone, phone_verified, password_hash, created_at_ms)
         values (7, 'Анна Иванова', '+79210000001', 0,
            '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
            0);
         insert into chats (key, person_id, linked_at_ms) values ('tg:666', 7, 0);
         insert into organizations (id, kind, name, verified, created_at_ms)
         values (3, 'company', 'ООО «Диван»', 1, 0);
         insert into members (organization_id, person_id, role, state, created_at_ms)
         values (3, 7, 'buyer', 'active', 0);",
    );
    let number = phone("+79210000001");
    assert!(!bench.accounts.who(&tg(666)).await.unwrap().sees_prices());
    let contact = bench.accounts.link_contact(&tg(1), &number, "Анна").await.unwrap();
    let known = Contact::Known {
        name: "Анна Иванова".to_owned(),
        organization: Some("ООО «Диван»".to_owned()),
    };
    assert_eq!(contact, known);
    let who = bench.accounts.confirm_known(&tg(1), &number, "другой пароль", "Анна").await.unwrap();
    assert!(who.sees_prices() && who.may_send());
    assert!(bench.accounts.who(&tg(666)).await.unwrap().is_guest());
    let tried =
        bench.accounts.sign_in_by_password(&tg(666), "+79210000001", "password", "", false).await;
    assert!(matches!(tried, Err(SignInError::Wrong)), "{tried:?}");
}

#[tokio::test]
async fn a_password_of_the_old_program_works_once_and_is_hashed_anew() {
    let bench = Bench::start();
    bench.sql(
        "insert into persons (id, name, phone, phone_verified, password_hash, created_at_ms)
         values (7, 'Анна', '+79210000001', 1,
            '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
            0);",
    );
    for chat in [tg(1), tg(2)] {
        let entered =
            bench.accounts.sign_in_by_password(&chat, "8 921 000-00-01", "password", "", false);
        assert_eq!(entered.await.unwrap().person_id(), Some(PersonId(7)));
        let hash = bench.text("select password_hash from persons where id = 7");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
}

#[tokio::test]
async fn a_role_from_the_settings_ends_with_the_line_in_the_settings() {
    let bench = Bench::with(admins(&["+79210000001"]));
    let who = bench.register(&tg(1), "+79210000001", NewOrg::Private).await;
    assert!(who.is_admin());
    let token = bench.log_in("+79210000001").await;
    assert!(bench.accounts.session(&token).await.unwrap().is_some());

    let accounts = bench.restarted(Config::default());
    assert!(!accounts.who(&tg(1)).await.unwrap().is_staff());
    assert!(accounts.session(&token).await.unwrap().is_none());
    let mut config = Config::default();
    config.access.admin_telegram_ids = vec![1];
    assert!(bench.restarted(config).who(&tg(1)).await.unwrap().is_admin());
}

#[tokio::test]
async fn a_new_telegram_is_told_to_the_former_ones_and_staff_need_their_password_too() {
    let bench = Bench::start();
    let number = phone("+79210000001");
    bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let contact = bench.accounts.link_contact(&tg(2), &number, "Другой").await.unwrap();
    assert!(matches!(contact, Contact::SignedIn(_)));
    assert_eq!(bench.told("new_sign_in"), "tg:1");

    let maria = phone("+79210000002");
    bench.staff("+79210000002", Role::Manager).await;
    let contact = bench.accounts.link_contact(&tg(5), &maria, "").await.unwrap();
    assert_eq!(contact, Contact::PasswordNeeded);
    assert!(bench.accounts.who(&tg(5)).await.unwrap().is_guest());
    // The password alone is not enough either.
    let chat = tg(5);
    let enter =
        |contact| bench.accounts.sign_in_by_password(&chat, "+79210000002", PASSWORD, "", contact);
    assert!(matches!(enter(false).await, Err(SignInError::ContactNeeded)));
    assert!(enter(true).await.unwrap().is_staff());
    // On a chat of their own a contact is enough.
    let again = bench.accounts.link_contact(&tg(5), &maria, "").await.unwrap();
    assert!(matches!(again, Contact::SignedIn(_)));
    // Nor is a new password to be had on a foreign chat.
    let reset = bench.accounts.reset_password(&tg(6), &maria, "совсем новый", "").await;
    assert!(matches!(reset, Err(AccountError::NotAllowed)), "{reset:?}");
}

#[tokio::test]
async fn a_telegram_id_of_the_settings_makes_no_administrator_of_a_clients_account() {
    let mut config = Config::default();
    config.access.admin_telegram_ids = vec![9];
    let bench = Bench::with(config);
    bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    bench.base.clock.advance(Duration::from_mins(1));
    let entered =
        bench.accounts.sign_in_by_password(&tg(9), "+79210000001", PASSWORD, "", false).await;
    assert!(!entered.unwrap().is_staff());
    assert!(!bench.accounts.who(&tg(1)).await.unwrap().is_staff());
    bench.accounts.sign_out_chat(&tg(9)).await.unwrap();
    let own = bench.register(&tg(9), "+79210000009", NewOrg::Private).await;
    assert!(own.is_admin());
}

#[tokio::test]
async fn a_foreign_number_shared_from_a_signed_in_chat_changes_nothing() {
    let bench = Bench::start();
    bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    bench.accounts.sign_in_by_password(&tg(6), "+79210000001", PASSWORD, "", false).await.unwrap();
    let other = phone("+79216666666");
    let contact = bench.accounts.link_contact(&tg(6), &other, "").await.unwrap();
    assert_eq!(contact, Contact::OtherNumber);
    assert_eq!(bench.text("select group_concat(phone) from persons"), "+79210000001");
}

#[tokio::test]
async fn the_invitations_of_a_blocked_owner_are_void() {
    let bench = Bench::start();
    let owner = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let (anna, organization) =
        (owner.person_id().unwrap(), owner.organization.unwrap().organization);
    let by = Actor::bot(anna);
    let token = bench.accounts.invite(&by, organization, OrgRole::Owner).await.unwrap();
    bench.accounts.set_blocked(&Actor::cli(), anna, true).await.unwrap();
    let seen = bench.accounts.look_at_invitation(token.expose()).await;
    assert!(matches!(seen, Err(AccountError::LinkExpired)));
    let contact = bench.accounts.link_contact(&tg(2), &phone("+79210000001"), "").await.unwrap();
    assert_eq!(contact, Contact::Blocked);
}

#[tokio::test]
async fn not_me_ends_every_other_chat_and_session_and_the_password() {
    let bench = Bench::start();
    let who = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let person = who.person_id().unwrap();
    bench.accounts.sign_in_by_password(&tg(2), "+79210000001", PASSWORD, "", false).await.unwrap();
    let foreign = bench.accounts.close_access(&tg(9), person).await;
    assert!(matches!(foreign, Err(AccountError::NotFound)));
    bench.accounts.close_access(&tg(1), person).await.unwrap();
    assert!(bench.accounts.who(&tg(2)).await.unwrap().is_guest());
    assert_eq!(bench.accounts.who(&tg(1)).await.unwrap().person_id(), Some(person));
    let tried =
        bench.accounts.sign_in_by_password(&tg(2), "+79210000001", PASSWORD, "", false).await;
    assert!(matches!(tried, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn blocking_a_role_and_a_password_end_the_sessions_taken_before() {
    let bench = Bench::start();
    bench.staff("+79210000009", Role::Admin).await;
    let maria = bench.staff("+79210000002", Role::Manager).await;
    let by = Actor::cli();

    let token = bench.log_in("+79210000002").await;
    bench.accounts.set_role(&by, maria, Role::Admin).await.unwrap();
    assert!(bench.accounts.session(&token).await.unwrap().is_none(), "the role");

    let token = bench.log_in("+79210000002").await;
    bench.accounts.set_password(&by, maria, PASSWORD).await.unwrap();
    assert!(bench.accounts.session(&token).await.unwrap().is_none(), "the password");

    let token = bench.log_in("+79210000002").await;
    let link = bench.accounts.panel_link(maria).await.unwrap();
    bench.accounts.set_blocked(&by, maria, true).await.unwrap();
    assert!(bench.accounts.session(&token).await.unwrap().is_none(), "the block");
    let entered = bench.accounts.sign_in_by_link(link.expose(), ADDRESS, "").await;
    assert!(matches!(entered, Err(SignInError::Wrong)), "the link");
    bench.accounts.set_blocked(&by, maria, false).await.unwrap();
    assert!(bench.accounts.session(&token).await.unwrap().is_none(), "after the block");
    let actions = bench
        .text("select group_concat(action, ' ' order by id) from audit where object = 'person:2'");
    assert_eq!(
        actions,
        "person.role person.sign_in person.role person.sign_in person.password person.sign_in \
         person.blocked person.blocked"
    );
    let changed = bench.base.db.write_blocking(|tx| {
        tx.execute("update audit set action = 'x'", []).map_err(StorageError::from)
    });
    assert!(changed.is_err(), "the journal is append-only");
}

// Passwords and throttling ---------------------------------------------------------------------

#[tokio::test]
async fn every_failure_to_sign_in_looks_alike_and_costs_alike() {
    let bench = Bench::start();
    let blocked = bench.staff("+79210000003", Role::Manager).await;
    bench.staff("+79210000002", Role::Manager).await;
    bench.accounts.set_blocked(&Actor::cli(), blocked, true).await.unwrap();
    bench.register(&tg(1), "+79210000001", NewOrg::Private).await;
    for (number, password) in [
        ("+79210000002", "не тот пароль"), // wrong
        ("+79210000003", PASSWORD),        // blocked
        ("+79210000001", PASSWORD),        // not staff
        ("+79219999999", PASSWORD),        // unknown
        ("телефон", PASSWORD),             // no number
    ] {
        let before = bench.accounts.hasher_calls();
        let tried = bench.accounts.sign_in_panel(number, password, ADDRESS, "").await;
        assert!(matches!(tried, Err(SignInError::Wrong)), "{number}: {tried:?}");
        assert_eq!(bench.accounts.hasher_calls(), before + 1, "{number}");
    }
    for number in ["+79210000003", "+79219999999", "телефон"] {
        let before = bench.accounts.hasher_calls();
        let tried = bench.accounts.sign_in_by_password(&tg(8), number, PASSWORD, "", false).await;
        assert!(matches!(tried, Err(SignInError::Wrong)), "{number}: {tried:?}");
        assert_eq!(bench.accounts.hasher_calls(), before + 1, "{number}");
    }
}

#[tokio::test]
async fn where_the_settings_ask_a_code_from_telegram_opens_the_panel_after_the_password() {
    let mut config = Config::default();
    config.access.confirm_sign_in = true;
    let bench = Bench::with(config);
    let number = "+79210000002";
    let staff = bench.staff(number, Role::Manager).await;
    let password = || bench.accounts.sign_in_panel(number, PASSWORD, ADDRESS, "test");
    let none = password().await;
    assert!(matches!(none, Err(SignInError::Confirm(Confirm::NoTelegram))), "{none:?}");
    bench.sql(&format!(
        "insert into chats (key, person_id, linked_at_ms) values ('tg:7', {staff}, 0),
            ('web:x', {staff}, 0)"
    ));
    let ask = async || match password().await {
        Err(SignInError::Confirm(Confirm::Sent(challenge))) => {
            let sent = bench.text("select payload from outbox order by id desc limit 1");
            let code = sent.split("<code>").nth(1).and_then(|rest| rest.get(..6));
            (challenge.expose().to_owned(), code.expect("a code").to_owned())
        }
        other => panic!("{other:?}"),
    };
    let by_code = async |challenge: &str, code: &str| {
        bench.accounts.sign_in_by_code(challenge, code, ADDRESS, "test").await
    };

    let (challenge, code) = ask().await;
    assert_eq!(bench.told("Код для входа"), "tg:7", "no page in a browser learns it");
    assert_eq!(bench.text("select count(*) || '' from sessions"), "0");
    assert!(matches!(by_code("other", &code).await, Err(SignInError::Wrong)));
    let opened = by_code(&challenge, &code).await.expect("the code opens");
    assert_eq!(opened.person, staff);
    assert!(matches!(by_code(&challenge, &code).await, Err(SignInError::Wrong)), "once");

    // A new code kills the one before, and after five minutes there is none.
    let (former, former_code) = ask().await;
    let (challenge, code) = ask().await;
    assert!(matches!(by_code(&former, &former_code).await, Err(SignInError::Wrong)));
    bench.base.clock.advance(Duration::from_mins(5));
    assert!(matches!(by_code(&challenge, &code).await, Err(SignInError::Wrong)));

    // Guessing ends after five tries, and so does asking for codes that nobody enters.
    bench.base.clock.advance(Duration::from_mins(15));
    let (challenge, code) = ask().await;
    for guess in 0..5 {
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let tried = by_code(&challenge, wrong).await;
        assert!(matches!(tried, Err(SignInError::Wrong)), "{guess}: {tried:?}");
    }
    assert!(matches!(by_code(&challenge, &code).await, Err(SignInError::TooMany { .. })));
    for _ in 0..4 {
        ask().await;
    }
    assert!(matches!(password().await, Err(SignInError::TooMany { .. })));
}

#[tokio::test]
async fn the_sixth_try_is_refused_even_with_the_right_password_until_the_window_is_over() {
    let bench = Bench::start();
    bench.staff("+79210000002", Role::Manager).await;
    let open = bench.log_in("+79210000002").await;
    bench.fail("+79210000002", 5).await;
    // A restart forgets nothing, and another address does not help.
    for accounts in [bench.accounts.clone(), bench.restarted(Config::default())] {
        let calls = accounts.hasher_calls();
        let tried = accounts.sign_in_panel("8 921 000 00 02", PASSWORD, "198.51.100.1", "").await;
        let Err(SignInError::TooMany { retry_after }) = tried else { panic!("{tried:?}") };
        assert_eq!(retry_after, Duration::from_mins(15));
        assert_eq!(accounts.hasher_calls(), calls, "a refused try is not hashed");
    }
    assert!(bench.accounts.session(&open).await.unwrap().is_some(), "an open session goes on");
    bench.base.clock.advance(Duration::from_secs(15 * 60 - 1));
    let tried = bench.accounts.sign_in_panel("+79210000002", PASSWORD, ADDRESS, "").await;
    assert!(matches!(tried, Err(SignInError::TooMany { .. })));
    bench.base.clock.advance(Duration::from_secs(1));
    bench.log_in("+79210000002").await;
    // Success forgets the failures.
    bench.fail("+79210000002", 4).await;
    bench.log_in("+79210000002").await;
    bench.fail("+79210000002", 4).await;
    bench.log_in("+79210000002").await;
}

#[tokio::test]
async fn an_address_is_refused_after_twenty_failures_and_an_ipv6_network_is_one_address() {
    let bench = Bench::start();
    bench.staff("+79210000002", Role::Manager).await;
    for n in 0..20 {
        let number = format!("+7921111{n:04}");
        let address = format!("2001:db8:1:2::{n:x}");
        let tried = bench.accounts.sign_in_panel(&number, "x", &address, "").await;
        assert!(matches!(tried, Err(SignInError::Wrong)), "{n}: {tried:?}");
    }
    let from =
        |address: &'static str| bench.accounts.sign_in_panel("+79210000002", PASSWORD, address, "");
    assert!(matches!(from("2001:db8:1:2:9::1").await, Err(SignInError::TooMany { .. })));
    assert!(from("2001:db8:1:3::1").await.is_ok());
}

#[tokio::test]
async fn parallel_tries_do_not_slip_through() {
    let bench = Bench::start();
    bench.staff("+79210000002", Role::Manager).await;
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..30 {
        let accounts = bench.accounts.clone();
        tries.spawn(async move {
            let address = format!("198.51.100.{n}");
            accounts.sign_in_panel("+79210000002", "не тот", &address, "").await
        });
    }
    let mut wrong = 0;
    while let Some(tried) = tries.join_next().await {
        match tried.unwrap() {
            Err(SignInError::Wrong) => wrong += 1,
            Err(SignInError::TooMany { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong, 5);
    assert_eq!(bench.accounts.hasher_calls(), 1 + 5, "one for the account, five tries");
}

#[tokio::test]
async fn a_chat_is_throttled_like_an_account() {
    let bench = Bench::start();
    bench.register(&tg(1), "+79210000001", NewOrg::Private).await;
    for n in 0..5 {
        let number = format!("+7921222000{n}");
        let tried = bench.accounts.sign_in_by_password(&tg(9), &number, "x", "", false).await;
        assert!(matches!(tried, Err(SignInError::Wrong)));
    }
    let enter = |id| {
        let chat = tg(id);
        let accounts = bench.accounts.clone();
        async move { accounts.sign_in_by_password(&chat, "+79210000001", PASSWORD, "", false).await }
    };
    assert!(matches!(enter(9).await, Err(SignInError::TooMany { .. })));
    assert!(enter(10).await.is_ok());
}

#[tokio::test]
async fn a_hash_of_old_parameters_is_replaced_at_sign_in() {
    use argon2::PasswordHasher as _;
    let bench = Bench::start();
    bench.staff("+79210000002", Role::Manager).await;
    let weak = argon2::Params::new(8, 1, 1, None).unwrap();
    let weak = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, weak);
    let old = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    bench.sql(&format!("update persons set password_hash = '{old}'"));
    bench.log_in("+79210000002").await;
    let hash = bench.text("select password_hash from persons");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    bench.log_in("+79210000002").await;
}

#[tokio::test]
async fn changing_a_password_asks_for_the_present_one() {
    let bench = Bench::start();
    let maria = bench.staff("+79210000002", Role::Manager).await;
    let by = Actor::panel(maria, ADDRESS);
    let change = |present: &'static str, new: &'static str| {
        bench.accounts.change_password(&by, maria, present, new)
    };
    let wrong = change("не тот", "совсем новый пароль").await;
    assert!(matches!(wrong, Err(AccountError::WrongPassword)), "{wrong:?}");
    let weak = change(PASSWORD, "password1").await;
    assert!(matches!(weak, Err(AccountError::Password(_))), "{weak:?}");
    bench.log_in("+79210000002").await;
    change(PASSWORD, "совсем новый пароль").await.unwrap();
    bench.fail("+79210000002", 1).await;
}

// Sessions and links ---------------------------------------------------------------------------

#[tokio::test]
async fn a_session_ends_after_12_idle_hours_after_7_days_and_at_sign_out() {
    let bench = Bench::start();
    bench.staff("+79210000002", Role::Manager).await;
    let idle = bench.log_in("+79210000002").await;
    let busy = bench.log_in("+79210000002").await;
    assert_ne!(idle, busy, "each sign-in has its own token");
    let hours = |n| Duration::from_hours(n);
    bench.base.clock.advance(hours(11));
    assert!(bench.accounts.session(&busy).await.unwrap().is_some());
    bench.base.clock.advance(hours(1));
    assert!(bench.accounts.session(&idle).await.unwrap().is_none(), "12 hours unused");
    for _ in 0..14 {
        assert!(bench.accounts.session(&busy).await.unwrap().is_some());
        bench.base.clock.advance(hours(11));
    }
    assert!(bench.accounts.session(&busy).await.unwrap().is_some(), "166 hours");
    bench.base.clock.advance(hours(2));
    assert!(bench.accounts.session(&busy).await.unwrap().is_none(), "7 days");

    let token = bench.log_in("+79210000002").await;
    let stored = bench.text("select hex(token_sha256) from sessions");
    assert!(!stored.eq_ignore_ascii_case(&token));
    bench.accounts.sign_out(&token).await.unwrap();
    assert!(bench.accounts.session(&token).await.unwrap().is_none(), "a stolen one dies too");
    for rubbish in ["", "x", &"0".repeat(43), &token.to_uppercase()] {
        assert!(bench.accounts.session(rubbish).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn each_session_has_its_own_form_token_and_its_owner_may_end_it() {
    let bench = Bench::start();
    bench.staff("+79210000002", Role::Manager).await;
    bench.staff("+79210000003", Role::Manager).await;
    let (a, b) = (bench.log_in("+79210000002").await, bench.log_in("+79210000002").await);
    let session = |token: String| {
        let accounts = bench.accounts.clone();
        async move { accounts.session(&token).await.unwrap() }
    };
    let first = session(a.clone()).await.unwrap();
    let second = session(b.clone()).await.unwrap();
    assert!(first.csrf_matches(first.csrf.expose()));
    assert!(!first.csrf_matches(second.csrf.expose()));
    assert!(!first.csrf_matches("") && !first.csrf_matches(&a));

    let list = bench.accounts.sessions(&first).await.unwrap();
    assert_eq!(list.len(), 2);
    let other = list.iter().find(|info| !info.current).unwrap();
    let foreign = session(bench.log_in("+79210000003").await).await.unwrap();
    let refused = bench.accounts.revoke_session(&foreign, &other.id).await;
    assert!(matches!(refused, Err(AccountError::NotFound)));
    bench.accounts.revoke_session(&first, &other.id).await.unwrap();
    assert!(session(b).await.is_none());
    assert!(session(a).await.is_some());
}

#[tokio::test]
async fn a_link_into_the_panel_may_be_looked_at_and_works_once() {
    let bench = Bench::start();
    let maria = bench.staff("+79210000002", Role::Manager).await;
    let client = bench.register(&tg(1), "+79210000001", NewOrg::Private).await;
    let refused = bench.accounts.panel_link(client.person_id().unwrap()).await;
    assert!(matches!(refused, Err(AccountError::NotAllowed)));

    let killed = bench.accounts.panel_link(maria).await.unwrap();
    let link = bench.accounts.panel_link(maria).await.unwrap();
    for _ in 0..10 {
        let name = bench.accounts.look_at_panel_link(link.expose()).await.unwrap();
        assert_eq!(name.as_deref(), Some("Мария"));
    }
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (accounts, link) = (bench.accounts.clone(), link.expose().to_owned());
        tries.spawn(async move { accounts.sign_in_by_link(&link, ADDRESS, "").await.is_ok() });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|entered| *entered).count(), 1);
    let former = bench.accounts.sign_in_by_link(killed.expose(), ADDRESS, "").await;
    assert!(matches!(former, Err(SignInError::Wrong)), "a new link kills the old");

    let late = bench.accounts.panel_link(maria).await.unwrap();
    bench.base.clock.advance(Duration::from_mins(1));
    assert_eq!(bench.accounts.look_at_panel_link(late.expose()).await.unwrap(), None);
    let entered = bench.accounts.sign_in_by_link(late.expose(), ADDRESS, "").await;
    assert!(matches!(entered, Err(SignInError::Wrong)), "expired");
}

// Registration and organizations ---------------------------------------------------------------

#[tokio::test]
async fn a_number_registered_twice_at_once_is_one_account() {
    let bench = Bench::start();
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..5 {
        let accounts = bench.accounts.clone();
        let form = form(&tg(n), "+79210000001", company("ООО «Диван»"));
        tries.spawn(async move { accounts.register(form).await });
    }
    let done = tries.join_all().await;
    assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(done.iter().all(|r| matches!(r, Ok(_) | Err(AccountError::PhoneTaken))));
    let counts = bench.text(
        "select (select count(*) from persons) || ' ' || (select count(*) from organizations)
            || ' ' || (select count(*) from members)",
    );
    assert_eq!(counts, "1 1 1", "nothing is left of the others");
}

#[tokio::test]
async fn who_joins_a_known_organization_waits_for_its_owner() {
    let bench = Bench::start();
    let owner = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let found = bench.accounts.find_by_name_or_inn("диван").await.unwrap().unwrap();
    let joining = bench.register(&tg(2), "+79210000002", NewOrg::Existing(found.id)).await;
    assert!(!joining.may_send() && joining.acting_for().is_none());
    assert_eq!(bench.told("join_asked"), "tg:1");
    let (oleg, by) = (joining.person_id().unwrap(), Actor::bot(owner.person_id().unwrap()));
    // Only an owner there decides, and whoever waits may not look around.
    let stranger = bench.register(&tg(3), "+79210000003", company("ИП Чужой")).await;
    let foreign = Actor::bot(stranger.person_id().unwrap());
    let tried = bench.accounts.admit(&foreign, found.id, oleg).await;
    assert!(matches!(tried, Err(AccountError::NotFound)));
    let tried = bench.accounts.admit(&Actor::bot(oleg), found.id, oleg).await;
    assert!(matches!(tried, Err(AccountError::NotFound)));
    assert!(bench.accounts.members(&joining, found.id).await.is_err());

    bench.accounts.admit(&by, found.id, oleg).await.unwrap();
    assert_eq!(bench.told("join_decided"), "tg:2");
    assert!(bench.accounts.who(&tg(2)).await.unwrap().may_send());
    let again = bench.accounts.refuse(&by, found.id, oleg).await;
    assert!(matches!(again, Err(AccountError::NotFound)), "decided once");
}

#[tokio::test]
async fn an_organization_keeps_an_owner() {
    let bench = Bench::start();
    let owner = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let (anna, organization) =
        (owner.person_id().unwrap(), owner.organization.unwrap().organization);
    let by = Actor::bot(anna);
    let leave = || bench.accounts.remove_member(&by, organization, anna);
    assert!(matches!(leave().await, Err(AccountError::LastOwner)));
    let lowered = bench.accounts.set_member_role(&by, organization, anna, OrgRole::Buyer).await;
    assert!(matches!(lowered, Err(AccountError::LastOwner)));
    let oleg = bench
        .accounts
        .invite_phone(&by, organization, &phone("+79210000002"), OrgRole::Owner)
        .await
        .unwrap();
    leave().await.unwrap();
    let people = bench.text("select group_concat(person_id || state) from members");
    assert_eq!(people, format!("{anna}left,{oleg}active"));
    assert!(bench.accounts.who(&tg(1)).await.unwrap().organization.is_none());
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_once_within_a_week() {
    let bench = Bench::start();
    let owner = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let organization = owner.organization.as_ref().unwrap().organization;
    let by = Actor::bot(owner.person_id().unwrap());
    let stranger = bench.register(&tg(3), "+79210000003", company("ИП Чужой")).await;
    let foreign = Actor::bot(stranger.person_id().unwrap());
    let tried = bench.accounts.invite(&foreign, organization, OrgRole::Owner).await;
    assert!(matches!(tried, Err(AccountError::NotFound)));

    let token = bench.accounts.invite(&by, organization, OrgRole::Viewer).await.unwrap();
    assert!(format!("inv_{}", token.expose()).len() <= 64, "fits a start payload");
    for _ in 0..10 {
        let seen = bench.accounts.look_at_invitation(token.expose()).await.unwrap();
        assert_eq!((seen.name.as_str(), seen.role), ("ООО «Диван»", OrgRole::Viewer));
    }
    let guest = bench.accounts.accept_invitation(&tg(77), token.expose()).await;
    assert!(matches!(guest, Err(AccountError::NotAllowed)), "a guest does not use it up");
    let (who, _) = bench.accounts.accept_invitation(&tg(3), token.expose()).await.unwrap();
    assert!(who.needs_approval() && !who.may_send());
    assert_eq!(who.organization.unwrap().organization, organization, "acts for it at once");
    assert_eq!(bench.told("member_joined"), "tg:1");
    let again = bench.accounts.accept_invitation(&tg(3), token.expose()).await;
    assert!(matches!(again, Err(AccountError::LinkExpired)));

    let invited = bench.accounts.invite(&by, organization, OrgRole::Buyer).await.unwrap();
    let token = invited.expose().to_owned();
    let new = bench.register(&tg(4), "+79210000004", NewOrg::Invited { token }).await;
    assert!(new.may_send());
    let late = bench.accounts.invite(&by, organization, OrgRole::Buyer).await.unwrap();
    bench.base.clock.advance(Duration::from_hours(7 * 24));
    let seen = bench.accounts.look_at_invitation(late.expose()).await;
    assert!(matches!(seen, Err(AccountError::LinkExpired)));
}

#[tokio::test]
async fn an_invited_number_is_a_member_once_its_owner_proves_it() {
    let bench = Bench::start();
    let owner = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let organization = owner.organization.as_ref().unwrap().organization;
    let by = Actor::bot(owner.person_id().unwrap());
    let number = phone("+79210000002");
    bench.accounts.invite_phone(&by, organization, &number, OrgRole::Buyer).await.unwrap();
    let contact = bench.accounts.link_contact(&tg(2), &number, "Олег").await.unwrap();
    let known = Contact::Known {
        name: String::new(),
        organization: Some("ООО «Диван»".to_owned()),
    };
    assert_eq!(contact, known);
    let who = bench.accounts.confirm_known(&tg(2), &number, PASSWORD, "Олег").await.unwrap();
    assert_eq!(who.person.as_ref().unwrap().name, "Олег");
    assert!(who.may_send());
    // «Нет, это не я»: the number is free again.
    let other = phone("+79210000005");
    bench.accounts.invite_phone(&by, organization, &other, OrgRole::Buyer).await.unwrap();
    bench.accounts.deny_known(&tg(5), &other).await.unwrap();
    let contact = bench.accounts.link_contact(&tg(5), &other, "").await.unwrap();
    assert_eq!(contact, Contact::Unknown);
}

#[tokio::test]
async fn by_approval_a_newcomer_waits_for_staff_and_by_invitation_needs_one() {
    let mut config = admins(&["+79210000009"]);
    config.access.registration = Registration::Approval;
    let bench = Bench::with(config);
    let admin = bench.register(&tg(9), "+79210000009", NewOrg::Private).await;
    let who = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    assert!(!who.may_send());
    assert!(bench.told("join_asked").contains("tg:9"));
    let organization = who.organization.unwrap().organization;
    let by = Actor::bot(admin.person_id().unwrap());
    bench.accounts.admit(&by, organization, who.person.unwrap().id).await.unwrap();
    assert!(bench.accounts.who(&tg(1)).await.unwrap().may_send());

    let mut config = Config::default();
    config.access.registration = Registration::Invite;
    let closed = bench.restarted(config);
    let refused = closed.register(form(&tg(2), "+79210000002", NewOrg::Private)).await;
    assert!(matches!(refused, Err(AccountError::InviteOnly)));
}

#[tokio::test]
async fn a_request_for_access_is_decided_once_and_opens_the_door_to_the_numbers_owner() {
    let bench = Bench::start();
    let maria = bench.staff("+79210000002", Role::Manager).await;
    let new = NewAccessRequest {
        name: "Олег".to_owned(),
        organization: "ООО «Кресло»".to_owned(),
        phone: phone("+79210000001"),
        comment: String::new(),
    };
    let id = bench.accounts.request_access(&tg(1), new.clone()).await.unwrap();
    let client = bench.register(&tg(3), "+79210000003", NewOrg::Private).await;
    let foreign = Actor::bot(client.person_id().unwrap());
    let tried = bench.accounts.decide_access(&foreign, id, AccessDecision::Grant).await;
    assert!(matches!(tried, Err(AccountError::NotAllowed)));
    let by = Actor::bot(maria);
    bench.accounts.decide_access(&by, id, AccessDecision::Grant).await.unwrap();
    let again = bench.accounts.decide_access(&by, id, AccessDecision::Refuse).await;
    assert!(matches!(again, Err(AccountError::NotFound)));
    assert_eq!(bench.told("access_decided"), "tg:1");
    assert!(bench.accounts.who(&tg(1)).await.unwrap().is_guest(), "a typed number is no proof");
    let contact = bench.accounts.link_contact(&tg(1), &phone("+79210000001"), "").await.unwrap();
    assert!(matches!(contact, Contact::Known { .. }), "{contact:?}");
    for _ in 0..3 {
        bench.accounts.request_access(&tg(7), new.clone()).await.unwrap();
    }
    let more = bench.accounts.request_access(&tg(7), new).await;
    assert!(matches!(more, Err(AccountError::TooMany { .. })));
}

#[tokio::test]
async fn the_last_administrator_stays_and_the_people_of_the_demo_are_none() {
    let bench = Bench::start();
    bench.accounts.demo_people(PASSWORD).await.unwrap();
    bench.accounts.demo_people(PASSWORD).await.unwrap();
    assert!(!bench.accounts.has_admin().await.unwrap());
    assert!(bench.accounts.who(&web("maria")).await.unwrap().is_staff());
    let anna = bench.accounts.who(&web("anna")).await.unwrap();
    assert!(anna.may_send() && anna.sees_prices() && anna.is_owner());
    assert_eq!(anna.organization.unwrap().state, MemberState::Active);

    let admin = bench.staff("+79210000002", Role::Admin).await;
    assert!(bench.accounts.has_admin().await.unwrap());
    let by = Actor::cli();
    let lowered = bench.accounts.set_role(&by, admin, Role::Client).await;
    assert!(matches!(lowered, Err(AccountError::LastAdmin)), "{lowered:?}");
    let blocked = bench.accounts.set_blocked(&by, admin, true).await;
    assert!(matches!(blocked, Err(AccountError::LastAdmin)), "{blocked:?}");
    bench.staff("+79210000003", Role::Admin).await;
    bench.accounts.set_role(&by, admin, Role::Manager).await.unwrap();
    let staff = bench.accounts.staff().await.unwrap();
    let roles: Vec<Role> = staff.iter().map(|member| member.role).collect();
    assert_eq!(roles.len(), 4, "two of the demo, two of ours: {staff:?}");
}

#[tokio::test]
async fn an_account_of_staff_is_made_once_and_has_a_name() {
    let bench = Bench::with(admins(&["+79210000009"]));
    let create = async |number: &str, name: &str| {
        let new = NewStaff {
            phone: phone(number),
            name: name.to_owned(),
            role: Role::Manager,
            password: PASSWORD.to_owned(),
        };
        let made = bench.accounts.create_staff(&Actor::cli(), new).await;
        made.map(|_| ()).map_err(|error| error.to_string())
    };
    let names = || bench.text("select group_concat(name || blocked, ' ') from persons");
    assert_eq!(create("+79210000001", "  ").await, Err("нужно имя".to_owned()));
    create("+79210000001", " Мария ").await.unwrap();
    let exists = "сотрудник с этим номером уже есть: Мария, менеджер";
    assert_eq!(create("+79210000001", "Анна").await, Err(exists.to_owned()));
    bench.sql("update persons set blocked = 1");
    assert_eq!(create("+79210000001", "Анна").await, Err(format!("{exists}, доступ закрыт")));
    assert_eq!(names(), "Мария1", "it is as it was");
    // A client becomes one of staff under the name that was given, unless the account is blocked.
    bench.register(&tg(7), "+79210000002", company("Ромашка")).await;
    bench.sql("update persons set blocked = 1 where phone = '+79210000002'");
    assert!(create("+79210000002", "Борис").await.is_err());
    bench.sql("update persons set blocked = 0 where phone = '+79210000002'");
    create("+79210000002", "Борис").await.unwrap();
    assert_eq!(names(), "Мария1 Борис0");
}

#[tokio::test]
async fn foreign_and_absent_organizations_answer_alike() {
    let bench = Bench::start();
    let a = bench.register(&tg(1), "+79210000001", company("ООО «Диван»")).await;
    let b = bench.register(&tg(2), "+79210000002", company("ООО «Кресло»")).await;
    let foreign = b.organization.as_ref().unwrap().organization;
    let absent = partner_m::domain::OrganizationId(999);
    let by = Actor::bot(a.person_id().unwrap());
    let (anna, oleg) = (a.person_id().unwrap(), b.person_id().unwrap());
    for organization in [foreign, absent] {
        let refused = [
            bench.accounts.members(&a, organization).await.err(),
            bench.accounts.admit(&by, organization, oleg).await.err(),
            bench.accounts.remove_member(&by, organization, oleg).await.err(),
            bench.accounts.set_member_role(&by, organization, oleg, OrgRole::Viewer).await.err(),
            bench.accounts.switch_organization(anna, organization).await.err(),
            bench.accounts.invite(&by, organization, OrgRole::Buyer).await.err(),
        ];
        for (place, error) in refused.iter().enumerate() {
            assert!(matches!(error, Some(AccountError::NotFound)), "{place}: {error:?}");
        }
    }
}
