//! Why a line was understood as it was, for people: the same trace in the chat's drawer, on an
//! order and on the search bench.

use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::ru;

/// A trace as it is stored; what an older program did not write is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored {
    why: String,
    normalized: String,
    attributes: Vec<String>,
    stages: Vec<StoredStage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoredStage {
    name: String,
    query: String,
    before: usize,
    after: usize,
    micros: u64,
}

/// The stored trace, drawn; a sentence when there is none.
pub fn draw(json: Option<&str>) -> Markup {
    let stored: Option<Stored> = json.and_then(|json| serde_json::from_str(json).ok());
    let Some(trace) = stored else {
        return html! { p.muted { "Для этой строки разбор не сохранён." } };
    };
    html! {
        div.trace {
            @if !trace.why.is_empty() { p { (super::markup::marked(&trace.why)) } }
            dl.facts {
                @if !trace.normalized.is_empty() { dt { "Слова" } dd { (trace.normalized) } }
                @if !trace.attributes.is_empty() { dt { "Признаки" } dd { (trace.attributes.join(", ")) } }
            }
            @if !trace.stages.is_empty() {
                table.plain {
                    caption.sr { "Этапы разбора" }
                    thead { tr { th scope="col" { "Этап" } th scope="col" { "Запрос" } th.num scope="col" { "Товаров" } th.num scope="col" { "Время" } } }
                    tbody {
                        @for stage in &trace.stages {
                            tr {
                                td { (stage.name) }
                                td { (stage.query) }
                                td.num { (ru::thousands(stage.before as u64)) " → " (ru::thousands(stage.after as u64)) }
                                td.num { (ru::thousands(stage.micros)) "\u{a0}мкс" }
                            }
                        }
                    }
                }
            }
        }
    }
}
