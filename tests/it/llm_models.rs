//! The aid as a service: real recognition, a real database, fake models.

use std::sync::Arc;
use std::time::Duration;

use partner_m::config::{self, Config, LlmMode};
use partner_m::domain::{Clock, OrgKind, Timestamp, Zone};
use partner_m::recognition::{Buyer, Decision, Entry, Index, Recognition};
use partner_m::services::Base;
use partner_m::services::live::Live;
use partner_m::services::models::{Aided, BudgetStatus, Models};
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError, organizations};

use crate::support::fake_gigachat::FakeGigaChat;
use crate::support::server::Scripted;

struct Stand {
    clock: Clock,
    fake: FakeGigaChat,
    index: Arc<Index>,
    folder: tempfile::TempDir,
}

const TITLES: &[&str] = &["Синтепон 200 г/м2 белый", "Дрель ударная"];

impl Stand {
    async fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_millis(1_795_532_400_000));
        let fake = FakeGigaChat::start(&clock).await;
        let entry = |(place, title): (i64, &&str)| Entry {
            id: partner_m::domain::ProductId(place),
            title: (*title).to_owned(),
            available: true,
            ..Entry::default()
        };
        let index = Arc::new(Index::build((1..).zip(TITLES).map(entry).collect(), &[]));
        Self { clock, fake, index, folder: tempfile::tempdir().expect("a folder") }
    }

    /// The service as a start makes it.
    fn models(&self, mode: LlmMode, budget: u32) -> (Models, Base) {
        let defaults = Config::default();
        let config = Config {
            recognition: config::RecognitionSettings { llm: mode, llm_daily_requests: budget },
            llm: config::Llm {
                gigachat: self.fake.settings(),
                openai: defaults.llm.openai.clone(),
            },
            ..defaults
        };
        let db = Db::open(&self.folder.path().join("partner-m.db"), Create::Yes).expect("opens");
        let zone = Zone::named("Europe/Moscow").expect("a zone");
        let clock = self.clock.clone();
        let base = Base { db, clock, zone, config: config.into(), live: Live::default() };
        (Models::from_settings(base.clone()), base)
    }

    fn local(&self, text: &str) -> Recognition {
        self.index.recognize(text, &Buyer::default())
    }

    async fn aid(&self, models: &Models, text: &str) -> Option<Aided> {
        models.aid(&self.index, text, &self.local(text), &Buyer::default(), None).await
    }

    fn asked(&self) -> usize {
        self.fake.state().questions.len()
    }
}

const SLANG: &str = "пухлик 2 шт";

#[tokio::test]
async fn a_cross_becomes_a_question_when_the_model_knows_the_word() {
    let stand = Stand::new().await;
    stand.fake.state().answer = r#"[{"line":1,"title":"Синтепон белый"}]"#.into();
    let (models, _) = stand.models(LlmMode::Auto, 10);
    assert_eq!(stand.local(SLANG).lines[0].decision, Decision::Unmatched);
    let aided = stand.aid(&models, SLANG).await.expect("something changed");
    let line = &aided.recognition.lines[0];
    assert_eq!((line.decision, line.product), (Decision::Ambiguous, None));
    assert_eq!(line.candidates[0].product.0, 1);
    assert_eq!(line.quantity, stand.local(SLANG).lines[0].quantity, "the quantity is the buyer's");
    assert_eq!(aided.changed, [0]);
    assert_eq!(line.trace.stages.last().expect("a stage").name, "модель");
}

#[tokio::test]
async fn a_model_is_asked_only_where_the_local_engine_is_not_sure() {
    let stand = Stand::new().await;
    let (models, _) = stand.models(LlmMode::Auto, 10);
    assert!(stand.aid(&models, "дрель ударная 1 шт").await.is_none());
    assert_eq!(stand.asked(), 0);
    let text = "дрель ударная 1 шт\nпухлик 2 шт";
    assert!(stand.aid(&models, text).await.is_none(), "an empty list changes nothing");
    let user = stand.fake.state().questions[0]["messages"][1]["content"].to_string();
    assert!(user.contains("пухлик") && !user.contains("\\\"text\\\":\\\"дрель"), "{user}");
}

