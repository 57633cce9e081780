//! The settings as administrators see them: each with its value, its source and what it changes;
//! and the few that the panel may change, at once and without a restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Base;
use super::accounts::Actor;
use super::journal::entry;
use crate::config::table::{SETTINGS, Setting};
use crate::config::{Loaded, Value};
use crate::storage::{Db, StorageError, audit, panel_settings};

/// Why a setting was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// The value does not fit, or the setting is not the panel's; the text is for people.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The settings. Clones share them.
#[derive(Clone)]
pub struct Settings {
    base: Base,
    loaded: Arc<Mutex<Loaded>>,
}

/// What the panel has kept in a database that is not open yet; nothing where there is none, or it
/// cannot be read: opening it will tell.
pub fn kept(database: &std::path::Path) -> Vec<(String, String)> {
    Db::look(database, |conn| panel_settings::list(conn, &keys())).unwrap_or_default()
}

fn keys() -> Vec<&'static str> {
    SETTINGS.iter().filter(|setting| setting.in_panel).map(|setting| setting.key).collect()
}

impl Settings {
    /// These settings, which are in force in `base`.
    pub fn new(base: Base, loaded: Loaded) -> Self {
        Self { base, loaded: Arc::new(Mutex::new(loaded)) }
    }

    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every setting with its value and source, in the order of the table.
    pub fn list(&self) -> Vec<(&'static Setting, Value)> {
        let loaded = self.loaded();
        let value = |setting: &'static Setting| Some((setting, loaded.value(setting.key)?.clone()));
        SETTINGS.iter().filter_map(value).collect()
    }

    /// The settings file that was read.
    pub fn file(&self) -> Option<PathBuf> {
        self.loaded().file.clone()
    }

    /// What the operator should know, one sentence each.
    pub fn notices(&self) -> Vec<String> {
        self.loaded().notices.clone()
    }

    /// Changes a setting of the panel; an empty value: back to the default. It is in force when
    /// this returns; whether anything has changed.
    ///
    /// # Errors
    ///
    /// [`SettingError`]; then nothing has changed.
    pub async fn change(&self, by: Actor, key: &str, value: &str) -> Result<bool, SettingError> {
        let value = Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned);
        let mut loaded = self.loaded().clone();
        let before = loaded.value(key).and_then(|value| value.shown.clone());
        loaded.set_in_panel(key, value.as_deref()).map_err(SettingError::Refused)?;
        let after = loaded.value(key).and_then(|value| value.shown.clone());
        if before == after {
            return Ok(false);
        }
        let now = self.base.clock.now();
        let (kept_key, kept_value) = (key.to_owned(), value.clone());
        self.base
            .db
            .write(move |tx| {
                match &kept_value {
                    Some(value) => panel_settings::set(tx, &kept_key, value, now)?,
                    None => panel_settings::remove(tx, &kept_key)?,
                }
                let object = format!("setting:{kept_key}");
                let change = (before.as_deref(), after.as_deref());
                audit::record(tx, &entry(&by, now, "setting.changed", &object, change))
            })
            .await?;
        // Anew: another setting may have been changed meanwhile.
        let mut current = self.loaded();
        current.set_in_panel(key, value.as_deref()).map_err(SettingError::Refused)?;
        self.base.config.replace(current.config.clone());
        tracing::info!("настройка {key} изменена в панели");
        Ok(true)
    }
}
