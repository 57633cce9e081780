//! «Заказы»: the list, the page of one, and what is done with them.

mod address;
mod amount;
mod bulk;
mod columns;
mod edit;
mod export;
mod files;
mod list;
mod new;
mod page;
mod print;
mod views;

pub use bulk::bulk;
pub use edit::{act, options, pick, set_status, undo, write};
pub use export::{export, file};
pub use files::{forward_file, send_file, take_file};
pub use list::list;
pub use new::{create, new};
pub use page::page;
pub use print::{print, print_many};
pub use views::keep_view;

use maud::{Markup, html};

use crate::domain::{OrderStatus, PersonId, Role};
use crate::services::ordering::OrderError;
use crate::web::Desk;
use crate::web::error::WebError;

/// Reasons that a client is told with a refusal.
const REFUSALS: [&str; 4] =
    ["нет товара", "дубль заявки", "задолженность по оплате", "не обслуживаем этот адрес"];

/// Reasons that a client is told with a cancellation.
const CANCELLATIONS: [&str; 3] = ["по просьбе клиента", "нет товара", "заявка объединена с другой"];

/// The reasons that go with a parting; `None`: the status needs none.
fn reasons(status: OrderStatus) -> Option<&'static [&'static str]> {
    match status {
        OrderStatus::Rejected => Some(&REFUSALS),
        OrderStatus::Cancelled => Some(&CANCELLATIONS),
        _ => None,
    }
}

/// Everyone who can have an order, by name.
async fn managers(desk: &Desk) -> Result<Vec<(PersonId, String)>, WebError> {
    let staff = desk.accounts.staff().await?.into_iter();
    let staff = staff.filter(|member| member.role >= Role::Manager && !member.blocked);
    Ok(staff.map(|member| (member.id, member.name)).collect())
}

fn manager_options(managers: &[(PersonId, String)], chosen: Option<PersonId>) -> Markup {
    html! {
        @for (id, name) in managers { option value=(id) selected[chosen == Some(*id)] { (name) } }
    }
}

impl From<OrderError> for WebError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NotFound => Self::NotFound,
            OrderError::Stale => Self::Conflict(
                "Заказ только что изменили. Проверьте, что в нём сейчас, и повторите.".to_owned(),
            ),
            OrderError::Transition { from, to, .. } => {
                let allowed: Vec<_> =
                    from.next().iter().map(|s| format!("«{}»", s.staff_label())).collect();
                let allowed = if allowed.is_empty() {
                    "Этот статус последний.".to_owned()
                } else {
                    format!("Можно: {}.", allowed.join(", "))
                };
                Self::Conflict(format!(
                    "Из «{}» нельзя перейти в «{}». {allowed}",
                    from.staff_label(),
                    to.staff_label()
                ))
            }
            OrderError::Taken { manager } => {
                Self::Conflict(format!("Заявка уже в работе: {manager}."))
            }
            OrderError::Closed(status) => Self::Conflict(format!(
                "Заказ в статусе «{}»: состав и доставка больше не меняются.",
                status.staff_label()
            )),
            OrderError::TooLate => Self::Conflict(
                "Отменить уже нельзя: прошло больше 10\u{a0}секунд или заказ изменили ещё раз."
                    .to_owned(),
            ),
            OrderError::LastLine => Self::Invalid(
                "Это последняя позиция. Если заказ не нужен, отмените его целиком.".to_owned(),
            ),
            OrderError::Empty => Self::Invalid(
                "Нечего сохранять: поле пустое, число не больше нуля или ничего не изменилось."
                    .to_owned(),
            ),
            other => Self::internal(other),
        }
    }
}
