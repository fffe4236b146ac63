//! What a driver of the server's side knows: accounts, tokens, invitations, sessions.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use xmpp::error::{Condition, StanzaError};
use xmpp::ext::{bind2, sasl_upgrade::Salt};
use xmpp::jid::{BareJid, FullJid};
use xmpp::ns;
use xmpp::sasl::{self, Hash, ScramKeys, Secret, TlsInfo, ht};
use xmpp::sm;
use xmpp::stream::Out;
use xmpp::stream::server::{
    AccountState, Bound, Candidate, Credentials, IssuedToken, Login, LoginAnswer, LoginSession,
    PasswordCheck, PasswordLookup, PreauthAnswer, RegisterRequest, ResumeFailed, Resumed, Settings,
    Step, TokenLookup,
};
use xmpp::time::Millis;
use xmpp::xml::Element;

/// A small server without sockets.
pub(crate) struct House {
    pub(crate) settings: Settings,
    pub(crate) accounts: BTreeMap<String, (String, AccountState)>,
    /// Per client: the token, what it was issued for, and whether it is still valid.
    pub(crate) tokens: BTreeMap<String, Vec<(String, ht::Method, bool)>>,
    /// Token and the name it was issued for.
    pub(crate) invitations: BTreeMap<String, Option<String>>,
    /// Detached sessions: id, address, stanzas handled.
    pub(crate) sessions: BTreeMap<String, (FullJid, u32)>,
    /// Full addresses in use.
    pub(crate) resources: BTreeSet<String>,
    /// Every question, in short.
    pub(crate) log: Vec<String>,
    /// Keys that clients gave (XEP-0480), and the functions that the accounts lack.
    pub(crate) upgraded: Vec<ScramKeys>,
    pub(crate) lacking: Vec<Hash>,
    /// Answer every lookup with this.
    pub(crate) broken: Option<sasl::Failure>,
}

pub(crate) const DOMAIN: &str = "example.org";
pub(crate) const CLIENT_ID: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

/// A TLS 1.3 connection.
pub(crate) fn tls() -> TlsInfo {
    TlsInfo { version: Some(0x0304), exporter: Some([5; 32]), end_point: Some(vec![6; 32]) }
}

impl House {
    pub(crate) fn new() -> Self {
        let mut settings = Settings::new(DOMAIN);
        settings.plain = true;
        Self {
            settings,
            accounts: BTreeMap::from([
                ("juliet@example.org".into(), ("r0m30".into(), AccountState::Active)),
                ("tybalt@example.org".into(), ("rapier".into(), AccountState::Disabled)),
                ("paris@example.org".into(), ("county".into(), AccountState::Expired)),
            ]),
            tokens: BTreeMap::new(),
            invitations: BTreeMap::new(),
            sessions: BTreeMap::new(),
            resources: BTreeSet::new(),
            log: Vec::new(),
            upgraded: Vec::new(),
            lacking: Vec::new(),
            broken: None,
        }
    }

    /// Answers until the negotiation waits for its peer or is over.
    pub(crate) fn run(&mut self, mut step: Step, out: &mut Out) -> Step {
        loop {
            step = match step {
                Step::Read(_) | Step::StartTls(_) | Step::Established(_) | Step::Closed(_) => {
                    return step;
                }
                question => self.answer(question, out),
            };
        }
    }

    fn answer(&mut self, step: Step, out: &mut Out) -> Step {
        match step {
            Step::Scram(lookup, waiting) => {
                self.log.push(format!("scram {} {}", lookup.account, lookup.hash));
                match self.broken.clone() {
                    Some(failure) => waiting.refuse(failure, out),
                    None => waiting.answer(self.credentials(&lookup.account, lookup.hash), out),
                }
            }
            Step::Password(lookup, waiting) => {
                self.log.push(format!("password {}", lookup.account));
                waiting.answer(self.check(&lookup), out)
            }
            Step::Token(lookup, waiting) => {
                self.log.push(format!("token {} {}", lookup.account, lookup.method.name()));
                waiting.answer(&self.candidates(&lookup), out)
            }
            Step::Upgrade(lookup, waiting) => {
                self.log.push(format!("upgrade {}", lookup.account));
                let salt = b"fedcba9876543210".to_vec();
                let lacking = self.lacking.iter();
                let lacking =
                    lacking.map(|&hash| Salt { hash, iterations: 4096, salt: salt.clone() });
                waiting.answer(lacking.collect(), out)
            }
            Step::Refused(refused, waiting) => {
                self.log.push(format!("refused {}", refused.failure.condition));
                waiting.answer(out)
            }
            Step::Preauth(token, waiting) => {
                self.log.push(format!("preauth {token}"));
                let answer = match self.invitations.get(&token) {
                    Some(username) => PreauthAnswer::Accepted { username: username.clone() },
                    None => PreauthAnswer::Rejected,
                };
                waiting.answer(answer, out)
            }
            Step::Register(request, waiting) => waiting.answer(self.register(&request), out),
            Step::Login(login, waiting) => {
                let answer = self.login(*login);
                waiting.answer(answer, out)
            }
            Step::Bind(request, waiting) => {
                let resource = request.resource.unwrap_or_else(|| "made-by-server".into());
                let jid = full(request.authenticated.account(), &resource);
                self.log.push(format!("bind {jid} by {}", request.authenticated.mechanism()));
                let free = self.resources.insert(jid.to_string());
                waiting.answer(
                    if free { Ok(jid) } else { Err(StanzaError::new(Condition::Conflict)) },
                    out,
                )
            }
            Step::Resume(request, waiting) => {
                let answer = self.resume(request.authenticated.account(), &request.resume);
                waiting.answer(answer, out)
            }
            _ => unreachable!("not a question"),
        }
    }

