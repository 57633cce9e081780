//! What administrators see and do about the running program itself, put together for the doors.

use super::Base;
use super::backup::Backups;
use super::health::Health;
use super::journal::Journal;
use super::outgoing::OutgoingDesk;
use super::settings::Settings;
use crate::config::Loaded;

/// The running program, for administrators. Clones share it.
#[derive(Clone)]
pub struct Operations {
    /// How everything is.
    pub health: Health,
    /// Copies of the database.
    pub backups: Backups,
    /// The settings.
    pub settings: Settings,
    /// Who changed what.
    pub journal: Journal,
    /// What waits to go out.
    pub outgoing: OutgoingDesk,
}

impl Operations {
    /// Over these services, with the settings in force.
    pub fn new(base: &Base, health: Health, backups: Backups, settings: Loaded) -> Self {
        Self {
            health,
            backups,
            settings: Settings::new(base.clone(), settings),
            journal: Journal::new(base.clone()),
            outgoing: OutgoingDesk::new(base.clone()),
        }
    }
}
