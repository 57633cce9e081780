//! Orders: their statuses and who may move them.

use serde::{Deserialize, Serialize};

use super::text_enum::text_enum;

text_enum! {
    /// Where an order stands. A draft of ours is not an order yet and has no status here.
    OrderStatus {
        /// A viewer's order that an owner returned: it is the client's again. Or a draft of the former
        /// program that was moved in: only to be looked at.
        Draft = "draft",
        /// A viewer's order waits for an owner.
        Approval = "approval",
        /// Sent, nobody has taken it.
        New = "new",
        /// A manager waits for the client's answer.
        NeedsClient = "needs_client",
        /// Taken by a manager.
        Accepted = "accepted",
        /// Being picked in the warehouse.
        Picking = "picking",
        /// Ready to be shipped or collected.
        Ready = "ready",
        /// Shipped.
        Shipped = "shipped",
        /// Delivered; the end.
        Done = "done",
        /// Taken back by the client, a manager or 1C.
        Cancelled = "cancelled",
        /// Refused by a manager.
        Rejected = "rejected",
    }
}

impl OrderStatus {
    /// The statuses that people may move this one to, the usual next first.
    pub fn next(self) -> &'static [Self] {
        use OrderStatus::{
            Accepted, Cancelled, Done, Draft, NeedsClient, New, Picking, Ready, Rejected, Shipped,
        };
        match self {
            Self::Approval => &[New, Draft, Cancelled],
            Self::New => &[Accepted, NeedsClient, Rejected, Cancelled],
            Self::NeedsClient => &[Accepted, Cancelled, Rejected],
            Self::Accepted => &[Picking, Ready, Shipped, NeedsClient, Cancelled],
            Self::Picking => &[Ready, Shipped, Cancelled],
            Self::Ready => &[Shipped, Done, Cancelled],
            Self::Shipped => &[Done],
            Self::Draft | Self::Done | Self::Cancelled | Self::Rejected => &[],
        }
    }

    /// Whether a person may move the order from here to `next`.
    pub fn can_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Whether people can bring an order from here to `later`, over other statuses too.
    pub fn leads_to(self, later: Self) -> bool {
        let mut seen = self.next().to_vec();
        let mut at = 0;
        while at < seen.len() {
            for status in seen[at].next() {
                if !seen.contains(status) {
                    seen.push(*status);
                }
            }
            at += 1;
        }
        seen.contains(&later)
    }

    /// Whether 1C may set this status: it may from any status after `approval`, skipping steps.
    pub fn settable_by_onec(self) -> bool {
        matches!(
            self,
            Self::Accepted
                | Self::Picking
                | Self::Ready
                | Self::Shipped
                | Self::Done
                | Self::Cancelled
        )
    }

    /// Whether the buyer may cancel the order from here.
    pub fn client_can_cancel(self) -> bool {
        matches!(self, Self::Approval | Self::New | Self::NeedsClient | Self::Accepted)
    }

    /// Whether nothing more will happen to the order.
    pub fn is_final(self) -> bool {
        self.next().is_empty()
    }

    /// The status as the buyer reads it.
    pub fn client_label(self) -> &'static str {
        match self {
            Self::Draft => "Черновик",
            Self::Approval => "На согласовании",
            Self::New => "Отправлена",
            Self::NeedsClient => "Ждёт вашего ответа",
            Self::Accepted => "Принята",
            Self::Picking => "Собирается",
            Self::Ready => "Готова",
            Self::Shipped => "Отгружена",
            Self::Done => "Выполнена",
            Self::Cancelled => "Отменена",
            Self::Rejected => "Отклонена",
        }
    }

    /// The status as staff read it.
    pub fn staff_label(self) -> &'static str {
        match self {
            Self::New => "Новая",
            Self::NeedsClient => "Ждёт клиента",
            other => other.client_label(),
        }
    }

    /// The verb on the button that leads to this status.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Draft => "Вернуть клиенту",
            Self::Approval => "На согласование",
            Self::New => "Вернуть в новые",
            Self::NeedsClient => "Ждать клиента",
            Self::Accepted => "Принять",
            Self::Picking => "Собирается",
            Self::Ready => "Готова",
            Self::Shipped => "Отгружена",
            Self::Done => "Выполнена",
            Self::Cancelled => "Отменить",
            Self::Rejected => "Отклонить",
        }
    }
}

/// When the goods are to be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Any day will do.
    #[default]
    Any,
    /// On this day, in the company's zone.
    On(jiff::civil::Date),
    /// The buyer collects the goods.
    Pickup,
}

impl Delivery {
    /// «вт 24.11», «самовывоз», «дата не важна».
    pub fn label(self, today: jiff::civil::Date) -> String {
        match self {
            Self::Any => "дата не важна".to_owned(),
            Self::On(date) => super::time::weekday_date(date, today),
            Self::Pickup => "самовывоз".to_owned(),
        }
    }
}

text_enum! {
    /// How a line of a draft or an order stands.
    LineState {
        /// ✅ The product is certain and the quantity is known.
        Ok = "ok",
        /// ❓ Something is to be asked: which product, or how many.
        Ask = "ask",
        /// ❌ Nothing in the catalogue fits.
        None = "none",
        /// 👤 A manager will pick the product by the buyer's words.
        Manager = "manager",
        /// ⛔ The product was withdrawn after it had been chosen.
        Gone = "gone",
    }
}

impl LineState {
    /// The mark before the line.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Ok => "✅",
            Self::Ask => "❓",
            Self::None => "❌",
            Self::Manager => "👤",
            Self::Gone => "⛔",
        }
    }
}

text_enum! {
    /// Who put the product into a line where recognition did not do it by itself.
    Chooser {
        /// The buyer, of what was offered to them.
        Buyer = "buyer",
        /// A manager.
        Manager = "manager",
    }
}

text_enum! {
    /// Through which door a change came.
    Channel {
        /// The bot, in Telegram or in the browser chat.
        Bot = "bot",
        /// The admin panel.
        Panel = "panel",
        /// 1C.
        Onec = "onec",
        /// The command line.
        Cli = "cli",
        /// The program itself, on a timer.
        System = "system",
    }
}

impl Channel {
    /// «бот», «панель», «1С», «CLI», «система».
    pub fn label(self) -> &'static str {
        match self {
            Self::Bot => "бот",
            Self::Panel => "панель",
            Self::Onec => "1С",
            Self::Cli => "CLI",
            Self::System => "система",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_those_of_the_table() {
        assert!(OrderStatus::New.can_become(OrderStatus::Accepted));
        assert!(!OrderStatus::New.can_become(OrderStatus::Shipped));
        assert!(!OrderStatus::Shipped.can_become(OrderStatus::Cancelled));
        assert!(OrderStatus::Done.is_final());
    }

    #[test]
    fn a_status_leads_over_others_and_not_back() {
        assert!(OrderStatus::Accepted.leads_to(OrderStatus::Done));
        assert!(OrderStatus::New.leads_to(OrderStatus::Shipped));
        assert!(!OrderStatus::Shipped.leads_to(OrderStatus::New));
        assert!(!OrderStatus::Done.leads_to(OrderStatus::Done));
    }

    #[test]
    fn codes_are_read_back() {
        for status in OrderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        assert!("pending".parse::<OrderStatus>().is_err());
    }
}
