//! A manager's day in the panel: teaching, importing, answering, exporting.

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::storage::StorageError;

use crate::support::panel::{Panel, percent};

#[tokio::test]
async fn a_word_taught_on_the_bench_is_known_from_then_on() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let token = panel.token(&ours).await;
    let look = "/admin/search?text=%D1%88%D0%BF%D1%83%D0%BD%D1%8C%D0%BA%D0%B0%2050&organization=1";
    let before = panel.send("GET", look, ours.clone(), "").await;
    let find = format!("{look}&at=0&find=%D1%81%D0%B0%D0%BC%D0%BE%D1%80%D0%B5%D0%B7");
    let found = panel.send("GET", &find, ours.clone(), "").await;
    assert!(
        before.body.contains("В каталоге не нашлось") || before.body.contains("Спросит"),
        "{}",
        before.body
    );
    assert!(found.body.contains("Вот это"), "{}", found.body);
    let phrase = Panel::field(&found.body, "phrase");
    let lesson =
        format!("csrf={token}&phrase={phrase}&product=1&scope=client&organization=1&text=x");
    let taught = panel.send("POST", "/admin/search/teach", ours.clone(), &lesson).await;
    assert_eq!(taught.status, StatusCode::SEE_OTHER, "{}", taught.body);
    let after = panel.send("GET", look, ours.clone(), "").await;
    assert!(after.body.contains("узнано 1"), "{}", after.body);
    let client = panel.send("GET", "/admin/clients/1?tab=words", ours, "").await;
    assert!(client.body.contains("Саморез 4×25 жёлтый"), "{}", client.body);
}

#[tokio::test]
async fn a_synonym_is_added_once_switched_off_and_taken_away() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let token = panel.token(&ours).await;
    let new = format!(
        "csrf={token}&words=%D0%B2%D0%B8%D0%BD%D1%82%D0%B8%D0%BA&means=%D1%81%D0%B0%D0%BC%D0%BE%D1%80%D0%B5%D0%B7&organization="
    );
    for _ in 0..2 {
        let added = panel.send("POST", "/admin/synonyms", ours.clone(), &new).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    }
    let list = "/admin/synonyms?q=%D0%B2%D0%B8%D0%BD%D1%82%D0%B8%D0%BA";
    let page = panel.send("GET", list, ours.clone(), "").await;
    assert!(page.body.contains("1\u{a0}синоним"), "{}", page.body);
    let id = Panel::field(&page.body, "id");
    let off = format!("csrf={token}&id={id}&act=off");
    panel.send("POST", "/admin/synonyms/change", ours.clone(), &off).await;
    let page = panel.send("GET", list, ours.clone(), "").await;
    assert!(page.body.contains("выключен"), "{}", page.body);
    let gone = format!("csrf={token}&id={id}&act=delete");
    panel.send("POST", "/admin/synonyms/change", ours.clone(), &gone).await;
    let page = panel.send("GET", list, ours.clone(), "").await;
    assert!(page.body.contains("Ничего не найдено"), "{}", page.body);
    let loop_ = format!("csrf={token}&words=a&means=A&organization=");
    let refused = panel.send("POST", "/admin/synonyms", ours, &loop_).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_the_check_promises_the_load_does() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let csv = "Артикул;Название;Цена;Остаток\r\n00-1234;Саморез 4×25 жёлтый;0,85;12000\r\n\
        00-5110;Скоба 80/10;480,00;31\r\n00-9;Кант;12р;1\r\n";
    let products = |panel: &Panel| {
        panel.count("select count(*) from products where withdrawn = 0 and hidden = 0")
    };
    let before = products(&panel);
    let check = panel
        .upload(
            "/admin/catalog/import",
            &ours,
            &[("act", "check")],
            Some(("прайс.csv", csv.as_bytes())),
        )
        .await;
    assert_eq!(check.status, StatusCode::OK, "{}", check.body);
    assert_eq!(products(&panel), before, "a check changes nothing");
    assert!(check.body.contains("12р"), "the bad cell is named: {}", check.body);
    let figures = |body: &str| {
        let (_, list) = body.split_once("figures four").unwrap();
        let list = list.split("</dl>").next().unwrap().to_owned();
        list.split("<dd>")
            .skip(1)
            .map(|d| d.split('<').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let id = Panel::field(&check.body, "id");
    let load = panel
        .upload(
            "/admin/catalog/import",
            &ours,
            &[("id", &id), ("act", "load"), ("full", "0")],
            None,
        )
        .await;
    assert_eq!(load.status, StatusCode::OK, "{}", load.body);
    assert_eq!(figures(&check.body), figures(&load.body));
    assert!(products(&panel) > before);
    let again =
        panel.upload("/admin/catalog/import", &ours, &[("id", &id), ("act", "load")], None).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "the file is gone");
    let repeat = panel
        .upload(
            "/admin/catalog/import",
            &ours,
            &[("act", "check")],
            Some(("прайс.csv", csv.as_bytes())),
        )
        .await;
    assert_eq!(figures(&repeat.body)[..2], ["0", "0"], "the second time nothing is new");
    let picture = panel
        .upload(
            "/admin/catalog/import",
            &ours,
            &[("act", "check")],
            Some(("x.csv", b"\x89PNG\r\n\x1a\n")),
        )
        .await;
    assert_eq!(picture.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!picture.body.contains("/tmp"), "no path is shown: {}", picture.body);
}

