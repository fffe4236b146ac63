//! XEP-0133: Service Administration 1.3.1, for administrators, from any client
//!
//! Every command is one of the operator's own (`anemone account …`), so both do the same.

use std::sync::Arc;

use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::form::{Field, FieldType, Form, FormType},
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    Extension, IqAnswer, IqContext, IqFuture, Spec,
    commands::{self, Allowed, Offer},
};
use crate::{
    account::Account,
    admin::{self, By, Fault, FaultCode, Request, Response},
    iq::Iq,
    password::Password,
    server::Server,
    session::frame::Frame,
};

/// Lets administrators run the server from their client.
pub const EXTENSION: Extension = Extension {
    name: "administration",
    specs: &[Spec { xep: 133, version: "1.3.1", title: "Service Administration" }],
    ..Extension::NOTHING
};

/// The commands.
pub const COMMANDS: Offer = Offer { commands: NAMES, allowed, run };

const NAMES: &[(&str, &str)] = &[
    ("http://jabber.org/protocol/admin#add-user", "Add a user"),
    ("http://jabber.org/protocol/admin#delete-user", "Delete a user"),
    ("http://jabber.org/protocol/admin#disable-user", "Disable a user"),
    ("http://jabber.org/protocol/admin#reenable-user", "Enable a user again"),
    ("http://jabber.org/protocol/admin#end-user-session", "End a user's sessions"),
    ("http://jabber.org/protocol/admin#change-user-password", "Change a user's password"),
    ("http://jabber.org/protocol/admin#get-user-roster", "Show a user's contacts"),
    ("http://jabber.org/protocol/admin#get-user-lastlogin", "Show when users last logged in"),
    ("http://jabber.org/protocol/admin#user-stats", "Show numbers about a user"),
    ("http://jabber.org/protocol/admin#get-registered-users-num", "Count users"),
    ("http://jabber.org/protocol/admin#get-disabled-users-num", "Count disabled users"),
    ("http://jabber.org/protocol/admin#get-online-users-num", "Count users who are online"),
    ("http://jabber.org/protocol/admin#get-registered-users-list", "List users"),
    ("http://jabber.org/protocol/admin#get-disabled-users-list", "List disabled users"),
    ("http://jabber.org/protocol/admin#get-online-users-list", "List users who are online"),
    ("http://jabber.org/protocol/admin#announce", "Tell everybody who is online"),
    ("http://jabber.org/protocol/admin#edit-admin", "Choose the administrators"),
];

fn allowed<'a>(context: &'a IqContext<'a>) -> Allowed<'a> {
    Box::pin(async move {
        let row = context.server.store.accounts.by_id(context.session()?.account.id).await;
        let row = row.map_err(|error| context.server.store_failed("administration", &error))?;
        Ok(row.is_some_and(|row| row.admin && !row.disabled))
    })
}

fn run<'a>(context: &'a IqContext<'a>, iq: &'a Iq, node: &'static str) -> IqFuture<'a> {
    Box::pin(async move {
        let form = Form::child_of(&iq.payload).filter(|form| form.kind != FormType::Form);
        if form.as_ref().is_some_and(|form| form.kind == FormType::Cancel) {
            return Ok(Some(commands::answer(iq, node, "canceled", None)));
        }
        let (_, command) = node.rsplit_once('#').unwrap_or_default();
        let call = Call { context, iq, node };
        match (command, form) {
            ("get-registered-users-num", _) => call.count("registeredusersnum", |_| true).await,
            ("get-disabled-users-num", _) => {
                call.count("disabledusersnum", |account| account.disabled).await
            }
            ("get-registered-users-list", _) => call.list("registereduserjids", |_| true).await,
            ("get-disabled-users-list", _) => {
                call.list("disableduserjids", |account| account.disabled).await
            }
            ("get-online-users-num", _) => {
                let number = call.online().len().to_string();
                call.result(vec![field("onlineusersnum", [number])])
            }
            ("get-online-users-list", _) => {
                let online = call.online();
                let addresses = online.iter().map(|account| account.bare().to_owned());
                call.result(vec![field("onlineuserjids", addresses.take(MOST_LISTED))])
            }
            (command, None) => call.ask(command).await,
            (command, Some(form)) => call.perform(command, &form).await,
        }
    })
}

