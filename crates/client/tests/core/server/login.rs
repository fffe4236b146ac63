//! Logging in, registering, resuming.

use std::collections::btree_map::Entry;

use bytes::Bytes;
use xmpp::error::{Condition, StanzaError};
use xmpp::ext::bind2;
use xmpp::jid::{BareJid, FullJid};
use xmpp::sasl::{ScramKeys, Secret};
use xmpp::sm::{self, Sm};
use xmpp::stream::Out;
use xmpp::stream::server::{
    AccountState, Bound, Candidate, Credentials, IssuedToken, Login, LoginAnswer, LoginSession,
    Negotiation, PasswordCheck, PreauthAnswer, ResumeFailed, Resumed, Session as Made, Step,
};
use xmpp::xml::{Event, Framing};

use super::{Account, Server, Session};

impl Server {
    pub(super) fn negotiate(&mut self, number: usize, negotiation: Negotiation, event: Event) {
        let mut out = Out::new();
        let mut step = negotiation.handle(event, &mut out);
        loop {
            step = match step {
                Step::Read(_) | Step::Established(_) | Step::Closed(_) | Step::StartTls(_) => break,
                question => self.answer(number, question, &mut out),
            };
        }
        let Some(connection) = self.connections.get_mut(&number) else { return };
        match connection.framing {
            Framing::Tcp if out.is_empty() => {}
            Framing::Tcp => {
                connection.to_client.push_back(Bytes::copy_from_slice(out.bytes()));
            }
            Framing::WebSocket => {
                connection.to_client.extend(out.frames().map(Bytes::copy_from_slice));
            }
        }
        out.apply(&mut connection.reader);
        match step {
            Step::Read(negotiation) => connection.negotiation = Some(negotiation),
            Step::Established(established) => {
                connection.session = Some(established.jid.clone());
                let resumed = matches!(established.session, Made::Resumed { .. });
                self.established(number, established.jid, resumed);
            }
            _ => {}
        }
    }

    fn established(&mut self, number: usize, jid: FullJid, resumed: bool) {
        let id = format!("sm-{jid}");
        let session = self.sessions.entry(jid).or_insert_with(|| Session {
            sm: Sm::new(sm::Limits { stanzas: 100_000, bytes: 1 << 30, ..sm::Limits::SESSION }),
            id,
            connection: None,
        });
        session.connection = Some(number);
        if resumed {
            let again: Vec<Bytes> = session.sm.unacked().map(|one| one.bytes.clone()).collect();
            for bytes in again {
                self.push_raw(number, bytes);
            }
        }
    }

    fn answer(&mut self, number: usize, step: Step, out: &mut Out) -> Step {
        match step {
            Step::Scram(lookup, waiting) => {
                let keys = match self.accounts.get(&lookup.account) {
                    Some(account) => {
                        let password = &account.password;
                        ScramKeys::derive(lookup.hash, password, b"0123456789abcdef", 4096).unwrap()
                    }
                    None => ScramKeys::fake(&[9; 32], lookup.account.as_str(), lookup.hash, 4096),
                };
                waiting.answer(Credentials { keys, state: AccountState::Active }, out)
            }
            Step::Password(_, waiting) => waiting.answer(PasswordCheck::Wrong, out),
            Step::Token(lookup, waiting) => {
                let known = self.tokens.get(&(lookup.account, lookup.client));
                let fitting =
                    known.into_iter().flatten().filter(|(_, method)| *method == lookup.method);
                let candidates: Vec<_> = fitting
                    .map(|(token, _)| Candidate {
                        token: Secret::from(token.as_str()),
                        valid: true,
                        state: AccountState::Active,
                    })
                    .collect();
                waiting.answer(&candidates, out)
            }
            Step::Refused(_, waiting) => waiting.answer(out),
            Step::Preauth(token, waiting) => {
                let accepted = token == "invitation";
                waiting.answer(
                    if accepted {
                        PreauthAnswer::Accepted { username: None }
                    } else {
                        PreauthAnswer::Rejected
                    },
                    out,
                )
            }
            Step::Register(request, waiting) => {
                let password = request.password.expose_str().unwrap().to_owned();
                let account = Account { password, ..Account::default() };
                let answer = match self.accounts.entry(request.account) {
                    Entry::Vacant(free) => {
                        free.insert(account);
                        Ok(())
                    }
                    Entry::Occupied(_) => Err(StanzaError::new(Condition::Conflict)),
                };
                waiting.answer(answer, out)
            }
            Step::Login(login, waiting) => {
                let answer = self.login(number, *login);
                waiting.answer(answer, out)
            }
            Step::Bind(request, waiting) => {
                let resource = request.resource.unwrap_or_else(|| "made-by-server".into());
                let account = request.authenticated.account();
                let jid = account.with_resource_str(&resource).unwrap();
                self.sessions.remove(&jid);
                waiting.answer(Ok(jid), out)
            }
            Step::Resume(request, waiting) => {
                let answer = self.resume(request.authenticated.account(), &request.resume);
                waiting.answer(answer, out)
            }
            _ => unreachable!("not a question"),
        }
    }

    fn login(&mut self, _: usize, login: Login) -> LoginAnswer {
        let account = login.authenticated.account().clone();
        let client = login.user_agent.as_ref().and_then(|agent| agent.id.clone()).unwrap();
        let key = (account.clone(), client.clone());
        if login.fast.is_some_and(|fast| fast.invalidate) {
            self.tokens.remove(&key);
        }
        let token = login.request_token.map(|method| {
            self.count += 1;
            let token = format!("token-{}", self.count);
            self.tokens.entry(key).or_default().push((token.clone(), method));
            IssuedToken { token: Secret::from(token), expiry: self.now.plus(86_400_000) }
        });
        let resumed = login.resume.as_ref().map(|resume| self.resume(&account, resume));
        let session = match (resumed, login.bind) {
            (Some(Ok(resumed)), _) => LoginSession::Resumed(resumed),
            (failed, None) => LoginSession::Unbound { resume_failed: failed.and_then(Result::err) },
            (failed, Some(bind)) => {
                let name = client.get(..8).unwrap();
                let resource = bind2::resource(bind.tag.as_deref(), name).unwrap();
                let jid = account.with_resource(&resource);
                self.sessions.remove(&jid);
                let enabled = bind.enable.map(|_| {
                    sm::Enabled { id: Some(format!("sm-{jid}")), ..sm::Enabled::default() }
                        .element()
                });
                LoginSession::Bound(Bound {
                    jid,
                    resume_failed: failed.and_then(Result::err),
                    inline: enabled.into_iter().collect(),
                })
            }
        };
        LoginAnswer { session, token }
    }

    fn resume(&mut self, account: &BareJid, resume: &sm::Resume) -> Result<Resumed, ResumeFailed> {
        let found = self.sessions.iter_mut().find(|(jid, session)| {
            !self.forgetful && jid.to_bare() == *account && session.id == resume.previd
        });
        let Some((jid, session)) = found else {
            return Err(ResumeFailed { condition: Condition::ItemNotFound, handled: None });
        };
        session.sm.rewind();
        drop(session.sm.acknowledge(resume.h).expect("a right count"));
        Ok(Resumed { jid: jid.clone(), handled: session.sm.ack_value() })
    }
}
