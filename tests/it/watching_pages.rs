//! The panel's pages for administrators: journal, copies, outbox, settings, state.

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::config::Config;
use partner_m::services::accounts::Actor;
use partner_m::storage::StorageError;

use super::support::panel::{Answer, Panel};

async fn get(panel: &Panel, ours: &HeaderMap, path: &str) -> String {
    let answer = panel.send("GET", path, ours.clone(), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

async fn press(panel: &Panel, ours: &HeaderMap, path: &str, fields: &str) -> Answer {
    let form = format!("csrf={}&{fields}", panel.token(ours).await);
    panel.send("POST", path, ours.clone(), &form).await
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |coded, byte| coded + &format!("%{byte:02X}"))
}

fn execute(panel: &Panel, sql: &str) {
    panel.desk.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(sql)?)).unwrap();
}

#[tokio::test]
async fn the_journal_is_filtered_by_its_address_and_leaves_as_a_safe_table() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let journal = &panel.desk.operations.journal;
    let by = Actor::cli();
    let hostile = "=cmd|' /C calc'!A1";
    journal
        .note(&by, "setting.changed", "setting:company.name", (Some("Старое"), Some(hostile)))
        .await
        .unwrap();
    for n in 0..60 {
        let object = format!("product:{n}");
        journal.note(&by, "product.own_fields", &object, (None, None)).await.unwrap();
    }
    let page = get(&panel, &ours, "/admin/audit").await;
    assert!(page.contains("1–50 из"), "{page}");
    let page = get(&panel, &ours, "/admin/audit?action=setting.changed").await;
    for words in ["настройка", "Старое", "=cmd", "командная строка", "1 запись"]
    {
        assert!(
            page.replace('\u{a0}', " ").to_lowercase().contains(&words.to_lowercase()),
            "{words}: {page}"
        );
    }
    assert!(!page.contains("товар №\u{a0}5"), "the others are filtered out");
    let page = get(&panel, &ours, "/admin/audit?q=PRODUCT:59").await;
    assert!(page.contains("товар №\u{a0}59") && !page.contains("товар №\u{a0}58"));
    let page = get(&panel, &ours, "/admin/audit?q=product").await.replace('\u{a0}', " ");
    assert!(page.contains("1–50 из 60") && page.contains("товар № 59"), "{page}");
    let page = get(&panel, &ours, "/admin/audit?q=product&page=2").await.replace('\u{a0}', " ");
    assert!(page.contains("51–60 из 60") && page.contains("товар № 0"), "{page}");
    assert!(!page.contains("товар № 10"), "it is on the first page: {page}");
    let page = get(&panel, &ours, "/admin/audit?who=-&until=2020-01-01").await;
    assert!(page.contains("Ничего не найдено"));
    // The panel's own sign-in is there, with its address.
    let page = get(&panel, &ours, "/admin/audit?channel=panel").await;
    assert!(page.contains("вход") && page.contains("127.0.0.1"), "{page}");

    let before = panel.count("select count(*) from audit");
    let file = press(&panel, &ours, "/admin/audit/export", "action=setting.changed").await;
    assert_eq!(file.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert!(file.body.contains("'=cmd|"), "a formula is defused: {}", file.body);
    assert_eq!(file.body.lines().count(), 2, "{}", file.body);
    assert_eq!(panel.count("select count(*) from audit"), before + 1, "an export leaves a trace");
}

