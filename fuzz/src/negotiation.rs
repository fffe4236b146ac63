//! Both sides of a stream's negotiation, driven by whatever the fuzzer sends.

use std::sync::{Arc, OnceLock};

use xmpp::error::{Condition, StanzaError};
use xmpp::ext::sasl_upgrade::Salt;
use xmpp::ext::sasl2::UserAgent;
use xmpp::jid::{BareJid, FullJid};
use xmpp::sasl::scram_client::{ClientKeys, Credential};
use xmpp::sasl::{Hash, Mechanism, ScramKeys, Secret, TlsInfo, ht};
use xmpp::sm;
use xmpp::stream::server::{
    AccountState, Bound, Candidate, Credentials, IssuedToken, LoginAnswer, LoginSession,
    PasswordCheck, PreauthAnswer, Registration, ResumeFailed, Resumed, Settings, Step,
};
use xmpp::stream::{Out, client, server};
use xmpp::time::Millis;
use xmpp::xml::{Framing, Limits, Reader};

/// The one account, its password, and its one token.
const ACCOUNT: &str = "a@b";
const PASSWORD: &str = "p";
const TOKEN: &str = "t";
const SALT: &[u8] = b"salt";
const ITERATIONS: u32 = 4096;

/// Speaks to a server in flights that are separated by NUL, which XML cannot contain.
pub fn server(options: u8, input: &[u8]) {
    let framing = framing(options);
    let mut reader = Reader::new(Limits::BEFORE_AUTH, framing);
    let settings = Arc::new(settings(options));
    let start = (options & 2 != 0).then(|| tls(options));
    let mut step = Step::Read(server::Negotiation::new(settings, framing, start, [1; 32]));
    let mut other = Peer::new(framing);
    for flight in input.split(|byte| *byte == 0) {
        reader.push(flight);
        loop {
            let mut out = Out::new();
            step = match step {
                Step::Read(negotiation) => match reader.next() {
                    Ok(Some(event)) => negotiation.handle(event, &mut out),
                    Ok(None) => {
                        step = Step::Read(negotiation);
                        break;
                    }
                    Err(error) => {
                        negotiation.fail(error.stream_condition().into(), &mut out);
                        Step::Closed(None)
                    }
                },
                question => answer(question, options, &mut out),
            };
            while !matches!(step, Step::Read(_) | Step::Established(_) | Step::Closed(_)) {
                other.hears(&out);
                out.apply(&mut reader);
                step = answer(step, options, &mut out);
            }
            other.hears(&out);
            out.apply(&mut reader);
            match step {
                Step::Read(_) => {}
                Step::Established(established) => {
                    assert_eq!(established.jid.to_bare().as_str(), ACCOUNT);
                    return;
                }
                _ => return,
            }
        }
    }
}

/// Answers a client in flights that are separated by NUL.
pub fn client(options: u8, input: &[u8]) {
    let framing = framing(options);
    let mut reader = Reader::new(Limits::SERVER, framing);
    let start = (options & 2 != 0).then(|| tls(options));
    let mut out = Out::new();
    let started = client::Negotiation::start(wishes(options), start, [2; 32], &mut out);
    let mut step = client::Step::Read(started);
    let mut other = Peer::new(framing);
    for flight in input.split(|byte| *byte == 0) {
        reader.push(flight);
        loop {
            other.hears(&out);
            out.apply(&mut reader);
            step = match step {
                client::Step::Read(negotiation) => match reader.next() {
                    Ok(Some(event)) => negotiation.handle(event, &mut out),
                    Ok(None) => {
                        step = client::Step::Read(negotiation);
                        break;
                    }
                    Err(_) => return,
                },
                client::Step::StartTls(pending) => pending.answer(tls(options), &mut out),
                client::Step::Established(_) | client::Step::Failed(_) => return,
            };
        }
    }
}

/// Whoever reads what a machine writes: all of it must be readable.
struct Peer {
    framing: Framing,
    reader: Reader,
}

