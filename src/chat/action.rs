//! What a button means ⇄ `callback_data`.
//!
//! An action encodes to a short readable string, `order.status:sx:2:accepted`, and decodes only
//! from exactly what it would encode: an old button in an old message is understood or politely
//! refused, never misread.

use crate::domain::{
    CategoryId, DraftId, DraftLineId, OrderId, OrderLineId, OrderStatus, OrgRole, OrganizationId,
    PersonId, ProductId, ProposalId, TemplateId, ThreadId,
};

/// `callback_data` of an inline button: 1–64 bytes of UTF-8.
/// Source: Bot API, `InlineKeyboardButton` <https://core.telegram.org/bots/api#inlinekeyboardbutton>.
pub const CALLBACK_DATA_MAX_BYTES: usize = 64;

/// One part of an action's code.
trait Part: Sized {
    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
}

impl Part for i64 {
    fn write(&self) -> String {
        let mut value = self.unsigned_abs();
        let mut digits = Vec::new();
        loop {
            let digit = u32::try_from(value % 36).unwrap_or(0);
            digits.push(char::from_digit(digit, 36).unwrap_or('0'));
            value /= 36;
            if value == 0 {
                break;
            }
        }
        if *self < 0 {
            digits.push('-');
        }
        digits.iter().rev().collect()
    }

    fn read(text: &str) -> Option<Self> {
        i64::from_str_radix(text, 36).ok()
    }
}

macro_rules! id_parts {
    ($($id:ident)+) => {$(
        impl Part for $id {
            fn write(&self) -> String {
                self.0.write()
            }

            fn read(text: &str) -> Option<Self> {
                i64::read(text).map($id)
            }
        }
    )+};
}

id_parts! {
    CategoryId DraftId DraftLineId OrderId OrderLineId OrganizationId PersonId ProductId
    ProposalId TemplateId ThreadId
}

