//! The lines of an order, and what is done with them.

use std::collections::HashMap;

use maud::{Markup, html};

use super::OrderPage;
use crate::domain::{LineState, Money, ProductId, Quantity, ru};
use crate::services::ordering::OrderView;
use crate::storage::offers::Offer;
use crate::storage::orders::OrderLineRow;
use crate::web::layout::{Tone, badge, csrf};
use crate::web::markup::{Icon, marked, small_icon};
use crate::web::session::Visitor;

/// Lines whose candidates are shown at once; those after them are opened one by one.
const OPEN_AT_ONCE: usize = 12;

impl OrderPage<'_> {
    pub(super) fn lines(&self) -> Markup {
        let view = self.view;
        let open = view.lines.iter().filter(|line| line.state != LineState::Ok);
        let done = view.lines.iter().filter(|line| line.state == LineState::Ok);
        html! {
            section.card #lines data-live aria-labelledby="lines-title" {
                header {
                    h2 #lines-title { "Позиции" }
                    @let unresolved = view.lines.iter().filter(|line| line.state != LineState::Ok).count();
                    @if unresolved > 0 { (badge(Tone::Warn, format!("подобрать: {unresolved}"))) }
                    @let priceless = view.lines.iter().filter(|line| is_priceless(line)).count();
                    @if priceless > 0 { (badge(Tone::Warn, format!("без цены: {priceless}"))) }
                    @let uncounted = view.lines.iter().filter(|line| line.is_uncounted()).count();
                    @if uncounted > 0 { (badge(Tone::Warn, format!("не та единица: {uncounted}"))) }
                    span.count { (ru::positions(view.lines.len())) }
                    @if !view.order.status.is_final() && self.query.edit != "new" {
                        a.button.small data-part href=(self.href("edit=new#add")) { (small_icon(Icon::Plus)) "Добавить" }
                    }
                }
                (self.adding())
                table.lines.cards-on-phone {
                    caption.sr { "Позиции заказа" }
                    thead {
                        tr {
                            th scope="col" { "№" }
                            th scope="col" { "Товар и слова клиента" }
                            th.num scope="col" { "Количество" }
                            th.num scope="col" { "Цена" }
                            th.num scope="col" { "Сумма" }
                            th.num.wide scope="col" { "Остаток" }
                        }
                    }
                    tbody {
                        @for (index, line) in open.chain(done).enumerate() {
                            (self.line(line))
                            (self.choice(line, index < OPEN_AT_ONCE))
                            @if self.query.edit == line.id.to_string() && !view.order.status.is_final() { (self.editor(line)) }
                        }
                    }
                    tfoot {
                        tr {
                            td colspan="4" { "Итого" (apart(&view.lines)) }
                            td.num { (view.order.total) }
                            td.wide {}
                        }
                    }
                }
            }
        }
    }

    /// The form of a new line.
    fn adding(&self) -> Markup {
        let adding = self.query.edit == "new" && !self.view.order.status.is_final();
        html! {
            @if adding {
                div.body.editor #add {
                    form.other action=(self.href("")) role="search" aria-label="Товар для новой позиции" {
                        input type="hidden" name="edit" value="new";
                        input type="search" name="find" required placeholder="Найти товар" value=(self.query.find) aria-label="Найти товар для новой позиции" data-find=(format!("/admin/orders/{}/options/new", self.view.order.number));
                        button.button.small type="submit" { "Найти" }
                        a.button.small.quiet data-part href=(self.href("#lines")) { "Закрыть" }
                    }
                    (self.found_to_add())
                }
            }
        }
    }

    fn found_to_add(&self) -> Markup {
        html! { div data-options { (to_add(self.visitor, self.view, self.found)) } }
    }

    /// What can be done with a line.
    fn editor(&self, line: &OrderLineRow) -> Markup {
        let id = line.id;
        let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
        let quantity = line.quantity.map(|q| q.to_string()).unwrap_or_default();
        let price = line.price.filter(|_| !is_priceless(line));
        let price = price.map(|price| price.decimal().replace('.', ",")).unwrap_or_default();
        let offer = line.product.and_then(|product| self.view.offer(product));
        let form = |act: &str, inside: &Markup| {
            html! {
                form.in-row method="post" action=(self.action()) data-swap data-done="Сохранено" {
                    (csrf(self.visitor))
                    (self.token())
                    input type="hidden" name="line" value=(id);
                    input type="hidden" name="act" value=(act);
                    (inside)
                }
            }
        };
        html! {
            tr.editing {
                td.p0 {}
                td colspan="5" {
                    div.editor {
                        (form("quantity", &html! {
                            label for=(format!("quantity-{id}")) { "Количество" }
                            input.short-field id=(format!("quantity-{id}")) type="text" name="quantity" value=(quantity) required inputmode="decimal" autocomplete="off";
                            select name="unit" aria-label="Единица" {
                                @for known in units(offer, unit) { option value=(known) selected[&known == unit] { (known) } }
                            }
                            button.button.small.primary type="submit" { "Сохранить" }
                        }))
                        @if line.product.is_some() {
                            (form("price", &html! {
                                label for=(format!("price-{id}")) { "Цена за\u{a0}" (line.base_unit) ", ₽" }
                                input.short-field id=(format!("price-{id}")) type="text" name="price" value=(price) required inputmode="decimal" autocomplete="off";
                                button.button.small type="submit" { "Сохранить" span.sr { " цену" } }
                            }))
                        }
                        @if line.quantity.is_some() {
                            (form("split", &html! {
                                label for=(format!("split-{id}")) { "Отделить" }
                                input.short-field id=(format!("split-{id}")) type="text" name="quantity" required inputmode="decimal" autocomplete="off";
                                button.button.small type="submit" { "Разделить" }
                            }))
                        }
                        @if self.view.lines.len() > 1 {
                            (form("remove", &html! { button.button.small.danger type="submit" { "Убрать позицию" } }))
                        }
                        a.button.small.quiet data-part href=(self.href(&format!("#line-{id}"))) { "Закрыть" }
                    }
                    @if line.state == LineState::Ok { (self.candidates(line)) }
                }
            }
        }
    }

    /// The products to choose from for an open line, in a row of its own: titles are long.
    fn choice(&self, line: &OrderLineRow, at_once: bool) -> Markup {
        let open = line.state != LineState::Ok && !self.view.order.status.is_final();
        let editing = self.query.edit == line.id.to_string();
        html! {
            @if open && (at_once || editing) {
                tr.choosing data-open {
                    td.p0 {}
                    td colspan="5" { (self.candidates(line)) }
                }
            }
        }
    }

    fn line(&self, line: &OrderLineRow) -> Markup {
        let open = line.state != LineState::Ok;
        let editing = self.query.edit == line.id.to_string();
        let editable = !self.view.order.status.is_final();
        let edit = self.href(&format!("edit={}#line-{}", line.id, line.id));
        let unpriced = is_priceless(line) && editable && !editing;
        let give_price = html! {
            a data-part href=(edit) aria-label=(format!("Указать цену позиции {}", line.position)) { "указать цену" }
        };
        let offer = line.product.and_then(|product| self.view.offer(product));
        let quantity = line.quantity.map(|quantity| {
            let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
            quantity.with_unit(unit)
        });
        let base =
            line.base_quantity.filter(|_| !line.unit.is_empty() && line.unit != line.base_unit);
        html! {
            tr data-open[open] id=(format!("line-{}", line.id)) {
                td.pos.p0 { (line.position) }
                td.p1 {
                    @if line.title.is_empty() {
                        strong { (marked(line.state.mark())) " «" (line.raw) "»" }
                        span.words { (state_words(line.state)) }
                    } @else {
                        @if open { (marked(line.state.mark())) " " }
                        (line.title)
                        @if !line.sku.is_empty() { span.sub { "арт.\u{a0}" (line.sku) } }
                        @if line.raw.trim() != line.title { span.words { q { (line.raw.trim()) } } }
                    }
                }
                td.num.p2 {
                    (quantity.unwrap_or_else(|| "—".to_owned()))
                    @if editable && !editing {
                        a.edit data-part href=(edit) aria-label=(format!("Изменить позицию {}", line.position)) { (small_icon(Icon::Edit)) }
                    }
                    @if let Some(base) = base { span.sub { (base.with_unit(&line.base_unit)) } }
                    @if line.is_uncounted() { span.sub.short { "такой единицы у товара нет" } }
                }
                td.num.p4 {
                    @if unpriced { (give_price) } @else if let Some(price) = line.price { (price) } @else { span.muted { "—" } }
                }
                td.num.p3 {
                    @if unpriced { span.only-phone { (give_price) } span.muted.not-phone { "—" } }
                    @else if let Some(sum) = line.sum { (sum) } @else { span.muted { "—" } }
                }
                td.num.wide.p5 { (stock(offer, line, self.stocks)) }
            }
        }
    }

    /// Products to choose from for a line: those recognition thought of, and those looked for.
    fn candidates(&self, line: &OrderLineRow) -> Markup {
        let order = &self.view.order;
        let looked = self.query.line == line.id.to_string();
        let found: &[Offer] = if looked { self.found } else { &[] };
        html! {
            div data-options { (to_pick(self.visitor, self.view, line, found)) }
            form.other action=(format!("/admin/orders/{}#line-{}", order.number, line.id)) role="search" aria-label=(format!("Товар для позиции {}", line.position)) {
                input type="hidden" name="line" value=(line.id);
                input type="hidden" name="edit" value=(line.id);
                input type="search" name="find" required placeholder="Найти товар" value=(if looked { self.query.find.as_str() } else { "" })
                    aria-label=(format!("Найти товар для позиции {}", line.position)) data-find=(format!("/admin/orders/{}/options/{}", order.number, line.id));
                button.button.small type="submit" { "Найти" }
            }
            @if looked && self.found.is_empty() { p.words { "Ничего не найдено, измените слова." } }
        }
    }
}

