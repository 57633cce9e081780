//! Recognition from the command line: the contract's wire, the same code as the bot's.

use serde_json::{Value, json};

use super::program::{Program, Said, run};

const CATALOG: &str = r#"{"items":[
    {"external_id":"g1","sku":"СУ425","title":"Саморез 4х25 жёлтый цинк","unit":"шт","price":0.9,"pack_size":1000},
    {"external_id":"g2","sku":"СУ430","title":"Саморез 4х30 жёлтый цинк","unit":"шт","price":1},
    {"external_id":"g3","sku":"ПР","title":"Поролон ST2536 40 мм 1000х2000","unit":"лист","price":680},
    {"external_id":"g4","sku":"ПР","title":"Поролон EL2540 40 мм 1000х2000","unit":"лист","price":690}]}"#;

fn feed(program: &Program, arguments: &[&str], text: &str) -> Said {
    let path = program.folder().join("stdin");
    std::fs::write(&path, text).expect("written");
    let mut command = program.command(arguments);
    command.stdin(std::fs::File::open(path).expect("opens"));
    run(command)
}

fn program() -> Program {
    Program::new().with("catalog.json", CATALOG)
}

#[test]
fn a_line_in_gives_a_line_out_in_the_same_order() {
    let program = program();
    let asked = concat!(
        "{\"id\":\"b\",\"text\":\"Добрый день! саморез 4х25 жёлтый 4000 шт\",\"style\":\"x\"}\n",
        "not json\n",
        "\n",
        "{\"id\":7,\"text\":\"поролон 40 мм 2,5 листа\\nдрель ударная 1 шт\"}\n",
    );
    let said = feed(&program, &["recognize", "--jsonl", "--catalog", "catalog.json"], asked);
    assert_eq!(said.code, 4, "one line was no request: {}", said.err);
    assert!(said.err.contains("строка 2"), "{}", said.err);
    let answers: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&json!("b"), &json!(7)));

    let line = &answers[0]["lines"][0];
    assert_eq!(line["raw"], "саморез 4х25 жёлтый 4000 шт");
    assert_eq!(line["status"], "matched");
    assert_eq!(line["sku"], "СУ425");
    assert_eq!(line["title"], "Саморез 4х25 жёлтый цинк");
    assert_eq!((&line["qty"], &line["unit"]), (&json!(4000), &json!("шт")));
    assert!(line["confidence"].as_f64().expect("a number") > 0.5);
    let remark = &answers[0]["remarks"][0];
    assert_eq!((&remark["kind"], &remark["text"]), (&json!("greeting"), &json!("Добрый день")));

    let foam = &answers[1]["lines"][0];
    assert_eq!((&foam["status"], &foam["sku"]), (&json!("ambiguous"), &Value::Null));
    assert_eq!((&foam["qty"], &foam["unit"]), (&json!(2.5), &json!("лист")));
    let candidates = foam["candidates"].as_array().expect("a list");
    // An article that repeats is no key: the id of 1C is.
    assert!(candidates.contains(&json!("g3")) && candidates.contains(&json!("g4")), "{foam}");
    assert_eq!(answers[1]["lines"][1]["status"], "unmatched");
}

#[test]
fn people_get_marks_and_the_trace_on_request() {
    let program = program();
    let said = feed(
        &program,
        &["recognize", "--catalog", "catalog.json", "--trace"],
        "саморез 4х25 4000\nпоролон 40 мм\n",
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("✅ Саморез 4х25 жёлтый цинк [СУ425] — 4000"), "{}", said.out);
    assert!(said.out.contains("❓ нужно уточнить — сколько?"), "{}", said.out);
    assert!(said.out.contains("почему:"), "{}", said.out);
    assert!(!program.data().exists(), "nothing was made");
}

