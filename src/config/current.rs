//! The settings in force.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use super::Config;

/// The settings in force, which the panel may change while the program runs. Clones share them;
/// reads like a [`Config`].
///
/// Settings that were replaced are never freed, so that a reference given out before stays good:
/// about a kilobyte for each change that a person makes.
#[derive(Clone)]
pub struct Current(Arc<RwLock<&'static Config>>);

impl Current {
    /// Other settings from now on, for all clones.
    pub fn replace(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Box::leak(Box::new(config));
    }
}

impl From<Config> for Current {
    fn from(config: Config) -> Self {
        Self(Arc::new(RwLock::new(Box::leak(Box::new(config)))))
    }
}

impl Deref for Current {
    type Target = Config;

    fn deref(&self) -> &Config {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
