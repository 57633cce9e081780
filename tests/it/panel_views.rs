//! Saved views of the list of orders, and its columns.

use axum::http::{HeaderMap, StatusCode, header};
use insta::assert_snapshot;
use partner_m::storage::StorageError;

use crate::support::panel::{Answer, Panel, percent};

const LIST: &str = "/admin/orders";

/// A panel where Мария and Анна are managers; № 1042 is new, № 1043 is accepted and Мария's.
async fn panel() -> (Panel, HeaderMap, HeaderMap) {
    let panel = Panel::start().await;
    panel.desk.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(MORE)?)).unwrap();
    let maria = panel.sign_in_as("%2B79000000002").await;
    let anna = panel.sign_in_as("%2B79000000001").await;
    (panel, maria, anna)
}

const MORE: &str = "
    update persons set granted_role = 'manager' where id = 1;
    insert into orders (id, number, uuid, organization_id, author_id, status, source, manager_id,
            total_kopecks, created_at_ms, updated_at_ms)
        values (2, 1043, 'u2', 1, 1, 'accepted', 'bot', 2, 120000, 1795518000000, 1795518000000);";

async fn post(panel: &Panel, who: &HeaderMap, fields: &[(&str, &str)]) -> Answer {
    let token = panel.token(who).await;
    let fields = fields.iter().map(|(name, value)| format!("&{name}={}", percent(value)));
    let fields = fields.fold(format!("csrf={token}"), |form, field| form + &field);
    panel.send("POST", LIST, who.clone(), &fields).await
}

/// Keeps the list of this query; where the browser is led.
async fn save(panel: &Panel, who: &HeaderMap, name: &str, list: &str, shared: &str) -> String {
    let fields = [("act", "save"), ("name", name), ("list", list), ("shared", shared)];
    led(&post(panel, who, &fields).await)
}

fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.headers[header::LOCATION].to_str().unwrap().to_owned()
}

/// The reason that stands at the form.
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert!(answer.body.contains("<h1>Заказы</h1>"), "the list stays around the form");
    let (_, text) = answer.body.split_once("role=\"alert\">").expect("a reason");
    text.split('<').next().unwrap().to_owned()
}