#[test]
fn without_a_catalogue_the_installed_one_is_needed() {
    let program = program();
    let said = feed(&program, &["recognize"], "саморез");
    assert_eq!(said.code, 5, "{}", said.err);
    let said = program.run(&["recognize", "absent.txt", "--catalog", "catalog.json"]);
    assert_eq!(said.code, 5, "{}", said.err);
    std::fs::write(program.folder().join("bad.json"), "{\"items\":[").expect("written");
    let said = feed(&program, &["recognize", "--catalog", "bad.json"], "саморез");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("каталог bad.json не читается"), "{}", said.err);
}

#[test]
fn labelled_messages_become_one_number_and_are_compared_with_the_last() {
    let cases = concat!(
        "{\"id\":\"1\",\"text\":\"саморез 4х25 5\",\"lines\":[{\"raw\":\"саморез 4х25 5\",",
        "\"sku\":\"СУ425\",\"acceptable\":[],\"qty\":5,\"unit\":null,\"ambiguous\":false}]}\n",
        "{\"id\":\"2\",\"text\":\"саморез 4х30 6\",\"lines\":[{\"raw\":\"саморез 4х30 6\",",
        "\"sku\":\"СУ425\",\"acceptable\":[],\"qty\":6,\"unit\":null,\"ambiguous\":false}]}\n",
    );
    let program = program().with("cases.jsonl", cases);
    let arguments = ["eval", "cases.jsonl", "--catalog", "catalog.json"];
    let said = program.run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(answer["data"]["order_line_f"], 0.5);
    assert_eq!(answer["data"]["confident_wrong"], 1);
    std::fs::write(program.folder().join("last.json"), &said.out).expect("written");

    let compared = program.run(&[&arguments[..], &["--baseline", "last.json"]].concat());
    assert!(compared.out.contains("было 0,500, +0,000"), "{}", compared.out);
    assert!(compared.out.contains("новых ошибок 0"), "{}", compared.out);
    let strict = program.run(&[&arguments[..], &["--fail-under", "0.6"]].concat());
    assert_eq!(strict.code, 1);
}

#[test]
fn synonyms_are_listed_taken_in_and_given_out() {
    let program = program().with(
        "words.csv",
        "words,means,article\nжелтяки,саморез жёлтый,\nпенка,,ПР-1\nтишина,,\nсемечки,семечки,\n",
    );
    assert_eq!(program.run(&["synonyms", "list"]).code, 5, "there is no database yet");
    program.run(&["init"]);
    assert_eq!(program.run(&["catalog", "import", "catalog.json"]).code, 0);
    let taken = program.run(&["synonyms", "import", "words.csv", "--json"]);
    assert_eq!(taken.code, 4, "some rows are refused: {}{}", taken.out, taken.err);
    let report: Value = serde_json::from_str(&taken.out).expect("JSON");
    assert_eq!(report["data"]["added"], 1, "{report}");
    let refused = report["data"]["refused"].as_array().expect("a list");
    let lines: Vec<&Value> = refused.iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [&json!(3), &json!(4), &json!(5)], "{report}");

    let listed = program.run(&["synonyms", "list", "желтяки"]);
    assert!(
        listed.out.contains("саморез жёлтый") && listed.out.contains("вручную"),
        "{}",
        listed.out
    );
    let given = program.run(&["synonyms", "export"]);
    assert!(given.out.starts_with("words,means,article,client\n"), "{}", given.out);
    assert!(given.out.contains("желтяки,саморез жёлтый,,\n"), "{}", given.out);

    // What was given out is known when it comes back, and recognition uses it.
    program.run(&["synonyms", "export", "back.csv"]);
    let again = program.run(&["synonyms", "import", "back.csv", "--json"]);
    let report: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((again.code, &report["data"]["added"]), (0, &json!(0)), "{report}");
    let said = feed(&program, &["recognize"], "желтяки 4х25 4000");
    assert!(said.out.contains("✅ Саморез 4х25 жёлтый цинк"), "{}", said.out);
}
