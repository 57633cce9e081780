//! stub
#![allow(missing_docs)]
use crate::recognition::Index;
use std::sync::Arc;
#[derive(Clone)]
pub struct Catalog;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct CatalogError;
impl Catalog {
    pub async fn index(&self) -> Result<Arc<Index>, CatalogError> {
        Err(CatalogError)
    }
}
