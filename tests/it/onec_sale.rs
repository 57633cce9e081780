//! The standard exchange: orders to 1C and what it says of them.

use quick_xml_reader::paths;

use crate::onec_server::Server;
use crate::support::ut103::{Habits, UT103, Ut103, fixture, server};

/// A reader as 10.3 has: by path, text nodes only.
mod quick_xml_reader {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    /// Every leaf with its path under `Документ`, in order.
    pub fn paths(xml: &str) -> Vec<String> {
        let mut reader = Reader::from_str(xml);
        let (mut path, mut out) = (Vec::<String>::new(), Vec::new());
        let mut text = String::new();
        loop {
            match reader.read_event().expect("XML") {
                Event::Start(start) => {
                    path.push(start.name().as_ref().to_owned());
                    text.clear();
                }
                Event::Text(piece) => text.push_str(&piece),
                Event::GeneralRef(name) => {
                    text.push_str(match &*name {
                        "amp" => "&",
                        "quot" => "\"",
                        "lt" => "<",
                        "gt" => ">",
                        "#8381" => "₽",
                        other => panic!("an entity that 10.3 does not know: {other}"),
                    });
                }
                Event::CData(_) => panic!("10.3 drops CDATA"),
                Event::End(_) => {
                    if !text.trim().is_empty() {
                        assert_eq!(text, text.trim(), "values are taken untrimmed");
                        out.push(format!("{} = {text}", path[1..].join("/")));
                    }
                    text.clear();
                    path.pop();
                }
                Event::Eof => return out,
                _ => {}
            }
        }
    }
}

/// The catalogue of 10.3 and orders PM-1035 … PM-1043 of one client, all accepted but one.
async fn with_orders() -> Server {
    let server = server().await;
    Ut103::new(&server).goods("ut103", &["import.xml", "offers.xml"]).await;
    let mut sql = "
        insert into persons (id, name, phone, created_at_ms) values (1, 'Анна', '+79210000001', 0);
        insert into chats (key, person_id) values ('web:anna', 1);
        insert into organizations (id, kind, name, inn, created_at_ms)
            values (17, 'company', 'Диван-Сервис ООО «М²»', '5012098765', 0);"
        .to_owned();
    for (id, number, status) in [
        (1, 1040, "accepted"),
        (2, 1041, "accepted"),
        (3, 1042, "accepted"),
        (4, 1043, "accepted"),
        (5, 1035, "accepted"),
        (6, 1036, "new"),
    ] {
        sql += &format!(
            "insert into orders (id, number, uuid, organization_id, author_id, status, source, delivery_kind,
                delivery_date, delivery_address, comment, total_kopecks, created_at_ms, updated_at_ms)
             values ({id}, {number}, 'u-{id}', 17, 1, '{status}', 'bot', 'date', '2026-11-25',
                'Химки, Рабочая, 2', 'до обеда & <срочно>, по счёту 10 ₽', 1096500, 1795434067000, 0);
             insert into order_lines (order_id, position, raw, state, product_id, title, sku,
                quantity_thousandths, unit, base_quantity_thousandths, base_unit, price_amount_kopecks,
                price_per, sum_kopecks)
             select {id}, 1, 'поролон', 'ok', id, title, sku, 30000, 'лист', 30000, 'лист', 36550, 1, 1096500
             from products where external_id like 'ecb08fd2%#f23990f7%';"
        );
    }
    let write = move |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(&sql)?)
    };
    server.base.db.write_blocking(write).expect("orders");
    server
}

fn numbers(xml: &str) -> Vec<String> {
    let numbers = paths(xml);
    let numbers = numbers.iter().filter_map(|line| line.strip_prefix("Документ/Номер = "));
    numbers.map(str::to_owned).collect()
}