#[tokio::test]
async fn today_leads_the_first_run_and_names_what_waits_for_a_person() {
    let panel = Panel::start().await;
    let write = |sql: &'static str| {
        let work =
            move |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(sql)?);
        panel.desk.base.db.write_blocking(work).unwrap();
    };
    let (boss, maria) = (panel.sign_in().await, panel.sign_in_as("%2B79000000002").await);
    write(
        "delete from orders;
         insert into organizations (id, kind, name, created_at_ms) values (9, 'company', 'Новый', 1);
         insert into outbox (chat_key, payload, due_at_ms, created_at_ms, state, error) values ('tg:7', '{}', 1, 1, 'failed', 'x');
         insert into exchanges (id, at_ms, duration_ms, way, kind, received, created, changed, unchanged, skipped, hidden, held)
             values (5, 1, 1, 'json', 'catalog', 3, 0, 0, 0, 3, 0, 0);",
    );
    let today = panel.send("GET", "/admin", boss, "").await.body;
    for (href, words) in [
        ("/admin/clients?view=unverified", "Клиенты без подтверждения: 1"),
        ("/admin/outbox?view=failed", "Не доставлено сообщений: 1"),
        ("/admin/exchange/5", "Последний обмен пропустил 3\u{a0}записи"),
        ("/admin/people", "Добавьте менеджера"),
        ("/admin/catalog/import", "Загрузите каталог"),
        ("/admin/search", "Проверьте распознавание"),
    ] {
        assert!(today.contains(&format!("href=\"{href}\"")), "no {href} in {today}");
        assert!(today.contains(words), "no «{words}» in {today}");
    }
    assert!(!today.contains("Всё разобрано"), "{today}");
    // A manager is led nowhere where only an administrator may go.
    let today = panel.send("GET", "/admin", maria, "").await.body;
    assert!(
        !today.contains("/admin/outbox") && !today.contains("/admin/catalog/import"),
        "{today}"
    );
    assert!(today.contains("Клиенты без подтверждения: 1"), "{today}");
}

