use proptest::prelude::*;

use super::*;

const HEAD: &str = "--\n-- PostgreSQL database dump\n--\n";
const TAIL: &str = "--\n-- PostgreSQL database dump complete\n--\n";

/// What a dump says, a line for each entry.
fn told(dump: &[u8]) -> Result<String, DumpError> {
    use std::fmt::Write as _;
    let mut text = String::new();
    read(dump, &mut |entry| {
        let _ = match entry {
            Entry::Table { name, columns } => writeln!(text, "{name}: {}", columns.join(" ")),
            Entry::Row(row) => writeln!(text, "{} {} {:?}", row.line, row.table, row.values),
            Entry::Sequence { name, last } => writeln!(text, "{name} = {last}"),
        };
    })?;
    Ok(text)
}

fn whole(body: &str) -> Result<String, DumpError> {
    told(format!("{HEAD}{body}{TAIL}").as_bytes())
}

#[test]
fn copy_blocks_are_read_with_their_escapes() {
    let body = "\\restrict abc\nSET client_encoding = 'UTF8';\nCREATE TABLE public.t (\n    id integer NOT NULL,\n    \"Имя\" numeric(12,2) DEFAULT 0,\n    CONSTRAINT x CHECK (id > 0)\n);\nCOPY public.t (id, \"Имя\") FROM stdin;\n1\tа\\tб\\\\N\\nв\n2\t\\N\n3\t\n4\t\\101\\x41\\q\\\n\\.\nSELECT pg_catalog.setval('public.t_id_seq', 12, true);\nSELECT pg_catalog.setval('public.u_id_seq', 1, false);\n";
    insta::assert_snapshot!(whole(body).expect("read"), @r#"
    t: id Имя
    t: id Имя
    12 t [Some("1"), Some("а\tб\\N\nв")]
    13 t [Some("2"), None]
    14 t [Some("3"), Some("")]
    15 t [Some("4"), Some("AAq\\")]
    t_id_seq = 12
    u_id_seq = 0
    "#);
    let windows = format!("\u{feff}{HEAD}{body}{TAIL}").replace('\n', "\r\n");
    assert_eq!(told(windows.as_bytes()).expect("read"), whole(body).expect("read"));
}

#[test]
fn inserts_are_read_with_and_without_column_names() {
    let body = "CREATE TABLE t (a int, b text, PRIMARY KEY (a));\nINSERT INTO public.t VALUES (1, 'О''Нил; -- не конец\n2-я строка');\nINSERT INTO t (b, a) VALUES (NULL, -2), (E'a\\n\\'б''', 3.50), ('{}'::jsonb, true);\nCREATE FUNCTION f() RETURNS int AS $x$ begin; insert into t values (9, 'no'); end $x$;\n";
    insta::assert_snapshot!(whole(body).expect("read"), @r#"
    t: a b
    5 t [Some("1"), Some("О'Нил; -- не конец\n2-я строка")]
    7 t [None, Some("-2")]
    7 t [Some("a\n'б'"), Some("3.50")]
    7 t [Some("{}"), Some("true")]
    "#);
}

#[test]
fn another_encoding_is_read_as_it_says() {
    let mut dump =
        format!("{HEAD}SET client_encoding = 'WIN1251';\nCOPY t (a) FROM stdin;\n").into_bytes();
    dump.extend(encoding_rs::WINDOWS_1251.encode("Саморез").0.iter());
    dump.extend(format!("\n\\.\n{TAIL}").as_bytes());
    assert!(told(&dump).expect("read").contains("Саморез"));
    let unknown = format!("{HEAD}SET client_encoding = 'EUC_JP';\n{TAIL}");
    assert!(matches!(told(unknown.as_bytes()), Err(DumpError::Line { line: 4, .. })));
}

#[test]
fn what_is_no_whole_plain_dump_is_named() {
    let says = |dump: &[u8]| told(dump).expect_err("refused").to_string();
    let mut all = vec![
        says(b"PGDMP\x01\x0e"),
        says(b"\xff\xfe-\x00-\x00"),
        says(b"SQLite format 3\0"),
        says("Привет".as_bytes()),
        says(b""),
        says(format!("{HEAD}COPY t (a) FROM stdin;\n1\n").as_bytes()),
        says(HEAD.as_bytes()),
        // In the middle of a letter.
        says(&[format!("{HEAD}COPY t (a) FROM stdin;\n").as_bytes(), &[0xd0]].concat()),
    ];
    for body in [
        "COPY t (a, b) FROM stdin;\n1\n\\.\n",
        "COPY t FROM stdin;\n",
        "INSERT INTO t (a) VALUES (now());\n",
    ] {
        all.push(whole(body).expect_err("refused").to_string());
    }
    let mut cp1251 = format!("{HEAD}COPY t (a) FROM stdin;\n").into_bytes();
    cp1251.extend([0xd1, 0xe0, b'\n']);
    all.push(says(&cp1251));
    insta::assert_snapshot!(all.join("\n"), @"
    это дамп в собственном формате pg_dump, а нужен обычный текст SQL
    файл в кодировке UTF-16, а нужен UTF-8
    это не дамп PostgreSQL
    это не дамп PostgreSQL
    это не дамп PostgreSQL
    дамп обрывается на строке 5: конца «PostgreSQL database dump complete» нет
    дамп обрывается на строке 3: конца «PostgreSQL database dump complete» нет
    дамп обрывается на строке 5: конца «PostgreSQL database dump complete» нет
    строка 5: таблица t: значений 1, а колонок 2
    строка 4: колонки таблицы t не названы
    строка 4: команда INSERT не читается
    строка 5: это не UTF-8
    ");
}

/// Writes a value as `COPY` does.
fn escape(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
    text
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = told(&bytes);
        let mut dump = HEAD.as_bytes().to_vec();
        dump.extend(bytes);
        let _ = told(&dump);
    }

    #[test]
    fn no_near_miss_makes_it_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "COPY t (a, b) FROM stdin;\n", "\\.\n", "1\t\\N\n", "\\", "\t", "\n", "'", "''", "E'", "\\x", "$$",
            "$a$", "/*", "*/", "--", ";", "(", ")", ",", "INSERT INTO t VALUES (", "CREATE TABLE t (a int", "::",
            "SELECT pg_catalog.setval('s', 9223372036854775808, false);", "\"", "é", "SET client_encoding = ",
        ]), 0..40)
    ) {
        let _ = whole(&parts.concat());
    }

    #[test]
    fn what_copy_writes_comes_back(values in prop::collection::vec("(?s).*", 1..6)) {
        let columns: Vec<String> = (0..values.len()).map(|n| format!("c{n}")).collect();
        let fields: Vec<String> = values.iter().map(|value| escape(value)).collect();
        let dump = format!(
            "{HEAD}COPY t ({}) FROM stdin;\n{}\n\\.\n{TAIL}", columns.join(", "), fields.join("\t")
        );
        let mut read_back = Vec::new();
        read(dump.as_bytes(), &mut |entry| {
            if let Entry::Row(row) = entry {
                read_back.extend(row.values.iter().flatten().cloned());
            }
        }).expect("read");
        prop_assert_eq!(read_back, values);
    }
}