#[tokio::test]
async fn the_journal_speaks_in_words_and_names() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    execute(
        &panel,
        "insert into audit (at_ms, channel, person_id, action, object, before, after) values
            (1, 'panel', 3, 'exchange.keep', 'hiding:1', null, null),
            (2, 'panel', 3, 'exchange.replay', 'exchange:2', null, null),
            (3, 'panel', 3, 'exchange.offer_again', 'order:1', null, null),
            (4, 'panel', 3, 'person.role', 'person:1', 'client', 'manager'),
            (5, 'panel', 3, 'organization.merge', 'organization:1', null, 'ООО «Диван»'),
            (6, 'panel', 3, 'member.role', 'member:1:1', 'viewer', 'buyer'),
            (7, 'panel', 3, 'product.own_fields', 'product:1', null, null),
            (8, 'bot', 1, 'person.reset', 'person:999', null, null);",
    );
    let page = get(&panel, &ours, "/admin/audit").await;
    let (_, table) = page.split_once("<tbody>").unwrap();
    let (table, _) = table.split_once("</tbody>").unwrap();
    for words in [
        "не упомянутые товары оставлены",
        "скрытие товаров №\u{a0}1",
        "обмен №\u{a0}2",
        "<a href=\"/admin/orders/1042\">заказ №\u{a0}1042</a>",
        "<a href=\"/admin/people/1\">Анна Иванова</a>",
        "<del>клиент</del> → <ins>менеджер</ins>",
        "присоединён дубль",
        "<del>наблюдатель</del> → <ins>снабженец</ins>",
        "<a href=\"/admin/catalog/products/1\">Саморез 4×25",
        "человек №\u{a0}999",
        "data-label=\"Было → стало\" data-none",
    ] {
        assert!(table.contains(words), "no «{words}» in {table}");
    }
    for code in ["exchange.", "hiding", "person.", "organization.", "member.", "viewer"] {
        assert!(!table.contains(&format!(">{code}")), "«{code}» in {table}");
    }
    assert!(page.contains("в ленте на странице самого заказа"), "{page}");
}