#[tokio::test]
async fn orders_go_to_1c_until_it_says_that_it_has_them() {
    let server = with_orders().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    let xml = onec.query().await;
    assert!(xml.starts_with(
        "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<КоммерческаяИнформация "
    ));
    assert!(!xml.contains("xmlns") && !xml.contains("Контейнер"));
    let all = ["PM-1040", "PM-1041", "PM-1042", "PM-1043", "PM-1035"];
    assert_eq!(numbers(&xml), all, "a new one is not offered");
    let lines = paths(&xml);
    let first = lines.iter().take_while(|line| *line != "Документ/Ид = PM-1041");
    insta::assert_snapshot!(first.cloned().collect::<Vec<_>>().join("\n"), @"
    Документ/Ид = PM-1040
    Документ/Номер = PM-1040
    Документ/Дата = 2026-11-23
    Документ/ХозОперация = Заказ товара
    Документ/Роль = Продавец
    Документ/Валюта = руб
    Документ/Курс = 1
    Документ/Сумма = 10965
    Документ/Контрагенты/Контрагент/Ид = pm-org-17
    Документ/Контрагенты/Контрагент/Наименование = Диван-Сервис ООО «М2»
    Документ/Контрагенты/Контрагент/ОфициальноеНаименование = Диван-Сервис ООО «М2»
    Документ/Контрагенты/Контрагент/ИНН = 5012098765
    Документ/Контрагенты/Контрагент/Роль = Покупатель
    Документ/Время = 14:41:07
    Документ/Комментарий = Доставка 25.11.2026. Химки, Рабочая, 2. до обеда & <срочно>, по счёту 10 ₽. Анна +79210000001
    Документ/Товары/Товар/Ид = ecb08fd2-6aaf-11e3-8e1e-00155d0a4e11#f23990f7-f20a-11ef-8897-00155d0a4e11
    Документ/Товары/Товар/Артикул = ST2236
    Документ/Товары/Товар/Наименование = Поролон ST 2236 лист 1000х2000 (20)
    Документ/Товары/Товар/БазоваяЕдиница = лист
    Документ/Товары/Товар/ЦенаЗаЕдиницу = 365.5
    Документ/Товары/Товар/Количество = 30
    Документ/Товары/Товар/Сумма = 10965
    Документ/Товары/Товар/ЗначенияРеквизитов/ЗначениеРеквизита/Наименование = ТипНоменклатуры
    Документ/Товары/Товар/ЗначенияРеквизитов/ЗначениеРеквизита/Значение = Товар
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Наименование = Заказ оплачен
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Значение = false
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Наименование = Доставка разрешена
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Значение = false
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Наименование = Отменен
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Значение = false
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Наименование = Финальный статус
    Документ/ЗначенияРеквизитов/ЗначениеРеквизита/Значение = false
    ");
    assert_eq!(numbers(&onec.query().await), all, "asked again: the same");
    onec.success().await;
    assert_eq!(numbers(&onec.query().await), [""; 0]);
    onec.success().await;
    assert_eq!(
        server.rows("select count(*) from orders where onec_acknowledged_at_ms is not null"),
        ["5"]
    );
    assert_eq!(
        server.rows("select distinct kind, channel, text from order_events"),
        ["onec | onec | Заявка в 1С"]
    );
    assert_eq!(server.get("/onec/orders").await.json()["orders"], serde_json::json!([]));
}

#[tokio::test]
async fn a_client_of_schema_3_gets_each_order_once_in_a_container_of_its_own() {
    let server = with_orders().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    let init = onec.ask("GET", "type=sale&mode=init&version=3.1", Vec::new()).await.text();
    assert_eq!(init.lines().last(), Some("version=2.09"));
    let xml = onec.query().await;
    assert_eq!(xml.matches("<Контейнер>\n\t<Документ>").count(), 5, "{xml}");
    assert!(xml.contains("ВерсияСхемы=\"3.1\""), "{xml}");
    assert!(!onec.query().await.contains("Контейнер"), "none is left");
    onec.success().await;
    let left = "select count(*) from orders where onec_acknowledged_at_ms is null";
    assert_eq!(server.rows(left), ["1"], "the new one");
}

#[tokio::test]
async fn a_client_that_maps_statuses_is_told_ours() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    let answer = onec.ask("GET", "type=sale&mode=info", Vec::new()).await;
    assert_eq!(answer.headers["content-type"], "application/xml; charset=windows-1251");
    let text = answer.text();
    assert!(text.starts_with("<?xml") && text.contains("<Ид>shipped</Ид>"), "{text}");
    assert!(text.contains("<Название>Принята</Название>") && !text.contains("<Ид>draft"), "{text}");
}

#[tokio::test]
async fn with_nothing_to_send_the_answer_is_an_empty_document() {
    let server = server().await;
    for habits in [UT103, Habits { cookie: false, verb: "POST", ..UT103 }] {
        let mut onec = Ut103::with(&server, habits);
        onec.checkauth("sale").await;
        let xml = onec.query().await;
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<КоммерческаяИнформация \
             ВерсияСхемы=\"2.04\" ДатаФормирования=\"2026-11-24T14:05:00\">\n</КоммерческаяИнформация>"
        );
        onec.success().await;
    }
    assert_eq!(server.rows("select count(*) from exchanges"), ["0"]);
}

