//! The JSON calls: `catalog`, `orders`, `orders/status`, `orgs/members`, `orgs/balances`.

use axum::extract::{Request, State};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Serialize;

use super::{
    BODY_LIMIT, CATALOG_LIMIT, ERRORS_SHOWN, OnecState, Refusal, admit, kept, spool, work,
};
use crate::domain::OrderId;
use crate::domain::catalog::SkippedRecord;
use crate::formats::json::{JsonError, Reader, Value};
use crate::formats::onec_json::{CatalogJson, Reopen};
use crate::services::exchange::partners::{OrderOut, UpdatesReport};
use crate::services::exchange::{ApplyReport, Origin};

/// Every call answers under each of these.
pub(super) const PREFIXES: [&str; 3] = ["/integrations/1c", "/onec", "/api/onec"];

/// Every call on each of its three paths.
pub(super) fn routes() -> Router<OnecState> {
    let mut router = Router::new();
    for prefix in PREFIXES {
        router = router
            .route(&format!("{prefix}/catalog"), post(catalog))
            .route(&format!("{prefix}/orders"), get(orders_out).post(purchases))
            .route(&format!("{prefix}/orders/status"), post(statuses))
            .route(&format!("{prefix}/orgs/members"), post(members))
            .route(&format!("{prefix}/orgs/balances"), post(balances))
            .route(prefix, any(unknown))
            .route(&format!("{prefix}/"), any(unknown))
            .route(&format!("{prefix}/{{*rest}}"), any(unknown));
    }
    router.method_not_allowed_fallback(wrong_verb)
}

/// There is no such call.
async fn unknown() -> Refusal {
    Refusal::NotFound
}

/// The call is asked by another verb; the router names the right ones in `Allow`.
async fn wrong_verb() -> Refusal {
    Refusal::Verb
}

/// The answer to a push.
#[derive(Serialize)]
struct Applied {
    ok: bool,
    received: usize,
    upserted: usize,
    skipped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Problem>,
}

/// A record that was left out.
#[derive(Serialize)]
struct Problem {
    index: usize,
    sku: String,
    reason: String,
}

impl From<SkippedRecord> for Problem {
    fn from(skipped: SkippedRecord) -> Self {
        Self { index: skipped.index, sku: skipped.sku, reason: skipped.reason }
    }
}

impl From<ApplyReport> for Applied {
    fn from(report: ApplyReport) -> Self {
        Self {
            ok: true,
            received: report.received,
            upserted: report.upserted,
            skipped: report.skipped,
            errors: report.problems.into_iter().take(ERRORS_SHOWN).map(Into::into).collect(),
        }
    }
}

/// `POST catalog`.
async fn catalog(
    State(state): State<OnecState>,
    request: Request,
) -> Result<Json<Applied>, Refusal> {
    let (parts, body) = request.into_parts();
    let caller = admit(&state, &parts).await?;
    let spool = spool(&state, &parts.headers, body, CATALOG_LIMIT).await?;
    let (spool, files) = kept(&state, spool, "catalog.json").await;
    let origin = Origin { files, ..caller.origin() };
    let report = state.exchange.apply(CatalogJson(spool), origin).await?;
    Ok(Json(report.into()))
}

fn problems(skipped: Vec<SkippedRecord>) -> Vec<Problem> {
    skipped.into_iter().take(ERRORS_SHOWN).map(Into::into).collect()
}

/// Lets the caller in and reads the whole of a body that is no catalogue.
async fn small_body(state: &OnecState, request: Request) -> Result<(Value, Origin), Refusal> {
    let (parts, body) = request.into_parts();
    let caller = admit(state, &parts).await?;
    let spool = spool(state, &parts.headers, body, BODY_LIMIT).await?;
    let (mut spool, files) = kept(state, spool, "body.json").await;
    let read = move || {
        let mut reader = Reader::new(spool.reopen()?);
        let tree = reader.tree()?;
        reader.finish()?;
        Ok::<_, JsonError>(tree)
    };
    Ok((work(read).await??, Origin { files, ..caller.origin() }))
}

