//! What staff answer with often: kept once, put into any answer.

use super::{QuestionError, Questions, ThreadRow, words};
use crate::storage::StorageError;
use crate::storage::replies::{self, ReplyRow};

/// The words of a kept reply for this thread: `{имя}` is who asked, `{номер}` the order or, without
/// one, the question.
pub fn fill(text: &str, thread: &ThreadRow) -> String {
    let number =
        thread.order_number.map_or_else(|| thread.id.to_string(), |number| number.to_string());
    let name = thread.author_name.split_whitespace().next().unwrap_or_default();
    text.replace("{имя}", name).replace("{номер}", &number)
}

impl Questions {
    /// Every kept reply, by its words.
    pub async fn replies(&self) -> Result<Vec<ReplyRow>, StorageError> {
        self.base.db.read(replies::list).await
    }

    /// Keeps a reply.
    ///
    /// # Errors
    ///
    /// [`QuestionError::Empty`] without words.
    pub async fn keep_reply(&self, text: &str) -> Result<(), QuestionError> {
        let (text, now) = (words(text)?, self.base.clock.now());
        Ok(self.base.db.write(move |tx| replies::insert(tx, &text, now)).await?)
    }

    /// Takes a reply away; whether there was one.
    pub async fn remove_reply(&self, id: i64) -> Result<bool, StorageError> {
        self.base.db.write(move |tx| replies::delete(tx, id)).await
    }
}
