//! `partner-m order`: orders from the command line, through the panel's own service.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, open_existing, runtime};
use crate::app::App;
use crate::domain::{
    Channel, Money, OrderNumber, OrderStatus, OrganizationId, Price, Quantity, ru,
};
use crate::services::ordering::{Actor, OrderError, OrderView};
use crate::storage::orders::{OrderFilter, OrderRow};

/// What to do with orders.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// Показать заказы, новые сверху
    #[command(before_help = "Примеры:
  partner-m order list
  partner-m order list --status new --status accepted
  partner-m order list --find диван --limit 200 --json")]
    List(ListArgs),
    /// Показать один заказ: позиции и ленту
    #[command(before_help = "Примеры:
  partner-m order show 1042
  partner-m order show PM-1042 --json
  partner-m order show 1042 --data /var/lib/partner-m")]
    Show {
        /// Номер заказа
        #[arg(value_name = "НОМЕР", value_parser = number)]
        number: OrderNumber,
    },
    /// Сменить статус заказа; клиент получит то же сообщение, что и из панели
    #[command(before_help = "Примеры:
  partner-m order status 1042 accepted
  partner-m order status 1042 shipped
  partner-m order status 1042 rejected --reason 'нет товара'")]
    Status {
        /// Номер заказа
        #[arg(value_name = "НОМЕР", value_parser = number)]
        number: OrderNumber,
        /// Код нового статуса: accepted, picking, ready, shipped, done, cancelled, rejected…
        #[arg(value_name = "СТАТУС", value_parser = status)]
        status: OrderStatus,
        /// Причина, её увидит клиент
        #[arg(long, value_name = "ТЕКСТ", default_value = "")]
        reason: String,
    },
}

/// Flags of `order list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Только с этим статусом; можно несколько раз
    #[arg(long, value_name = "СТАТУС", value_parser = status)]
    status: Vec<OrderStatus>,
    /// Только этой организации
    #[arg(long, value_name = "ID")]
    organization: Option<i64>,
    /// Номер, организация, автор или телефон
    #[arg(long, value_name = "СЛОВА", default_value = "")]
    find: String,
    /// Сколько показать
    #[arg(long, value_name = "ЧИСЛО", default_value_t = 50)]
    limit: u32,
}

fn number(text: &str) -> Result<OrderNumber, String> {
    OrderNumber::parse(text).ok_or_else(|| format!("«{text}» — не номер заказа"))
}

fn status(text: &str) -> Result<OrderStatus, String> {
    text.parse().map_err(|_| {
        let codes: Vec<_> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
        format!("нет статуса «{text}»; есть: {}", codes.join(", "))
    })
}

/// Does it.
pub fn run(global: &Global, command: OrderCommand, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let runtime = runtime()?;
    match command {
        OrderCommand::List(args) => {
            let filter = OrderFilter {
                statuses: args.status,
                organization: args.organization.map(OrganizationId),
                query: args.find,
                ..OrderFilter::default()
            };
            let page = runtime.block_on(app.ordering.orders(filter, 0, args.limit))?;
            let orders: Vec<_> = page.orders.iter().map(|order| row(&app, order)).collect();
            let data = json!({ "total": page.total, "sum": page.sum.decimal(), "orders": orders });
            terminal.data(&data, || list_text(&app, &page.orders, page.total));
        }
        OrderCommand::Show { number } => {
            let view = runtime.block_on(app.ordering.order_by_number(number));
            let view = view.map_err(|error| named(error, number))?;
            terminal.data(&whole(&app, &view), || show_text(&app, &view));
        }
        OrderCommand::Status { number, status, reason } => {
            let actor = Actor { person: None, channel: Channel::Cli };
            let moved = runtime.block_on(async {
                let order = app.ordering.order_by_number(number).await?.order;
                app.ordering.set_status(actor, order.id, None, status, &reason).await
            });
            let order = moved.map_err(|error| named(error, number))?;
            terminal.data(&row(&app, &order), || {
                format!("№ {number}: {}\n", order.status.staff_label())
            });
        }
    }
    Ok(Exit::Done)
}

fn named(error: OrderError, number: OrderNumber) -> Failure {
    match error {
        OrderError::NotFound => Failure::new(
            Exit::NotFound,
            format!("нет заказа № {number}"),
            "покажите список: partner-m order list",
        ),
        OrderError::Transition { from, to, .. } => {
            let next: Vec<_> = from.next().iter().map(|status| status.as_str()).collect();
            let hint = if next.is_empty() {
                format!("«{}» — последний статус, дальше заказ не идёт", from.staff_label())
            } else {
                format!("можно: {}", next.join(", "))
            };
            Failure::new(
                Exit::Failed,
                format!(
                    "заказ № {number}: из «{}» нельзя перейти в «{}»",
                    from.staff_label(),
                    to.staff_label()
                ),
                hint,
            )
        }
        other => other.into(),
    }
}

