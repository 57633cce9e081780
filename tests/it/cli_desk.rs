//! Orders and clients from the command line, through the panel's own services.

use serde_json::Value;

use super::program::Program;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

const CLIENTS: &str = "Организация;ИНН;Код 1С;ФИО;Телефон;Роль\n\
    ООО «Диван-М»;6450000000;guid-1;Анна Иванова;+7 900 000-00-01;владелец\n\
    ООО «Диван-М»;6450000000;guid-1;Никто;нет номера;\n";

#[test]
fn clients_are_tried_imported_listed_and_exported() {
    let program = Program::new().with("clients.csv", CLIENTS);
    assert_eq!(program.run(&["clients", "list"]).code, 5, "there is no database yet");
    let made = program.with("price.csv", "Артикул;Наименование\nА1;Саморез\n");
    assert_eq!(made.run(&["catalog", "import", "price.csv"]).code, 0);
    let tried = made.run(&["clients", "import", "clients.csv", "--dry-run", "--json"]);
    assert_eq!(tried.code, 4, "a row is refused: {}{}", tried.out, tried.err);
    assert_eq!(json(&made.run(&["clients", "list", "--json"]).out)["data"]["total"], 0);
    let stored = made.run(&["clients", "import", "clients.csv", "--json"]);
    let (tried, stored) = (json(&tried.out), json(&stored.out));
    for key in ["organizations", "people_created", "members", "skipped", "errors"] {
        assert_eq!(tried["data"][key], stored["data"][key], "{key}");
    }
    assert_eq!(stored["data"]["errors"][0]["row"], 3);
    let listed = made.run(&["clients", "list", "--find", "диван"]);
    assert!(
        listed.out.contains("ООО «Диван-М»") && listed.out.contains("6450000000"),
        "{}",
        listed.out
    );
    let exported = made.run(&["clients", "export"]);
    assert!(exported.out.contains("guid-1;Анна Иванова;79000000001;владелец"), "{}", exported.out);
    assert_eq!(made.run(&["clients", "export", "all.xlsx", "--json"]).code, 0);
    let again = json(&made.run(&["clients", "import", "all.xlsx", "--json"]).out);
    assert_eq!(again["data"]["people_created"], 0, "{again}");
    assert_eq!(made.run(&["clients", "import", "absent.csv"]).code, 5);
    let foreign = made.run(&["clients", "import", "price.csv"]);
    assert_eq!(foreign.code, 1, "{}", foreign.err);
    assert!(foreign.err.contains("нет столбца «Организация»"), "{}", foreign.err);
}

#[test]
fn an_order_is_listed_shown_and_moved() {
    let program = Program::new().with("price.csv", "Артикул;Наименование\nА1;Саморез\n");
    assert_eq!(program.run(&["catalog", "import", "price.csv"]).code, 0);
    let sql = "insert into organizations (id, kind, name, verified, created_at_ms) values (1, 'company', 'ООО «Диван-М»', 1, 1);
        insert into persons (id, name, phone, created_at_ms) values (1, 'Анна Иванова', '+79000000001', 1);
        insert into orders (id, number, uuid, organization_id, author_id, status, source, total_kopecks, created_at_ms, updated_at_ms)
            values (1, 1042, 'u1', 1, 1, 'new', 'bot', 1245000, 1795518000000, 1795518000000);
        insert into order_lines (order_id, position, raw, state, title, quantity_thousandths, unit) values (1, 1, 'саморез 5', 'ok', 'Саморез', 5000, 'шт');";
    let db = partner_m::storage::Db::open(
        &program.data().join("partner-m.db"),
        partner_m::storage::Create::No,
    )
    .unwrap();
    db.write_blocking(|tx| Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(sql)?))
        .unwrap();
    drop(db);
    let listed = json(&program.run(&["order", "list", "--status", "new", "--json"]).out);
    assert_eq!(listed["data"]["orders"][0]["number"], 1042, "{listed}");
    assert_eq!(listed["data"]["sum"], "12450.00", "{listed}");
    let shown = program.run(&["order", "show", "PM-1042"]);
    assert!(
        shown.out.contains("Саморез") && shown.out.contains("12\u{a0}450,00\u{a0}₽"),
        "{}",
        shown.out
    );
    let moved = program.run(&["order", "status", "1042", "accepted"]);
    assert_eq!((moved.code, moved.out.as_str()), (0, "№ 1042: Принята\n"), "{}", moved.err);
    let refused = program.run(&["order", "status", "1042", "done"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(refused.err.contains("можно: picking, ready, shipped"), "{}", refused.err);
    assert_eq!(program.run(&["order", "show", "9999"]).code, 5);
    let wrong = program.run(&["order", "list", "--status", "pending"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    let timeline = json(&program.run(&["order", "show", "1042", "--json"]).out);
    let events = timeline["data"]["timeline"].as_array().expect("a timeline");
    assert_eq!(events.last().expect("an entry")["channel"], "cli", "{timeline}");
}
