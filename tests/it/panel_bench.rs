//! The recognition bench and what staff answer with: cases, what clients taught, files of synonyms,
//! files in questions, kept replies.

use axum::http::{HeaderMap, StatusCode};
use partner_m::domain::ChatKey;
use partner_m::services::questions::Attachment;
use partner_m::storage::StorageError;

use crate::support::panel::{PASSWORD, Panel, percent};

const ADMIN: &str = "%2B79000000003";
const MARIA: &str = "%2B79000000002";

async fn post(panel: &Panel, who: &HeaderMap, path: &str, fields: &[(&str, &str)]) -> StatusCode {
    said(panel, who, path, fields).await.0
}

async fn said(
    panel: &Panel,
    who: &HeaderMap,
    path: &str,
    fields: &[(&str, &str)],
) -> (StatusCode, String) {
    let mut form = format!("csrf={}", panel.token(who).await);
    for (name, value) in fields {
        form.push_str(&format!("&{name}={}", percent(value)));
    }
    let answer = panel.send("POST", path, who.clone(), &form).await;
    (answer.status, answer.body)
}

async fn page(panel: &Panel, who: &HeaderMap, path: &str) -> String {
    let answer = panel.send("GET", path, who.clone(), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

fn sql(panel: &Panel, sql: &str) {
    panel.desk.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(sql)?)).unwrap();
}

#[tokio::test]
async fn cases_are_kept_run_and_compared_with_the_run_before() {
    let panel = Panel::start().await;
    let maria = panel.sign_in_as(MARIA).await;
    let cases = "/admin/search/cases";
    assert!(page(&panel, &maria, cases).await.contains("Эталонов пока нет"));
    let nothing = [("act", "run")];
    assert_eq!(post(&panel, &maria, cases, &nothing).await, StatusCode::UNPROCESSABLE_ENTITY);

    let text = "саморез 4х25 жёлтый 4000 шт";
    let tried = page(&panel, &maria, &format!("/admin/search?text={}", percent(text))).await;
    assert!(tried.contains("Сохранить как эталон"), "{tried}");
    let keep = [("act", "keep"), ("name", "саморезы"), ("text", text)];
    assert_eq!(post(&panel, &maria, cases, &keep).await, StatusCode::SEE_OTHER);
    assert_eq!(post(&panel, &maria, cases, &nothing).await, StatusCode::SEE_OTHER);
    let shown = page(&panel, &maria, cases).await;
    assert!(shown.contains("всё верно") && shown.contains("саморезы"), "{shown}");

    sql(
        &panel,
        "update products set sku = '00-9'; update catalog_version set version = version + 1",
    );
    panel.desk.catalog.refresh().await.unwrap();
    assert_eq!(post(&panel, &maria, cases, &nothing).await, StatusCode::SEE_OTHER);
    let shown = page(&panel, &maria, cases).await;
    assert!(shown.contains("новых ошибок 1") && shown.contains("уверенно неверно"), "{shown}");
    assert!(shown.contains("было 1,000"), "{shown}");

    sql(
        &panel,
        "update products set sku = '00-1234'; update catalog_version set version = version + 1",
    );
    panel.desk.catalog.refresh().await.unwrap();
    assert_eq!(post(&panel, &maria, cases, &nothing).await, StatusCode::SEE_OTHER);
    assert!(page(&panel, &maria, cases).await.contains("исправлено 1"));

    // The file is what `eval` reads, and comes back as it went.
    let file = page(&panel, &maria, "/admin/search/cases/export").await;
    let case: serde_json::Value = serde_json::from_str(file.trim()).unwrap();
    assert_eq!((&case["id"], &case["text"]), (&"саморезы".into(), &text.into()));
    assert_eq!(
        (&case["lines"][0]["sku"], &case["lines"][0]["qty"]),
        (&"00-1234".into(), &4000.into())
    );
    let admin = panel.sign_in_as(ADMIN).await;
    let more = format!(
        "{file}{{\"id\":\"ещё\",\"text\":\"гайка\",\"lines\":[{{\"raw\":\"гайка\"}}]}}\nчушь\n"
    );
    let sent = Some(("cases.jsonl", more.as_bytes()));
    let loaded = panel.upload("/admin/search/cases/import", &admin, &[], sent).await;
    assert_eq!(loaded.status, StatusCode::OK, "{}", loaded.body);
    assert!(loaded.body.contains("Строка 3: не JSON"), "{}", loaded.body);
    assert_eq!(panel.count("select count(*) from golden_cases"), 2);
    let id = panel.count("select id from golden_cases where name = 'ещё'").to_string();
    let remove = [("act", "remove"), ("id", id.as_str())];
    assert_eq!(post(&panel, &maria, cases, &remove).await, StatusCode::SEE_OTHER);
    assert_eq!(panel.count("select count(*) from golden_cases"), 1);
}

