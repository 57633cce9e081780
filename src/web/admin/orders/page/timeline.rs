//! The timeline of an order: events, messages and notes in one feed.

use maud::{Markup, html};

use super::OrderPage;
use crate::storage::orders::OrderEventRow;
use crate::web::layout::csrf;
use crate::web::markup::{Icon, small_icon};

impl OrderPage<'_> {
    pub(super) fn timeline(&self) -> Markup {
        let order = &self.view.order;
        let shown = |event: &&OrderEventRow| match self.query.feed.as_str() {
            "messages" => matches!(event.kind.as_str(), "message" | "note"),
            "changes" => !matches!(event.kind.as_str(), "message" | "note"),
            _ => true,
        };
        let tabs = [("", "Все"), ("messages", "Сообщения"), ("changes", "Изменения")];
        html! {
            section.card aria-labelledby="feed-title" {
                header {
                    h2 #feed-title { "Лента" }
                    nav.feed-tabs aria-label="Что показать в ленте" {
                        @for (code, word) in tabs {
                            a href=(if code.is_empty() { format!("/admin/orders/{}", order.number) } else { format!("/admin/orders/{}?feed={code}", order.number) })
                                aria-current=[(code == self.query.feed).then_some("page")] { (word) }
                        }
                    }
                }
                ol.timeline #feed data-live aria-live="polite" {
                    @for event in self.view.events.iter().filter(shown) { (self.event(event)) }
                }
                form.composer method="post" action=(format!("/admin/orders/{}/messages", order.number)) data-swap="clear" data-done="Сохранено" {
                    (csrf(self.visitor))
                    fieldset.kinds {
                        legend.sr { "Кому" }
                        label { input type="radio" name="kind" value="client" checked; "Клиенту" }
                        label { input type="radio" name="kind" value="note"; "Заметка" }
                    }
                    label.sr for="composer" { "Текст" }
                    textarea #composer name="text" required maxlength="4000" rows="3" data-key="reply"
                        placeholder="Сообщение клиенту или заметка для своих" {}
                    div.foot {
                        span.hint { "Заметку клиент не увидит. " kbd { "Ctrl" } " " kbd { "Enter" } " — сохранить" }
                        button.button type="submit" { "Отправить" }
                    }
                }
            }
        }
    }

    fn event(&self, event: &OrderEventRow) -> Markup {
        let base = &self.desk.base;
        let now = base.clock.now();
        let picture = match event.kind.as_str() {
            "created" => Icon::Plus,
            "status" => Icon::Check,
            "message" => Icon::Send,
            "note" => Icon::Note,
            "delivery" => Icon::Truck,
            "onec" => Icon::Exchange,
            _ => Icon::Edit,
        };
        let said = matches!(event.kind.as_str(), "message" | "note");
        let kind = match event.kind.as_str() {
            "note" => " · заметка",
            "message" if event.to_client => " · клиенту",
            "message" => " · от клиента",
            _ => "",
        };
        html! {
            li data-kind=(event.kind) data-to-client[event.to_client] {
                span.pip { (small_icon(picture)) }
                div {
                    @if said { p.said { (event.text) } } @else { p.what { (event.text) } }
                    p.who {
                        @if event.person_name.is_empty() { "Программа" } @else { (event.person_name) }
                        " · " (event.channel.label()) (kind)
                    }
                }
                time datetime=(base.zone.rfc3339(event.at)) { (base.zone.date_time(event.at, now)) }
            }
        }
    }
}
