//! Files that people send, fetched from the Bot API.

use teloxide::Bot;
use teloxide::net::Download;
use teloxide::requests::Requester;
use teloxide::types::FileId;
use teloxide::{ApiError, DownloadError, RequestError};

use super::describe;
use crate::services::files::{FetchError, FileSource, MAX_BYTES};
use crate::services::notifications::Sending;

/// Telegram's way in for files. The address of a file holds the token: no error shows it.
pub struct TelegramFiles {
    bot: Bot,
}

impl TelegramFiles {
    /// A way in through this bot.
    pub fn new(bot: Bot) -> Self {
        Self { bot }
    }

    async fn download(&self, id: &str) -> Result<Vec<u8>, FetchError> {
        let file = self.bot.get_file(FileId(id.to_owned())).await;
        let file = file.map_err(|error| refused(&error))?;
        if u64::from(file.size) > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        let mut content = Vec::new();
        self.bot.download_file(&file.path, &mut content).await.map_err(|error| match error {
            DownloadError::Network(error) => {
                FetchError::Temporary(describe(&RequestError::Network(error)))
            }
            DownloadError::Io(error) => FetchError::Temporary(error.kind().to_string()),
        })?;
        if content.len() as u64 > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        Ok(content)
    }
}

impl FileSource for TelegramFiles {
    fn fetch<'a>(&'a self, id: &'a str) -> Sending<'a, Result<Vec<u8>, FetchError>> {
        Box::pin(self.download(id))
    }
}

fn refused(error: &RequestError) -> FetchError {
    match error {
        RequestError::Api(ApiError::InvalidToken) => FetchError::Temporary(describe(error)),
        RequestError::Api(ApiError::Unknown(text)) if text.contains("file is too big") => {
            FetchError::TooLarge
        }
        RequestError::Api(ApiError::Unknown(text)) if !text.starts_with("Bad Request") => {
            FetchError::Temporary(describe(error))
        }
        RequestError::Api(_) => FetchError::Gone(describe(error)),
        _ => FetchError::Temporary(describe(error)),
    }
}