impl From<OrderError> for Failure {
    fn from(error: OrderError) -> Self {
        Self::new(Exit::Failed, error.to_string(), "проверьте базу: partner-m check").because(error)
    }
}

fn row(app: &App, order: &OrderRow) -> Value {
    let zone = &app.base.zone;
    let delivery = match order.delivery {
        crate::domain::Delivery::On(date) => Some(date.to_string()),
        _ => None,
    };
    json!({
        "number": order.number, "status": order.status, "created_at": zone.rfc3339(order.created_at),
        "organization": { "id": order.organization, "name": order.organization_name },
        "author": order.author_name, "manager": order.manager_name, "source": order.source,
        "lines": order.line_count, "unresolved": order.unresolved_count,
        "total": order.total.decimal(), "delivery_date": delivery, "address": order.address,
        "comment": order.comment, "onec_number": order.onec_number,
        "onec_acknowledged_at": order.onec_acknowledged_at.map(|at| zone.rfc3339(at)),
    })
}

fn whole(app: &App, view: &OrderView) -> Value {
    let lines = view.lines.iter().map(|line| {
        json!({
            "line": line.position, "source_text": line.raw, "state": line.state, "sku": line.sku,
            "title": line.title, "qty": line.quantity.map(Quantity::decimal),
            "unit": if line.unit.is_empty() { &line.base_unit } else { &line.unit },
            "price": line.price.map(Price::decimal),
            "sum": line.sum.map(Money::decimal),
        })
    });
    let events = view.events.iter().map(|event| {
        json!({
            "at": app.base.zone.rfc3339(event.at), "channel": event.channel, "kind": event.kind,
            "person": event.person_name, "text": event.text, "to_client": event.to_client,
        })
    });
    let mut data = row(app, &view.order);
    if let Value::Object(fields) = &mut data {
        fields.insert("items".to_owned(), lines.collect());
        fields.insert("timeline".to_owned(), events.collect());
    }
    data
}

fn list_text(app: &App, orders: &[OrderRow], total: u32) -> String {
    let now = app.base.clock.now();
    let head = ["№", "Создан", "Организация", "Позиций", "Сумма", "Статус", "Менеджер"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(orders.iter().map(|order| {
        vec![
            order.number.to_string(),
            app.base.zone.date_time(order.created_at, now),
            order.organization_name.clone(),
            order.line_count.to_string(),
            order.total.to_string(),
            order.status.staff_label().to_owned(),
            order.manager_name.clone(),
        ]
    }));
    let shown = u32::try_from(orders.len()).unwrap_or(u32::MAX);
    let tail = if shown < total {
        format!("показано {shown} из {total}; больше: --limit {total}\n")
    } else {
        format!("{}\n", ru::count(u64::from(total), ["заказ", "заказа", "заказов"]))
    };
    format!("{}{tail}", table(&rows))
}

fn show_text(app: &App, view: &OrderView) -> String {
    let (order, base) = (&view.order, &app.base);
    let now = base.clock.now();
    let today = base.zone.civil(now).date();
    let mut facts = vec![
        vec!["Заказ".to_owned(), format!("№ {}, {}", order.number, order.status.staff_label())],
        vec!["Клиент".to_owned(), format!("{}, {}", order.organization_name, order.author_name)],
        vec!["Создан".to_owned(), base.zone.date_time(order.created_at, now)],
        vec!["Доставка".to_owned(), order.delivery.label(today)],
    ];
    for (name, value) in [
        ("Адрес", &order.address),
        ("Комментарий", &order.comment),
        ("Менеджер", &order.manager_name),
    ] {
        if !value.is_empty() {
            facts.push(vec![name.to_owned(), value.clone()]);
        }
    }
    let lines: Vec<_> = view
        .lines
        .iter()
        .map(|line| {
            let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
            let title = if line.title.is_empty() {
                format!("«{}»", line.raw.trim())
            } else {
                line.title.clone()
            };
            vec![
                line.position.to_string(),
                line.state.mark().to_owned(),
                title,
                line.quantity.map(|quantity| quantity.with_unit(unit)).unwrap_or_default(),
                line.sum.map(|sum| sum.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    let events: Vec<_> = view
        .events
        .iter()
        .map(|event| {
            let who = if event.person_name.is_empty() {
                "Программа"
            } else {
                &event.person_name
            };
            vec![
                base.zone.date_time(event.at, now),
                format!("{who}, {}", event.channel.label()),
                event.text.replace('\n', " "),
            ]
        })
        .collect();
    format!("{}\n{}Итого {}\n\n{}", table(&facts), table(&lines), order.total, table(&events))
}