impl Peer {
    fn new(framing: Framing) -> Self {
        Self { framing, reader: Reader::new(Limits::TRUSTED, framing) }
    }

    fn hears(&mut self, out: &Out) {
        for frame in out.frames() {
            if frame.starts_with(b"<?xml") {
                self.reader = Reader::new(Limits::TRUSTED, self.framing);
            }
            self.reader.push(frame);
            while self.reader.next().expect("what we write is readable").is_some() {}
            if self.framing == Framing::WebSocket {
                self.reader.end_message().expect("whole elements");
            }
        }
    }
}

fn framing(options: u8) -> Framing {
    if options & 1 == 0 { Framing::Tcp } else { Framing::WebSocket }
}

fn tls(options: u8) -> TlsInfo {
    if options & 4 == 0 {
        TlsInfo { version: Some(0x0304), exporter: Some([5; 32]), end_point: Some(vec![6; 32]) }
    } else {
        TlsInfo::default()
    }
}

fn settings(options: u8) -> Settings {
    let mut settings = Settings::new("b");
    settings.plain = true;
    settings.tls_required = options & 8 == 0;
    settings.registration = match options >> 4 & 3 {
        0 => Registration::Closed,
        1 => Registration::Invite,
        _ => Registration::Open,
    };
    settings.stream_management = options & 64 == 0;
    // XEP-0480, for servers of which an account lacks keys.
    if options & 128 == 0 {
        settings.upgrades = vec![Hash::Sha256, Hash::Sha512];
    }
    settings
}

fn answer(step: Step, options: u8, out: &mut Out) -> Step {
    match step {
        Step::StartTls(waiting) => waiting.answer(tls(options), out),
        Step::Scram(lookup, waiting) => {
            let keys = match lookup.account.as_str() {
                ACCOUNT => keys(lookup.hash),
                other => ScramKeys::fake(b"secret", other, lookup.hash, ITERATIONS),
            };
            waiting.answer(Credentials { keys, state: AccountState::Active }, out)
        }
        Step::Password(lookup, waiting) => {
            let right =
                lookup.account.as_str() == ACCOUNT && lookup.password == Secret::from(PASSWORD);
            let state = AccountState::Active;
            let check = if right { PasswordCheck::Right(state) } else { PasswordCheck::Wrong };
            waiting.answer(check, out)
        }
        Step::Token(lookup, waiting) => {
            let token = Secret::from(TOKEN);
            let candidate = Candidate { token, valid: true, state: AccountState::Active };
            let known = lookup.account.as_str() == ACCOUNT;
            waiting.answer(if known { std::slice::from_ref(&candidate) } else { &[] }, out)
        }
        Step::Upgrade(lookup, waiting) => {
            assert_eq!(lookup.account.as_str(), ACCOUNT);
            let salt = |&hash| Salt { hash, iterations: ITERATIONS, salt: SALT.to_vec() };
            waiting.answer(lookup.hashes.iter().map(salt).collect(), out)
        }
        Step::Refused(_, waiting) => waiting.answer(out),
        Step::Preauth(token, waiting) if token == TOKEN => {
            waiting.answer(PreauthAnswer::Accepted { username: None }, out)
        }
        Step::Preauth(_, waiting) => waiting.answer(PreauthAnswer::Rejected, out),
        Step::Register(request, waiting) => {
            assert_eq!(request.account.domain().as_str(), "b");
            let taken = request.account.as_str() == ACCOUNT;
            let conflict = StanzaError::new(Condition::Conflict);
            waiting.answer(if taken { Err(conflict) } else { Ok(()) }, out)
        }
        Step::Login(login, waiting) => {
            assert_eq!(login.authenticated.account().as_str(), ACCOUNT);
            let token = login
                .request_token
                .map(|_| IssuedToken { token: Secret::from(TOKEN), expiry: Millis(0) });
            let failed = login.resume.as_ref().map(resume).and_then(Result::err);
            let session = match (login.resume.as_ref().map(resume), login.bind) {
                (Some(Ok(resumed)), _) => LoginSession::Resumed(resumed),
                (_, Some(bind)) => {
                    let tag = bind.tag.as_deref();
                    let resource = xmpp::ext::bind2::resource(tag, "r");
                    let resource = resource.map_or("r".into(), |resource| resource.to_string());
                    let jid = FullJid::new(&format!("{ACCOUNT}/{resource}")).expect("an address");
                    LoginSession::Bound(Bound { jid, resume_failed: failed, inline: bind.other })
                }
                _ => LoginSession::Unbound { resume_failed: failed },
            };
            waiting.answer(LoginAnswer { session, token }, out)
        }
        Step::Bind(request, waiting) => {
            let resource = request.resource.as_deref().unwrap_or("r");
            let account = request.authenticated.account();
            assert_eq!(account.as_str(), ACCOUNT);
            let jid = account.with_resource_str(resource).expect("prepared already");
            waiting.answer(Ok(jid), out)
        }
        Step::Resume(request, waiting) => waiting.answer(resume(&request.resume), out),
        done => done,
    }
}

