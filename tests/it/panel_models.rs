//! «Модель» in the panel: how the models are doing, and the same text read by everyone.

use axum::http::{HeaderMap, StatusCode};
use partner_m::config::{Config, Llm};

use crate::support::fake_openai::{FakeOpenAi, KEY};
use crate::support::panel::{Panel, percent};
use crate::support::server::Scripted;

async fn panel(fake: &FakeOpenAi) -> Panel {
    let defaults = Config::default();
    let llm = Llm { openai: fake.settings(), ..defaults.llm.clone() };
    Panel::start_with(Config { llm, ..defaults }).await
}

async fn press(panel: &Panel, ours: &HeaderMap, path: &str, fields: &str) -> (StatusCode, String) {
    let form = format!("csrf={}&{fields}", panel.token(ours).await);
    let answer = panel.send("POST", path, ours.clone(), &form).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_model_is_tested_by_a_button_and_its_failure_told_in_words() {
    let fake = FakeOpenAi::start().await;
    fake.state().answer = r#"[{"line":1,"title":"Саморез жёлтый 4×50"}]"#.into();
    let panel = panel(&fake).await;
    let ours = panel.sign_in().await;
    let page = panel.send("GET", "/admin/search/models", ours.clone(), "").await.body;
    for word in ["Режим auto", "GigaChat", "выключена", "ещё не спрашивали", "gpt-4o-mini"]
    {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert_eq!(fake.state().questions.len(), 0, "looking asks nobody");

    let (status, page) = press(&panel, &ours, "/admin/search/models", "").await;
    assert_eq!(status, StatusCode::OK);
    for word in ["ответила", "«Саморез жёлтый 4×50»", "240", "работает"]
    {
        assert!(page.contains(word), "{word}: {page}");
    }
    fake.state().script.push_back(Scripted::status(401, r#"{"error":{"code":"invalid_api_key"}}"#));
    let (_, page) = press(&panel, &ours, "/admin/search/models", "").await;
    for word in ["не ответила", "ключ не принят", "пропускается до"]
    {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains(KEY), "the key is never shown whole");
}

#[tokio::test]
async fn a_text_is_compared_without_what_names_the_client() {
    let fake = FakeOpenAi::start().await;
    fake.state().answer = r#"[{"line":1,"title":"Саморез 4×25 жёлтый","qty":100}]"#.into();
    let panel = panel(&fake).await;
    let ours = panel.sign_in().await;
    let text = "жучок 100 шт для Диван-М\nшпунька 5 шт, тел. +7 921 111-22-33";
    let text = percent(text);
    let fields = format!("text={text}&organization=1");
    let (status, page) = press(&panel, &ours, "/admin/search/compare", &fields).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for word in ["Местный движок", "OpenAI", "модель: «Саморез 4×25 жёлтый»", "240"]
    {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains("<th scope=\"col\">GigaChat"), "who is not set up has no column");
    let asked = fake.state().questions[0].to_string();
    assert!(!asked.contains("921") && !asked.contains("Диван-М"), "{asked}");

    fake.state().script.push_back(Scripted::Body("text/html", "<html>".to_owned()));
    let fields = "text=abc+5&organization=";
    let (status, page) = press(&panel, &ours, "/admin/search/compare", fields).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("ни одна модель не ответила"), "{page}");
    let asked = fake.state().questions.len();
    let (_, page) = press(&panel, &ours, "/admin/search/compare", "text=...&organization=").await;
    assert!(page.contains("Позиций в тексте нет"), "{page}");
    assert_eq!(fake.state().questions.len(), asked, "nobody is asked about nothing");
}

#[tokio::test]
async fn without_a_model_there_is_nothing_to_compare_with() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let search = panel.send("GET", "/admin/search?text=x", ours.clone(), "").await;
    assert!(!search.body.contains("Сравнить с моделями"));
    let page = panel.send("GET", "/admin/search/models", ours.clone(), "").await;
    assert!(page.body.contains("llm.gigachat.auth_key"), "{}", page.body);
    let (status, _) = press(&panel, &ours, "/admin/search/compare", "text=x").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}
