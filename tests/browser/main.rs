//! The panel and the browser chat in a real browser.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

mod chrome;
mod house;

use std::path::PathBuf;

use chrome::{Chrome, Look, looks};
use house::House;

/// Every page in both themes and at every width: accessible, quiet in the console, no wider than
/// the window.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_and_quiet() {
    let Some(chrome) = Chrome::start().await else { return };
    let house = House::start().await;
    let mut faults = Vec::new();
    chrome.open(&house.url("/admin/login")).await;
    for look in looks() {
        chrome.look(look).await;
        faults.extend(examine(&chrome, "login", look).await);
    }
    sign_in(&chrome, &house).await;
    for (name, path) in PAGES {
        chrome.open(&house.url(path)).await;
        for look in looks() {
            chrome.look(look).await;
            faults.extend(examine(&chrome, name, look).await);
        }
        let complaints = chrome.complaints().await;
        // A page that is meant to be absent may be reported as such.
        let complaints = complaints.into_iter().filter(|c| *name != "404" || !c.contains("404"));
        faults.extend(complaints.map(|complaint| format!("{name}: {complaint}")));
    }
    chrome.stop().await;
    house.stop().await;
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

async fn examine(chrome: &Chrome, name: &str, look: Look) -> Vec<String> {
    let theme = if look.dark { "dark" } else { "light" };
    let mut faults = chrome.violations().await.unwrap_or_default();
    let overflow = chrome.overflow().await;
    if overflow != 0 {
        faults.push(format!("the page is {overflow} px wider than the window"));
    }
    faults.into_iter().map(|fault| format!("{name} {} {theme}: {fault}", look.width)).collect()
}

/// The first hour: a buyer writes, a manager takes, the panel shows it without being touched.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_travels_from_the_chat_to_the_panel() {
    let Some(chrome) = Chrome::start().await else { return };
    let house = House::start().await;
    chrome.look(Look { width: 1440, height: 900, dark: false }).await;
    sign_in(&chrome, &house).await;
    chrome.open(&house.url("/chat/anna")).await;
    say(&chrome, "anna", "саморез 4х25 жёлтый 4000 шт, поролон 40 мм 10 листов").await;
    press(&chrome, "anna", "Отправить").await;
    // The manager's side stands beside.
    press(&chrome, "maria", "Принять").await;
    chrome
        .until("document.querySelector('[data-persona=anna] [data-log]').textContent.includes('Принята')")
        .await;
    chrome.open(&house.url("/admin/orders")).await;
    chrome.wait("h1").await;
    let text = chrome.wait("main").await.text().await.expect("text");
    assert!(text.contains("Заказы"), "{text}");
    assert_eq!(chrome.complaints().await, Vec::<String>::new());
    chrome.stop().await;
    house.stop().await;
}

/// What a buyer does in the chat without a mouse: writes, goes to a button by keys, drops a file;
/// what the page says for a moment, on a phone too.
#[tokio::test(flavor = "multi_thread")]
async fn the_chat_works_by_keys_with_files_and_on_a_phone() {
    let Some(chrome) = Chrome::start().await else { return };
    let house = House::start().await;
    chrome.look(Look { width: 1440, height: 900, dark: false }).await;
    chrome.open(&house.url("/chat/anna")).await;
    say(&chrome, "anna", "саморез 4х25 жёлтый 4000 шт").await;
    shows(&chrome, "anna", "можно отправлять").await;
    go_to(&chrome, "Отправить").await;
    chrome.keys(&[ENTER]).await;
    shows(&chrome, "anna", "отправлена").await;
    // Who goes by keys is among the newest buttons still.
    chrome
        .until("Boolean(document.activeElement.closest('[data-persona=anna] [data-press]'))")
        .await;
    press(&chrome, "maria", "Принять").await;
    shows(&chrome, "anna", "Принята").await;

    // A toast: a step below nothing.
    say(&chrome, "anna", "саморез 4х25 жёлтый 5 шт").await;
    press(&chrome, "anna", "Позиции").await;
    press(&chrome, "anna", "1").await;
    press(&chrome, "anna", "−").await;
    chrome.until("document.querySelector('#toasts').textContent.includes('Меньше нуля')").await;
    press(&chrome, "anna", "Готово").await;
    press(&chrome, "anna", "Очистить").await;
    shows(&chrome, "anna", "Заявка очищена").await;

    // A file is dropped, on a phone's width.
    chrome.look(Look { width: 360, height: 740, dark: false }).await;
    chrome.open(&house.url("/chat/anna")).await;
    drop_file(&chrome, "anna", "заявка.xlsx", &table()).await;
    press(&chrome, "anna", "Да, распознать").await;
    shows(&chrome, "anna", "файл «заявка.xlsx»").await;
    assert_eq!(chrome.overflow().await, 0);
    assert_eq!(chrome.violations().await.unwrap_or_default(), Vec::<String>::new());

    // A number is asked for where the chat has none.
    chrome.open(&house.url("/chat/guest")).await;
    press(&chrome, "guest", "Начать").await;
    let contact = "[data-persona=guest] [data-keyboard] form[data-contact] button";
    chrome.wait(contact).await.click().await.expect("clicked");
    let phone = chrome.wait("#phone-guest").await;
    phone.send_keys("12").await.expect("typed");
    chrome.keys(&[ENTER]).await;
    chrome.until("document.querySelector('#toasts').textContent.includes('не читается')").await;
    phone.clear().await.expect("cleared");
    phone.send_keys("+7 900 000-00-09").await.expect("typed");
    chrome.keys(&[ENTER]).await;
    shows(&chrome, "guest", "Фамилия, имя и отчество").await;
    // What was wrong is no news any more.
    chrome.until("!document.querySelector('#toasts').textContent.includes('не читается')").await;
    assert_eq!(chrome.violations().await.unwrap_or_default(), Vec::<String>::new());
    // The browser reports the number that was refused.
    let complaints = chrome.complaints().await.into_iter().filter(|c| !c.contains("422"));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<String>::new());
    chrome.stop().await;
    house.stop().await;
}

