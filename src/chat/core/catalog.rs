//! The catalogue: walked by buttons, searched by words, and how a product gets into the order.

use super::{Core, DESK, LIST, PANE, Refused, Talk};
use crate::chat::dialogue::{Form, Place};
use crate::chat::screens::basket;
use crate::chat::screens::catalog::{self, InDraft, Look, ROWS_A_PAGE, Shelf};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::domain::{CategoryId, ChatKey, ProductId, Quantity};
use crate::recognition::parse_quantity;
use crate::services::catalog::{Catalog, CatalogError, ProductView};
use crate::services::notifications::Outgoing;
use crate::services::ordering::OrderError;

/// How many products a search looks through.
const FOUND: usize = 40;
/// How many products are shown in the place of another.
const ANALOGUES: usize = 6;
/// The longest text that is a search, in words.
const SEARCH_WORDS: usize = 6;

impl From<CatalogError> for Refused {
    fn from(error: CatalogError) -> Self {
        Self::Order(OrderError::Catalog(error))
    }
}

impl Core {
    fn catalog(&self) -> &Catalog {
        self.ordering.catalog()
    }

    pub(super) fn look(&self, talk: &Talk<'_>) -> Look {
        Look { prices: talk.who.sees_prices(), stock: self.base.config.show_stock }
    }

    /// «Каталог»
    pub(super) async fn show_catalog(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let shown = self.shelf(talk, Place::default()).await;
        match shown {
            Ok(screen) => talk.out.push(screen.below(PANE)),
            Err(Refused::Order(error)) => self.explain(talk, error).await?,
            Err(Refused::Fault(error)) => return Err(error),
        }
        Ok(())
    }

    /// A product by its link.
    pub(super) async fn show_product(
        &self,
        talk: &mut Talk<'_>,
        product: ProductId,
    ) -> Result<(), ChatError> {
        match self.product_card(talk, product, None).await {
            Ok(screen) => talk.out.push(screen.below(PANE)),
            Err(Refused::Order(error)) => explain_product(talk, error)?,
            Err(Refused::Fault(error)) => return Err(error),
        }
        Ok(())
    }

    pub(super) async fn press_catalog(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        match self.catalog_step(talk, action).await {
            Err(Refused::Order(error @ OrderError::NotFound)) => Ok(explain_product(talk, error)?),
            done => done,
        }
    }

    async fn catalog_step(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let here = talk.state.place.clone().unwrap_or_default();
        let screen = match action {
            Action::CatalogRoot { page } => {
                self.shelf(talk, Place { page, ..Place::default() }).await?
            }
            Action::CatalogShow { category, page } => {
                let category = Some(category);
                self.shelf(talk, Place { category, page, ..Place::default() }).await?
            }
            Action::CatalogFound { page } => {
                self.shelf(talk, Place { page, product: None, ..here }).await?
            }
            Action::CatalogEverywhere => {
                let search = here.search;
                self.shelf(talk, Place { search, ..Place::default() }).await?
            }
            Action::CatalogBack => {
                // From what was found one goes back to where one searched.
                let left = here.product.is_none() && here.search.is_some();
                let (search, page) =
                    if left { (None, 0) } else { (here.search.clone(), here.page) };
                self.shelf(talk, Place { search, page, product: None, ..here }).await?
            }
            Action::ProductShow { product, quantity } => {
                let quantity = (quantity > 0).then(|| Quantity::from_thousandths(quantity));
                self.product_card(talk, product, quantity).await?
            }
            Action::ProductQuantity { product } => {
                let view = self.one_product(talk, product).await?;
                talk.state.ask(Form::ProductQuantity { product }, talk.now);
                catalog::ask_quantity(&view)
            }
            Action::ProductAdd { product, quantity, version } => {
                let quantity = Quantity::from_thousandths(quantity);
                return self.add_product(talk, product, quantity, version).await;
            }
            Action::ProductAnalogues { product } => {
                let view = self.one_product(talk, product).await?;
                let others = self.analogues(talk, &view).await?;
                catalog::analogues(&view, &others, self.look(talk))
            }
            Action::ProductWatch { product } => return self.watch(talk, product).await,
            _ => return Ok(self.menu(talk).await?),
        };
        talk.out.push(screen.in_place(PANE));
        Ok(())
    }

    /// A place of the catalogue, where the chat stands from now on.
    async fn shelf(&self, talk: &mut Talk<'_>, place: Place) -> Result<Screen, Refused> {
        talk.state.form = None;
        let place = Place { page: place.page.max(0), ..place };
        let screen = match place.search.clone() {
            Some(words) => self.search_page(talk, &place, &words).await?,
            None => self.tree_page(talk, &place).await?,
        };
        talk.state.stand(place, talk.now);
        talk.state.open_line = None;
        Ok(screen)
    }

