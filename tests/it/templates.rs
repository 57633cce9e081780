//! Templates of orders: saved under a name, used, changed and deleted, by whom they belong to.

use std::time::Duration;

use partner_m::domain::OrganizationId;
use partner_m::storage::merging;

use crate::support::desk::Desk;

/// Keeps what was said as a transcript of this name.
macro_rules! keep {
    ($name:literal, $talk:expr) => {
        insta::with_settings!(
            { snapshot_path => "transcripts", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_snapshot!(concat!("buyer_", $name), $talk); }
        );
    };
}

/// Анна's order 1: screws, threads, a zip and a cloth that nobody sells.
async fn ordered() -> Desk {
    let desk = Desk::start().await;
    desk.says(
        "anna",
        "саморез 4х25 желтый 4000\nнитки 70ЛЛ белые 10\nмолния рулон Т5 белая 2\nткань велес 10 м",
    )
    .await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk
}

/// The same with the order kept as «Пятница», which is template 1.
async fn kept() -> Desk {
    let desk = ordered().await;
    desk.presses("anna", "template.ask:1").await;
    desk.says("anna", "Пятница").await;
    desk
}

/// A person of Анна's organization in this role, or the owner of another one.
fn person(desk: &Desk, persona: &str, phone: &str, role: &str, organization: i64) {
    desk.sql(&format!(
        "insert into persons (name, phone, phone_verified, created_at_ms)
         values ('{persona}', '{phone}', 1, 0);
         insert or ignore into organizations (id, kind, name, verified, created_at_ms)
         values ({organization}, 'company', 'ООО «Чужое»', 1, 0);
         insert into members (organization_id, person_id, role, state, created_at_ms)
         select {organization}, id, '{role}', 'active', 0 from persons where phone = '{phone}'"
    ));
    desk.link(persona, phone);
}

/// What the templates are: names and lines.
fn templates(desk: &Desk) -> Vec<String> {
    desk.rows(
        "select t.organization_id || ' ' || t.name || ': ' || group_concat(l.title || ' '
            || (l.quantity_thousandths / 1000) || l.unit, ', ' order by l.position)
         from templates t join template_lines l on l.template_id = t.id
         group by t.id order by t.id",
    )
}

#[tokio::test]
async fn an_order_is_kept_as_a_template_and_ordered_again_as_of_today() {
    let desk = ordered().await;
    desk.transcript("anna");
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "В шаблон").await;
    desk.taps("anna", "от 24.11").await;
    desk.wait(Duration::from_hours(24)).await;
    desk.sql(
        "update prices set amount_kopecks = 99 where product_id = 1;
        update products set available_thousandths = 0 where id = 8;
        update products set withdrawn = 1, withdrawn_why = 'absent' where id = 6;",
    );
    desk.says("anna", "Повторить").await;
    desk.taps("anna", "Шаблоны").await;
    desk.taps("anna", "от 24.11").await;
    desk.taps("anna", "В заявку").await;
    keep!("template", desk.transcript("anna"));
    // What is chosen in the place of what is gone is no other name of it.
    assert_eq!(
        desk.rows(
            "select l.state || ' ' || l.raw || ' «' || l.phrase || '»' from draft_lines l
             join drafts d on d.id = l.draft_id where d.state = 'open' order by position"
        ),
        [
            "ok Саморез универсальный 4х25 желтый цинк «»",
            "ok Нитки 70ЛЛ 2500 м белые «»",
            "ask Молния рулонная Т5 белая 200 м — 2\u{a0}рул «»",
        ]
    );
    // Once more: what is certain joins its line.
    desk.presses("anna", "template.use:1").await;
    assert_eq!(
        desk.number(
            "select quantity_thousandths from draft_lines where product_id = 1 and draft_id = 2"
        ),
        8_000_000
    );
}

#[tokio::test]
async fn a_template_is_named_renamed_replaced_and_deleted() {
    let desk = ordered().await;
    desk.transcript("anna");
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "В шаблон").await;
    desk.says("anna", "…").await;
    desk.says("anna", &"очень длинное название ".repeat(3)).await;
    desk.says("anna", "  Пятничная   закупка ").await;
    desk.says("anna", "спанбонд 70 белый 2 рул").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "В шаблон").await;
    desk.says("anna", "пятничная закупка").await;
    desk.says("anna", "Цех").await;
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "Переименовать").await;
    desk.says("anna", "ПЯТНИЧНАЯ ЗАКУПКА").await;
    desk.says("anna", "Цех 2").await;
    let before = templates(&desk);
    desk.presses("anna", "template.ask:2").await;
    desk.says("anna", "пятничная закупка").await;
    desk.taps("anna", "Заменить").await;
    desk.taps("anna", "Шаблоны").await;
    desk.taps("anna", "Цех 2").await;
    desk.taps("anna", "Удалить").await;
    desk.taps("anna", "Удалить").await;
    keep!("template_names", desk.transcript("anna"));
    assert_eq!(
        before,
        [
            "1 Пятничная закупка: Саморез универсальный 4х25 желтый цинк 4000шт, Нитки 70ЛЛ 2500 м белые 10шт, Молния рулонная Т5 белая 200 м 2рул",
            "1 Цех 2: Спанбонд 70 г/м2 белый 1,6 м 2рул",
        ]
    );
    assert_eq!(templates(&desk), ["1 Пятничная закупка: Спанбонд 70 г/м2 белый 1,6 м 2рул"]);
    assert_eq!(
        desk.rows(
            "select action || ' ' || object || ' ' || after from audit
             where action like 'template.%' order by id"
        ),
        [
            "template.saved organization:1 Пятничная закупка",
            "template.saved organization:1 Цех",
            "template.renamed organization:1 Цех 2",
            "template.saved organization:1 Пятничная закупка",
            "template.removed organization:1 Цех 2",
        ]
    );
}