const ENTER: char = '\u{e007}';
const SHIFT: char = '\u{e008}';
const TAB: char = '\u{e004}';

/// Goes back by keys until the focus is on the button with this label.
async fn go_to(chrome: &Chrome, label: &str) {
    for _ in 0..40 {
        let active = chrome.client.active_element().await.expect("a focus");
        if active.text().await.is_ok_and(|text| text.starts_with(label)) {
            return;
        }
        chrome.keys(&[SHIFT, TAB]).await;
    }
    panic!("«{label}» is not reached by keys");
}

/// Waits until a chat shows these words.
async fn shows(chrome: &Chrome, persona: &str, words: &str) {
    let log = format!("document.querySelector('[data-persona={persona}] [data-log]')");
    chrome
        .until(&format!("{log}.textContent.replaceAll('\\u00a0', ' ').includes('{words}')"))
        .await;
}

/// Drops a file onto a chat.
async fn drop_file(chrome: &Chrome, persona: &str, name: &str, content: &[u8]) {
    let script = format!(
        "const files = new DataTransfer();
         files.items.add(new File([new Uint8Array({content:?})], '{name}'));
         const pane = document.querySelector('[data-persona={persona}]');
         const drop = {{ dataTransfer: files, bubbles: true, cancelable: true }};
         pane.dispatchEvent(new DragEvent('drop', drop));"
    );
    chrome.client.execute(&script, Vec::new()).await.expect("dropped");
}

/// A workbook with two lines of an order.
fn table() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let rows = [["Товар", "Кол-во"], ["саморез 4х25 жёлтый", "4000"], ["поролон 40 мм", "10"]];
    for (at, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            sheet.write(at, column, cell).expect("written");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

/// Presses the newest button of a chat whose label begins with these words, once it is there.
async fn press(chrome: &Chrome, persona: &str, label: &str) {
    let script = format!(
        "(() => {{
            const buttons = [...document.querySelectorAll('[data-persona={persona}] [data-log] button')];
            const button = buttons.reverse().find((b) => b.textContent.startsWith('{label}'));
            button?.click();
            return Boolean(button);
        }})()"
    );
    chrome.until(&script).await;
}

/// Makes docs/screens: `cargo test --test browser screens -- --ignored`. With `SCREENS` set to a
/// folder, every page in every look goes there instead.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes pictures"]
async fn screens() {
    let Some(chrome) = Chrome::start().await else { return };
    let house = House::start().await;
    let everything = std::env::var_os("SCREENS").map(PathBuf::from);
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/screens");
    let to = everything.clone().unwrap_or(docs);
    std::fs::create_dir_all(&to).expect("a folder");
    chrome.open(&house.url("/admin/login")).await;
    let narrow = Look { width: 360, height: 740, dark: false };
    chrome.look(narrow).await;
    std::fs::write(to.join("login-360-light.png"), chrome.screenshot().await).expect("written");
    sign_in(&chrome, &house).await;
    talk(&chrome, &house).await;
    for (name, path) in PAGES {
        for look in looks() {
            let theme = if look.dark { "dark" } else { "light" };
            let picture = format!("{name}-{}-{theme}", look.width);
            if everything.is_none() && !DOCS.contains(&picture.as_str()) {
                continue;
            }
            chrome.look(look).await;
            chrome.open(&house.url(path)).await;
            let file = to.join(format!("{picture}.png"));
            std::fs::write(file, chrome.screenshot().await).expect("written");
        }
    }
    chrome.stop().await;
    house.stop().await;
}

/// The pictures that the documentation shows.
const DOCS: &[&str] = &[
    "chat-1440-light",
    "chat-360-light",
    "today-1440-light",
    "orders-1440-light",
    "orders-1440-dark",
    "orders-360-light",
    "order-1440-light",
    "order-360-dark",
    "question-1440-light",
    "catalog-1440-light",
    "search-1440-light",
];