    async fn tree_page(&self, talk: &Talk<'_>, place: &Place) -> Result<Screen, Refused> {
        let tree = self.catalog().tree().await?;
        let filled = |category: &&crate::services::catalog::Category| category.total > 0;
        let categories: Vec<_> = match place.category {
            Some(id) => {
                tree.get(id).ok_or(OrderError::NotFound)?;
                tree.children(id).filter(filled).collect()
            }
            None => tree.roots().filter(filled).collect(),
        };
        let products = match place.category {
            Some(id) => tree.get(id).map_or(0, |category| category.own) as usize,
            None => tree.loose() as usize,
        };
        if place.category.is_none() && categories.is_empty() && products == 0 {
            return Ok(catalog::empty());
        }
        let pages = (categories.len() + products).div_ceil(ROWS_A_PAGE).max(1);
        let page = usize::try_from(place.page).unwrap_or(0).min(pages - 1);
        let first = page * ROWS_A_PAGE;
        let shown: Vec<_> = categories.iter().skip(first).take(ROWS_A_PAGE).copied().collect();
        let room = ROWS_A_PAGE - shown.len();
        let views = if room > 0 {
            let offset = u32::try_from(first.saturating_sub(categories.len())).unwrap_or(0);
            let limit = u32::try_from(room).unwrap_or(0);
            let price_type = self.price_type(talk).await?;
            self.catalog().page(place.category, offset, limit, price_type).await?.0
        } else {
            Vec::new()
        };
        let up = place.category.map(|id| match tree.get(id).and_then(|category| category.parent) {
            Some(parent) => Action::CatalogShow { category: parent, page: 0 },
            None => Action::CatalogRoot { page: 0 },
        });
        let path = place.category.map(|id| tree.path(id)).unwrap_or_default();
        let shelf = Shelf {
            path,
            category: place.category,
            up,
            categories: shown,
            products: views,
            page,
            pages,
        };
        Ok(catalog::shelf(&shelf, self.look(talk)))
    }

    async fn search_page(
        &self,
        talk: &mut Talk<'_>,
        place: &Place,
        words: &str,
    ) -> Result<Screen, Refused> {
        let ids = self.catalog().search(words, FOUND, place.category).await?;
        // One row fewer than in the tree: the ways back and everywhere stand below.
        let a_page = ROWS_A_PAGE - 2;
        let pages = ids.len().div_ceil(a_page).max(1);
        let page = usize::try_from(place.page).unwrap_or(0).min(pages - 1);
        let shown: Vec<ProductId> = ids.into_iter().skip(page * a_page).take(a_page).collect();
        let price_type = self.price_type(talk).await?;
        let products = self.catalog().products(shown, price_type).await?;
        talk.state.question = Some(words.to_owned());
        let title = self.title(place.category).await?;
        Ok(catalog::found(words, title.as_deref(), &products, (page, pages), self.look(talk)))
    }

    async fn title(&self, category: Option<CategoryId>) -> Result<Option<String>, CatalogError> {
        let tree = self.catalog().tree().await?;
        Ok(category.and_then(|id| tree.get(id)).map(|category| category.title.clone()))
    }

    async fn price_type(&self, talk: &Talk<'_>) -> Result<Option<i64>, Refused> {
        Ok(self.ordering.price_type_of(&talk.party()).await?)
    }

    async fn one_product(
        &self,
        talk: &Talk<'_>,
        product: ProductId,
    ) -> Result<ProductView, Refused> {
        let price_type = self.price_type(talk).await?;
        let view = self.catalog().product(product, price_type).await?;
        Ok(view.ok_or(OrderError::NotFound)?)
    }

    /// The card of a product, where the chat stands from now on.
    async fn product_card(
        &self,
        talk: &mut Talk<'_>,
        product: ProductId,
        quantity: Option<Quantity>,
    ) -> Result<Screen, Refused> {
        let view = self.one_product(talk, product).await?;
        let draft = self.ordering.open_draft(&talk.party()).await?;
        let lines = draft.iter().flat_map(|draft| &draft.lines);
        let inside = lines.filter(|line| line.row.product == Some(product));
        let inside: i64 = inside.filter_map(|line| line.base).map(Quantity::thousandths).sum();
        let in_draft = InDraft {
            version: draft.as_ref().map_or(0, |draft| draft.draft.revision),
            lines: draft.as_ref().map_or(0, |draft| draft.lines.len()),
            quantity: Quantity::from_thousandths(inside),
        };
        let mut place = talk
            .state
            .place
            .take()
            .unwrap_or_else(|| Place { category: view.category, ..Place::default() });
        place.product = Some(product);
        talk.state.stand(place, talk.now);
        talk.state.open_line = None;
        talk.state.form = None;
        let quantity = quantity.unwrap_or_else(|| catalog::step(&view));
        Ok(catalog::product(&view, quantity, in_draft, self.look(talk)))
    }