#[tokio::test]
async fn a_synonym_that_changes_what_is_certain_is_asked_about_first() {
    let panel = Panel::start().await;
    let admin = panel.sign_in_as(ADMIN).await;
    sql(
        &panel,
        "insert into products (external_id, sku, title, unit, updated_at_ms)
             values ('black', '00-1', 'Саморез 4×25 чёрный', 'шт', 1);
         update catalog_version set version = version + 1",
    );
    panel.desk.catalog.refresh().await.unwrap();
    let keep = [("act", "keep"), ("name", "саморезы"), ("text", "саморез жёлтый 4х25 4000 шт")];
    post(&panel, &admin, "/admin/search/cases", &keep).await;
    let add = [("words", "жёлтый"), ("means", "чёрный")];
    let (status, body) = said(&panel, &admin, "/admin/synonyms", &add).await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    assert!(body.contains("Затронет 1\u{a0}эталон") && body.contains("саморезы"), "{body}");
    let count = "select count(*) from synonyms where words = 'жёлтый' and means = 'чёрный'";
    assert_eq!(panel.count(count), 0);
    let sure = [("words", "жёлтый"), ("means", "чёрный"), ("sure", "1")];
    assert_eq!(post(&panel, &admin, "/admin/synonyms", &sure).await, StatusCode::SEE_OTHER);
    assert_eq!(panel.count(count), 1);
    // What changes nothing is simply added; a circle is refused.
    let plain = [("words", "шурупчик"), ("means", "саморез")];
    assert_eq!(post(&panel, &admin, "/admin/synonyms", &plain).await, StatusCode::SEE_OTHER);
    let circle = [("words", "саморез"), ("means", "шурупчик"), ("sure", "1")];
    let refused = post(&panel, &admin, "/admin/synonyms", &circle).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_clients_taught_is_accepted_or_refused_once() {
    let panel = Panel::start().await;
    let maria = panel.sign_in_as(MARIA).await;
    sql(
        &panel,
        "insert into learnt_phrases (organization_id, phrase, product_id, learnt_from_order_id, learnt_at_ms)
            values (1, 'золотой саморез', 1, 1, 5), (1, 'гвоздь', 1, 1, 6);
        insert into learnt_phrases (organization_id, phrase, product_id, learnt_at_ms, checked)
            values (1, 'проверено', 1, 7, 1);",
    );
    let learnt = "/admin/synonyms/learnt";
    let shown = page(&panel, &maria, learnt).await;
    assert!(shown.contains("«золотой саморез»") && shown.contains("«гвоздь»"), "{shown}");
    assert!(!shown.contains("«проверено»"), "{shown}");
    let none = [("act", "accept")];
    assert_eq!(post(&panel, &maria, learnt, &none).await, StatusCode::UNPROCESSABLE_ENTITY);
    let accept = [("act", "accept"), ("phrase", "1 1 золотой саморез")];
    assert_eq!(post(&panel, &maria, learnt, &accept).await, StatusCode::SEE_OTHER);
    let refuse = [("act", "refuse"), ("phrase", "1 1 гвоздь"), ("phrase", "1 1 золотой саморез")];
    assert_eq!(post(&panel, &maria, learnt, &refuse).await, StatusCode::SEE_OTHER);
    let row = |phrase: &str, what: &str| {
        panel.count(&format!("select {what} from learnt_phrases where phrase = '{phrase}'"))
    };
    assert_eq!((row("золотой саморез", "checked"), row("золотой саморез", "refused")), (1, 0));
    assert_eq!(row("гвоздь", "refused"), 1);
    assert!(page(&panel, &maria, learnt).await.contains("Всё проверено"));
    assert_eq!(panel.count("select count(*) from audit where action like 'phrase.%'"), 2);
}

#[tokio::test]
async fn synonyms_go_out_and_come_in_as_a_file() {
    let panel = Panel::start().await;
    let admin = panel.sign_in_as(ADMIN).await;
    let file = "words,means,article,client\nшурупчик,саморез,,\nзолотой,,00-1234,1\nчушь,,нет,\n";
    let sent = Some(("synonyms.csv", file.as_bytes()));
    let loaded = panel.upload("/admin/synonyms/import", &admin, &[], sent).await;
    assert_eq!(loaded.status, StatusCode::OK, "{}", loaded.body);
    assert!(loaded.body.contains("Строка 4: нет товара с артикулом"), "{}", loaded.body);
    let out = page(&panel, &admin, "/admin/synonyms/export?scope=own").await;
    assert!(out.contains("золотой,,00-1234,1") && !out.contains("шурупчик"), "{out}");
    let out = page(&panel, &admin, &format!("/admin/synonyms/export?q={}", percent("шуруп"))).await;
    assert!(out.contains("шурупчик,саморез"), "{out}");
    let none = panel.upload("/admin/synonyms/import", &admin, &[], None).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_question_shows_its_files_and_is_answered_with_a_kept_reply() {
    let panel = Panel::start().await;
    let maria = panel.sign_in_as(MARIA).await;
    let attached = |chat: ChatKey, file: Option<i64>| {
        serde_json::to_string(&Attachment { chat, message_id: 77, file }).unwrap()
    };
    let web = attached(ChatKey::Web("anna".to_owned()), Some(1));
    let telegram = attached(ChatKey::Telegram(501), None);
    sql(
        &panel,
        &format!(
            "insert into files (id, chat_key, name, content, created_at_ms) values (1, 'web:anna', 'смета.pdf', x'25504446', 1);
            insert into threads (id, organization_id, author_id, order_id, topic, subject, created_at_ms, updated_at_ms)
                values (7, 1, 1, 1, 'file', 'Файл', 1, 1);
            insert into thread_messages (id, thread_id, person_id, from_staff, text, attachment, at_ms) values
                (71, 7, 1, 0, 'Файл «смета.pdf»', '{web}', 1), (72, 7, 1, 0, 'Фото', '{telegram}', 2);"
        ),
    );
    let shown = page(&panel, &maria, "/admin/questions/7").await;
    assert!(shown.contains("/admin/questions/7/files/71"), "{shown}");
    assert!(shown.contains("Прислать файл мне в Telegram"), "{shown}");
    let file = panel.send("GET", "/admin/questions/7/files/71", maria.clone(), "").await;
    assert_eq!((file.status, file.body.as_str()), (StatusCode::OK, "%PDF"));
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment;"));
    let foreign = panel.send("GET", "/admin/questions/1/files/71", maria.clone(), "").await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "a message of another thread");

    let ask = "/admin/questions/7/files/72";
    assert_eq!(post(&panel, &maria, ask, &[]).await, StatusCode::CONFLICT, "no chat with the bot");
    sql(&panel, "insert into chats (key, person_id, linked_at_ms) values ('tg:502', 2, 1)");
    assert_eq!(post(&panel, &maria, ask, &[]).await, StatusCode::SEE_OTHER);
    let queued = "select count(*) from outbox where chat_key = 'tg:502' and payload like '%77%'";
    assert_eq!(panel.count(queued), 1, "the photo is on its way");

    let replies = "/admin/questions/replies";
    let keep = [("act", "keep"), ("text", "Здравствуйте, {имя}! По № {номер}: везём.")];
    assert_eq!(post(&panel, &maria, replies, &keep).await, StatusCode::SEE_OTHER);
    let shown = page(&panel, &maria, "/admin/questions/7?reply=1").await;
    let words = "Здравствуйте, Анна! По № 1042: везём.";
    assert!(shown.contains(&format!("data-insert=\"{words}\"")), "{shown}");
    assert!(shown.contains(&format!("{words}</textarea>")), "without scripts too: {shown}");
    assert_eq!(
        post(&panel, &maria, replies, &[("act", "remove"), ("id", "1")]).await,
        StatusCode::SEE_OTHER
    );
    assert_eq!(panel.count("select count(*) from canned_replies"), 0);
}

#[tokio::test]
async fn a_form_with_a_file_survives_the_end_of_its_session() {
    let panel = Panel::start().await;
    let maria = panel.sign_in_as(MARIA).await;
    let token = panel.token(&maria).await;
    sql(&panel, "delete from sessions");
    panel.desk.accounts.forget();
    let text = "саморез 4х25 жёлтый 4000\nещё & <b>строка</b>";
    let fields = [("organization", "1"), ("text", text), ("act", "check")];
    let file = Some(("заявка.csv", &b"a;1"[..]));
    let stopped = panel.upload_with(&token, "/admin/orders/new", &maria, &fields, file).await;
    assert_eq!(stopped.status, StatusCode::UNAUTHORIZED, "{}", stopped.body);
    assert!(stopped.body.contains("введённое сохранено"), "{}", stopped.body);

    let before = panel.send("GET", "/admin/login", HeaderMap::new(), "").await;
    let mut visit = HeaderMap::new();
    let cookie = before.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    visit.insert("cookie", cookie.parse().unwrap());
    let form = format!(
        "csrf={}&phone={MARIA}&password={}&next=/admin/orders/new&upload=file&carried={}",
        Panel::field(&before.body, "csrf"),
        percent(PASSWORD),
        percent(&hidden(&stopped.body, "carried"))
    );
    let resumed = panel.send("POST", "/admin/login", visit, &form).await;
    assert_eq!(resumed.status, StatusCode::OK, "{}", resumed.body);
    assert!(resumed.body.contains("enctype=\"multipart/form-data\""), "{}", resumed.body);
    assert!(resumed.body.contains("ещё &amp; &lt;b&gt;строка&lt;/b&gt;"), "{}", resumed.body);
    assert!(resumed.body.contains("type=\"file\" name=\"file\""), "{}", resumed.body);
}

fn hidden(body: &str, name: &str) -> String {
    let (_, after) = body.split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
    after.split('"').next().unwrap().replace("&amp;", "&")
}