#[tokio::test]
async fn an_import_leaves_alone_what_was_unticked_in_the_check_and_in_the_load() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let import = "/admin/catalog/import";
    let price = |panel: &Panel| panel.count("select sum(amount_kopecks) from prices");
    let stock =
        |panel: &Panel| panel.count("select available_thousandths from products where id = 1");
    let title = |panel: &Panel| panel.text("select title from products where id = 1");
    let first = "Артикул;Название;Цена;Остаток\n00-1234;Саморез 4×25 жёлтый;0,85;12000\n";
    let checked = panel.upload(import, &ours, &[], Some(("а.csv", first.as_bytes()))).await;
    let id = Panel::field(&checked.body, "id");
    panel.upload(import, &ours, &[("id", &id), ("act", "load")], None).await;
    assert_eq!((price(&panel), stock(&panel)), (85, 12_000_000));

    let second =
        "Артикул;Название;Цена;Остаток;Единица\n00-1234;Саморез;0,99;7;кг\n00-5;Кант;3;4;м\n";
    let check = panel.upload(import, &ours, &[], Some(("б.csv", second.as_bytes()))).await;
    for words in ["цена: 0,85\u{a0}₽ → 0,99\u{a0}₽", "название: «Саморез 4×25 жёлтый» → «Саморез»"]
    {
        assert!(check.body.contains(words), "no «{words}» in {}", check.body);
    }
    let id = Panel::field(&check.body, "id");
    let seen = Panel::field(&check.body, "checked");
    let only_stock = [("choices", "1"), ("update", "stocks")];
    let form = |act: &'static str, seen: &str| {
        let own = [("id", id.clone()), ("act", act.to_owned()), ("checked", seen.to_owned())];
        let chosen = only_stock.map(|(name, value)| (name, value.to_owned()));
        own.into_iter().chain(chosen).collect::<Vec<_>>()
    };
    let send = async |act: &'static str, seen: &str| {
        let fields = form(act, seen);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        panel.upload(import, &ours, &fields, None).await
    };
    // «Загрузить» over other choices than were looked at shows what would happen instead.
    let unseen = send("load", &seen).await;
    assert!(unseen.body.contains("Выбор изменился"), "{}", unseen.body);
    assert_eq!((price(&panel), stock(&panel)), (85, 12_000_000), "nothing is loaded");
    assert!(
        !unseen.body.contains("цена:") && !unseen.body.contains("название:"),
        "{}",
        unseen.body
    );
    assert!(unseen.body.contains("единица: шт → кг"), "other fields are none of the choices");
    let seen = Panel::field(&unseen.body, "checked");
    let loaded = send("load", &seen).await;
    assert!(loaded.body.contains("Каталог загружен"), "{}", loaded.body);
    assert_eq!(stock(&panel), 7_000);
    assert_eq!(title(&panel), "Саморез 4×25 жёлтый");
    // A product that is new has its price and its name all the same.
    assert_eq!(price(&panel), 85 + 300);
    assert_eq!(panel.count("select count(*) from products where title = 'Кант'"), 1);
    let sample = panel.send("GET", "/admin/catalog/import/sample", ours.clone(), "").await;
    let again =
        panel.upload(import, &ours, &[], Some(("образец.csv", sample.body.as_bytes()))).await;
    assert!(!again.body.contains("Пропущенные строки"), "our own sample is read: {}", again.body);
}

#[tokio::test]
async fn an_answer_to_a_question_is_on_its_way_to_the_client() {
    let panel = Panel::start().await;
    panel.desk.base
        .db
        .write_blocking(|tx| {
            tx.execute_batch(
                "insert into threads (id, organization_id, author_id, topic, subject, created_at_ms, updated_at_ms)
                    values (1, 1, 1, 'stock', 'Когда будет поролон?', 1795518000000, 1795518000000);
                 insert into thread_messages (thread_id, person_id, from_staff, text, at_ms)
                    values (1, 1, 0, 'Когда будет поролон?', 1795518000000);",
            )
            .map_err(StorageError::from)
        })
        .unwrap();
    let ours = panel.sign_in().await;
    let token = panel.token(&ours).await;
    let page = panel.send("GET", "/admin/questions", ours.clone(), "").await;
    assert!(page.body.contains("Когда будет поролон?"), "{}", page.body);
    let queued = panel.count("select count(*) from outbox");
    let reply =
        format!("csrf={token}&kind=client&text=%D0%92+%D1%87%D0%B5%D1%82%D0%B2%D0%B5%D1%80%D0%B3");
    let sent = panel.send("POST", "/admin/questions/1/messages", ours.clone(), &reply).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert!(panel.count("select count(*) from outbox") > queued, "the client is told");
    let queued = panel.count("select count(*) from outbox");
    let note =
        format!("csrf={token}&kind=note&text=%D0%BF%D1%80%D0%BE+%D1%81%D0%BA%D0%BB%D0%B0%D0%B4");
    panel.send("POST", "/admin/questions/1/messages", ours.clone(), &note).await;
    assert_eq!(panel.count("select count(*) from outbox"), queued, "a note stays inside");
    let solved = format!("csrf={token}&act=resolve");
    panel.send("POST", "/admin/questions/1", ours.clone(), &solved).await;
    let closed = panel.send("GET", "/admin/questions?view=closed", ours, "").await;
    assert!(closed.body.contains("Когда будет поролон?"), "{}", closed.body);
}