    async fn add_product(
        &self,
        talk: &mut Talk<'_>,
        product: ProductId,
        quantity: Quantity,
        version: i64,
    ) -> Result<(), Refused> {
        let party = talk.party();
        let added = self.ordering.add_product(&party, talk.key, product, quantity, version).await;
        match added {
            Ok(view) => {
                let unit = view.lines.iter().find(|line| line.row.product == Some(product));
                let unit = unit.and_then(|line| line.offer.as_ref());
                let unit = unit.map(|offer| offer.unit.as_str().to_owned()).unwrap_or_default();
                let lines = crate::domain::ru::positions(view.lines.len());
                talk.toast(&format!("Добавил {}. В заявке {lines}.", quantity.with_unit(&unit)));
                // The two cards follow where they are on the screen.
                if talk.state.draft == Some(view.draft.id) {
                    let list = basket::list(&view, talk.state.page, &self.scene());
                    talk.out.push(list.in_place(LIST));
                    talk.state.open_line = None;
                    let desk = basket::review(&view, talk.state.page, None, &self.scene());
                    talk.out.push(desk.in_place(DESK));
                }
            }
            Err(OrderError::Stale) => talk.toast("Карточка обновилась, проверьте"),
            Err(error) => return Err(error.into()),
        }
        let screen = self.product_card(talk, product, Some(quantity)).await?;
        talk.out.push(screen.in_place(PANE));
        Ok(())
    }

    /// Others of the same kind, those in stock first.
    async fn analogues(
        &self,
        talk: &Talk<'_>,
        view: &ProductView,
    ) -> Result<Vec<ProductView>, Refused> {
        let found = self.catalog().like(view.id, ANALOGUES).await?;
        let price_type = self.price_type(talk).await?;
        Ok(self.catalog().products(found, price_type).await?)
    }

    async fn watch(&self, talk: &mut Talk<'_>, product: ProductId) -> Result<(), Refused> {
        let Some(person) = talk.who.person_id() else {
            return Err(OrderError::Guest.into());
        };
        self.one_product(talk, product).await?;
        self.catalog().watch(product, person).await?;
        talk.toast("Напишу, когда появится.");
        Ok(())
    }

    /// A product that the person waits for is in stock again; nothing if it is gone by now.
    pub(in crate::chat) async fn back_in_stock(
        &self,
        chat: &ChatKey,
        product: ProductId,
    ) -> Result<Vec<Outgoing>, ChatError> {
        let who = self.accounts.who(chat).await?;
        let look = Look { prices: who.sees_prices(), stock: self.base.config.show_stock };
        let view = self.catalog().product(product, None).await?;
        let view = view.filter(|view| view.available.is_positive() && !view.gone);
        Ok(view.map(|view| catalog::back_in_stock(&view, look).send()).into_iter().collect())
    }

    /// Takes a short text as what is looked for where the catalogue is open. Whether it was.
    pub(super) async fn search_here(
        &self,
        talk: &mut Talk<'_>,
        text: &str,
    ) -> Result<bool, Refused> {
        let Some(place) = talk.state.active_place(talk.now).cloned() else { return Ok(false) };
        if let Some(product) = place.product
            && self.fill_product_quantity(talk, product, text).await?
        {
            return Ok(true);
        }
        let one_thing = !text.contains(['\n', ',', ';', '?'])
            && text.split_whitespace().count() <= SEARCH_WORDS
            && text.chars().filter(|c| c.is_alphabetic()).count() > 1;
        // With a quantity it is an order, wherever it is written.
        if !one_thing || self.ordering.says_quantity(&talk.party(), text).await? {
            return Ok(false);
        }
        let search = Some(text.trim().to_owned());
        let place = Place { category: place.category, search, ..Place::default() };
        let screen = self.shelf(talk, place).await?;
        talk.out.push(screen.below(PANE));
        Ok(true)
    }

    /// The quantity that was asked for.
    pub(super) async fn fill_product_quantity(
        &self,
        talk: &mut Talk<'_>,
        product: ProductId,
        text: &str,
    ) -> Result<bool, Refused> {
        let Some((quantity, unit)) = parse_quantity(text) else { return Ok(false) };
        let view = self.one_product(talk, product).await?;
        let pack = unit.as_ref().and_then(|unit| view.packs.iter().find(|(pack, _)| pack == unit));
        let quantity = pack.map_or(Some(quantity), |(_, by)| quantity.times(*by));
        let screen = self.product_card(talk, product, quantity).await?;
        talk.out.push(screen.below(PANE));
        Ok(true)
    }
}

fn explain_product(talk: &mut Talk<'_>, error: OrderError) -> Result<(), ChatError> {
    match error {
        OrderError::NotFound => {
            talk.refuse("Этот товар вам недоступен.");
            Ok(())
        }
        error => Err(error.into()),
    }
}
