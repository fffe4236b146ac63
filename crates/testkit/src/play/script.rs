//! A play as data: what `parse` makes of the text and `stage` performs.

use super::pattern::Pattern;
use super::template::Template;
use crate::client::Via;

/// A whole play.
#[derive(Debug, Clone)]
pub struct Play {
    /// Folder and file name without the ending: `xep-0280/sent_copies`.
    pub name: String,
    /// `spec:` lines, such as `XEP-0280 §6`.
    pub specs: Vec<String>,
    /// `needs:` words: what the server has to have.
    pub needs: Vec<String>,
    /// `setting:` lines: how the server has to be configured.
    pub settings: Vec<String>,
    /// `contacts:` lines: pairs of accounts that see each other's presence from the start.
    pub contacts: Vec<(String, String)>,
    /// `on prosody: skip because …` lines: target and reason.
    pub skips: Vec<(String, String)>,
    /// The clients.
    pub cast: Vec<Role>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One client of a play.
#[derive(Debug, Clone)]
pub struct Role {
    /// Name in the play, with a capital: `Romeo`.
    pub name: String,
    /// Account, in small letters: `romeo`.
    pub account: String,
    /// Resource to bind; the server chooses one if `None`.
    pub resource: Option<String>,
    /// How the client reaches the server.
    pub via: Via,
    /// How it logs in.
    pub login: Login,
    /// False if the account does not exist before the play: `not registered`.
    pub registered: bool,
    /// The server that the role is, if it is no client.
    pub server: Option<Foreign>,
    /// The domain of the component that the role is, if it is one: `component gateway.verona.example`.
    pub component: Option<String>,
}

impl Role {
    /// True for clients: neither another server nor a component.
    pub fn is_client(&self) -> bool {
        self.server.is_none() && self.component.is_none()
    }
}

/// Another server, in whose place a play speaks.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Its domain: `server mantua.example`.
    pub domain: String,
    /// `calling …`: which domain of the tested server its streams are for.
    pub calls: String,
    /// `with the certificate of …`, `without a certificate`: whose it shows; its own unless said.
    pub certificate: Option<String>,
    /// `both ways`: streams are used in both directions, XEP-0288.
    pub both_ways: bool,
}

/// How a client logs in. Unset fields take what the role says, then the default.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// `by SCRAM-SHA-256`.
    pub mechanism: Option<String>,
    /// `bound to tls-exporter`.
    pub binding: Option<String>,
    /// `with password …`.
    pub password: Option<Template>,
    /// `as …`: another user name than the account's.
    pub user: Option<Template>,
    /// `acting for …`: an authorization identity.
    pub authzid: Option<Template>,
    /// `with SASL2`.
    pub sasl2: bool,
    /// `checking the offer`: the server has to prove what it offered, XEP-0474.
    pub checks_offer: bool,
}

impl Login {
    /// This login with gaps filled from another.
    pub fn or(&self, other: &Login) -> Login {
        Login {
            mechanism: self.mechanism.clone().or_else(|| other.mechanism.clone()),
            binding: self.binding.clone().or_else(|| other.binding.clone()),
            password: self.password.clone().or_else(|| other.password.clone()),
            user: self.user.clone().or_else(|| other.user.clone()),
            authzid: self.authzid.clone().or_else(|| other.authzid.clone()),
            sasl2: self.sasl2 || other.sasl2,
            checks_offer: self.checks_offer || other.checks_offer,
        }
    }
}

/// One step with the place it is written at.
#[derive(Debug, Clone)]
pub struct Step {
    /// Line number from 1.
    pub line: usize,
    /// The line itself.
    pub text: String,
    /// What to do.
    pub action: Action,
}

/// Who does what.
#[derive(Debug, Clone)]
pub enum Action {
    /// Something a client does or experiences.
    Client(usize, Deed),
    /// Something several clients do or experience together.
    Together(Together),
    /// Something the operator does.
    Operator(Operation),
    /// `A visitor opens /path`, `A visitor sends PUT /path`.
    Visit(Visit),
    /// Something about the page opened last.
    Page(PageCheck),
}

/// What several clients do or experience together.
#[derive(Debug, Clone)]
pub enum Together {
    /// `Romeo and Juliet send at once: …`: nobody waits for what the server does about the others.
    Send(Vec<usize>, Template),
    /// `One of Romeo and Juliet receives: …`: one of them, and no other.
    OneReceives(Vec<usize>, Pattern),
    /// `The others receive: …`: those who are left of the step before.
    OthersReceive(Pattern),
    /// `Visitors send PUT /path at once`: one for each body.
    Visit(Vec<Visit>),
    /// `One of the pages has status 201`: one of them, and no other.
    OnePageHas(u16),
    /// `The other pages have status 409`: those that are left of the step before.
    OtherPagesHave(u16),
}