/// A command that is being carried out.
struct Call<'a> {
    context: &'a IqContext<'a>,
    iq: &'a Iq,
    node: &'static str,
}

impl Call<'_> {
    /// The form that a command begins with.
    async fn ask(&self, command: &str) -> IqAnswer {
        let one = || {
            Field::new("accountjid", FieldType::JidSingle)
                .with_label("Address of the user")
                .with_required()
        };
        let several = || {
            Field::new("accountjids", FieldType::JidMulti)
                .with_label("Addresses of the users")
                .with_required()
        };
        let secret = |var: &str, label: &str| {
            Field::new(var, FieldType::TextPrivate).with_label(label).with_required()
        };
        let fields = match command {
            "add-user" => vec![
                one(),
                secret("password", "Password"),
                secret("password-verify", "The same again"),
            ],
            "change-user-password" => vec![one(), secret("password", "The new password")],
            "user-stats" => vec![one()],
            "announce" => vec![
                Field::new("announcement", FieldType::TextMulti)
                    .with_label("What they are told")
                    .with_required(),
            ],
            "edit-admin" => {
                let admins = self.accounts().await?.into_iter().filter(|account| account.admin);
                let field = Field::new("adminjids", FieldType::JidMulti)
                    .with_label("Everybody who may administer")
                    .with_values(admins.map(|account| account.address));
                vec![field]
            }
            _ => vec![several()],
        };
        let title = NAMES.iter().find(|(node, _)| *node == self.node).map(|(_, name)| *name);
        let form = Form::typed(FormType::Form, ns::ADMIN).with_title(title.unwrap_or_default());
        let form = fields.into_iter().fold(form, Form::with_field);
        Ok(Some(commands::answer(self.iq, self.node, "executing", Some(form))))
    }

    /// Carries a command out with what was filled in.
    async fn perform(&self, command: &str, form: &Form) -> IqAnswer {
        match command {
            "add-user" => self.add(form).await,
            "change-user-password" => {
                let (account, password) = (self.account(form)?, password(form)?);
                self.say(Request::AccountPassword { account, password }).await
            }
            "delete-user" => {
                self.for_each(form, |account| Request::AccountDelete { account }).await
            }
            "disable-user" => {
                let request = |account| Request::AccountEnable { account, enabled: false };
                self.for_each(form, request).await
            }
            "reenable-user" => {
                let request = |account| Request::AccountEnable { account, enabled: true };
                self.for_each(form, request).await
            }
            "end-user-session" => {
                self.for_each(form, |address| Request::SessionKick { address }).await
            }
            "get-user-roster" => self.roster(form).await,
            "get-user-lastlogin" => self.last_login(form).await,
            "user-stats" => self.statistics(form).await,
            "announce" => self.announce(form).await,
            "edit-admin" => self.choose_admins(form).await,
            _ => Err(StanzaError::new(Condition::ItemNotFound)),
        }
    }

    async fn add(&self, form: &Form) -> IqAnswer {
        let (account, password) = (self.account(form)?, password(form)?);
        let again = form.value("password-verify");
        if again.is_some_and(|again| Some(again) != form.value("password")) {
            return Err(refused("the two passwords differ"));
        }
        self.say(Request::AccountAdd { account, password, admin: false }).await
    }

    /// Does the same for every address of the form. Those before a failure are done.
    async fn for_each(&self, form: &Form, request: impl Fn(String) -> Request) -> IqAnswer {
        let mut sentences = Vec::new();
        for address in self.addresses(form, "accountjids")? {
            if let Response::Done(sentence) = self.operate(request(address)).await? {
                sentences.push(sentence);
            }
        }
        commands::done(self.iq, self.node, &sentences.join(" "))
    }

    async fn say(&self, request: Request) -> IqAnswer {
        match self.operate(request).await? {
            Response::Done(sentence) => commands::done(self.iq, self.node, &sentence),
            _ => commands::done(self.iq, self.node, "Done."),
        }
    }

    async fn roster(&self, form: &Form) -> IqAnswer {
        let mut answer =
            self.result(vec![field("accountjids", form.values("accountjids").iter().cloned())])?;
        for address in self.addresses(form, "accountjids")? {
            let account = self.loaded(&address).await?;
            let query = {
                let state = account.lock();
                let contacts = state.roster.listed().take(MOST_LISTED);
                let items: Vec<Element> =
                    contacts.map(|(jid, contact)| contact.item(jid)).collect();
                Element::new("query", ns::ROSTER).with_children(items)
            };
            if let Some(answer) = &mut answer {
                answer.push(query);
            }
        }
        Ok(answer)
    }

    /// XEP-0133 §4.9, to the day: more is not known. The fields belong to the addresses in their order.
    async fn last_login(&self, form: &Form) -> IqAnswer {
        let addresses = self.addresses(form, "accountjids")?;
        let mut days = Vec::new();
        for account in &addresses {
            let request = Request::AccountShow { account: account.clone() };
            if let Response::Accounts(found) = self.operate(request).await? {
                let day = |one: admin::Account| one.last_login.unwrap_or_default();
                days.extend(found.into_iter().map(day));
            }
        }
        self.result(vec![field("accountjids", addresses), field("lastlogin", days)])
    }

    async fn statistics(&self, form: &Form) -> IqAnswer {
        let account = self.loaded(&self.account(form)?).await?;
        let (contacts, resources) = {
            let state = account.lock();
            let resources: Vec<String> =
                state.resources.iter().map(|r| r.session.resource().to_owned()).collect();
            (state.roster.listed().count(), resources)
        };
        self.result(vec![
            field("accountjid", [account.bare().to_owned()]),
            field("rostersize", [contacts.to_string()]),
            field("onlineresources", resources),
        ])
    }

    /// A message of the server itself to every device that is there.
    async fn announce(&self, form: &Form) -> IqAnswer {
        let text = form.values("announcement").join("\n");
        if text.trim().is_empty() {
            return Err(refused("there is nothing to tell"));
        }
        let told = tell_online(self.context.server, &text);
        if let Some(operations) = self.context.server.operations() {
            operations.note(&self.by()?, "announce", "everybody who is online").await;
        }
        commands::done(self.iq, self.node, &format!("{told} devices were told."))
    }

    /// Those who are in the form are administrators, and nobody else.
    async fn choose_admins(&self, form: &Form) -> IqAnswer {
        let wanted = self.addresses(form, "adminjids")?;
        let own = self.context.session()?.account.bare();
        if !wanted.iter().any(|address| address == own) {
            return Err(refused("you would no longer be an administrator yourself"));
        }
        let accounts = self.accounts().await?;
        let unknown = |address: &&String| !accounts.iter().any(|a| a.address == **address);
        if let Some(unknown) = wanted.iter().find(unknown) {
            let error = StanzaError::new(Condition::ItemNotFound);
            return Err(error.with_text(format!("there is no account {unknown}")));
        }
        for account in accounts {
            let admin = wanted.contains(&account.address);
            if admin != account.admin {
                self.operate(Request::AccountAdmin { account: account.address, admin }).await?;
            }
        }
        commands::done(self.iq, self.node, "The administrators were changed.")
    }

    async fn count(&self, var: &str, which: impl Fn(&admin::Account) -> bool) -> IqAnswer {
        let number = self.accounts().await?.iter().filter(|account| which(account)).count();
        self.result(vec![field(var, [number.to_string()])])
    }

    async fn list(&self, var: &str, which: impl Fn(&admin::Account) -> bool) -> IqAnswer {
        let accounts = self.accounts().await?.into_iter().filter(|account| which(account));
        let addresses = accounts.map(|account| account.address).take(MOST_LISTED);
        self.result(vec![field(var, addresses)])
    }

    fn result(&self, fields: Vec<Field>) -> IqAnswer {
        let form = Form::typed(FormType::Result, ns::ADMIN);
        let form = fields.into_iter().fold(form, Form::with_field);
        Ok(Some(commands::answer(self.iq, self.node, "completed", Some(form))))
    }

    /// Accounts of which a device is available.
    fn online(&self) -> Vec<Arc<Account>> {
        let mut online = self.context.server.accounts.all();
        online.retain(|account| account.lock().resources.iter().any(|r| r.available.is_some()));
        online.sort_by(|one, other| one.bare().cmp(other.bare()));
        online
    }

    async fn accounts(&self) -> Result<Vec<admin::Account>, StanzaError> {
        match self.operate(Request::AccountList {}).await? {
            Response::Accounts(accounts) => Ok(accounts),
            _ => Ok(Vec::new()),
        }
    }

    async fn loaded(&self, address: &str) -> Result<Arc<Account>, StanzaError> {
        let server = self.context.server;
        let jid = Jid::new(address).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
        let account = server.account(&jid).await;
        let account = account.map_err(|error| server.store_failed("administration", &error))?;
        account.ok_or_else(|| StanzaError::new(Condition::ItemNotFound))
    }

    /// The one address of a form.
    fn account(&self, form: &Form) -> Result<String, StanzaError> {
        let jid = form.value("accountjid").unwrap_or_default();
        let jid = BareJid::new(jid).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
        Ok(jid.as_str().to_owned())
    }

    /// The addresses of a form, in their normal form.
    fn addresses(&self, form: &Form, var: &str) -> Result<Vec<String>, StanzaError> {
        let malformed = |_| StanzaError::new(Condition::JidMalformed);
        let read = |text: &String| Jid::new(text).map(|jid| jid.as_str().to_owned());
        let addresses: Vec<String> =
            form.values(var).iter().map(read).collect::<Result<_, _>>().map_err(malformed)?;
        match addresses.is_empty() {
            true => Err(refused("name at least one address")),
            false => Ok(addresses),
        }
    }

    /// Who does it, for the record.
    fn by(&self) -> Result<By, StanzaError> {
        Ok(By::Client(self.context.session()?.account.bare().into()))
    }

    /// Does what the operator's command of the same name does.
    async fn operate(&self, request: Request) -> Result<Response, StanzaError> {
        let Some(operations) = self.context.server.operations() else {
            return Err(StanzaError::new(Condition::ServiceUnavailable));
        };
        match operations.perform(&self.by()?, request).await {
            Response::Error(fault) => Err(error(&fault)),
            response => Ok(response),
        }
    }
}