fn resume(resume: &sm::Resume) -> Result<Resumed, ResumeFailed> {
    if resume.previd == "s" {
        let jid = FullJid::new("a@b/r").expect("an address");
        Ok(Resumed { jid, handled: resume.h })
    } else {
        Err(ResumeFailed { condition: Condition::ItemNotFound, handled: None })
    }
}

/// Keys are made once: PBKDF2 is slow.
fn keys(hash: Hash) -> ScramKeys {
    static KEYS: OnceLock<[ScramKeys; 3]> = OnceLock::new();
    let derive = |hash| ScramKeys::derive(hash, PASSWORD, SALT, ITERATIONS).expect("a password");
    let keys = KEYS.get_or_init(|| Hash::ALL.map(derive));
    keys.iter().find(|keys| keys.hash == hash).expect("every hash").clone()
}

/// A client that asks for everything, with keys so that no PBKDF2 is computed.
fn wishes(options: u8) -> client::Settings {
    static KEYS: OnceLock<ClientKeys> = OnceLock::new();
    let derive = || ClientKeys::derive(Hash::Sha256, PASSWORD, SALT, ITERATIONS).expect("keys");
    let account = BareJid::new(ACCOUNT).expect("an address");
    let mut wishes = client::Settings::new(account, PASSWORD);
    wishes.credential = Some(Credential::Keys(KEYS.get_or_init(derive).clone()));
    wishes.mechanisms = vec![Mechanism::ScramPlus(Hash::Sha256), Mechanism::Scram(Hash::Sha256)];
    if options & 128 != 0 {
        wishes.credential = Some(Credential::Password(Secret::from(PASSWORD)));
        wishes.mechanisms = vec![Mechanism::Plain];
    }
    wishes.framing = framing(options);
    wishes.encryption = match options >> 3 & 1 {
        0 => client::Encryption::Required,
        _ => client::Encryption::IfOffered,
    };
    wishes.preference = match options >> 4 & 3 {
        0 | 1 => client::Preference::Any,
        2 => client::Preference::Sasl,
        _ => client::Preference::Sasl2,
    };
    wishes.bind.enable = Some(sm::Enable { resume: true, max: None });
    wishes.bind.carbons = true;
    wishes.request_token = Some(ht::Method::SHA_256_NONE);
    wishes.user_agent = Some(UserAgent {
        id: Some("d4565fa7-4d72-4749-b3d3-740edbf87770".into()),
        ..UserAgent::default()
    });
    if options & 64 != 0 {
        wishes.resume = Some(sm::Resume { previd: "s".into(), h: 1 });
        wishes.token = Some(client::Token {
            secret: Secret::from(TOKEN),
            method: ht::Method::SHA_256_NONE,
            invalidate: false,
        });
    }
    if options & 80 == 80 {
        let token = Some(TOKEN.into());
        wishes.register = Some(client::Registration { password: Secret::from(PASSWORD), token });
    }
    wishes
}
