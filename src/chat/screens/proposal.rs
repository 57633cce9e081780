//! A proposal, as the client reads it.

use crate::chat::{Action, Button, Screen};
use crate::formats::html::Html;
use crate::services::ordering::ProposalView;

/// «Вместо «А» предлагаем «Б», 0,90 ₽.», or what was answered.
pub fn card(found: &ProposalView) -> Screen {
    let ProposalView { proposal, view, line } = found;
    let other = view.offer(proposal.product);
    let title = other.map_or("другой товар", |offer| offer.title.as_str());
    let html = Html::new()
        .bold(format!("Заявка №\u{a0}{}, позиция {}", view.order.number, line.position))
        .line();
    let answer = match proposal.state.as_str() {
        "open" => None,
        "agreed" => Some(format!("Замена согласована: «{title}».")),
        "declined" => Some(format!("От замены на «{title}» отказались.")),
        _ => Some("Есть новое предложение по этой позиции.".to_owned()),
    };
    if let Some(answer) = answer {
        return Screen::new(html.push(answer));
    }
    let was = if line.title.is_empty() { line.raw.trim() } else { &line.title };
    let price = other.and_then(|offer| offer.price).filter(|_| view.order.organization_verified);
    let price = price.map(|price| format!(", {price}"));
    let text = format!("Вместо «{was}» предлагаем «{title}»{}.", price.unwrap_or_default());
    let id = proposal.id;
    Screen::new(html.push(text)).row([
        Button::new("Согласен", Action::ProposalAgree { proposal: id }),
        Button::new("Не надо", Action::ProposalDecline { proposal: id }),
        Button::new("Обсудить", Action::ProposalDiscuss { proposal: id }),
    ])
}