macro_rules! code_parts {
    ($($code:ident)+) => {$(
        impl Part for $code {
            fn write(&self) -> String {
                self.as_str().to_owned()
            }

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

code_parts! { OrderStatus OrgRole }

/// Declares [`Action`] with the code of each variant.
macro_rules! actions {
    ($($(#[$doc:meta])* $code:literal => $name:ident $({ $($field:ident: $type:ty),+ $(,)? })?;)+) => {
        /// What a button means. Versions are those of the draft or the order that the button was
        /// drawn for: a stale one is not applied.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are named after what they hold")]
        pub enum Action {
            $($(#[$doc])* $name $({ $($field: $type),+ })?,)+
        }

        impl Action {
            /// The code of every action, for tables of rights.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// The action's code, without what it is applied to.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name $({ $($field: _),+ })? => $code,)+ }
            }

            /// `callback_data`: ASCII, at most [`CALLBACK_DATA_MAX_BYTES`].
            pub fn encode(self) -> String {
                match self {
                    $(Self::$name $({ $($field),+ })? => {
                        #[allow(unused_mut, clippy::allow_attributes, reason = "not every action has parts")]
                        let mut text = $code.to_owned();
                        $($(
                            text.push(':');
                            text.push_str(&$field.write());
                        )+)?
                        text
                    })+
                }
            }

            /// The action that encodes to exactly this text.
            pub fn decode(text: &str) -> Option<Self> {
                let mut parts = text.split(':');
                let action = match parts.next()? {
                    $($code => Self::$name $({ $($field: Part::read(parts.next()?)?),+ })?,)+
                    _ => return None,
                };
                (action.encode() == text).then_some(action)
            }
        }
    };
}

actions! {
    /// The menu card.
    "menu.show" => Menu;
    /// Help.
    "menu.help" => Help;
    /// Leaves any form.
    "menu.cancel" => Cancel;

    /// Starts a new order: says how to write one, or shows the open draft.
    "draft.new" => DraftNew;
    /// Card 2 goes back to the summary.
    "draft.review" => DraftReview { draft: DraftId };
    /// Walks the unresolved lines.
    "draft.clarify" => DraftClarify { draft: DraftId, version: i64 };
    /// Turns card 1 to a page.
    "draft.page" => DraftPage { draft: DraftId, page: i64 };
    /// Buttons for the lines of the page.
    "draft.lines" => DraftLines { draft: DraftId, page: i64 };
    /// All lines go to a manager as they are: asks first.
    "draft.handover" => DraftHandover { draft: DraftId };
    /// All lines go to a manager.
    "draft.handover_yes" => DraftHandoverYes { draft: DraftId, version: i64 };
    /// Empties the draft.
    "draft.clear" => DraftClear { draft: DraftId, version: i64 };
    /// Brings an emptied draft back.
    "draft.restore" => DraftRestore { draft: DraftId };
    /// Takes the last added lines back.
    "draft.undo" => DraftUndoAdd { draft: DraftId, version: i64 };
    /// What the last message put into other lines gets lines of its own.
    "draft.split" => DraftSplit { draft: DraftId, version: i64 };
    /// Orders to add the draft to, from this page.
    "draft.join" => DraftJoin { draft: DraftId, page: i64 };
    /// Adds the draft's lines to an order.
    "draft.join_yes" => DraftJoinYes { draft: DraftId, version: i64, order: OrderId };
    /// The lines of a table that nothing was found for, as a file.
    "draft.unread" => DraftUnread { draft: DraftId };
    /// Opens a line.
    "line.show" => LineShow { line: DraftLineId };
    /// Chooses a product for a line.
    "line.pick" => LinePick { line: DraftLineId, version: i64, product: ProductId };
    /// Chooses a value of the asked attribute.
    "line.narrow" => LineNarrow { line: DraftLineId, version: i64, option: i64 };
    /// Turns the page of the options.
    "line.options" => LineOptions { line: DraftLineId, page: i64 };
    /// «Нет в списке»: the next text replaces this line.
    "line.rewrite" => LineRewrite { line: DraftLineId };
    /// The line goes to a manager.
    "line.manager" => LineManager { line: DraftLineId, version: i64 };
    /// The line is left for later.
    "line.skip" => LineSkip { line: DraftLineId };
    /// The line goes.
    "line.remove" => LineRemove { line: DraftLineId, version: i64 };
    /// Changes the quantity by thousandths.
    "line.step" => LineStep { line: DraftLineId, version: i64, by: i64 };
    /// Sets the quantity, in thousandths of the line's unit.
    "line.set" => LineSet { line: DraftLineId, version: i64, quantity: i64 };
    /// A quantity that breaks the multiple is left to the manager.
    "line.keep" => LineKeep { line: DraftLineId, version: i64 };
    /// Asks for the quantity as text.
    "line.quantity" => LineQuantity { line: DraftLineId };
    /// Shows options for the line anew.
    "line.replace" => LineReplace { line: DraftLineId };
    /// Units to count the line in.
    "line.units" => LineUnits { line: DraftLineId };
    /// Counts the line in another unit, by its place in the list.
    "line.unit" => LineUnit { line: DraftLineId, version: i64, choice: i64 };
    /// Another product in the place of the line's own: nothing is learnt from it.
    "line.instead" => LineInstead { line: DraftLineId, version: i64, product: ProductId };
    /// Products like that of the line.
    "line.like" => LineAnalogues { line: DraftLineId };

    /// Checkout.
    "checkout.show" => Checkout { draft: DraftId };
    /// Dates to choose from.
    "checkout.dates" => CheckoutDates { draft: DraftId };
    /// Chooses a date, as days from today.
    "checkout.date" => CheckoutDate { draft: DraftId, version: i64, days: i64 };
    /// The buyer collects the goods.
    "checkout.pickup" => CheckoutPickup { draft: DraftId, version: i64 };
    /// Any date will do.
    "checkout.any" => CheckoutAnyDate { draft: DraftId, version: i64 };
    /// Addresses to choose from.
    "checkout.addresses" => CheckoutAddresses { draft: DraftId };
    /// Chooses an address of the book.
    "checkout.address" => CheckoutAddress { draft: DraftId, version: i64, address: i64 };
    /// Asks for a comment as text.
    "checkout.comment" => CheckoutComment { draft: DraftId };
    /// Sends the order.
    "checkout.send" => CheckoutSend { draft: DraftId, version: i64 };
    /// Sends the order though it looks like an earlier one.
    "checkout.send_anyway" => CheckoutSendAnyway { draft: DraftId, version: i64 };

    /// The catalogue from its root, from this page.
    "catalog.root" => CatalogRoot { page: i64 };
    /// A category, from this page.
    "catalog.show" => CatalogShow { category: CategoryId, page: i64 };
    /// What was found for the words that were written, from this page.
    "catalog.found" => CatalogFound { page: i64 };
    /// Looks for the same words in the whole catalogue.
    "catalog.everywhere" => CatalogEverywhere;
    /// Back to where the product was chosen.
    "catalog.back" => CatalogBack;
    /// A product, with how many to order, in thousandths of its unit.
    "product.show" => ProductShow { product: ProductId, quantity: i64 };
    /// Asks for the quantity as text.
    "product.quantity" => ProductQuantity { product: ProductId };
    /// Puts so many into the order; the version is that of the draft, 0 without one.
    "product.add" => ProductAdd { product: ProductId, quantity: i64, version: i64 };
    /// Products like this one.
    "product.like" => ProductAnalogues { product: ProductId };
    /// Tells the person when there is stock.
    "product.watch" => ProductWatch { product: ProductId };

    /// Hands what was written last to a manager, as a question.
    "ask.manager" => AskManager;
    /// Does not.
    "ask.no" => AskNo;
    /// Reads a table as an order.
    "file.read" => FileRead { file: i64 };
    /// Asks whether the table is read rightly.
    "file.show" => FileShow { file: i64 };
    /// Asks which column has the goods.
    "file.columns" => FileColumns { file: i64 };
    /// The column of the goods: asks which one has the quantities.
    "file.goods" => FileGoods { file: i64, column: i64 };
    /// The column of the quantities, -1 for none.
    "file.quantity" => FileQuantities { file: i64, column: i64 };
    /// Sheets to choose from.
    "file.sheets" => FileSheets { file: i64 };
    /// A sheet is chosen.
    "file.sheet" => FileSheet { file: i64, sheet: i64 };
    /// A table to fill in, as an example.
    "file.example" => FileExample;
    /// Hands the file, photo or voice message to a manager.
    "media.hand" => MediaHand;
    /// Does not.
    "media.drop" => MediaDrop;

    /// The buyer's orders, from this page.
    "orders.list" => Orders { page: i64 };
    /// Those of them that the person sent, from this page.
    "orders.mine" => OrdersMine { page: i64 };
    /// One order.
    "order.show" => OrderShow { order: OrderId };
    /// Orders to repeat.
    "orders.repeat" => RepeatList;
    /// What is usually bought, in a new draft.
    "orders.usual" => RepeatUsual;
    /// The organization's templates, from this page.
    "orders.templates" => Templates { page: i64 };
    /// The order becomes a template: asks what to call it.
    "template.ask" => TemplateAsk { order: OrderId };
    /// It is called as was proposed.
    "template.save" => TemplateSave { order: OrderId };
    /// The order takes the place of what the template was.
    "template.replace" => TemplateReplace { template: TemplateId, version: i64, order: OrderId };
    /// A template as of today, from this page of its lines.
    "template.show" => TemplateShow { template: TemplateId, page: i64 };
    /// The template's lines in the draft.
    "template.use" => TemplateUse { template: TemplateId };
    /// Asks for another name.
    "template.rename" => TemplateRename { template: TemplateId };
    /// The template goes: asks first.
    "template.delete" => TemplateDelete { template: TemplateId };
    /// The template goes.
    "template.delete_yes" => TemplateDeleteYes { template: TemplateId, version: i64 };
    /// The buyer takes the order back: asks why.
    "order.cancel" => OrderCancel { order: OrderId };
    /// The buyer takes the order back.
    "order.cancel_yes" => OrderCancelYes { order: OrderId, version: i64, reason: i64 };
    /// The cancelled order stands again.
    "order.restore" => OrderRestore { order: OrderId, version: i64 };
    /// Forgets the words learnt from this order.
    "order.unlearn" => OrderUnlearn { order: OrderId };
    /// The order's lines in a new draft.
    "order.repeat" => OrderRepeat { order: OrderId };
    /// The buyer changes an order that nobody has taken: it becomes a draft again.
    "order.edit" => OrderEdit { order: OrderId, version: i64 };
    /// A page of the order's lines.
    "order.lines" => OrderLines { order: OrderId, page: i64 };
    /// The files that came with the order.
    "order.documents" => OrderDocuments { order: OrderId };
    /// The buyer writes to the manager about the order.
    "order.ask" => OrderAsk { order: OrderId };

    /// The manager's queue.
    "staff.queue" => StaffQueue { page: i64 };
    /// All orders, for staff.
    "staff.all" => StaffAll { page: i64 };
    /// The card of an order, for staff.
    "staff.card" => StaffCard { order: OrderId };
    /// An order as staff see it, with all lines: a message of its own.
    "staff.order" => StaffOrder { order: OrderId };
    /// A page of its lines.
    "staff.lines" => StaffLines { order: OrderId, page: i64 };
    /// A manager takes the order.
    "staff.accept" => StaffAccept { order: OrderId, version: i64 };
    /// Reasons to reject.
    "staff.reject" => StaffReject { order: OrderId };
    /// A reason is chosen: shows what the client will read.
    "staff.reason" => StaffReason { order: OrderId, reason: i64 };
    /// Asks for a reason in the manager's own words.
    "staff.own_reason" => StaffOwnReason { order: OrderId };
    /// Rejects with the reason in the manager's own words.
    "staff.reject_own" => StaffRejectOwn { order: OrderId, version: i64 };
    /// Rejects with the reason.
    "staff.reject_yes" => StaffRejectYes { order: OrderId, version: i64, reason: i64 };
    /// The next status.
    "staff.status" => StaffStatus { order: OrderId, version: i64, status: OrderStatus };
    /// A manager sends a file to the client: asks for it.
    "staff.document" => StaffDocument { order: OrderId };
    /// A manager writes to the client.
    "staff.write" => StaffWrite { order: OrderId };
    /// Unresolved lines of the order, to pick products for.
    "staff.resolve" => StaffResolve { order: OrderId };
    /// Options for one unresolved line.
    "staff.line" => StaffLine { line: OrderLineId };
    /// Chooses a product for an order's line.
    "staff.pick" => StaffPick { line: OrderLineId, version: i64, product: ProductId };
    /// Remembers the client's words for the products that are picked, or no longer.
    "staff.remember" => StaffRemember { line: OrderLineId };
    /// Days to move the delivery to.
    "staff.dates" => StaffDates { order: OrderId };
    /// Moves the delivery, as days from today.
    "staff.date" => StaffDate { order: OrderId, version: i64, days: i64 };
    /// Tells the client what was changed in the order.
    "staff.tell" => StaffTell { order: OrderId, version: i64 };
    /// Colleagues to give the order to.
    "staff.colleagues" => StaffColleagues { order: OrderId };
    /// Gives the order to a colleague.
    "staff.pass" => StaffPass { order: OrderId, person: PersonId };
    /// Lines of the order, to propose another product for one.
    "staff.replace" => StaffReplace { order: OrderId };
    /// Products to propose for a line.
    "staff.replace_line" => StaffReplaceLine { line: OrderLineId };
    /// Proposes a product for a line.
    "staff.propose" => StaffPropose { line: OrderLineId, version: i64, product: ProductId };
    /// A link that opens the order in the panel once.
    "staff.panel" => StaffPanel { order: OrderId };
    /// What the keyboard has no room for.
    "staff.more" => StaffMore;
    /// Goes on shift (1) or off it (0).
    "staff.shift" => StaffShift { on: i64 };

    /// Organizations, those that ordered last first.
    "client.list" => Clients { page: i64 };
    /// One organization.
    "client.show" => ClientShow { organization: OrganizationId };
    /// Its orders.
    "client.orders" => ClientOrders { organization: OrganizationId, page: i64 };
    /// A manager writes an order for it.
    "client.order" => ClientOrder { organization: OrganizationId };
    /// The company vouches for it.
    "client.verify" => ClientVerify { organization: OrganizationId };
    /// The manager is themself again.
    "client.reset" => LensReset;

    /// Counts and the health of the program.
    "admin.show" => Admin;
    /// Sees the bot as an organization does.
    "admin.view" => AdminView { organization: OrganizationId };
    /// Pulls the catalogue from 1C now.
    "admin.sync" => AdminSync;
    /// Copies the database now.
    "admin.backup" => AdminBackup;
    /// Asks the models a sample line.
    "admin.model" => AdminModel;

    /// The client agrees to another product.
    "proposal.agree" => ProposalAgree { proposal: ProposalId };
    /// The client does not.
    "proposal.decline" => ProposalDecline { proposal: ProposalId };
    /// The client writes to the manager about it.
    "proposal.discuss" => ProposalDiscuss { proposal: ProposalId };
    /// An owner sends a viewer's order.
    "approval.send" => ApprovalSend { order: OrderId, version: i64 };
    /// An owner returns a viewer's order: asks for a comment.
    "approval.return" => ApprovalReturn { order: OrderId, version: i64 };
    /// It is returned without a comment.
    "approval.return_yes" => ApprovalReturnYes { order: OrderId, version: i64 };
    /// An owner looks at the question of a viewer's order again.
    "approval.show" => ApprovalShow { order: OrderId };

    /// Registration: the person known from 1C or an invitation is right.
    "register.yes" => RegisterYes;
    /// Registration: it is someone else.
    "register.no" => RegisterNo;
    /// A step back in the form.
    "form.back" => FormBack;
    /// Passes the step over.
    "form.skip" => FormSkip;
    /// Registration: a private person.
    "register.private" => RegisterPrivate;
    /// Registration: this organization is theirs.
    "register.org" => RegisterOrganization { organization: OrganizationId };
    /// Registration: working hours, by the number of the offered answer.
    "register.hours" => RegisterHours { choice: i64 };
    /// Registration: not that organization, a new one.
    "register.new_org" => RegisterNewOrganization;
    /// Asks for the number again, for the chat's contact.
    "register.start" => RegisterStart;
    /// Sign-in by phone and password.
    "login.start" => LoginStart;
    /// A new password by the chat's contact.
    "login.recover" => Recover;
    /// Asks staff for access.
    "access.ask" => AccessAsk;
    /// Lets a guest in, as asked.
    "access.grant" => AccessGrant { request: i64 };
    /// Asks for the organization that a guest belongs to.
    "access.link" => AccessLink { request: i64 };
    /// Lets a guest into this organization.
    "access.link_yes" => AccessLinkYes { request: i64, organization: OrganizationId };
    /// Keeps a guest out.
    "access.refuse" => AccessRefuse { request: i64 };
    /// Joins the organization of the link that was followed.
    "invite.accept" => InvitationAccept;
    /// Lets a person into an organization.
    "member.admit" => MemberAdmit { organization: OrganizationId, person: PersonId };
    /// Keeps a person out of an organization.
    "member.refuse" => MemberRefuse { organization: OrganizationId, person: PersonId };
    /// «Это я» under the notice of a new sign-in.
    "security.mine" => SecurityMine;
    /// «Не я — закрыть доступ»: every link and session of the person ends.
    "security.close" => SecurityClose { person: PersonId };

    /// The account card.
    "account.show" => Account;
    /// Asks where a person works who acts for nobody.
    "account.workplace" => Workplace;
    /// Acts for oneself.
    "account.private" => WorkPrivate;
    /// Signs the chat out.
    "account.leave" => SignOut;
    /// The person's organizations, to choose from.
    "account.orgs" => Organizations;
    /// Acts for another organization.
    "account.switch" => SwitchOrganization { organization: OrganizationId };
    /// What there is to pay.
    "account.balance" => Balance;
    /// Linked chats and the password.
    "account.security" => Security;
    /// What can be changed about oneself.
    "account.edit" => AccountEdit;
    /// Asks for the name.
    "account.name" => AccountName;
    /// Asks for the address for documents.
    "account.email" => AccountEmail;
    /// Asks for the working hours.
    "account.hours" => AccountHours;
    /// What the person is told of.
    "account.notices" => Notices;
    /// Switches a group of news, by its place, on (1) or off (0).
    "account.notice" => NoticeGroup { group: i64, on: i64 };
    /// Quiet hours: by the organization (0), none (1), or asks for them (2).
    "account.quiet" => NoticeQuiet { choice: i64 };
    /// Deleting one's data: asks first.
    "security.delete" => DeleteData;
    /// Asks the administrator to delete the person's data.
    "security.delete_yes" => DeleteDataYes;
    /// Asks for a new password.
    "security.password" => PasswordChange;
    /// Signs another chat of the person out, by its place in the list.
    "security.unlink" => SecurityUnlink { chat: i64 };
    /// The people of the organization.
    "member.list" => Members { organization: OrganizationId };
    /// One of them.
    "member.show" => MemberShow { organization: OrganizationId, person: PersonId };
    /// Gives a member a role.
    "member.role" => MemberRole { organization: OrganizationId, person: PersonId, role: OrgRole };
    /// Takes a member out: asks first.
    "member.remove" => MemberRemove { organization: OrganizationId, person: PersonId };
    /// Takes a member out.
    "member.remove_yes" => MemberRemoveYes { organization: OrganizationId, person: PersonId };
    /// Invites: as what?
    "member.invite" => Invite { organization: OrganizationId };
    /// Invites in this role: by link or by phone?
    "member.invite_as" => InviteAs { organization: OrganizationId, role: OrgRole };
    /// Makes a link for one person.
    "member.invite_link" => InviteLink { organization: OrganizationId, role: OrgRole };
    /// Asks for the number to invite.
    "member.invite_phone" => InvitePhone { organization: OrganizationId, role: OrgRole };

    /// The organization's questions, open ones first.
    "thread.list" => Threads;
    /// Open questions, from this page.
    "thread.open" => ThreadsOpen { page: i64 };
    /// Questions that are settled, from this page.
    "thread.closed" => ThreadsClosed { page: i64 };
    /// One thread.
    "thread.show" => ThreadShow { thread: ThreadId };
    /// What the question is about.
    "thread.ask" => ThreadAsk;
    /// A topic is chosen, by its number: asks for the words.
    "thread.topic" => ThreadTopic { topic: i64 };
    /// The next messages go to the thread.
    "thread.reply" => ThreadReply { thread: ThreadId };
    /// Leaves the thread.
    "thread.exit" => ThreadExit;
    /// The question is settled.
    "thread.resolve" => ThreadResolve { thread: ThreadId };
    /// The list that was sent into a thread is an order.
    "thread.as_order" => ThreadAsOrder;
    /// The list that was sent into a thread is an answer.
    "thread.as_reply" => ThreadAsReply;

    /// What could not be handled is tried once more.
    "event.retry" => EventRetry { event: i64 };
    /// What could not be handled goes to a manager.
    "event.hand" => EventHand { event: i64 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_read_only_from_what_it_writes() {
        let action = Action::LinePick {
            line: DraftLineId(46_655),
            version: 7,
            product: ProductId(i64::from(u32::MAX)),
        };
        assert_eq!(action.encode(), "line.pick:zzz:7:1z141z3");
        assert_eq!(Action::decode(&action.encode()), Some(action));
        for text in [
            "",
            "line.pick",
            "line.pick:zzz:7",
            "line.pick:ZZZ:7:1",
            "line.pick:0z:7:1",
            "menu.show:",
            "line.pick:z:7:1:1",
            "staff.status:1:1:paid",
        ] {
            assert_eq!(Action::decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_longest_action_fits() {
        let id = i64::MAX;
        let longest = Action::StaffStatus {
            order: OrderId(id),
            version: id,
            status: OrderStatus::NeedsClient,
        };
        assert!(longest.encode().len() <= CALLBACK_DATA_MAX_BYTES);
        let pick = Action::StaffPick { line: OrderLineId(id), version: id, product: ProductId(id) };
        assert!(pick.encode().len() <= CALLBACK_DATA_MAX_BYTES);
        let replace =
            Action::TemplateReplace { template: TemplateId(id), version: id, order: OrderId(id) };
        assert!(replace.encode().len() <= CALLBACK_DATA_MAX_BYTES);
    }
}
