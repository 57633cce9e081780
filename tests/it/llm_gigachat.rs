//! `GigaChat`'s protocol: tokens, refusals, TLS.

use std::sync::Arc;
use std::time::Duration;

use partner_m::clients::http::{HttpSetupError, RootsError};
use partner_m::clients::llm::{
    AskLines, Chain, ChainError, Limits, LineForModel, ProviderKind, ProviderState, Unlimited,
};
use partner_m::config;
use partner_m::domain::{Clock, Secret, Timestamp};

use crate::support::fake_gigachat::{FakeGigaChat, KEY, TOKEN_MARK};
use crate::support::logs::Logs;
use crate::support::server::{Authority, Scripted};

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_795_532_400_000))
}

fn chain(gigachat: config::GigaChat, clock: &Clock) -> Chain {
    let settings = config::Llm { gigachat, openai: config::Config::default().llm.openai };
    let limits = Limits { pause: Duration::from_millis(1), ..Limits::default() };
    Chain::with_limits(&settings, clock, Arc::new(Unlimited), limits).expect("a chain")
}

fn ask(text: &str) -> AskLines {
    let line = LineForModel { text: text.to_owned(), candidates: Vec::new() };
    AskLines { lines: vec![line], secrets_to_mask: Vec::new() }
}

fn why(error: &ChainError) -> String {
    match error {
        ChainError::Failed(failures) => failures[0].1.clone(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_token_serves_every_question_until_a_minute_before_its_end() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    fake.state().answer = r#"[{"line":1,"title":"болт М8","qty":2}]"#.into();
    let chain = chain(fake.settings(), &clock);
    let answer = chain.ask(&ask("болт 8 2 шт")).await.expect("an answer");
    assert_eq!(answer.proposals[0].title, "болт М8");
    assert_eq!((answer.model.as_str(), answer.tokens), ("GigaChat:2.0.28.2", Some(274)));
    chain.ask(&ask("гайка")).await.expect("an answer");
    clock.advance(Duration::from_secs(28 * 60 + 59));
    chain.ask(&ask("шайба")).await.expect("an answer");
    assert_eq!(fake.state().tokens, 1);
    clock.advance(Duration::from_secs(1));
    chain.ask(&ask("винт")).await.expect("an answer");
    assert_eq!(fake.state().tokens, 2);
}

#[tokio::test]
async fn the_older_shape_of_a_token_is_understood() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    fake.state().old_shape = true;
    let chain = chain(fake.settings(), &clock);
    chain.ask(&ask("гайка")).await.expect("an answer");
    chain.ask(&ask("шайба")).await.expect("an answer");
    assert_eq!(fake.state().tokens, 1);
}

#[tokio::test]
async fn a_token_about_to_expire_is_renewed_first() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    fake.state().token_life = Duration::from_secs(30);
    let chain = chain(fake.settings(), &clock);
    chain.ask(&ask("гайка")).await.expect("an answer");
    chain.ask(&ask("шайба")).await.expect("an answer");
    assert_eq!(fake.state().tokens, 2);
}

async fn fifty_at_once(chain: &Chain) {
    let asking = (0..50).map(|n| {
        let chain = chain.clone();
        tokio::spawn(async move { chain.ask(&ask(&format!("болт {n}"))).await })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.expect("no panic").expect("an answer");
    }
}

#[tokio::test]
async fn fifty_questions_at_once_get_one_token() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    let chain = chain(fake.settings(), &clock);
    fifty_at_once(&chain).await;
    assert_eq!(fake.state().tokens, 1);
    assert_eq!(fake.state().questions.len(), 50);
    assert!(fake.state().crowd > 1, "a company asks side by side");
}

#[tokio::test]
async fn a_token_revoked_under_fifty_questions_is_renewed_once() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    let chain = chain(fake.settings(), &clock);
    chain.ask(&ask("гайка")).await.expect("an answer");
    fake.state().revoke_tokens();
    fifty_at_once(&chain).await;
    assert_eq!(fake.state().tokens, 2);
}

#[tokio::test]
async fn a_person_asks_one_thing_at_a_time() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    let scope = "GIGACHAT_API_PERS".to_owned();
    let chain = chain(config::GigaChat { scope, ..fake.settings() }, &clock);
    fifty_at_once(&chain).await;
    assert_eq!(fake.state().crowd, 1);
}

