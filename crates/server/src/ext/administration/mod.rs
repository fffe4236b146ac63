//! XEP-0133: Service Administration 1.3.1, for administrators, from any client
//!
//! Every command is a row of [`COMMANDS`] and does what one of the operator's own requests does, so both do
//! the same. Those of the specification have its names; the others have a namespace of this server.

mod domains;
mod lists;
mod rooms;
mod service;
mod table;
mod users;
mod watching;

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

/// Nodes, with what the commands do.
pub const NAMES: &[(&str, &str)] = &[
    ("http://jabber.org/protocol/admin#add-user", "Add a user"),
    ("http://jabber.org/protocol/admin#delete-user", "Delete a user"),
    ("http://jabber.org/protocol/admin#disable-user", "Disable a user"),
    ("http://jabber.org/protocol/admin#reenable-user", "Enable a user again"),
    ("http://jabber.org/protocol/admin#end-user-session", "End a user's sessions"),
    ("http://jabber.org/protocol/admin#change-user-password", "Change a user's password"),
    ("http://jabber.org/protocol/admin#get-user-roster", "Show a user's contacts"),
    ("http://jabber.org/protocol/admin#get-user-lastlogin", "Show when users last logged in"),
    ("http://jabber.org/protocol/admin#user-stats", "Show numbers about a user"),
    ("http://jabber.org/protocol/admin#edit-blacklist", "Choose domains that are not talked to"),
    (
        "http://jabber.org/protocol/admin#edit-whitelist",
        "Choose the only domains that are talked to",
    ),
    ("http://jabber.org/protocol/admin#get-registered-users-num", "Count users"),
    ("http://jabber.org/protocol/admin#get-disabled-users-num", "Count disabled users"),
    ("http://jabber.org/protocol/admin#get-online-users-num", "Count users who are online"),
    ("http://jabber.org/protocol/admin#get-active-users-num", "Count users who are active"),
    ("http://jabber.org/protocol/admin#get-idle-users-num", "Count users who are online and idle"),
    ("http://jabber.org/protocol/admin#get-registered-users-list", "List users"),
    ("http://jabber.org/protocol/admin#get-disabled-users-list", "List disabled users"),
    ("http://jabber.org/protocol/admin#get-online-users-list", "List users who are online"),
    ("http://jabber.org/protocol/admin#get-active-users", "List users who are active"),
    ("http://jabber.org/protocol/admin#get-idle-users", "List users who are online and idle"),
    ("http://jabber.org/protocol/admin#announce", "Tell everybody who is online"),
    ("http://jabber.org/protocol/admin#set-motd", "Set the message of the day"),
    ("http://jabber.org/protocol/admin#edit-motd", "Correct the message of the day"),
    ("http://jabber.org/protocol/admin#delete-motd", "Delete the message of the day"),
    ("http://jabber.org/protocol/admin#set-welcome", "Set what new users are told"),
    ("http://jabber.org/protocol/admin#delete-welcome", "Delete what new users are told"),
    ("http://jabber.org/protocol/admin#edit-admin", "Choose the administrators"),
    ("http://jabber.org/protocol/admin#restart", "Restart the server"),
    ("http://jabber.org/protocol/admin#shutdown", "Shut the server down"),
    ("urn:anemone:admin:0#call-off", "Call off a restart or shutdown"),
    ("urn:anemone:admin:0#list-rooms", "List rooms"),
    ("urn:anemone:admin:0#list-members", "Show who belongs to a room"),
    ("urn:anemone:admin:0#create-room", "Make a room"),
    ("urn:anemone:admin:0#destroy-room", "End a room for good"),
    ("urn:anemone:admin:0#list-servers", "List other servers"),
    ("urn:anemone:admin:0#list-sessions", "List connected devices"),
    ("urn:anemone:admin:0#storage", "Show how much every user takes"),
    ("urn:anemone:admin:0#status", "Show how the server is"),
    ("urn:anemone:admin:0#list-reports", "List reports of spam and abuse"),
    ("urn:anemone:admin:0#delete-report", "Delete a report"),
    ("urn:anemone:admin:0#announce-outage", "Tell apps and people of an outage"),
    ("urn:anemone:admin:0#end-outage", "The outage is over"),
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
        if let Some(done) = call.at_once(command).await {
            return done;
        }
        match form {
            None => call.ask(command).await,
            Some(form) => call.perform(command, &form).await,
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
    /// What needs no form: `None` when the command is another one.
    async fn at_once(&self, command: &str) -> Option<IqAnswer> {
        Some(match command {
            "get-registered-users-num" => self.count("registeredusersnum", |_| true).await,
            "get-disabled-users-num" => self.count("disabledusersnum", |one| one.disabled).await,
            "get-registered-users-list" => self.list("registereduserjids", |_| true).await,
            "get-disabled-users-list" => self.list("disableduserjids", |one| one.disabled).await,
            "get-online-users-num" => self.count_online("onlineusersnum", |_| true),
            "get-active-users-num" => self.count_online("activeusersnum", lists::is_active),
            "get-idle-users-num" => self.count_online("idleusersnum", |one| !lists::is_active(one)),
            "get-online-users-list" => self.list_online("onlineuserjids", |_| true),
            "get-active-users" => self.list_online("activeuserjids", lists::is_active),
            "get-idle-users" => self.list_online("idleuserjids", |one| !lists::is_active(one)),
            "delete-motd" => self.say(Request::NoticeDay { text: None, anew: false }).await,
            "delete-welcome" => self.say(Request::NoticeWelcome { text: None }).await,
            "list-rooms" => self.show(Request::RoomList {}).await,
            "list-servers" => self.show(Request::FederationList {}).await,
            "list-sessions" => self.show(Request::SessionList { account: None }).await,
            "storage" => self.show(Request::Storage {}).await,
            "status" => self.show(Request::Status {}).await,
            "list-reports" => self.show(Request::ReportList {}).await,
            "end-outage" => self.say(Request::OutageEnd {}).await,
            _ => return None,
        })
    }

    /// The form that a command begins with.
    async fn ask(&self, command: &str) -> IqAnswer {
        let fields = match command {
            "add-user" => users::new_account(),
            "change-user-password" => vec![one_account(), secret("password", "The new password")],
            "user-stats" => vec![one_account()],
            "edit-admin" => vec![self.admins().await?],
            "edit-blacklist" | "edit-whitelist" => self.listed_domains(command).await?,
            "announce" => vec![text("announcement", "What they are told").with_required()],
            "set-motd" | "edit-motd" | "set-welcome" => vec![self.notice(command).await?],
            "restart" | "shutdown" => service::before_the_end(),
            "call-off" => vec![text("announcement", "What people are told")],
            "list-members" => vec![rooms::room()],
            "create-room" => rooms::new_room(),
            "destroy-room" => vec![rooms::room(), text("reason", "What the people in it are told")],
            "delete-report" => vec![watching::report()],
            "announce-outage" => watching::outage(),
            _ => vec![accounts()],
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
                let (account, password) = (self.account(form)?, users::password(form)?);
                self.say(Request::AccountPassword { account, password }).await
            }
            "delete-user" => {
                self.spare_own(form)?;
                self.for_each(form, |account| Request::AccountDelete { account }).await
            }
            "disable-user" => {
                self.spare_own(form)?;
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
            "edit-admin" => self.choose_admins(form).await,
            "edit-blacklist" | "edit-whitelist" => self.choose_domains(command, form).await,
            "announce" => self.announce(form).await,
            "set-motd" | "edit-motd" | "set-welcome" => self.set_notice(command, form).await,
            "restart" | "shutdown" => self.end(command == "restart", form).await,
            "call-off" => self.call_off(form).await,
            "list-members" => {
                let room = rooms::named(form)?;
                self.show(Request::RoomMembers { room }).await
            }
            "create-room" => self.create_room(form).await,
            "destroy-room" => self.destroy_room(form).await,
            "delete-report" => {
                let id = required(form, "report")?;
                self.say(Request::ReportDelete { id }).await
            }
            "announce-outage" => self.announce_outage(form).await,
            _ => Err(StanzaError::new(Condition::ItemNotFound)),
        }
    }

    async fn say(&self, request: Request) -> IqAnswer {
        match self.operate(request).await? {
            Response::Done(sentence) => commands::done(self.iq, self.node, &sentence),
            _ => commands::done(self.iq, self.node, "Done."),
        }
    }

    fn result(&self, fields: Vec<Field>) -> IqAnswer {
        let form = Form::typed(FormType::Result, ns::ADMIN);
        let form = fields.into_iter().fold(form, Form::with_field);
        Ok(Some(commands::answer(self.iq, self.node, "completed", Some(form))))
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

fn one_account() -> Field {
    Field::new("accountjid", FieldType::JidSingle).with_label("Address of the user").with_required()
}

fn accounts() -> Field {
    Field::new("accountjids", FieldType::JidMulti)
        .with_label("Addresses of the users")
        .with_required()
}

fn secret(var: &str, label: &str) -> Field {
    Field::new(var, FieldType::TextPrivate).with_label(label).with_required()
}

fn line(var: &str, label: &str) -> Field {
    Field::new(var, FieldType::TextSingle).with_label(label)
}

fn text(var: &str, label: &str) -> Field {
    Field::new(var, FieldType::TextMulti).with_label(label)
}

/// What was written into a field of several lines; `None` when it is empty.
fn written(form: &Form, var: &str) -> Option<String> {
    let text = form.values(var).join("\n");
    (!text.trim().is_empty()).then_some(text)
}

fn required(form: &Form, var: &str) -> Result<String, StanzaError> {
    written(form, var).ok_or_else(|| refused(&format!("there is nothing in `{var}`")))
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