async fn page(panel: &Panel, who: &HeaderMap, path: &str) -> String {
    let answer = panel.send("GET", path, who.clone(), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

/// The saved tabs of a page: the words as they are read, the address, and `*` at the open one.
fn tabs(page: &str) -> Vec<String> {
    let (_, tabs) = page.split_once("id=\"tabs\"").expect("tabs");
    let tabs = tabs.split("</nav>").next().unwrap();
    let links = tabs.split("<a ").skip(1).filter(|link| link.contains("class=\"kept\""));
    links
        .map(|link| {
            let (tag, words) = link.split_once('>').unwrap();
            let (_, href) = tag.split_once("href=\"").unwrap();
            let href = href.split('"').next().unwrap().replace("&amp;", "&");
            let mut words = words.split("</a>").next().unwrap().to_owned();
            while let Some((before, rest)) = words.split_once('<') {
                let after = rest.split_once('>').unwrap().1;
                words = format!("{before}|{after}");
            }
            let words: Vec<_> = words.split('|').filter(|word| !word.is_empty()).collect();
            let here = if tag.contains("aria-current") { "* " } else { "" };
            format!("{here}{} -> {href}", words.join(" "))
        })
        .collect()
}

/// The heads of the table.
fn heads(page: &str) -> Vec<String> {
    let (_, head) = page.split_once("<thead>").expect("a table");
    let head = head.split("</thead>").next().unwrap();
    let cells = head.split("<th").skip(1).filter(|cell| !cell.contains("data-pick-all"));
    cells
        .map(|cell| {
            let text = cell.split('>').skip(1).map(|part| part.split('<').next().unwrap());
            text.collect::<String>()
        })
        .collect()
}

fn journal(panel: &Panel) -> String {
    panel.text(
        "select group_concat(person_id || ' ' || channel || ' ' || action || ' ' || object || ' '
            || coalesce(before, '—') || ' → ' || coalesce(after, '—'), char(10) order by id)
         from audit where action like 'view.%'",
    )
}

#[tokio::test]
async fn a_filtered_list_is_kept_opened_changed_and_deleted() {
    let (panel, maria, _) = panel().await;
    let plain = page(&panel, &maria, "/admin/orders?view=new").await;
    assert!(!plain.contains("Сохранить вид"), "a built-in view is there already");
    let filtered = "view=all&status=accepted&manager=2&page=2&done=3";
    let shown = page(&panel, &maria, &format!("{LIST}?{filtered}")).await;
    assert!(shown.contains("Сохранить вид"), "{shown}");

    let led_to = save(&panel, &maria, "  Мои   срочные ", filtered, "0").await;
    let kept = "/admin/orders?view=all&status=accepted&manager=2&saved=1";
    assert_eq!(led_to, format!("{kept}&done=save"), "the page is not kept");
    let shown = page(&panel, &maria, &led_to).await;
    assert!(shown.contains("Вид сохранён."), "{shown}");
    assert_eq!(tabs(&shown), [format!("* Мои срочные 1 -> {kept}")]);
    assert!(!shown.contains("Сохранить изменения") && shown.contains("№\u{a0}</span>1043"));
    assert!(!shown.contains("№\u{a0}</span>1042"), "{shown}");
    let again = save(&panel, &maria, "Мои срочные", filtered, "0").await;
    assert_eq!(again, led_to, "the same form twice");
    assert_eq!(panel.count("select count(*) from saved_views"), 1);

    // Elsewhere it is a tab like the others; built-in tabs lead out of it.
    let elsewhere = page(&panel, &maria, LIST).await;
    assert_eq!(tabs(&elsewhere), [format!("Мои срочные 1 -> {kept}")]);
    assert!(shown.contains("href=\"/admin/orders?view=ship\""), "{shown}");
    // A short address opens it too.
    let short = page(&panel, &maria, "/admin/orders?saved=1").await;
    assert!(short.contains("№\u{a0}</span>1043") && !short.contains("№\u{a0}</span>1042"));

    let changed = format!("{kept}&sort=oldest").replace("accepted", "new&status=accepted");
    let shown = page(&panel, &maria, &changed).await;
    for words in ["Сохранить изменения", "Сохранить как новый", "Вернуть как было"]
    {
        assert!(shown.contains(words), "no «{words}» in {shown}");
    }
    assert_eq!(tabs(&shown), [format!("* Мои срочные 1 -> {kept}")], "it is still the open one");
    let list = changed.split_once('?').unwrap().1;
    let fields = [("act", "overwrite"), ("id", "1"), ("list", list)];
    let led_to = led(&post(&panel, &maria, &fields).await);
    let kept = "/admin/orders?view=all&status=new&status=accepted&manager=2&sort=oldest&saved=1";
    assert_eq!(led_to, format!("{kept}&done=overwrite"));
    let shown = page(&panel, &maria, &led_to).await;
    assert_eq!(tabs(&shown), [format!("* Мои срочные 1 -> {kept}")]);
    assert!(!shown.contains("Сохранить изменения"), "{shown}");

    let list = kept.split_once('?').unwrap().1;
    let fields =
        [("act", "rename"), ("id", "1"), ("name", "Срочно"), ("shared", "1"), ("list", list)];
    let renamed = page(&panel, &maria, &led(&post(&panel, &maria, &fields).await)).await;
    assert_eq!(tabs(&renamed), [format!("* Срочно , общий вид 1 -> {kept}")]);

    let fields = [("act", "remove"), ("id", "1"), ("list", list)];
    let led_to = led(&post(&panel, &maria, &fields).await);
    let left = page(&panel, &maria, &led_to).await;
    assert!(tabs(&left).is_empty() && left.contains("Сохранить вид"), "{left}");
    assert!(!led_to.contains("saved=") && led_to.contains("status=new&status=accepted"));
    assert_snapshot!(journal(&panel), @r"
    2 panel view.saved view:1 — → Мои срочные
    2 panel view.overwritten view:1 — → Мои срочные
    2 panel view.renamed view:1 Мои срочные → Срочно, всем менеджерам
    2 panel view.removed view:1 Срочно, всем менеджерам → —
    ");
    let admin = panel.sign_in().await;
    let read = page(&panel, &admin, "/admin/audit?action=view.").await;
    assert!(read.contains("вид заказов переименован"), "{read}");
}

#[tokio::test]
async fn a_shared_view_is_everybodys_to_open_and_its_owners_to_change() {
    let (panel, maria, anna) = panel().await;
    let shared = save(&panel, &maria, "Общий", "view=all&status=new", "1").await;
    let private = save(&panel, &maria, "Личный", "view=mine&sort=oldest", "0").await;
    save(&panel, &anna, "Личный", "view=all&status=ready", "0").await;
    let seen = page(&panel, &anna, &shared).await;
    assert_snapshot!(tabs(&seen).join("\n"), @r"
    Личный 0 -> /admin/orders?view=all&status=ready&saved=3
    * Общий , общий вид, владелец: Мария 1 -> /admin/orders?view=all&status=new&saved=1
    ");
    assert!(seen.contains("Общий вид, владелец: Мария"), "{seen}");
    assert!(!seen.contains("Вид сохранён."), "that is Мария's news: {seen}");
    assert!(!seen.contains("Удалить вид") && !seen.contains("value=\"rename\""), "{seen}");
    let changed = page(&panel, &anna, "/admin/orders?view=all&status=ready&saved=1").await;
    assert!(!changed.contains("Сохранить изменения") && changed.contains("Сохранить вид"));

    // The address of a private view opens its filters, and tells nothing of the view.
    let seen = page(&panel, &anna, &private).await;
    assert!(!seen.contains("saved=2") && !seen.contains("«Личный»"), "{seen}");
    assert!(seen.contains("Сохранить вид"), "{seen}");

    let admin = panel.sign_in().await;
    for (who, id, status) in [
        (&anna, "1", StatusCode::FORBIDDEN),
        (&anna, "2", StatusCode::NOT_FOUND),
        (&anna, "99", StatusCode::NOT_FOUND),
        (&admin, "1", StatusCode::FORBIDDEN),
        (&admin, "2", StatusCode::NOT_FOUND),
    ] {
        for act in ["rename", "overwrite", "remove"] {
            if who == &admin && (act, id) == ("remove", "1") {
                continue;
            }
            let fields = [("act", act), ("id", id), ("name", "Моё"), ("list", "view=all")];
            let answer = post(&panel, who, &fields).await;
            assert_eq!(answer.status, status, "{act} {id}: {}", answer.body);
        }
    }
    let none = post(&panel, &maria, &[("act", "remove"), ("id", "x"), ("list", "")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(panel.count("select count(*) from saved_views"), 3);

    let seen = page(&panel, &admin, &shared).await;
    assert!(seen.contains("Удалить вид") && !seen.contains("value=\"rename\""), "{seen}");
    led(&post(&panel, &admin, &[("act", "remove"), ("id", "1"), ("list", "view=all")]).await);
    assert!(tabs(&page(&panel, &admin, LIST).await).is_empty());
    assert!(journal(&panel).ends_with("3 panel view.removed view:1 Общий, всем менеджерам → —"));
    // Whoever still has the address sees its filters.
    let seen = page(&panel, &maria, &shared).await;
    assert!(seen.contains("№\u{a0}</span>1042") && !seen.contains("№\u{a0}</span>1043"), "{seen}");
}

#[tokio::test]
async fn a_name_that_will_not_do_is_named_at_the_form() {
    let (panel, maria, anna) = panel().await;
    save(&panel, &maria, "Ёлки", "view=all&status=new", "0").await;
    save(&panel, &maria, "Палки", "view=all&status=ready", "0").await;
    let save_as = async |name: &str| {
        let fields =
            [("act", "save"), ("name", name), ("list", "view=all&sum_from=5"), ("shared", "1")];
        post(&panel, &maria, &fields).await
    };
    let long = "я".repeat(41);
    let wrong = save_as(&long).await;
    assert_eq!(refused(&wrong), "В названии 41\u{a0}знак, а помещается 40. Сократите его.");
    for kept in [long.as_str(), "name=\"sum_from\" value=\"5\"", "value=\"1\" checked", "autofocus"]
    {
        assert!(wrong.body.contains(kept), "no {kept} in {}", wrong.body);
    }
    for name in ["", "  ", "—", "\u{a0}"] {
        let why = "Напишите название: в нём нужна хотя бы одна буква или цифра.";
        assert_eq!(refused(&save_as(name).await), why, "{name:?}");
    }
    let taken = "Вид «Ёлки» у вас уже есть. Выберите другое название.";
    assert_eq!(refused(&save_as(" ЕЛКИ").await), taken);
    let fields = [("act", "rename"), ("id", "2"), ("name", "ёлки"), ("list", "view=all")];
    assert_eq!(refused(&post(&panel, &maria, &fields).await), taken);
    let fields = [("act", "rename"), ("id", "2"), ("name", "ПАЛКИ"), ("list", "view=all&saved=2")];
    led(&post(&panel, &maria, &fields).await);
    save(&panel, &anna, "ёлки", "view=all&status=new", "1").await;
    let html = save(&panel, &maria, "<b>«Я» & ко</b>", "view=all&q=%3Cb%3E", "1").await;
    let shown = page(&panel, &maria, &html).await;
    assert!(shown.contains("&lt;b&gt;«Я» &amp; ко&lt;/b&gt;") && !shown.contains("<b>"), "{shown}");
    let forty = "й".repeat(40);
    save(&panel, &maria, &forty, "view=all&q=x", "0").await;

    let endless = format!("view=all&q={}", "x".repeat(4_100));
    let fields = [("act", "save"), ("name", "Длинный"), ("list", endless.as_str())];
    let why = refused(&post(&panel, &maria, &fields).await);
    assert_eq!(why, "Отбор слишком длинный, такой не сохранить. Сократите слова в поиске.");
}

#[tokio::test]
async fn a_person_keeps_thirty_views_and_no_more() {
    let (panel, maria, anna) = panel().await;
    for number in 1..=30 {
        save(&panel, &maria, &format!("Вид {number}"), "view=all&unresolved=1", "1").await;
    }
    let fields = [("act", "save"), ("name", "Ещё"), ("list", "view=all"), ("shared", "0")];
    assert_eq!(
        refused(&post(&panel, &maria, &fields).await),
        "У вас уже 30\u{a0}видов, больше нельзя. Удалите ненужный и сохраните снова."
    );
    save(&panel, &anna, "Ещё", "view=all&unresolved=1", "0").await;
    assert_eq!(tabs(&page(&panel, &anna, LIST).await).len(), 31, "others' do not count as hers");
    led(&post(&panel, &maria, &[("act", "remove"), ("id", "7"), ("list", "")]).await);
    led(&post(&panel, &maria, &fields).await);
}

#[tokio::test]
async fn what_a_view_is_filtered_by_may_be_gone() {
    let (panel, maria, _) = panel().await;
    let gone = "view=all&organization=77&manager=78&product=%D0%BD%D0%B5%D1%82&status=gone\
        &sort=gone&columns=gone&evil=1&created_from=yesterday";
    let led_to = save(&panel, &maria, "Прошлое", gone, "0").await;
    let shown = page(&panel, &maria, &led_to).await;
    for words in ["Ничего не найдено", "№\u{a0}78, уже не в списке", "Клиент: №\u{a0}77"]
    {
        assert!(shown.contains(words), "no «{words}» in {shown}");
    }
    assert!(!led_to.contains("evil") && !led_to.contains("columns"), "{led_to}");
    // What an older program has kept, or somebody has spoilt.
    let spoil = |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, StorageError>(tx.execute("update saved_views set query = '%%&=&view=nowhere'", [])?)
    };
    panel.desk.base.db.write_blocking(spoil).unwrap();
    let shown = page(&panel, &maria, "/admin/orders?saved=1").await;
    assert!(shown.contains("№\u{a0}</span>1042"), "{shown}");
    page(&panel, &maria, "/admin/orders?saved=999&view=nowhere&columns=evil").await;
    page(&panel, &maria, "/admin/orders?saved=x").await;
}

#[tokio::test]
async fn the_columns_are_chosen_in_the_address_and_kept_in_a_view() {
    let (panel, maria, _) = panel().await;
    let usual = page(&panel, &maria, "/admin/orders?view=all").await;
    let all = "№ Создан↓ Организация Позиции Сумма Доставка Статус Менеджер 1С Действие";
    assert_eq!(heads(&usual).join(" "), all);
    // As the form of the chooser sends it.
    let chosen = "view=all&columns=number&columns=status&columns=sum&columns=evil";
    let shown = page(&panel, &maria, &format!("{LIST}?{chosen}")).await;
    assert_eq!(heads(&shown).join(" "), "№ Сумма Статус Действие");
    let foot = "<td colspan=\"2\">Всего по фильтру: 2\u{a0}заказа</td>\
        <td class=\"num\">1\u{a0}200,00\u{a0}₽</td><td></td></tr>";
    assert!(shown.contains(foot), "no {foot} in {shown}");
    assert!(shown.contains("name=\"columns\" value=\"sum\" checked"), "{shown}");
    assert!(!shown.contains("name=\"columns\" value=\"lines\" checked"), "{shown}");
    let sorted =
        "href=\"/admin/orders?view=all&amp;sort=dearest&amp;columns=sum&amp;columns=status\"";
    assert!(shown.contains(sorted), "sorting keeps the columns: {shown}");
    assert!(
        shown.contains("href=\"/admin/orders?view=new\""),
        "a built-in view has the usual ones"
    );
    let number = page(&panel, &maria, "/admin/orders?view=all&columns=number").await;
    assert_eq!(heads(&number).join(" "), "№ Действие");

    let led_to = save(&panel, &maria, "Суммы", chosen, "1").await;
    assert_eq!(led_to, "/admin/orders?view=all&columns=sum&columns=status&saved=1&done=save");
    let shown = page(&panel, &maria, &led_to).await;
    assert_eq!(heads(&shown).join(" "), "№ Сумма Статус Действие");
    let changed = page(&panel, &maria, "/admin/orders?view=all&columns=sum&saved=1").await;
    assert!(changed.contains("Сохранить изменения"), "{changed}");
}

#[tokio::test]
async fn the_export_of_a_view_holds_what_it_lets_through() {
    let (panel, maria, _) = panel().await;
    let led_to =
        save(&panel, &maria, "Новые", "view=all&status=new&columns=sum&sort=oldest", "0").await;
    let shown = page(&panel, &maria, &led_to).await;
    let (_, link) = shown.split_once("href=\"/admin/orders/export/csv?").unwrap();
    let query = link.split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(query, "view=all&status=new&sort=oldest");
    let csv = page(&panel, &maria, &format!("/admin/orders/export/csv?{query}")).await;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains("1042") && csv.contains("Организация"), "{csv}");
    // A change of many rows comes back to the view.
    let back = led_to.replace("&done=save", "");
    let fields = [("act", "manager"), ("manager", "2"), ("order", "1"), ("back", back.as_str())];
    let token = panel.token(&maria).await;
    let fields = fields.iter().map(|(name, value)| format!("&{name}={}", percent(value)));
    let form = fields.fold(format!("csrf={token}"), |form, field| form + &field);
    let done = panel.send("POST", "/admin/orders/bulk", maria.clone(), &form).await;
    assert_eq!(led(&done), format!("{back}&done=1"));
}