#[tokio::test]
async fn off_and_an_absent_provider_ask_nobody() {
    let stand = Stand::new().await;
    let (models, base) = stand.models(LlmMode::Off, 10);
    assert!(!models.is_on());
    assert!(stand.aid(&models, SLANG).await.is_none());
    let mut config = (*base.config).clone();
    config.recognition.llm = LlmMode::Auto;
    config.llm.gigachat.auth_key = None;
    let models = Models::from_settings(Base { config: config.into(), ..base });
    assert!(!models.is_on(), "no provider is no error");
    assert_eq!(stand.asked(), 0);
}

#[tokio::test]
async fn whatever_goes_wrong_the_local_result_stands() {
    let stand = Stand::new().await;
    let (models, _) = stand.models(LlmMode::First, 100);
    for (n, scripted) in [
        Scripted::status(401, "{}"),
        Scripted::Body("text/html", "<html>".to_owned()),
        Scripted::Cut,
        Scripted::Endless,
        Scripted::status(500, "{}").with_header("retry-after", "0"),
    ]
    .into_iter()
    .enumerate()
    {
        stand.fake.state().script.extend([scripted.clone(), scripted]);
        let text = format!("пухлик {n} шт");
        assert!(stand.aid(&models, &text).await.is_none());
        stand.fake.state().script.clear();
        stand.clock.advance(Duration::from_mins(16));
    }
    let (_, why) = models.status()[0].failed_at.clone().expect("health knows");
    assert!(why.contains("500"), "{why}");
}

#[tokio::test]
async fn a_restart_does_not_renew_the_days_budget_and_midnight_does() {
    let stand = Stand::new().await;
    let (models, base) = stand.models(LlmMode::Auto, 2);
    stand.aid(&models, "пухлик 1 шт").await;
    stand.aid(&models, "пухлик 2 шт").await;
    assert_eq!(models.budget().await.expect("read"), BudgetStatus { used: 2, limit: 2 });
    drop((models, base));

    let (models, _) = stand.models(LlmMode::Auto, 2);
    stand.aid(&models, "пухлик 3 шт").await;
    assert_eq!(stand.asked(), 2, "spent before the restart");
    stand.clock.advance(Duration::from_hours(6)); // 18:00 in Moscow was the start
    stand.aid(&models, "пухлик 3 шт").await;
    assert_eq!(stand.asked(), 3, "a new day in the company's zone");
    assert_eq!(models.budget().await.expect("read").used, 1);
}

#[tokio::test]
async fn the_organizations_names_and_addresses_do_not_leave() {
    let stand = Stand::new().await;
    let (models, base) = stand.models(LlmMode::First, 10);
    let now = stand.clock.now();
    let organization = base
        .db
        .write(move |tx| {
            let new = organizations::NewOrganization {
                kind: OrgKind::Company,
                name: "ООО «Пухлик и Ко»",
                inn: None,
                external_id: None,
                verified: true,
                hours: "",
            };
            let id = organizations::insert(tx, &new, now)?;
            organizations::use_address(tx, id, "г. Тверь, ул. Ленина, д. 5", now)?;
            Ok::<_, StorageError>(id)
        })
        .await
        .expect("stored");
    let text = "дрель ударная 2 шт Пухлик и Ко\nсинтепон 200 белый 3 шт на Ленина 5";
    let local = stand.local(text);
    let buyer = Buyer::default();
    models.aid(&stand.index, text, &local, &buyer, Some(organization)).await;
    let sent = stand.fake.state().questions[0]["messages"][1]["content"].to_string();
    assert!(sent.contains("дрель") && sent.contains("синтепон"), "{sent}");
    for word in ["Пухлик", "Ко", "Ленина"] {
        assert!(!sent.contains(word), "{word} in {sent}");
    }
}
