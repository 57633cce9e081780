//! The catalogue by file from the command line.

use serde_json::Value;

use super::program::Program;

const PRICE: &str = "Артикул;Наименование;Цена;Остаток\nА1;Саморез 4х25 жёлтый;0,90;1000\n\
                     А2;Поролон 40 мм;680;12\nА3;Без цены;дорого;1\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_price_list_is_tried_imported_and_exported_to_the_same() {
    let program = Program::new().with("price.csv", PRICE);
    let map = ["--map", "sku=Артикул", "--map", "title=Наименование"];
    let try_out = [&["catalog", "import", "price.csv", "--dry-run", "--json"], &map[..]].concat();
    let tried = program.run(&try_out);
    assert_eq!(tried.code, 4, "a row is refused: {}{}", tried.out, tried.err);
    let real = [&["catalog", "import", "price.csv", "--json"], &map[..]].concat();
    let imported = program.run(&real);
    assert_eq!(imported.code, 4, "{}{}", imported.out, imported.err);
    let (tried, imported) = (json(&tried.out), json(&imported.out));
    for key in ["received", "created", "skipped", "errors"] {
        assert_eq!(tried["data"][key], imported["data"][key], "{key}");
    }
    assert_eq!(imported["data"]["created"], 2);
    let stats = json(&program.run(&["catalog", "stats", "--json"]).out);
    assert_eq!(stats["data"]["products"], 2, "{stats}");

    let exported = program.run(&["catalog", "export"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    assert_eq!(json(&exported.out)["items"].as_array().expect("items").len(), 2);
    assert_eq!(program.run(&["catalog", "export", "out.json"]).code, 0);
    let back = json(&program.run(&["catalog", "import", "out.json", "--json"]).out);
    assert_eq!(back["data"]["unchanged"], 2, "{back}");
    assert_eq!(back["data"]["changed"], 0, "{back}");
}

#[test]
fn a_file_that_is_not_there_makes_nothing() {
    let program = Program::new().with("bad.json", "{\"items\": 5}");
    let said = program.run(&["catalog", "import", "absent.csv"]);
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(!program.data().exists());
    let said = program.run(&["catalog", "import", "bad.json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("что делать:"), "{}", said.err);
    let said = program.run(&["catalog", "import", "bad.json", "--map", "title"]);
    assert_eq!(said.code, 2, "{}", said.err);
}

#[test]
fn a_sheet_with_a_cell_in_its_last_corner_is_refused_by_its_name() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, cell) in (0..).zip(["Артикул", "Название", "Цена"]) {
        sheet.write(0, column, cell).expect("written");
    }
    sheet.write(1_048_575, 16_383, "x").expect("written");
    let program = Program::new();
    book.save(program.folder().join("far.xlsx")).expect("saved");
    let said = program.run(&["catalog", "import", "far.xlsx"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("лист «Sheet1», ячейка XFD1048576: читаются"), "{}", said.err);
}