/// Whether the line has a product that nobody has given a price yet.
fn is_priceless(line: &OrderLineRow) -> bool {
    line.product.is_some() && line.price.is_none_or(|price| price.amount <= Money::ZERO)
}

/// How many lines the total is without, where any are: of those nobody knows the sum yet.
fn apart(lines: &[OrderLineRow]) -> Markup {
    let count = lines.iter().filter(|line| line.sum.is_none()).count();
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    html! {
        @if count > 0 {
            span.muted { ", кроме " (ru::count(count, ["позиции", "позиций", "позиций"])) " без суммы" }
        }
    }
}

fn state_words(state: LineState) -> &'static str {
    match state {
        LineState::Ok => "",
        LineState::Ask => "несколько похожих товаров",
        LineState::None => "в каталоге не нашлось",
        LineState::Manager => "подберёт менеджер",
        LineState::Gone => "снят с продажи",
    }
}

/// Units that a line can be counted in: the product's, and the one it is counted in now.
fn units(offer: Option<&Offer>, present: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    if let Some(offer) = offer {
        units.push(offer.unit.as_str().to_owned());
        units.extend(offer.packs.iter().map(|(unit, _)| unit.as_str().to_owned()));
    } else {
        units.extend(["шт", "уп", "кор", "рул", "м", "кг"].map(str::to_owned));
    }
    if !present.is_empty() && !units.iter().any(|unit| unit == present) {
        units.push(present.to_owned());
    }
    units
}