#[tokio::test]
async fn looking_elsewhere_ends_the_question_about_the_name() {
    let desk = ordered().await;
    for way in ["Назад", "/cancel"] {
        desk.presses("anna", "template.ask:1").await;
        match way {
            "Назад" => desk.taps("anna", way).await,
            _ => desk.says("anna", way).await,
        }
        desk.says("anna", "спанбонд 70 белый 2 рул").await;
    }
    assert_eq!(templates(&desk), Vec::<String>::new());
    assert_eq!(desk.number("select count(*) from draft_lines where draft_id = 2"), 1);
    assert!(!desk.screen("anna").contains("Как назвать шаблон"), "{}", desk.screen("anna"));
}

#[tokio::test]
async fn colleagues_use_a_template_and_only_those_who_send_orders_change_it() {
    let desk = kept().await;
    person(&desk, "boris", "+79000000005", "buyer", 1);
    person(&desk, "vera", "+79000000006", "viewer", 1);
    for persona in ["boris", "vera"] {
        desk.says(persona, "/repeat").await;
        desk.taps(persona, "Шаблоны").await;
        desk.taps(persona, "Пятница").await;
    }
    assert!(desk.screen("boris").contains("[Удалить] [Назад]"), "{}", desk.screen("boris"));
    let vera = desk.screen("vera");
    assert!(vera.contains("[В заявку]\n") && !vera.contains("Удалить"), "{vera}");
    desk.taps("vera", "В заявку").await;
    assert_eq!(desk.number("select count(*) from drafts where state = 'open'"), 1);
    desk.presses("vera", "order.show:1").await;
    assert!(!desk.screen("vera").contains("В шаблон"), "{}", desk.screen("vera"));
    let before = templates(&desk);
    let refusals = desk.alerts("vera");
    let presses = [
        "template.ask:1",
        "template.save:1",
        "template.replace:1:1:1",
        "template.rename:1",
        "template.delete:1",
        "template.delete_yes:1:1",
    ];
    for data in presses {
        desk.presses("vera", data).await;
    }
    assert_eq!(desk.alerts("vera") - refusals, presses.len());
    assert_eq!(templates(&desk), before);
    // What a colleague has changed meanwhile is looked at first.
    desk.taps("boris", "Удалить").await;
    desk.presses("anna", "template.rename:1").await;
    desk.says("anna", "Суббота").await;
    desk.transcript("boris");
    desk.taps("boris", "Удалить").await;
    let told = desk.transcript("boris");
    assert!(told.contains("☐ Шаблон изменился, проверьте\n✎ Шаблон «Суббота»"), "{told}");
    desk.taps("boris", "Удалить").await;
    desk.taps("boris", "Удалить").await;
    assert_eq!(templates(&desk), Vec::<String>::new());
}

#[tokio::test]
async fn a_foreign_template_gives_nothing_away() {
    let desk = kept().await;
    person(&desk, "stranger", "+79000000009", "owner", 9);
    desk.says("stranger", "нитки 70ЛЛ черные 10").await;
    desk.taps("stranger", "Отправить").await;
    let before = templates(&desk);
    for persona in ["stranger", "guest", "maria"] {
        desk.transcript(persona);
        for data in [
            "template.ask:1",
            "template.save:1",
            "template.replace:1:1:2",
            "template.show:1:0",
            "template.use:1",
            "template.rename:1",
            "template.delete:1",
            "template.delete_yes:1:1",
            "template.show:zz:0",
            "orders.templates:0",
        ] {
            desk.presses(persona, data).await;
        }
        let told = desk.transcript(persona);
        for secret in ["Пятница", "Саморез", "1001"] {
            assert!(!told.contains(secret), "{persona}: «{secret}» in:\n{told}");
        }
        assert!(told.contains("☐ Такого шаблона у вас нет."), "{told}");
    }
    assert_eq!(templates(&desk), before);
    // The same name is free for another organization.
    desk.presses("stranger", "template.ask:2").await;
    desk.says("stranger", "Пятница").await;
    assert_eq!(desk.number("select count(*) from templates"), 2);
}

