//! Who ordered, where to, and what else they have with us.

use maud::{Markup, html};

use super::OrderPage;
use crate::domain::{Delivery, ru, time};
use crate::services::questions::Attachment;
use crate::web::admin::orders::manager_options;
use crate::web::files;
use crate::web::layout::{Tone, badge, csrf, status_badge};

impl OrderPage<'_> {
    pub(super) fn side(&self) -> Markup {
        let order = &self.view.order;
        let base = &self.desk.base;
        let now = base.clock.now();
        let today = base.zone.civil(now).date();
        let others = self.others.iter().filter(|other| other.number != order.number).take(3);
        html! {
            section.card aria-labelledby="client-title" {
                header { h2 #client-title { "Клиент" } a.count href=(format!("/admin/clients/{}", order.organization)) { "Карточка" } }
                div.body {
                    dl.facts {
                        dt { "Организация" } dd { (order.organization_name) @if !order.organization_verified { " " (badge(Tone::Warn, "новый клиент")) } }
                        dt { "Автор" } dd { (order.author_name) }
                        @if let Some((phone, proven)) = order.shown_phone() {
                            dt { "Телефон" } dd { a href=(format!("tel:{phone}")) { (phone) } @if !proven { " " (badge(Tone::Warn, "не подтверждён")) } }
                        }
                        @if !order.comment.is_empty() { dt { "Комментарий" } dd { (order.comment) } }
                        dt { "Источник" } dd { (order.source.label()) }
                        @if let Some(balance) = &self.side.balance {
                            @if let Some(debt) = balance.debt { dt { "Долг" } dd { (debt) } }
                            @if let Some(overdue) = balance.overdue.filter(|sum| sum.kopecks() > 0) { dt { "Просрочено" } dd { (badge(Tone::Danger, overdue.to_string())) } }
                            @if let Some(limit) = balance.limit { dt { "Лимит" } dd { (limit) } }
                            @if !balance.terms.is_empty() { dt { "Условия" } dd { (balance.terms) } }
                            @if let Some(at) = balance.as_of { dt { "Расчёты на" } dd { (base.zone.date_time(at, now)) } }
                        } @else { dt { "Долг" } dd.muted { "из 1С не приходил" } }
                    }
                }
            }
            (self.delivery(today))
            (self.manager())
            (self.documents())
            @if !self.threads.is_empty() {
                section.card aria-labelledby="threads-title" {
                    header { h2 #threads-title { "Открытые вопросы" } span.count { (self.threads.len()) } }
                    ul.rows {
                        @for thread in self.threads {
                            li { div.grow { a href=(format!("/admin/questions/{}", thread.id)) { (thread.subject) } span.sub { (time::ago(now.since(thread.last_at))) @if !thread.last_from_staff { " · ждёт ответа" } } } }
                        }
                    }
                }
            }
            (self.onec)
            @if self.others.len() > 1 {
                section.card aria-labelledby="others-title" {
                    header { h2 #others-title { "Другие заказы клиента" } }
                    ul.rows {
                        @for other in others {
                            li {
                                div.grow {
                                    a href=(format!("/admin/orders/{}", other.number)) { "№\u{a0}" (other.number) }
                                    span.sub { (base.zone.date(other.created_at, now)) " · " (other.total) }
                                }
                                (status_badge(other.status))
                            }
                        }
                    }
                }
            }
        }
    }

    /// The files of the order, and the form of one more.
    fn documents(&self) -> Markup {
        let order = &self.view.order;
        let base = &self.desk.base;
        let now = base.clock.now();
        let entries = self.view.events.iter().filter(|event| event.attachment.is_some());
        let action = format!("/admin/orders/{}/files", order.number);
        html! {
            section.card aria-labelledby="documents-title" {
                header { h2 #documents-title { "Документы" } }
                ul.rows.files #documents data-live {
                    @for entry in entries {
                        li {
                            div.grow {
                                span.block { (ru::ellipsis(entry.text.lines().next().unwrap_or_default(), 80)) }
                                span.sub {
                                    @if entry.to_client { "клиенту" } @else { "от клиента" }
                                    @if !entry.person_name.is_empty() { " · " (entry.person_name) }
                                    " · " (base.zone.date_time(entry.at, now))
                                }
                            }
                            (files::link(self.visitor, entry.attachment.as_deref().and_then(Attachment::read).as_ref(), &format!("{action}/{}", entry.id)))
                        }
                    }
                }
                (files::form(self.visitor, &action))
            }
        }
    }

    fn delivery(&self, today: jiff::civil::Date) -> Markup {
        let order = &self.view.order;
        let date =
            if let Delivery::On(date) = order.delivery { date.to_string() } else { String::new() };
        let kind = match order.delivery {
            Delivery::Any => "any",
            Delivery::On(_) => "date",
            Delivery::Pickup => "pickup",
        };
        let others = self.side.addresses.iter().filter(|address| **address != order.address);
        html! {
            section.card #delivery data-live aria-labelledby="delivery-title" {
                header {
                    h2 #delivery-title { "Доставка" }
                    @if !order.status.is_final() && self.query.edit != "delivery" {
                        a.count data-part href=(self.href("edit=delivery#delivery")) { "Изменить" }
                    }
                }
                div.body {
                    @if self.query.edit == "delivery" && !order.status.is_final() {
                        form.stack.tight method="post" action=(self.action()) data-swap data-done="Сохранено" {
                            (csrf(self.visitor))
                            (self.token())
                            input type="hidden" name="act" value="delivery";
                            div.field {
                                label for="delivery-kind" { "Когда" }
                                select #delivery-kind name="delivery" {
                                    @for (code, word) in [("any", "дата не важна"), ("date", "в указанный день"), ("pickup", "самовывоз")] {
                                        option value=(code) selected[code == kind] { (word) }
                                    }
                                }
                            }
                            div.field { label for="delivery-date" { "День" } input #delivery-date type="date" name="date" value=(date); }
                            div.field {
                                label for="delivery-address" { "Адрес" }
                                input #delivery-address type="text" name="address" value=(order.address) maxlength="300" list="addresses";
                                datalist #addresses { @for address in &self.side.addresses { option value=(address) {} } }
                            }
                            div.buttons {
                                button.button.primary type="submit" { "Сохранить" }
                                a.button.quiet data-part href=(self.href("#delivery")) { "Закрыть" }
                            }
                        }
                    } @else {
                        p { (order.delivery.label(today)) }
                        p { @if order.address.is_empty() { span.muted { "Адрес не указан" } } @else { (order.address) } }
                        @if others.clone().next().is_some() {
                            details.why { summary { "Другие адреса клиента" } ul.plain-list { @for address in others { li { (address) } } } }
                        }
                    }
                }
            }
        }
    }

    fn manager(&self) -> Markup {
        let order = &self.view.order;
        html! {
            section.card #manager data-live aria-labelledby="manager-title" {
                header { h2 #manager-title { "Менеджер" } }
                form.body.in-row.start method="post" action=(self.action()) data-swap data-done="Сохранено" {
                    (csrf(self.visitor))
                    (self.token())
                    input type="hidden" name="act" value="manager";
                    select name="manager" aria-label="Менеджер заказа" {
                        option value="" { "никто" }
                        (manager_options(self.managers, order.manager))
                    }
                    button.button.small type="submit" { "Назначить" }
                }
            }
        }
    }
}