/// Buttons with products for a line: those found, else those recognition thought of.
pub fn to_pick(
    visitor: &Visitor,
    view: &OrderView,
    line: &OrderLineRow,
    found: &[Offer],
) -> Markup {
    let order = &view.order;
    let thought = line.candidates.iter().filter(|id| Some(**id) != line.product);
    let thought = thought.filter_map(|id| view.offer(*id)).take(6);
    let offers: Vec<&Offer> =
        if found.is_empty() { thought.collect() } else { found.iter().collect() };
    let seen = view.events.last().map_or(0, |event| event.id);
    html! {
        @if !offers.is_empty() {
            form.candidates method="post" action=(format!("/admin/orders/{}/lines/{}", order.number, line.id)) data-swap data-done="Товар подобран" {
                (csrf(visitor))
                input type="hidden" name="version" value=(order.revision);
                input type="hidden" name="seen" value=(seen);
                @for offer in offers {
                    div.candidate {
                        button type="submit" name="product" value=(offer.id) data-option {
                            span { (offer.title) span.sub { @if !offer.sku.is_empty() { "арт.\u{a0}" (offer.sku) " · " } "ост.\u{a0}" (offer.available.with_unit(offer.unit.as_str())) } }
                            @if let Some(price) = offer.price { span.price { (price) } }
                        }
                        button.propose type="submit" name="propose" value=(offer.id) title="Спросить клиента, подойдёт ли" { "Предложить" span.sr { ": " (offer.title) } }
                    }
                }
                label.check { input type="checkbox" name="remember" value="1" checked; "Запомнить для клиента" }
            }
        }
    }
}

/// Products that can be added as a new line.
pub fn to_add(visitor: &Visitor, view: &OrderView, found: &[Offer]) -> Markup {
    let order = &view.order;
    let seen = view.events.last().map_or(0, |event| event.id);
    html! {
        @if !found.is_empty() {
            form.candidates method="post" action=(format!("/admin/orders/{}/edit", order.number)) data-swap data-done="Позиция добавлена" {
                (csrf(visitor))
                input type="hidden" name="version" value=(order.revision);
                input type="hidden" name="seen" value=(seen);
                input type="hidden" name="act" value="add";
                div.in-row.start {
                    label for="add-quantity" { "Количество" }
                    input.short-field #add-quantity type="text" name="quantity" required value="1" inputmode="decimal" autocomplete="off";
                    span.hint { "затем товар; можно с единицей: «3 кор»" }
                }
                @for offer in found {
                    button type="submit" name="product" value=(offer.id) data-option {
                        span { (offer.title) span.sub { @if !offer.sku.is_empty() { "арт.\u{a0}" (offer.sku) " · " } "ост.\u{a0}" (offer.available.with_unit(offer.unit.as_str())) } }
                        @if let Some(price) = offer.price { span.price { (price) } }
                    }
                }
            }
        }
    }
}

fn stock(
    offer: Option<&Offer>,
    line: &OrderLineRow,
    stocks: &HashMap<ProductId, Vec<(String, Quantity)>>,
) -> Markup {
    let Some(offer) = offer else { return html! { span.muted { "—" } } };
    let short = line.base_quantity.is_some_and(|wanted| wanted > offer.available);
    let by_warehouse = stocks.get(&offer.id).filter(|rows| rows.len() > 1);
    html! {
        (offer.available.with_unit(offer.unit.as_str()))
        @if short { span.sub.short { "не хватает" } }
        @for (warehouse, quantity) in by_warehouse.into_iter().flatten() { span.sub { (warehouse) ": " (quantity) } }
    }
}
