//! Templates: an order is kept under a name and ordered again.

use super::page_of;
use crate::chat::core::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::screens::template;
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::domain::{OrderId, TemplateId, TemplateName};
use crate::services::ordering::{Named, OrderError, TemplateError};

impl Core {
    pub(super) async fn press_template(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::TemplateAsk { order } => {
                let view = self.ordering.template_source(&party, order).await?;
                talk.state.ask(Form::TemplateName { order }, talk.now);
                talk.out.push(template::ask(&view.order, &self.scene()).in_place(PANE));
            }
            Action::TemplateSave { order } => {
                let view = self.ordering.template_source(&party, order).await?;
                let name = template::proposed(&view.order, &self.scene());
                let screen = self.save_template(talk, order, &name).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::TemplateReplace { template, version, order } => {
                let saved = self
                    .ordering
                    .replace_template(&party, talk.key, template, version, order)
                    .await?;
                talk.out.push(template::saved(&saved).in_place(PANE));
            }
            Action::TemplateShow { template, page } => {
                let screen = self.template_screen(talk, template, page).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::TemplateUse { template } => {
                let again = self.ordering.use_template(&party, talk.key, template).await?;
                self.show_repeated(talk, &again);
            }
            Action::TemplateRename { template } => {
                let row = self.ordering.own_template(&party, template).await?;
                talk.state.ask(Form::TemplateRename { template }, talk.now);
                talk.out.push(template::rename(&row).in_place(PANE));
            }
            Action::TemplateDelete { template } => {
                let row = self.ordering.own_template(&party, template).await?;
                talk.out.push(template::delete(&row).in_place(PANE));
            }
            Action::TemplateDeleteYes { template, version } => {
                self.ordering.delete_template(&party, template, version).await?;
                talk.toast("Шаблон удалён");
                let list = self.templates_screen(talk, 0).await?;
                talk.out.push(list.in_place(PANE));
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// The name of a template that was asked for has been written.
    pub(super) async fn fill_template(
        &self,
        talk: &mut Talk<'_>,
        form: Form,
        text: &str,
    ) -> Result<(), Refused> {
        let screen = match form {
            Form::TemplateName { order } => self.save_template(talk, order, text).await?,
            Form::TemplateRename { template } => match TemplateName::parse(text) {
                Ok(name) => self.rename_template(talk, template, name).await?,
                Err(why) => {
                    let back = Action::TemplateShow { template, page: 0 };
                    talk.state.ask(form, talk.now);
                    template::no_name(why, back)
                }
            },
            _ => return Ok(()),
        };
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    /// Keeps the order under this name, or asks for another one.
    async fn save_template(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
        name: &str,
    ) -> Result<Screen, Refused> {
        let name = match TemplateName::parse(name) {
            Ok(name) => name,
            Err(why) => {
                talk.state.ask(Form::TemplateName { order }, talk.now);
                return Ok(template::no_name(why, Action::OrderLines { order, page: 0 }));
            }
        };
        let saved = self.ordering.save_template(&talk.party(), talk.key, order, name).await?;
        Ok(match saved {
            Named::Done(saved) => template::saved(&saved),
            Named::Taken(other) => {
                talk.state.ask(Form::TemplateName { order }, talk.now);
                template::taken(&other, order)
            }
        })
    }

    /// Gives the template this name, or asks for another one.
    async fn rename_template(
        &self,
        talk: &mut Talk<'_>,
        id: TemplateId,
        name: TemplateName,
    ) -> Result<Screen, Refused> {
        match self.ordering.rename_template(&talk.party(), id, name).await? {
            Named::Done(row) => self.template_screen(talk, row.id, 0).await,
            Named::Taken(other) => {
                talk.state.ask(Form::TemplateRename { template: id }, talk.now);
                Ok(template::name_taken(&other, id))
            }
        }
    }

    /// The organization's templates, from this page.
    pub(super) async fn templates_screen(
        &self,
        talk: &Talk<'_>,
        page: i64,
    ) -> Result<Screen, OrderError> {
        let a_page = template::TEMPLATES_A_PAGE;
        let offset = u32::try_from(page_of(page)).unwrap_or(0).saturating_mul(a_page);
        let found = self.ordering.templates(&talk.party(), offset, a_page).await?;
        Ok(template::list(&found, offset))
    }

    async fn template_screen(
        &self,
        talk: &Talk<'_>,
        id: TemplateId,
        page: i64,
    ) -> Result<Screen, Refused> {
        let party = talk.party();
        let view = self.ordering.template(&party, id).await?;
        Ok(template::show(&view, &party, page, &self.scene()))
    }

    /// Says why nothing came of a template's button, and shows what there is now.
    pub(in crate::chat::core) async fn explain_template(
        &self,
        talk: &mut Talk<'_>,
        error: TemplateError,
    ) -> Result<(), ChatError> {
        match error {
            TemplateError::NotFound => {
                talk.refuse("Такого шаблона у вас нет.");
                let list = self.templates_screen(talk, 0).await?;
                talk.out.push(list.in_place(PANE));
            }
            TemplateError::Stale(id) => {
                talk.toast("Шаблон изменился, проверьте");
                let party = talk.party();
                let view = self.ordering.template(&party, id).await?;
                let screen = template::show(&view, &party, 0, &self.scene());
                talk.out.push(screen.in_place(PANE));
            }
            TemplateError::NotAllowed => talk.refuse(
                "Шаблоны сохраняет и удаляет тот, кто отправляет заявки. Попросите владельца.",
            ),
            TemplateError::Full => talk.out.push(template::full().below(PANE)),
            TemplateError::NoProducts => {
                talk.refuse("В этой заявке ещё нет подобранных товаров, сохранять нечего.");
            }
        }
        Ok(())
    }
}