#[tokio::test]
async fn what_would_make_junk_in_1c_is_not_sent() {
    let server = with_orders().await;
    let change = |sql: &'static str| {
        let write = move |tx: &rusqlite::Transaction<'_>| {
            Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(sql)?)
        };
        server.base.db.write_blocking(write).expect("changed");
    };
    // A product that 1C did not send, a line without a price, one that nobody has resolved, one
    // that is deleted in 1C meanwhile.
    change(
        "insert into products (id, title, updated_at_ms) values (500, 'Наш', 0);
         update order_lines set product_id = 500 where order_id = 1;
         update order_lines set price_amount_kopecks = null, sum_kopecks = null where order_id = 2;
         update order_lines set state = 'manager' where order_id = 3;
         update order_lines set product_id = (select id from products where sku = 'KNIZ-OLD') where order_id = 4;",
    );
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    assert_eq!(numbers(&onec.query().await), ["PM-1035"]);
    let mut other = Ut103::new(&server);
    other.checkauth("sale").await;
    other.success().await;
    assert_eq!(numbers(&onec.query().await), ["PM-1035"], "another session has taken nothing");
}

fn states(server: &Server) -> Vec<String> {
    server.rows(
        "select number, status, onec_state, onec_paid, onec_number from orders order by number",
    )
}