#[tokio::test]
async fn a_copy_is_made_checked_and_taken_from_the_page() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    assert!(get(&panel, &ours, "/admin/backups").await.contains("Копий ещё нет."));
    let made = press(&panel, &ours, "/admin/backups", "").await;
    assert!(made.body.contains("сделана и проверена"), "{}", made.body);
    let file = panel.desk.operations.backups.list().await.unwrap().remove(0);
    let name = file.path.file_name().unwrap().to_str().unwrap().to_owned();
    let page = get(&panel, &ours, "/admin/backups").await;
    assert!(page.contains(&format!("sudo partner-m restore '{}'", file.path.display())), "{page}");
    assert!(page.contains("Последняя проверенная копия сделана"), "{page}");

    let checked = press(&panel, &ours, &format!("/admin/backups/{name}/verify"), "").await;
    assert!(
        checked.body.replace('\u{a0}', " ").contains("цела: 1 заказ, 1 товар"),
        "{}",
        checked.body
    );
    let taken = press(&panel, &ours, &format!("/admin/backups/{name}/download"), "").await;
    assert_eq!(taken.headers[header::CONTENT_LENGTH], file.size.to_string());
    assert!(taken.body.starts_with("SQLite format 3"));
    for absent in ["nothing.db", "..%2Fpartner-m.db", "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"] {
        let path = format!("/admin/backups/{absent}/download");
        assert_eq!(press(&panel, &ours, &path, "").await.status, StatusCode::NOT_FOUND, "{absent}");
    }
    let bytes = std::fs::read(&file.path).unwrap();
    std::fs::write(&file.path, &bytes[..bytes.len() / 2]).unwrap();
    let checked = press(&panel, &ours, &format!("/admin/backups/{name}/verify"), "").await;
    assert!(checked.body.contains("не годится"), "{}", checked.body);
    let noted = "select count(*) from audit where action like 'backup.%'";
    assert_eq!(panel.count(noted), 2, "made and taken");
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_by_a_tap() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let now = panel.desk.base.clock.now().millis();
    execute(
        &panel,
        &format!(
            "insert into chats (key, title, blocked_at_ms) values ('tg:7', 'Борис', {now});
             insert into outbox (id, chat_key, payload, due_at_ms, state, error, attempts, created_at_ms, closed_at_ms)
             values (1, 'tg:5', '{{\"typing\":null}}', 1, 'failed', 'чат не найден', 3, {now}, {now}),
                    (2, 'tg:7', '{{}}', 1, 'failed', 'заблокирован', 1, {now}, {now}),
                    (3, 'tg:5', '{{}}', 1, 'failed', 'старое', 1, 1, 1);"
        ),
    );
    let page = get(&panel, &ours, "/admin/outbox").await;
    for words in ["tg:5", "чат не найден", "бот заблокирован", "Повторить всё"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(get(&panel, &ours, "/admin/outbox?view=blocked").await.contains("Борис"));
    let state = "select count(*) from outbox where state = 'queued'";
    assert_eq!(
        press(&panel, &ours, "/admin/outbox/3/retry", "").await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(panel.count(state), 1);
    let again = press(&panel, &ours, "/admin/outbox/3/retry", "").await;
    assert_eq!(again.status, StatusCode::CONFLICT, "it is queued already");
    press(&panel, &ours, "/admin/outbox", "").await;
    assert_eq!(panel.count(state), 2, "not to who has blocked the bot");
    assert!(get(&panel, &ours, "/admin/outbox?view=queued").await.contains("tg:5"));
    assert_eq!(panel.count("select count(*) from audit where action = 'outbox.retried'"), 2);
}

#[tokio::test]
async fn a_setting_of_the_panel_is_in_force_at_once_and_survives() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let set = |key: &str, value: &str| format!("key={key}&value={}", percent(value));
    let saved = press(&panel, &ours, "/admin/settings", &set("company.name", "ООО «Ткани»")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    assert_eq!(panel.desk.base.config.company.name, "ООО «Ткани»");
    let page = get(&panel, &ours, "/admin/settings?saved=company.name").await;
    for words in ["Уже действует", "Источник: панель", "<title>", "ООО «Ткани»</title>"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(
        panel.count("select count(*) from audit where action = 'setting.changed' and before = 'Партнёр-М' and after = 'ООО «Ткани»'"),
        1
    );
    let refused = press(&panel, &ours, "/admin/settings", &set("company.phone", "12")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Ничего не изменено"), "{}", refused.body);
    for key in ["telegram.bot_token", "data_dir", "nothing"] {
        let refused = press(&panel, &ours, "/admin/settings", &set(key, "1")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{key}");
    }
    for hours in ["абракадабра", "с 9 до 18", "18:00–09:00"] {
        let refused = press(&panel, &ours, "/admin/settings", &set("company.hours", hours)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{hours}");
        assert!(refused.body.contains("пн–пт 09:00–18:00, сб 10:00–15:00"), "{}", refused.body);
    }
    let long = set("company.name", &"Ы".repeat(101));
    let refused = press(&panel, &ours, "/admin/settings", &long).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("длиннее 100"), "{}", refused.body);
    assert_eq!(panel.desk.base.config.company.hours, "пн–пт 09:00–18:00");
    for (key, value) in
        [("company.phone", "+7 921 111-22-33"), ("backup.at", "off"), ("backup.keep", "3")]
    {
        let saved = press(&panel, &ours, "/admin/settings", &set(key, value)).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{key}");
    }
    let config = &panel.desk.base.config;
    assert_eq!((config.backup.at, config.backup.keep), (None, 3));
    assert!(config.company.phone.is_some());
    let kept = partner_m::services::settings::kept(panel.desk.base.db.path());
    assert_eq!(kept.len(), 4, "{kept:?}");
    press(&panel, &ours, "/admin/settings", "key=company.phone&value=").await;
    assert!(panel.desk.base.config.company.phone.is_none(), "back to the default");
    let restarted = partner_m::config::Loaded::defaults(Config::default())
        .with_panel(&partner_m::services::settings::kept(panel.desk.base.db.path()));
    assert_eq!(restarted.config.company.name, "ООО «Ткани»");
}

#[tokio::test]
async fn the_state_page_says_what_is_wrong_and_what_to_do() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    panel
        .desk
        .bot
        .set(partner_m::services::bot_status::BotState::Refused, panel.desk.base.clock.now());
    let future = panel.desk.base.clock.now().millis() + 86_400_000;
    execute(
        &panel,
        &format!(
            "insert into jobs (name, started_at_ms, ended_at_ms, ok, result, failures)
            values ('backup', {future}, {future}, 0, 'на диске нет места', 1)"
        ),
    );
    let page = get(&panel, &ours, "/admin/health").await;
    for words in
        ["Сбой: Бот.", "@BotFather", "Часы", "NTP", "на диске нет места", "Уборка устаревшего"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let today = get(&panel, &ours, "/admin").await;
    assert!(today.contains("токен не принят") && today.contains("/admin/health"), "{today}");
    let manager = panel.sign_in_as("%2B79000000002").await;
    let today = get(&panel, &manager, "/admin").await;
    assert!(!today.contains("/admin/health"), "only an administrator gets the link");
}
