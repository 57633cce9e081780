//! How long a buyer waits for the first card of an order, with models off and in `auto` with every
//! provider down: one refuses connections, the other takes the question and never answers. The
//! models are an aid that comes after the card, so the two must not differ.
//!
//! `cargo bench --bench first_card`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

use std::time::{Duration, Instant};

use partner_m::app::App;
use partner_m::chat::event::{Event, EventKind};
use partner_m::config::{Config, LlmMode};
use partner_m::domain::{ChatKey, Clock, Secret};
use partner_m::formats::onec_json::CatalogJson;
use partner_m::services::exchange::{Origin, Way};
use partner_m::storage::StorageError;
use partner_m::storage::db::Create;
use tokio::net::TcpListener;

/// Messages of each turn; the first ones warm up and are not counted.
const MESSAGES: usize = 120;
const WARM_UP: usize = 20;
/// Between two messages.
const PAUSE: Duration = Duration::from_millis(40);
/// The two are measured in turns, so that neither has the quieter machine.
const TURNS: usize = 3;

/// Known goods, and in every message words that no catalogue has, so that a model is asked.
const TEXT: &str = "спанбонд 70 бел 2 рул\nнитки 40лл чёрные 10\nсамор 4х25 жёлтый 4т.шт\n\
    закорюка подвесная 3 шт\nшмуляк двойной 12 шт\nмолния рулонная тип 5 чёрная 2 рул\n\
    конфирмат 7х50 1000 шт\nопора h 100 хром 40 шт\nпоролон 40 мм 10 листов\nручка скоба 128 30 шт";

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut off, mut down) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        off.extend(runtime.block_on(turn(LlmMode::Off)));
        down.extend(runtime.block_on(turn(LlmMode::Auto)));
    }
    for (name, times) in [("модели выключены", &mut off), ("auto, все недоступны", &mut down)]
    {
        times.sort_unstable();
        println!(
            "{name}: медиана {:.2} мс, 99-й процентиль {:.2} мс, сообщений {}",
            millis(times[times.len() / 2]),
            millis(times[times.len() * 99 / 100]),
            times.len()
        );
    }
    // What still waits for the silent provider is not waited for.
    runtime.shutdown_background();
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A fresh program with the demo's catalogue; how long each first card took.
async fn turn(mode: LlmMode) -> Vec<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
    config.recognition.llm = mode;
    config.llm.gigachat.auth_key = Some(Secret::new("Y2xpZW50OnNlY3JldA=="));
    "http://127.0.0.1:1/oauth".clone_into(&mut config.llm.gigachat.oauth_url);
    "http://127.0.0.1:1/v1".clone_into(&mut config.llm.gigachat.api_base_url);
    config.llm.openai.base_url = Some(format!("http://{}/v1", silent.local_addr().unwrap()));
    let app = App::open(config, Clock::system(), Create::Yes).unwrap();
    let catalog = CatalogJson(&include_bytes!("../assets/demo/catalog.json")[..]);
    app.exchange.apply(catalog, Origin::new(Way::Import)).await.unwrap();
    app.catalog.refresh().await.unwrap();
    let mut times = Vec::new();
    for number in 0..MESSAGES {
        // Everyone writes for the first time: nothing is joined to an earlier message.
        let chat = ChatKey::Web(format!("buyer{number}"));
        let kind = EventKind::Text { text: TEXT.to_owned(), message_id: 1, reply_to: None };
        let event = Event {
            key: format!("web:{number}"),
            chat: chat.clone(),
            from: chat.clone(),
            from_name: "Покупатель".to_owned(),
            at: app.base.clock.now(),
            kind,
            quoted: Vec::new(),
        };
        let payload = serde_json::to_string(&event).unwrap();
        let began = Instant::now();
        app.conversations.accept(event.key.clone(), chat, payload).await.unwrap();
        app.worker.run_pending().await;
        times.push(began.elapsed());
        // A buyer's next message is not there in the same instant: what goes on behind the first
        // card is not measured as the wait for the second.
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(app.conversations.count().await.unwrap(), (0, 0), "every message was answered");
    let cards = app
        .base
        .db
        .read_blocking(|conn| {
            let count = conn.query_row("select count(*) from outbox", [], |row| row.get(0))?;
            Ok::<i64, StorageError>(count)
        })
        .unwrap();
    assert!(cards >= i64::try_from(MESSAGES).unwrap(), "{cards} cards are on their way");
    times.split_off(WARM_UP)
}