#[tokio::test]
async fn the_export_holds_what_the_list_shows() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let csv = panel.send("GET", "/admin/orders/export/csv?view=new", ours.clone(), "").await;
    assert!(csv.headers[header::CONTENT_DISPOSITION].to_str().unwrap().ends_with(".csv\""));
    assert!(csv.body.starts_with('\u{feff}'), "Excel sees UTF-8");
    assert_eq!(csv.body.lines().count(), 2, "{}", csv.body);
    let none = panel.send("GET", "/admin/orders/export/csv?view=picking", ours.clone(), "").await;
    assert_eq!(none.body.lines().count(), 1);
    let odd = panel.send("GET", "/admin/orders/export/pdf", ours, "").await;
    assert_eq!(odd.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_median_wait_is_of_orders_that_a_person_took() {
    let panel = Panel::start().await;
    let made = panel.desk.base.clock.now().millis() - 7_200_000;
    let write = move |tx: &rusqlite::Transaction<'_>| {
        // By whom, after how many minutes; the last one by the program itself.
        for (id, person, minutes) in
            [(11, Some(1), 90), (12, Some(1), 2), (13, Some(1), 30), (14, None, 1)]
        {
            tx.execute(
                "insert into orders (id, number, uuid, organization_id, author_id, status, source,
                    created_at_ms, updated_at_ms) values (?1, ?1, ?1, 1, 1, 'accepted', 'bot', ?2, ?2)",
                (id, made),
            )?;
            tx.execute(
                "insert into order_events (order_id, at_ms, channel, person_id, kind, text)
                    values (?1, ?2, 'panel', ?3, 'status', '')",
                (id, made + minutes * 60_000, person),
            )?;
        }
        Ok::<_, StorageError>(())
    };
    panel.desk.base.db.write_blocking(write).unwrap();
    let today = panel.send("GET", "/admin", panel.sign_in().await, "").await.body;
    assert!(today.contains("медиана</dt><dd>30\u{a0}мин</dd>"), "{today}");
}

#[tokio::test]
async fn orders_found_by_words_are_listed_and_counted_as_all_of_them_are() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let write = |tx: &rusqlite::Transaction<'_>| {
        tx.execute_batch(
            "with recursive n (i) as (select 2 union all select i + 1 from n where i < 61)
                insert into orders (id, number, uuid, organization_id, author_id, status, source,
                        total_kopecks, created_at_ms, updated_at_ms)
                select i, 2000 + i, 'w' || i, 1, 1, 'new', 'bot', i * 7919 % 97 * 100, i, i from n;
            insert into order_lines (order_id, position, raw, state, product_id)
                select id, n, 'саморез', 'ok', 1 from orders join (select 2 as n union select 3);",
        )?;
        Ok::<_, StorageError>(())
    };
    panel.desk.base.db.write_blocking(write).unwrap();
    let listed = async |narrowed: &str| {
        let path = format!("/admin/orders?view=all{narrowed}");
        let page = panel.send("GET", &path, ours.clone(), "").await.body;
        let rows = page.split("id=\"order-").skip(1);
        let rows: Vec<_> = rows.map(|row| row.split('"').next().unwrap().to_owned()).collect();
        let (_, foot) = page.split_once("Всего по фильтру: ").unwrap();
        (rows, foot.split("</tr>").next().unwrap().to_owned())
    };
    for of in ["", "&page=2", "&sort=dearest", "&sort=organization&page=2"] {
        let all = listed(of).await;
        assert!(all.1.starts_with("61\u{a0}заказ") && all.0.len() != 61, "{all:?}");
        for words in ["q=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD", "product=1234", "product=4%C3%9725+1234"]
        {
            assert_eq!(listed(&format!("&{words}{of}")).await, all, "{words}{of}");
        }
    }
}

#[tokio::test]
async fn one_search_finds_orders_clients_and_goods() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let number = panel.send("GET", "/admin/find?q=1042", ours.clone(), "").await;
    assert_eq!(number.headers[header::LOCATION], "/admin/orders/1042");
    let words =
        panel.send("GET", "/admin/find?q=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD", ours.clone(), "").await;
    assert!(words.body.contains("/admin/clients/1"), "{}", words.body);
    let goods = panel.send("GET", "/admin/find?q=00-1234", ours.clone(), "").await;
    assert!(goods.body.contains("Саморез 4×25"), "{}", goods.body);
    let find = async |words: &str, who: &HeaderMap| {
        let path = format!("/admin/find?q={}", percent(words));
        let page = panel.send("GET", &path, who.clone(), "").await.body;
        // The frame has links to the sections too.
        page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0.to_owned()
    };
    for (words, href) in [
        ("импорт", "/admin/catalog/import"),
        ("резервная копия", "/admin/backups"),
        ("бэкап", "/admin/backups"),
    ] {
        let page = find(words, &ours).await;
        assert!(page.contains(&format!("href=\"{href}\"")), "{words}: {page}");
    }
    let maria = panel.sign_in_as("%2B79000000002").await;
    assert!(find("резервная копия", &maria).await.contains("Ничего не найдено"));
    let nothing = panel.send("GET", "/admin/find?q=zzzz", ours, "").await;
    assert!(nothing.body.contains("Ничего не найдено"), "{}", nothing.body);
}