fn field(var: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Field {
    Field::untyped(var).with_values(values)
}

fn password(form: &Form) -> Result<Password, StanzaError> {
    let password = form.value("password").filter(|password| !password.is_empty());
    password
        .map(|password| Password::new(password.to_owned()))
        .ok_or_else(|| refused("there is no password"))
}

fn refused(text: &str) -> StanzaError {
    StanzaError::new(Condition::NotAcceptable).with_type(ErrorType::Modify).with_text(text)
}

fn error(fault: &Fault) -> StanzaError {
    let condition = match fault.code {
        FaultCode::Exists => Condition::Conflict,
        FaultCode::NotFound => Condition::ItemNotFound,
        FaultCode::Storage => Condition::InternalServerError,
        _ => Condition::NotAcceptable,
    };
    StanzaError::new(condition).with_text(&*fault.message)
}

/// Users on one list.
const MOST_LISTED: usize = 5000;

/// Sends a message to every device that is online. Returns how many there were.
pub fn tell_online(server: &Server, text: &str) -> usize {
    let mut told = 0;
    for account in server.accounts.all() {
        let state = account.lock();
        for resource in state.resources.iter().filter(|r| r.available.is_some()) {
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", server.domain())
                .with_attr("to", resource.session.full())
                .with_attr("id", server.fresh_id())
                .with_child(Element::new("body", ns::CLIENT).with_text(text));
            resource.session.deliver(Frame::message(message.to_bytes(ns::CLIENT)));
            told += 1;
        }
    }
    told
}