    fn credentials(&self, account: &BareJid, hash: Hash) -> Credentials {
        match self.accounts.get(account.as_str()) {
            Some((password, state)) => {
                let keys = ScramKeys::derive(hash, password, b"0123456789abcdef", 4096).unwrap();
                Credentials { keys, state: *state }
            }
            None => Credentials {
                keys: ScramKeys::fake(&[9; 32], account.as_str(), hash, 4096),
                state: AccountState::Active,
            },
        }
    }

    fn check(&self, lookup: &PasswordLookup) -> PasswordCheck {
        match self.accounts.get(lookup.account.as_str()) {
            Some((password, state)) if lookup.password == Secret::from(password.as_str()) => {
                PasswordCheck::Right(*state)
            }
            _ => PasswordCheck::Wrong,
        }
    }

    fn candidates(&self, lookup: &TokenLookup) -> Vec<Candidate> {
        let known = self.accounts.get(lookup.account.as_str()).map(|(_, state)| *state);
        let tokens = self.tokens.get(&lookup.client).into_iter().flatten();
        let fitting = tokens.filter(|(_, method, _)| *method == lookup.method);
        let candidates = fitting.filter_map(|(token, _, valid)| {
            let token = Secret::from(token.as_str());
            Some(Candidate { token, valid: *valid, state: known? })
        });
        candidates.collect()
    }

    fn register(&mut self, request: &RegisterRequest) -> Result<(), StanzaError> {
        self.log.push(format!("register {} {:?}", request.account, request.token));
        let password = request.password.expose_str().unwrap().to_owned();
        match self.accounts.entry(request.account.to_string()) {
            Entry::Occupied(_) => Err(StanzaError::new(Condition::Conflict)),
            Entry::Vacant(vacant) => {
                vacant.insert((password, AccountState::Active));
                Ok(())
            }
        }
    }

    fn login(&mut self, login: Login) -> LoginAnswer {
        let account = login.authenticated.account();
        self.log.push(format!("login {account} by {}", login.authenticated.mechanism()));
        if let Some(fast) = login.fast {
            self.log.push(format!("used token {} of {:?}", fast.candidate, fast.count));
        }
        self.upgraded.extend(login.upgraded);
        let client = login.user_agent.as_ref().and_then(|agent| agent.id.clone());
        if let (Some(true), Some(client)) = (login.fast.map(|fast| fast.invalidate), &client) {
            self.tokens.remove(client);
        }
        let token = login.request_token.zip(client).map(|(method, client)| {
            let token = format!("token-{}", method.name());
            self.tokens.entry(client).or_default().insert(0, (token.clone(), method, true));
            IssuedToken { token: Secret::from(token), expiry: Millis(1_900_000_000_000) }
        });
        let resumed = login.resume.as_ref().map(|resume| self.resume(account, resume));
        let session = match (resumed, login.bind) {
            (Some(Ok(resumed)), _) => LoginSession::Resumed(resumed),
            (failed, None) => LoginSession::Unbound { resume_failed: failed.and_then(Result::err) },
            (failed, Some(bind)) => {
                let resource = bind2::resource(bind.tag.as_deref(), "stable").unwrap();
                let mut inline = vec![Element::new("metadata", ns::MAM)];
                inline.extend(bind.enable.map(|_| {
                    sm::Enabled { id: Some("sm-1".into()), ..sm::Enabled::default() }.element()
                }));
                LoginSession::Bound(Bound {
                    jid: full(account, resource.as_str()),
                    resume_failed: failed.and_then(Result::err),
                    inline,
                })
            }
        };
        LoginAnswer { session, token }
    }

    fn resume(&mut self, account: &BareJid, resume: &sm::Resume) -> Result<Resumed, ResumeFailed> {
        self.log.push(format!("resume {} {}", resume.previd, resume.h));
        match self.sessions.get(&resume.previd) {
            Some((jid, handled)) if jid.to_bare() == *account => {
                Ok(Resumed { jid: jid.clone(), handled: *handled })
            }
            _ => Err(ResumeFailed { condition: Condition::ItemNotFound, handled: None }),
        }
    }
}

pub(crate) fn full(account: &BareJid, resource: &str) -> FullJid {
    account.with_resource_str(resource).unwrap()
}