/// A conversation under way: a draft with a question at the buyer's, a new order at the manager's.
async fn talk(chrome: &Chrome, house: &House) {
    chrome.look(Look { width: 1440, height: 900, dark: false }).await;
    chrome.open(&house.url("/chat/anna")).await;
    say(chrome, "anna", "поролон 40 мм 10 листов, клей фаворит 6").await;
    press(chrome, "anna", "Оформить").await;
    press(chrome, "anna", "Отправить").await;
    press(chrome, "maria", "Принять").await;
    let accepted =
        "document.querySelector('[data-persona=anna] [data-log]').textContent.includes('Принята')";
    chrome.until(accepted).await;
    say(chrome, "anna", "саморез 4х25 -4т.шт жёлтый, молния рулон чёрная 2, ткань велес 10м").await;
    press(chrome, "anna", "Уточнить").await;
    let asked =
        "document.querySelector('[data-persona=anna] [data-log]').textContent.includes('Позиция ')";
    chrome.until(asked).await;
}

/// Writes into a chat.
async fn say(chrome: &Chrome, persona: &str, text: &str) {
    let field = chrome.wait(&format!("[data-persona={persona}] textarea")).await;
    field.send_keys(text).await.expect("typed");
    field.send_keys("\u{e007}").await.expect("sent");
}

const PAGES: &[(&str, &str)] = &[
    ("today", "/admin"),
    ("orders", "/admin/orders?view=all"),
    (
        "orders-view",
        "/admin/orders?view=all&status=new&status=accepted&sort=dearest&columns=organization&columns=sum&columns=delivery&columns=status&columns=manager&saved=1",
    ),
    ("orders-empty", "/admin/orders?view=approval"),
    ("order", "/admin/orders/1042"),
    ("order-edit", "/admin/orders/1042?edit=1"),
    ("order-new", "/admin/orders/new?organization=1"),
    ("order-price", "/admin/orders/1041?edit=7#line-7"),
    ("order-print", "/admin/orders/1042/print"),
    ("product", "/admin/catalog/products/1"),
    ("client-journal", "/admin/clients/1?tab=journal"),
    ("clients-import", "/admin/clients/import"),
    ("person", "/admin/people/11"),
    ("search-log", "/admin/search/log"),
    ("search-gaps", "/admin/search/gaps"),
    ("search-cases", "/admin/search/cases"),
    ("search-models", "/admin/search/models"),
    ("synonyms-learnt", "/admin/synonyms/learnt"),
    ("replies", "/admin/questions/replies"),
    ("client-words", "/admin/clients/1?tab=words"),
    ("client-orders", "/admin/clients/1?tab=orders"),
    ("client-buys", "/admin/clients/1?tab=buys"),
    ("sessions", "/admin/sessions"),
    ("chat", "/chat/anna"),
    ("chat-guest", "/chat/guest"),
    ("catalog", "/admin/catalog?open=1"),
    ("questions", "/admin/questions"),
    ("question", "/admin/questions/1"),
    ("import", "/admin/catalog/import"),
    ("clients", "/admin/clients"),
    ("client", "/admin/clients/1"),
    ("people", "/admin/people"),
    ("requests", "/admin/requests"),
    (
        "search",
        "/admin/search?text=%D1%81%D0%B0%D0%BC%D0%BE%D1%80%D0%B5%D0%B7%204%D1%8525%20%D0%B6%D1%91%D0%BB%D1%82%D1%8B%D0%B9%204000%0A%D0%BC%D0%BE%D0%BB%D0%BD%D0%B8%D1%8F%20%D1%87%D1%91%D1%80%D0%BD%D0%B0%D1%8F%202&organization=1",
    ),
    ("synonyms", "/admin/synonyms"),
    ("journal", "/admin/audit"),
    ("backups", "/admin/backups"),
    ("outbox", "/admin/outbox"),
    ("settings", "/admin/settings"),
    ("state", "/admin/health"),
    ("exchange", "/admin/exchange"),
    ("exchange-one", "/admin/exchange/5"),
    ("exchange-queue", "/admin/exchange/queue"),
    ("exchange-connect", "/admin/exchange/connect"),
    ("exchange-mapping", "/admin/exchange/mapping"),
    ("order-taken", "/admin/orders/1040"),
    ("find", "/admin/find?q=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD"),
    ("404", "/admin/nowhere"),
];

async fn sign_in(chrome: &Chrome, house: &House) {
    chrome.open(&house.url("/admin/login")).await;
    chrome.wait("#phone").await.send_keys("+79000000003").await.expect("typed");
    chrome.wait("#password").await.send_keys(house::PASSWORD).await.expect("typed");
    chrome.wait("button.primary").await.click().await.expect("clicked");
    chrome.wait("h1").await;
}
