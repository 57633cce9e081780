//! What people set for themselves, and what is known of what they owe.

use super::{AccountError, Accounts, Actor, note_person};
use crate::domain::{OrganizationId, PersonId, Timestamp};
use crate::services::notifications::{self, Notice, Outgoing, Wishes};
use crate::storage::notification_settings;
use crate::storage::purchases::{self, Balance};

impl Accounts {
    /// What the organization owes, as 1C told it last; `None`: it never has.
    pub async fn balance(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Balance>, AccountError> {
        let find = move |conn: &rusqlite::Connection| purchases::find_balance(conn, organization);
        Ok(self.base.db.read(find).await?)
    }

    /// What a person wants to be told of, and when.
    pub async fn wishes(&self, person: PersonId) -> Result<Wishes, AccountError> {
        let row = self.base.db.read(move |conn| notification_settings::find(conn, person)).await?;
        Ok(Wishes::from_row(&row))
    }

    /// Changes what a person wants to be told of; what they want then.
    pub async fn change_wishes(
        &self,
        person: PersonId,
        change: impl FnOnce(&mut Wishes) + Send + 'static,
    ) -> Result<Wishes, AccountError> {
        self.base
            .db
            .write(move |tx| {
                let mut wishes = Wishes::from_row(&notification_settings::find(tx, person)?);
                change(&mut wishes);
                notification_settings::put(tx, person, &wishes.to_row())?;
                Ok(wishes)
            })
            .await
    }

    /// The news that waited for a person's digest of this moment, oldest first.
    pub async fn held_notices(
        &self,
        person: PersonId,
        due: Timestamp,
    ) -> Result<Vec<Notice>, AccountError> {
        let held =
            move |conn: &rusqlite::Connection| notification_settings::held(conn, person, due);
        let texts = self.base.db.read(held).await?;
        // News of another version of the program are passed over.
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// A person asks to have their data deleted: administrators are told, once a day.
    pub async fn ask_deletion(&self, by: &Actor, person: PersonId) -> Result<(), AccountError> {
        let (by, now, config) = (by.clone(), self.base.clock.now(), self.base.config.clone());
        let day = self.base.zone.civil(now).date();
        self.base
            .db
            .write(move |tx| {
                let notice = Outgoing::Notice(Notice::DeletionAsked { person });
                let key = format!("deletion:{person}:{day}");
                if notifications::enqueue_to_admins(tx, &config, &notice, now, Some(&key))? {
                    note_person(tx, &by, now, "person.deletion_asked", person, (None, None))?;
                }
                Ok::<_, AccountError>(())
            })
            .await?;
        self.tell_outbox();
        Ok(())
    }
}