#[tokio::test]
async fn a_refusal_midway_brings_a_new_token_and_one_repeat() {
    for status in [401, 403] {
        let clock = clock();
        let fake = FakeGigaChat::start(&clock).await;
        let chain = chain(fake.settings(), &clock);
        chain.ask(&ask("гайка")).await.expect("an answer");
        fake.state().script.push_back(Scripted::status(status, r#"{"message":"Unauthorized"}"#));
        chain.ask(&ask("шайба")).await.expect("an answer");
        assert_eq!(fake.state().tokens, 2);
        assert_eq!(fake.state().questions.len(), 3);
    }
}

#[tokio::test]
async fn a_refusal_for_ever_is_asked_twice_and_then_left_alone() {
    for status in [401, 403] {
        let clock = clock();
        let fake = FakeGigaChat::start(&clock).await;
        let refusal = || Scripted::status(status, r#"{"message":"Permission denied"}"#);
        fake.state().script.extend([refusal(), refusal()]);
        let chain = chain(fake.settings(), &clock);
        let error = chain.ask(&ask("гайка")).await.expect_err("refused");
        assert_eq!(why(&error), format!("доступ запрещён и с новым токеном (ответ {status})"));
        assert_eq!(fake.state().tokens, 2);
        assert_eq!(fake.state().questions.len(), 2);
        chain.ask(&ask("гайка")).await.expect_err("passed over");
        assert_eq!(fake.state().questions.len(), 2);
        clock.advance(Duration::from_mins(15));
        chain.ask(&ask("гайка")).await.expect("asked again after a quarter of an hour");
    }
}

#[tokio::test]
async fn a_wait_that_fits_is_waited_for_and_a_long_one_is_not() {
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    let busy = |wait: &str| {
        Scripted::status(429, r#"{"status":429,"message":"Too Many Requests"}"#)
            .with_header("retry-after", wait)
    };
    let chain = chain(fake.settings(), &clock);
    fake.state().script.push_back(busy("0"));
    chain.ask(&ask("гайка")).await.expect("an answer");
    assert_eq!(fake.state().questions.len(), 2);

    fake.state().script.push_back(busy("600"));
    chain.ask(&ask("шайба")).await.expect_err("no wait of ten minutes");
    assert_eq!(fake.state().questions.len(), 3, "and no repeat");
    clock.advance(Duration::from_secs(599));
    chain.ask(&ask("шайба")).await.expect_err("it said ten minutes");
    assert_eq!(fake.state().questions.len(), 3);
    clock.advance(Duration::from_secs(1));
    chain.ask(&ask("шайба")).await.expect("an answer");
}

#[tokio::test]
async fn a_refused_key_is_told_in_words_and_never_shown() {
    let (logs, _guard) = Logs::keep();
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    let auth_key = Some(Secret::new("d3Jvbmc6a2V5LU1BUks="));
    let chain = chain(config::GigaChat { auth_key, ..fake.settings() }, &clock);
    let probes = chain.probe().await;
    let outcome = probes[0].outcome.clone().expect_err("refused");
    assert_eq!(outcome, "ключ не принят: он неверен или выпущен заново (ответ 401)");
    assert!(matches!(chain.status()[0].state, ProviderState::Resting(_)));
    assert!(logs.text().contains("не ответила"));
    assert!(!logs.text().contains("d3Jvbmc6a2V5LU1BUks"), "{}", logs.text());
}

#[tokio::test]
async fn keys_tokens_questions_and_answers_are_not_logged() {
    let (logs, _guard) = Logs::keep();
    let clock = clock();
    let fake = FakeGigaChat::start(&clock).await;
    fake.state().answer = r#"[{"line":1,"title":"ОТВЕТ-МАРК болт"}]"#.into();
    let chain = chain(fake.settings(), &clock);
    chain.ask(&ask("болт ТЕКСТ-МАРК")).await.expect("an answer");
    let echo = format!(r#"{{"message":"bad token {TOKEN_MARK}-1"}}"#);
    fake.state().script.push_back(Scripted::status(500, &echo));
    fake.state().script.push_back(Scripted::status(500, &echo));
    let error = chain.ask(&ask("гайка")).await.expect_err("a fault");
    let logged = format!("{}{}", logs.text(), why(&error));
    for secret in [KEY, "token-MARK-1", "ТЕКСТ-МАРК", "ОТВЕТ-МАРК"] {
        assert!(!logged.contains(secret), "{secret} in {logged}");
    }
}

#[tokio::test]
async fn every_refusal_has_words_for_an_operator() {
    let clock = clock();
    for (status, body, expected) in [
        (
            402,
            r#"{"status":402,"message":"Payment Required"}"#,
            "закончились токены GigaChat (ответ 402)",
        ),
        (
            404,
            r#"{"status":404,"message":"No such model"}"#,
            "нет модели GigaChat или адреса (ответ 404)",
        ),
        (
            413,
            r#"{"status":413,"message":"Payload too large"}"#,
            "GigaChat: ответ 413: Payload too large",
        ),
        (
            422,
            r#"{"status":422,"message":"Invalid params: x"}"#,
            "GigaChat: ответ 422: Invalid params: x",
        ),
        (302, "", "GigaChat переадресует (ответ 302): проверьте адрес"),
    ] {
        let fake = FakeGigaChat::start(&clock).await;
        let chain = chain(fake.settings(), &clock);
        fake.state().script.push_back(Scripted::status(status, body));
        let error = chain.ask(&ask("гайка")).await.expect_err("refused");
        assert_eq!(why(&error), expected);
        assert_eq!(fake.state().questions.len(), 1, "{status} is not repeated");
    }
    for (status, body, expected) in [
        (
            400,
            r#"{"code":7,"message":"scope from db not fully includes consumed scope"}"#,
            "ключ не подходит к scope GIGACHAT_API_B2B: проверьте llm.gigachat.scope",
        ),
        (
            400,
            r#"{"code":4,"message":"Can't decode 'Authorization' header"}"#,
            "ключ не читается: скопируйте ключ авторизации целиком, без слова Basic (ответ 400)",
        ),
        (200, "<html>вход</html>", "сервер токенов ответил не токеном: проверьте oauth_url"),
    ] {
        let fake = FakeGigaChat::start(&clock).await;
        let chain = chain(fake.settings(), &clock);
        fake.state().token_script.push_back(Scripted::status(status, body));
        let error = chain.ask(&ask("гайка")).await.expect_err("refused");
        assert_eq!(why(&error), expected);
        assert_eq!(fake.state().questions.len(), 0);
    }
}

#[tokio::test]
async fn a_private_root_is_trusted_by_file_and_asked_for_in_words() {
    let clock = clock();
    let authority = Authority::new();
    let fake = FakeGigaChat::start_tls(&clock, authority.leaf()).await;

    let refused = chain(fake.settings(), &clock).ask(&ask("гайка")).await.expect_err("no trust");
    let why = why(&refused);
    for word in ["Russian Trusted Root CA", "gosuslugi.ru/crt", "ca_bundle", "SSL_CERT_FILE"] {
        assert!(why.contains(word), "{why}");
    }
    assert_eq!(fake.state().tokens, 0);

    let ca_bundle = Some(authority.bundle());
    let trusting = chain(config::GigaChat { ca_bundle, ..fake.settings() }, &clock);
    trusting.ask(&ask("гайка")).await.expect("an answer over TLS");

    let stranger = Authority::new();
    let ca_bundle = Some(stranger.bundle());
    let other = chain(config::GigaChat { ca_bundle, ..fake.settings() }, &clock);
    other.ask(&ask("гайка")).await.expect_err("another root is no help");
}

#[tokio::test]
async fn an_expired_certificate_is_told_from_an_unknown_root() {
    let clock = clock();
    let authority = Authority::new();
    let fake = FakeGigaChat::start_tls(&clock, authority.expired_leaf()).await;
    let ca_bundle = Some(authority.bundle());
    let chain = chain(config::GigaChat { ca_bundle, ..fake.settings() }, &clock);
    let error = chain.ask(&ask("гайка")).await.expect_err("expired");
    assert!(why(&error).starts_with("срок сертификата сервера истёк"), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_work_stop_the_start() {
    let clock = clock();
    let defaults = config::Config::default().llm;
    let made = |gigachat: config::GigaChat| {
        let settings = config::Llm { gigachat, openai: defaults.openai.clone() };
        Chain::new(&settings, &clock, Arc::new(Unlimited)).err()
    };
    let keyed =
        || config::GigaChat { auth_key: Some(Secret::new(KEY)), ..defaults.gigachat.clone() };
    let dir = tempfile::tempdir().expect("a folder");
    let garbage = dir.path().join("garbage.pem");
    std::fs::write(&garbage, "не сертификат").expect("written");
    let faulty = config::GigaChat { ca_bundle: Some(garbage.clone()), ..keyed() };
    let base_url = Some("http://127.0.0.1:1/v1".to_owned());
    let openai = config::OpenAi { base_url, ..defaults.openai.clone() };
    let both = config::Llm { gigachat: faulty, openai };
    let (sound, faults) = Chain::of_sound(&both, &clock, Arc::new(Unlimited));
    assert!(sound.is_configured(), "the fault of one does not switch the other off");
    assert!(matches!(faults[..], [(ProviderKind::GigaChat, _)]), "{faults:?}");
    let refused = made(config::GigaChat { ca_bundle: Some(garbage), ..keyed() });
    assert!(
        matches!(refused, Some(HttpSetupError::Roots(RootsError::NoCertificate(_)))),
        "{refused:?}"
    );
    let api_base_url = "http://example.com/v1".to_owned();
    let refused = made(config::GigaChat { api_base_url, ..keyed() });
    assert!(matches!(refused, Some(HttpSetupError::Plain(_))), "{refused:?}");
    assert!(made(keyed()).is_none());
    let unset = made(config::GigaChat { ca_bundle: Some("/nowhere".into()), ..defaults.gigachat });
    assert!(unset.is_none(), "a provider without a key is absent, not an error");
}