#[derive(Serialize)]
struct PurchasesStored {
    ok: bool,
    org_id: i64,
    received_orders: usize,
    received_items: usize,
    updated_rows: usize,
    skipped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Problem>,
}

/// `POST orders`: what an organization bought.
async fn purchases(
    State(state): State<OnecState>,
    request: Request,
) -> Result<Json<PurchasesStored>, Refusal> {
    let (body, origin) = small_body(&state, request).await?;
    let report = state.exchange.purchases(body, origin).await?;
    Ok(Json(PurchasesStored {
        ok: true,
        org_id: report.org_id,
        received_orders: report.received_orders,
        received_items: report.received_items,
        updated_rows: report.updated_rows,
        skipped: report.skipped.len(),
        errors: problems(report.skipped),
    }))
}

#[derive(Serialize)]
struct MembersStored {
    ok: bool,
    orgs_received: usize,
    members_received: usize,
    orgs_upserted: usize,
    users_created: usize,
    members_upserted: usize,
    skipped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Problem>,
}

/// `POST orgs/members`.
async fn members(
    State(state): State<OnecState>,
    request: Request,
) -> Result<Json<MembersStored>, Refusal> {
    let (body, origin) = small_body(&state, request).await?;
    let report = state.exchange.members(body, origin).await?;
    Ok(Json(MembersStored {
        ok: true,
        orgs_received: report.orgs_received,
        members_received: report.members_received,
        orgs_upserted: report.orgs_upserted,
        users_created: report.users_created,
        members_upserted: report.members_upserted,
        skipped: report.skipped.len(),
        errors: problems(report.skipped),
    }))
}

/// The answer to balances and statuses.
#[derive(Serialize)]
struct Recorded {
    ok: bool,
    received: usize,
    updated: usize,
    skipped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Problem>,
}

impl From<UpdatesReport> for Recorded {
    fn from(report: UpdatesReport) -> Self {
        Self {
            ok: true,
            received: report.received,
            updated: report.updated,
            skipped: report.skipped.len(),
            errors: problems(report.skipped),
        }
    }
}

/// `POST orgs/balances`.
async fn balances(
    State(state): State<OnecState>,
    request: Request,
) -> Result<Json<Recorded>, Refusal> {
    let (body, origin) = small_body(&state, request).await?;
    Ok(Json(state.exchange.balances(body, origin).await?.into()))
}

/// `POST orders/status`.
async fn statuses(
    State(state): State<OnecState>,
    request: Request,
) -> Result<Json<Recorded>, Refusal> {
    let (body, origin) = small_body(&state, request).await?;
    Ok(Json(state.exchange.statuses(body, origin).await?.into()))
}

#[derive(Serialize)]
struct Offered {
    orders: Vec<OrderOut>,
    next: Option<String>,
}

/// `GET orders?after=CURSOR&limit=100`.
async fn orders_out(
    State(state): State<OnecState>,
    request: Request,
) -> Result<Json<Offered>, Refusal> {
    let (parts, _) = request.into_parts();
    let caller = admit(&state, &parts).await?;
    let parameter = |name: &str| {
        let pairs = parts.uri.query().unwrap_or("").split('&').filter_map(|p| p.split_once('='));
        let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.trim());
        found.next().filter(|value| !value.is_empty())
    };
    let number = |name: &'static str, default: i64| match parameter(name) {
        None => Ok(default),
        Some(text) => text.parse::<i64>().ok().filter(|n| *n >= 0).ok_or_else(|| {
            Refusal::Shape(vec![(name.to_owned(), "ожидается целое число".to_owned())])
        }),
    };
    let after = OrderId(number("after", 0)?);
    let limit = u32::try_from(number("limit", 100)?.clamp(1, 1_000)).unwrap_or(100);
    let (orders, next) = state.exchange.orders_out(after, limit, caller.origin()).await?;
    Ok(Json(Offered { orders, next: next.map(|id| id.to_string()) }))
}