#[tokio::test]
async fn documents_of_10_3_move_orders_without_an_import() {
    let server = with_orders().await;
    let name = "1cbitrix-73885265-2346-11e6-85ec-00155d0a4e11.xml";
    let file = fixture(&format!("sale/{name}"));
    let bring = async |piece: usize| {
        let mut onec = Ut103::with(&server, Habits { piece, ..UT103 });
        onec.checkauth("sale").await;
        onec.init("sale").await;
        onec.upload("sale", name, &file).await;
    };
    bring(0).await;
    insta::assert_snapshot!(states(&server).join("\n"), @"
    1035 | cancelled | cancelled | 0 | УТ000001810
    1036 | new |  | 0 | –
    1040 | shipped | shipped | 1 | УТ000001871
    1041 | accepted | confirmed | 1 | УТ000001880
    1042 | accepted | confirmed | 0 | УТ000001893
    1043 | accepted | received | 0 | УТ000001894
    ");
    let told =
        || server.rows("select count(*) from outbox where payload like '%order_status%'").remove(0);
    let before = told();
    let events = server.rows(
        "select o.number, e.kind, e.text, e.to_client from order_events e
         join orders o on o.id = e.order_id order by o.number, e.id",
    );
    insta::assert_snapshot!(events.join("\n").replace('\u{a0}', "_"), @"
    1035 | onec | Номер в 1С: УТ000001810 | 0
    1035 | status | Принята → Отменена | 1
    1040 | onec | Номер в 1С: УТ000001871 | 0
    1040 | status | Принята → Отгружена | 1
    1040 | onec | Оплата: по данным 1С заявка оплачена | 0
    1040 | onec | Заказ изменён в 1С: нет «Поролон ST 2236 лист 1000х2000 (20)»; добавлено «Саморез 3,5х16 жёлтый цинк потай» 5_000; сумма 10_965,00_₽ → 1_830,00_₽ | 0
    1041 | onec | Номер в 1С: УТ000001880 | 0
    1041 | onec | Оплата: по данным 1С заявка оплачена | 0
    1041 | onec | Заказ изменён в 1С: нет «Поролон ST 2236 лист 1000х2000 (20)»; добавлено «Механизм трансформации «Аккордеон» 1550» 1; сумма 10_965,00_₽ → 16_390,00_₽ | 0
    1042 | onec | Номер в 1С: УТ000001893 | 0
    1042 | onec | Заказ изменён в 1С: добавлено «Болт DIN 933 М8х40 кл.8.8 цинк» 400; добавлено «Синтепон 150 г/м2 1,5х50 м» 150; добавлено «Болт DIN 933 М10х60 кл.8.8 цинк» 100; сумма 10_965,00_₽ → 20_065,00_₽ | 0
    1043 | onec | Номер в 1С: УТ000001894 | 0
    1043 | onec | Заказ изменён в 1С: нет «Поролон ST 2236 лист 1000х2000 (20)»; добавлено «Молния рулонная спираль тип 5» 400; сумма 10_965,00_₽ → 2_960,00_₽ | 0
    ");
    for piece in [0, 4096] {
        bring(piece).await;
        assert_eq!(told(), before, "the same again is told to nobody");
    }
    assert_eq!(server.rows("select count(*) from order_events"), [events.len().to_string()]);
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    assert_eq!(numbers(&onec.query().await), [""; 0], "a document acknowledges its order");
}

#[tokio::test]
async fn documents_of_11_and_3_1_move_orders_and_may_ask_for_import() {
    let server = with_orders().await;
    let name = "orders-20155b1d-9580-11e3-8b60-00155d0a4e11_1.xml";
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    onec.init("sale").await;
    onec.upload("sale", name, &fixture(&format!("sale/{name}"))).await;
    let import = format!("type=sale&mode=import&filename={name}");
    assert_eq!(onec.ask("GET", &import, Vec::new()).await.text(), "success");
    insta::assert_snapshot!(states(&server).join("\n"), @"
    1035 | cancelled | cancelled | 0 | ТД00-001035
    1036 | cancelled | cancelled | 0 | ТД00-001036
    1040 | shipped | shipped | 1 | ТД00-001040
    1041 | accepted |  | 0 | –
    1042 | accepted | confirmed | 0 | ТД00-001042
    1043 | accepted | received | 0 | ТД00-001043
    ");
    let name = "documents___8d844086-e134-11e8-846e-00155d0a4e11.xml";
    onec.upload("sale", name, &fixture(&format!("split-3.1/{name}"))).await;
    assert_eq!(
        server.rows("select status, onec_number, onec_date from orders where number = 1042"),
        ["accepted | УТ000001893 | 2026-11-23"]
    );
}

/// A document about one order with these requisites.
fn document(number: &str, requisites: &[(&str, &str)]) -> Vec<u8> {
    let requisites: String = requisites
        .iter()
        .map(|(name, value)| {
            format!("<ЗначениеРеквизита><Наименование>{name}</Наименование><Значение>{value}</Значение></ЗначениеРеквизита>")
        })
        .collect();
    format!(
        "<КоммерческаяИнформация><Документ><Номер>{number}</Номер><ЗначенияРеквизитов>{requisites}\
         </ЗначенияРеквизитов></Документ></КоммерческаяИнформация>"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_step_back_in_1c_is_followed_and_told_to_nobody_and_no_step_is_told_twice() {
    let server = with_orders().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    onec.init("sale").await;
    let status = || server.rows("select status from orders where id = 1").remove(0);
    let told =
        || server.rows("select count(*) from outbox where payload like '%order_status%'").remove(0);
    let posted = ("Проведен", "true");
    let shipped =
        [posted, ("Номер отгрузки по 1С", "УТ1"), ("Дата отгрузки по 1С", "2026-11-21T16:45:12")];
    let traps =
        [("Проведен", "false"), ("Номер отгрузки по 1С", "0"), ("Дата отгрузки по 1С", "T")];
    for (requisites, next, count) in [
        (&traps[..], "accepted", "0"),
        (&shipped[..], "shipped", "1"),
        (&shipped[..], "shipped", "1"),
        (&[posted][..], "accepted", "1"),
        (&shipped[..], "shipped", "1"),
        (&[("ПометкаУдаления", "true")][..], "cancelled", "2"),
        (&[posted][..], "accepted", "2"),
    ] {
        onec.upload("sale", "s.xml", &document("PM-1040", requisites)).await;
        assert_eq!((status().as_str(), told().as_str()), (next, count), "{requisites:?}");
    }
    // What people have moved on 1C does not pull back by saying «posted» again.
    let write = |tx: &rusqlite::Transaction<'_>| {
        let sql = "update orders set status = 'picking' where id = 1";
        Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(sql)?)
    };
    server.base.db.write_blocking(write).expect("moved");
    onec.upload("sale", "s.xml", &document("PM-1040", &[posted])).await;
    assert_eq!(status(), "picking");
}

#[tokio::test]
async fn words_of_the_company_are_understood_where_they_are_mapped() {
    let server = with_orders().await;
    let write = |tx: &rusqlite::Transaction<'_>| {
        let sql = "insert into settings (key, value, updated_at_ms) values ('onec.status:к отгрузке', 'ready', 0)";
        Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(sql)?)
    };
    server.base.db.write_blocking(write).expect("mapped");
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    onec.init("sale").await;
    let word = |word| document("PM-1040", &[("Проведен", "true"), ("Статус заказа", word)]);
    onec.upload("sale", "s.xml", &word("Неведомый")).await;
    let status = || server.rows("select status from orders where id = 1").remove(0);
    assert_eq!(status(), "accepted");
    onec.upload("sale", "s.xml", &word("К отгрузке")).await;
    assert_eq!(status(), "ready");
}

#[tokio::test]
async fn of_two_documents_with_one_number_the_posted_one_counts() {
    let server = with_orders().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    onec.init("sale").await;
    let xml = "<КоммерческаяИнформация>\
        <Документ><Номер>PM-1040</Номер><Номер1С>УТ9</Номер1С><ПометкаУдаления>true</ПометкаУдаления></Документ>\
        <Документ><Номер>PM-1040</Номер><Номер1С>УТ1</Номер1С><ЗначенияРеквизитов><ЗначениеРеквизита>\
        <Наименование>Проведен</Наименование><Значение>true</Значение></ЗначениеРеквизита>\
        </ЗначенияРеквизитов></Документ>\
        <Документ><Номер>9999</Номер></Документ></КоммерческаяИнформация>";
    onec.upload("sale", "s.xml", xml.as_bytes()).await;
    assert_eq!(
        server.rows("select status, onec_number from orders where id = 1"),
        ["accepted | УТ1"]
    );
    let problems = server.rows("select sku, reason from exchange_problems order by position");
    assert_eq!(
        problems,
        [
            "PM-1040 | в 1С два документа с этим номером: действует проведённый",
            "9999 | такой заявки нет"
        ]
    );
    let broken = "<КоммерческаяИнформация><Документ></Номер></КоммерческаяИнформация>";
    let answer = onec.file("sale", "b.xml", broken.as_bytes()).await.text();
    assert!(answer.starts_with("failure\nb.xml: "), "{answer}");
}

/// The numbers of expected.json: what each state means here.
#[tokio::test]
async fn the_states_are_those_of_the_truth() {
    let expected: serde_json::Value =
        serde_json::from_slice(&fixture("expected.json")).expect("JSON");
    for (key, name) in [
        ("order_states_ut103", "1cbitrix-73885265-2346-11e6-85ec-00155d0a4e11.xml"),
        ("order_states_ut11", "orders-20155b1d-9580-11e3-8b60-00155d0a4e11_1.xml"),
    ] {
        let server = with_orders().await;
        let mut onec = Ut103::new(&server);
        onec.checkauth("sale").await;
        onec.init("sale").await;
        onec.upload("sale", name, &fixture(&format!("sale/{name}"))).await;
        for (number, state) in expected[key].as_object().expect("states") {
            let state = state.as_str().expect("a state");
            let word = state.split([' ', ',']).next().expect("a word");
            let (kept, paid) = match word {
                "paid" => ("confirmed", true),
                word => (word, word == "shipped"),
            };
            let row = server.rows(&format!(
                "select onec_state, onec_paid from orders where number = {}",
                number.trim_start_matches("PM-")
            ));
            assert_eq!(row, [format!("{kept} | {}", i32::from(paid))], "{number}: {state}");
        }
    }
}

#[tokio::test]
async fn documents_of_others_move_none_of_our_orders() {
    let server = with_orders().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    onec.init("sale").await;
    let before = server.rows("select number, status from orders order by id");
    // A payment for our order, and an order that was born in 1C under a number like ours.
    let xml = "<КоммерческаяИнформация><Контейнер>\
        <Документ><Номер>PM-1040</Номер><ХозОперация>Выплата безналичных денег</ХозОперация>\
        <ПометкаУдаления>true</ПометкаУдаления></Документ></Контейнер>\
        <Документ><Номер>00000001040</Номер><ПометкаУдаления>true</ПометкаУдаления></Документ>\
        </КоммерческаяИнформация>";
    onec.upload("sale", "s.xml", xml.as_bytes()).await;
    assert_eq!(server.rows("select number, status from orders order by id"), before);
    let problems = server.rows("select sku, reason from exchange_problems");
    assert_eq!(problems, ["00000001040 | такой заявки нет"]);
}

#[tokio::test]
async fn a_status_that_nobody_understands_waits_to_be_mapped() {
    let server = with_orders().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    onec.init("sale").await;
    let xml = "<КоммерческаяИнформация><Документ><Номер>PM-1040</Номер><Номер1С>УТ1</Номер1С>\
        <ЗначенияРеквизитов><ЗначениеРеквизита><Наименование>Статус заказа</Наименование>\
        <Значение>На проходной</Значение></ЗначениеРеквизита></ЗначенияРеквизитов></Документ>\
        </КоммерческаяИнформация>";
    onec.upload("sale", "s.xml", xml.as_bytes()).await;
    assert_eq!(server.rows("select onec_number from orders where id = 1"), ["УТ1"]);
    let unknown = server.exchange.mapping().await.expect("reads").unknown;
    assert_eq!(unknown, [("На проходной".to_owned(), 1)]);
}