/// A request over HTTPS.
#[derive(Debug, Clone)]
pub struct Visit {
    /// `GET` unless the play says otherwise.
    pub method: String,
    /// A path, or a whole address.
    pub path: Template,
    /// `with header Name: value`.
    pub headers: Vec<(String, Template)>,
    /// `with body: text`.
    pub body: Option<Template>,
}

/// What a client does or experiences.
#[derive(Debug, Clone)]
pub enum Deed {
    /// `connects`: everything up to available presence.
    Connect,
    /// `logs in`: everything up to the bound resource, no presence.
    LogIn,
    /// `opens a connection`: TCP, TLS or WebSocket, no stream.
    OpenConnection,
    /// `opens a stream`, connecting first if need be; attributes may be given.
    OpenStream(Vec<(String, Template)>),
    /// `starts TLS`.
    StartTls,
    /// `authenticates`: and fails the play if refused. The stream is restarted.
    Authenticate(Login, Option<Template>),
    /// `tries to authenticate`: the outcome is left to be received.
    TryToAuthenticate(Login, Option<Template>),
    /// `binds`, `binds the resource …`.
    Bind(Option<Template>),
    /// `becomes available`: initial presence, waits until the server shows it.
    BecomeAvailable,
    /// `loads the roster`, whatever is in it; pushes follow from then on.
    LoadRoster,
    /// `wants notifications of: …`: presence with XEP-0115 caps, disco queries answered.
    WantNotifications(Vec<String>),
    /// `makes the room coven as firstwitch`, perhaps with fields of its configuration.
    MakeRoom(String, String, Vec<(String, String)>),
    /// `joins the room coven as secondwitch`.
    JoinRoom(String, String),
    /// `sends:`.
    Send(Template),
    /// `sends raw:`.
    SendRaw(Template),
    /// `sends bytes:` in hexadecimal.
    SendBytes(Vec<u8>),
    /// `receives:`.
    Receive(Vec<Pattern>),
    /// `receives in any order:`.
    ReceiveAnyOrder(Vec<Pattern>),
    /// `receives no:` any element like these.
    ReceiveNone(Vec<Pattern>),
    /// `receives nothing`.
    ReceiveNothing,
    /// `receives no presence`.
    ReceiveNoPresence,
    /// `receives an XML declaration`.
    ReceiveDeclaration,
    /// `ignores what came`.
    IgnoreReceived,
    /// `disconnects`: closes the stream and waits for the server to do so too.
    Disconnect,
    /// `loses the connection`: TCP ends without a closed stream.
    LoseConnection,
    /// `'s stream is closed`: by the server, with a closing tag.
    StreamClosed,
    /// `is disconnected`: by the server, in whatever way.
    Disconnected,
    /// `enables stream management`, with resumption.
    EnableStreamManagement,
    /// `resumes the stream` on a new connection.
    Resume,
    /// `acknowledges`: sends `<a/>` for all received stanzas.
    Acknowledge,
    /// `stops acknowledging`: leaves `<r/>` unanswered from now on.
    StopAcknowledging,
    /// What another server does that the tested one connects to.
    Accept(Acceptance),
}

/// What another server does that the tested one connects to.
#[derive(Debug, Clone)]
pub enum Acceptance {
    /// `accepts a connection`.
    Connection,
    /// `accepts a stream`: waits for its header and answers it, with these features.
    Stream(Option<Template>),
    /// `accepts stream management`: with resumption.
    StreamManagement,
    /// `accepts the resumption` of the stream.
    Resumption,
    /// `is connected to`: everything from TCP to a proven stream, with these features.
    Everything(Option<Template>),
}

/// What the operator does.
#[derive(Debug, Clone)]
pub enum Operation {
    /// `The operator creates an invitation {token}`.
    Invite(String),
    /// `The operator restarts the server`.
    Restart,
    /// `The operator kills the server`: at once, without a clean shutdown, and starts it again.
    Kill,
    /// `The operator runs: …`: a command of the server's program.
    Run(Template),
}

/// Something about a page, or about the answer to a command of the operator.
#[derive(Debug, Clone)]
pub enum PageCheck {
    /// `The page has status 200`.
    Status(u16),
    /// `The page has header Name: value`.
    Header(String, Template),
    /// `The page contains: …`.
    Contains(Template),
    /// `The page does not contain: …`.
    ContainsNot(Template),
    /// `The page reads: …`: an XML page.
    Reads(Pattern),
}

impl Play {
    /// True if other plays on the same server would be noticed. When the operator acts, it stops, or
    /// two commands change one file of prosody at a time; and each domain has one server or component.
    pub fn needs_own_server(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Operator(_)))
            || self.cast.iter().any(|role| !role.is_client())
    }
}