#[tokio::test]
async fn a_manager_orders_from_a_clients_template_and_leaves_it_alone() {
    let desk = kept().await;
    desk.says("maria", "/as диван").await;
    desk.presses("maria", "template.show:1:0").await;
    assert!(!desk.screen("maria").contains("Удалить"), "{}", desk.screen("maria"));
    desk.presses("maria", "template.delete_yes:1:1").await;
    desk.presses("maria", "template.use:1").await;
    assert_eq!(desk.number("select count(*) from templates"), 1);
    assert_eq!(desk.number("select count(*) from draft_lines where draft_id = 2"), 3);
}

#[tokio::test]
async fn there_are_as_many_templates_as_may_be_and_no_more() {
    let desk = kept().await;
    desk.sql(
        "with recursive n (n) as (select 2 union all select n + 1 from n where n < 50)
         insert into templates (organization_id, name, name_key, event_key, created_at_ms,
             updated_at_ms)
         select 1, 'Шаблон ' || n, 'шаблон ' || n, '', 0, 0 from n",
    );
    desk.presses("anna", "template.ask:1").await;
    desk.transcript("anna");
    desk.says("anna", "Суббота").await;
    desk.taps("anna", "Шаблоны").await;
    desk.taps("anna", "8 ›").await;
    desk.taps("anna", "‹").await;
    desk.taps("anna", "‹").await;
    let told = desk.transcript("anna").replace('\u{a0}', " ");
    assert!(told.contains("< Шаблонов уже 50, больше не поместится."), "{told}");
    assert!(told.contains("[‹] [2/8 ›] [Назад]"), "{told}");
    let last = desk.screen("anna").replace('\u{a0}', " ");
    assert!(last.contains("[Шаблон 9 · 0 позиций]\n[‹] [8/8 ›] [Назад]"), "{last}");
    assert_eq!(desk.number("select count(*) from templates"), 50);
    // One that is there gives way all the same.
    desk.presses("anna", "template.ask:1").await;
    desk.says("anna", "шаблон 50").await;
    desk.taps("anna", "Заменить").await;
    assert_eq!(desk.number("select count(*) from template_lines where template_id = 50"), 3);
}

#[tokio::test]
async fn an_order_without_products_is_no_template() {
    let desk = Desk::start().await;
    desk.says("anna", "ткань велес 10 м").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("anna", "Открыть").await;
    assert!(!desk.screen("anna").contains("В шаблон"), "{}", desk.screen("anna"));
    desk.transcript("anna");
    desk.presses("anna", "template.ask:1").await;
    assert_eq!(
        desk.transcript("anna").trim(),
        "☐ В этой заявке ещё нет подобранных товаров, сохранять нечего."
    );
    desk.says("anna", "/repeat").await;
    desk.taps("anna", "Шаблоны").await;
    assert!(desk.screen("anna").contains("Шаблонов пока нет."), "{}", desk.screen("anna"));
}

#[tokio::test]
async fn a_template_outlives_its_products_and_goes_with_its_organization() {
    let desk = kept().await;
    desk.sql("delete from products where id = 8");
    desk.presses("anna", "template.show:1:0").await;
    let shown = desk.screen("anna");
    assert!(shown.contains("1 позиция изменилась: 1 снята с продажи."), "{shown}");
    assert!(shown.contains("❌ 2. Нитки 70ЛЛ 2500 м белые — 10"), "{shown}");
    person(&desk, "stranger", "+79000000009", "owner", 9);
    desk.sql(
        "insert into templates (organization_id, name, name_key, event_key, created_at_ms,
             updated_at_ms)
         values (9, 'Пятница', 'пятница', '', 0, 0), (9, 'Среда', 'среда', '', 0, 0);
         insert into template_lines (template_id, position, product_id, title)
         values (2, 1, 1, 'Саморез'), (3, 1, 1, 'Саморез')",
    );
    let merge =
        |tx: &rusqlite::Transaction<'_>| merging::merge(tx, OrganizationId(9), OrganizationId(1));
    desk.base.db.write(merge).await.unwrap();
    let names = "select organization_id || ' ' || name from templates order by name";
    assert_eq!(desk.rows(names), ["1 Пятница", "1 Среда"]);
    assert_eq!(desk.number("select count(*) from template_lines"), 4);
    desk.sql(
        "insert into organizations (id, kind, name, verified, created_at_ms)
         values (10, 'company', 'ООО «Новое»', 1, 0);
         update templates set organization_id = 10;
         delete from organizations where id = 10",
    );
    assert_eq!(desk.number("select count(*) from template_lines"), 0);
}
