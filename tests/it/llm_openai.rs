//! OpenAI's protocol and the manners of servers that speak it.

use std::sync::Arc;
use std::time::Duration;

use partner_m::clients::llm::{
    AskLines, Chain, ChainError, Limits, LineForModel, ProviderKind, Unlimited,
};
use partner_m::config;
use partner_m::domain::{Clock, Timestamp};
use serde_json::Value;

use crate::support::fake_openai::FakeOpenAi;
use crate::support::server::{Authority, Scripted};

fn chain(openai: config::OpenAi) -> Chain {
    let settings = config::Llm { openai, gigachat: config::Config::default().llm.gigachat };
    let limits = Limits { pause: Duration::from_millis(1), ..Limits::default() };
    let clock = Clock::manual(Timestamp::from_millis(1_795_532_400_000));
    Chain::with_limits(&settings, &clock, Arc::new(Unlimited), limits).expect("a chain")
}

fn ask(text: &str) -> AskLines {
    let line = LineForModel { text: text.to_owned(), candidates: vec!["Болт М8".to_owned()] };
    AskLines { lines: vec![line], secrets_to_mask: Vec::new() }
}

fn why(error: &ChainError) -> String {
    match error {
        ChainError::Failed(failures) => failures[0].1.clone(),
        other => panic!("{other}"),
    }
}

fn formats(questions: &[Value]) -> Vec<&str> {
    let format = |question: &'_ Value| question["response_format"]["type"].as_str().is_some();
    assert!(!questions.is_empty());
    let name = |q| if format(q) { q["response_format"]["type"].as_str() } else { Some("plain") };
    questions.iter().filter_map(name).collect()
}

#[tokio::test]
async fn the_answers_shape_is_enforced_where_the_server_can() {
    let fake = FakeOpenAi::start().await;
    fake.state().answer = r#"{"items":[{"line":1,"title":"Болт М8","qty":2}]}"#.into();
    let answer = chain(fake.settings()).ask(&ask("болт 8 2 шт")).await.expect("an answer");
    assert_eq!(answer.provider, ProviderKind::OpenAi);
    assert_eq!(answer.proposals[0].title, "Болт М8");
    assert_eq!(answer.tokens, Some(240));
    let state = fake.state();
    assert_eq!(formats(&state.questions), ["json_schema"]);
    let user = state.questions[0]["messages"][1]["content"].as_str().expect("a text");
    assert_eq!(
        user,
        "```json\n[{\"line\":1,\"options\":[\"Болт М8\"],\"text\":\"болт 8 2 шт\"}]\n```"
    );
}

#[tokio::test]
async fn a_server_without_schemas_is_asked_plainly_and_remembered() {
    let fake = FakeOpenAi::start().await;
    fake.state().refuses = vec!["response_format"];
    let chain = chain(fake.settings());
    chain.ask(&ask("болт")).await.expect("an answer");
    chain.ask(&ask("гайка")).await.expect("an answer");
    assert_eq!(formats(&fake.state().questions), ["json_schema", "json_object", "plain", "plain"]);
}

#[tokio::test]
async fn a_reasoning_model_is_asked_in_its_own_terms() {
    let fake = FakeOpenAi::start().await;
    fake.state().refuses = vec!["temperature", "max_tokens"];
    let chain = chain(fake.settings());
    chain.ask(&ask("болт")).await.expect("an answer");
    let last = fake.state().questions.last().cloned().expect("asked");
    assert!(last["temperature"].is_null() && last["max_tokens"].is_null());
    assert!(last["max_completion_tokens"].is_number());
    assert_eq!(formats(&[last]), ["json_schema"], "what was not refused stays");
}

#[tokio::test]
async fn a_server_without_a_key_gets_none() {
    let fake = FakeOpenAi::start().await;
    let settings = config::OpenAi { api_key: None, ..fake.settings() };
    let error = chain(settings).ask(&ask("болт")).await.expect_err("the fake wants a key");
    assert_eq!(why(&error), "ключ не принят (ответ 401 invalid_api_key): проверьте OPENAI_API_KEY");
}

#[tokio::test]
async fn every_refusal_has_words_and_never_the_servers_own_about_the_key() {
    let body = |code: &str| format!(r#"{{"error":{{"message":"sk-MARK","code":"{code}"}}}}"#);
    for (status, code, expected) in [
        (
            403,
            "unsupported_country_region_territory",
            "сервер не обслуживает эту страну (ответ 403): укажите llm.openai.base_url другого \
             сервера или прокси HTTPS_PROXY",
        ),
        (404, "model_not_found", "нет модели gpt-4o-mini или адреса (ответ 404 model_not_found)"),
        (429, "insufficient_quota", "на счёте нет средств (ответ 429 insufficient_quota)"),
        (402, "x", "на счёте нет средств (ответ 402 x)"),
    ] {
        let fake = FakeOpenAi::start().await;
        fake.state().script.push_back(Scripted::status(status, &body(code)));
        let error = chain(fake.settings()).ask(&ask("болт")).await.expect_err("refused");
        assert_eq!(why(&error), expected);
        assert_eq!(fake.state().questions.len(), 1, "{status} is not repeated");
    }
}

#[tokio::test]
async fn a_fault_and_a_crowd_are_tried_once_more() {
    for (status, header) in [(500, None), (503, None), (429, Some(("retry-after-ms", "1")))] {
        let fake = FakeOpenAi::start().await;
        let scripted = Scripted::status(status, r#"{"error":{"code":"rate_limit_exceeded"}}"#);
        let scripted = match header {
            Some((name, value)) => scripted.with_header(name, value),
            None => scripted,
        };
        fake.state().script.push_back(scripted);
        chain(fake.settings()).ask(&ask("болт")).await.expect("an answer");
        assert_eq!(fake.state().questions.len(), 2);
    }
}

#[tokio::test]
async fn an_own_server_behind_a_private_root_and_with_its_headers_is_reached() {
    let authority = Authority::new();
    let fake = FakeOpenAi::start_tls(authority.leaf()).await;
    let refused = chain(fake.settings()).ask(&ask("болт")).await.expect_err("no trust");
    assert!(why(&refused).contains("llm.openai.ca_bundle"), "{refused}");
    assert_eq!(fake.state().questions.len(), 0);

    let settings = config::OpenAi {
        ca_bundle: Some(authority.bundle()),
        headers: vec![("OpenAI-Project".to_owned(), "b1g-folder".to_owned())],
        ..fake.settings()
    };
    chain(settings).ask(&ask("болт")).await.expect("an answer over TLS");
    assert_eq!(fake.state().project.as_deref(), Some("b1g-folder"));
}
