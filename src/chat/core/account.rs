//! Who a person is: the flows of registration, sign-in and the account plug in here.
use super::{Core, Refused, Talk};
use crate::chat::Action;
use crate::chat::worker::ChatError;
use crate::domain::ChatKey;
use crate::services::notifications::{Notice, Outgoing};
impl Core {
    pub(in crate::chat) async fn account_notice(
        &self,
        _c: &ChatKey,
        _n: &Notice,
    ) -> Result<Vec<Outgoing>, ChatError> {
        Ok(vec![])
    }
    pub(super) async fn contact(
        &self,
        _t: &mut Talk<'_>,
        _p: &str,
        _n: &str,
        _o: bool,
        _f: &str,
    ) -> Result<(), ChatError> {
        Ok(())
    }
    pub(super) async fn account_text(
        &self,
        _t: &mut Talk<'_>,
        _x: &str,
        _m: i64,
    ) -> Result<bool, ChatError> {
        Ok(false)
    }
    pub(super) async fn begin_login(&self, _t: &mut Talk<'_>) -> Result<(), ChatError> {
        Ok(())
    }
    pub(super) async fn press_account(&self, _t: &mut Talk<'_>, _a: Action) -> Result<(), Refused> {
        Ok(())
    }
    pub(super) async fn show_account(&self, _t: &mut Talk<'_>) -> Result<(), ChatError> {
        Ok(())
    }
    pub(super) async fn start(&self, _t: &mut Talk<'_>, _p: &str) -> Result<(), ChatError> {
        Ok(())
    }
    pub(super) async fn cancel_account_form(&self, _t: &mut Talk<'_>) -> Result<(), ChatError> {
        Ok(())
    }
}
