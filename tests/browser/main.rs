//! The panel and the browser chat in a real browser.

mod chrome;
mod house;

use std::path::PathBuf;

use chrome::{Chrome, looks};
use house::House;

/// Makes docs/screens: `cargo test --test browser screens -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes pictures"]
async fn screens() {
    let Some(chrome) = Chrome::start().await else { return };
    let house = House::start().await;
    let to = std::env::var_os("SCREENS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/screens"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&to).expect("a folder");
    let only = std::env::var("ONLY").unwrap_or_default();
    let widths = std::env::var("WIDTHS").unwrap_or_default();
    sign_in(&chrome, &house).await;
    for look in looks() {
        if !widths.is_empty() && !widths.split(',').any(|w| w == look.width.to_string()) {
            continue;
        }
        chrome.look(look).await;
        for (name, path) in PAGES {
            if !name.contains(&only) {
                continue;
            }
            chrome.open(&house.url(path)).await;
            let theme = if look.dark { "dark" } else { "light" };
            let file = to.join(format!("{name}-{}-{theme}.png", look.width));
            std::fs::write(file, chrome.screenshot().await).expect("written");
        }
    }
    chrome.stop().await;
    house.stop().await;
}

const PAGES: &[(&str, &str)] = &[
    ("today", "/admin"),
    ("orders", "/admin/orders?view=all"),
    ("orders-empty", "/admin/orders?view=approval"),
    ("order", "/admin/orders/1042"),
    ("chat", "/chat/anna"),
    ("chat-guest", "/chat/guest"),
    ("404", "/admin/nowhere"),
    ("login", "/admin/login?next=/chat"),
];

async fn sign_in(chrome: &Chrome, house: &House) {
    chrome.open(&house.url("/admin/login")).await;
    chrome.wait("#phone").await.send_keys("+79000000003").await.expect("typed");
    chrome.wait("#password").await.send_keys(house::PASSWORD).await.expect("typed");
    chrome.wait("button.primary").await.click().await.expect("clicked");
    chrome.wait("h1").await;
}
