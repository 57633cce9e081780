//! `GET /health`: whether the program can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Desk;

/// `GET /health`: 200, or 503 when the database cannot be written.
pub async fn health(State(desk): State<Desk>) -> (StatusCode, Json<Value>) {
    let writable = desk.base.db.write(|_| Ok::<_, crate::storage::StorageError>(())).await;
    match writable {
        Ok(()) => {
            let version = env!("CARGO_PKG_VERSION");
            (StatusCode::OK, Json(json!({ "status": "ok", "version": version })))
        }
        Err(error) => {
            tracing::error!("the database cannot be written: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "error" })))
        }
    }
}
