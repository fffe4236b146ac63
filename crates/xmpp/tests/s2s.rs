//! Two servers negotiate a stream with each other, without a network.

use std::sync::Arc;

use xmpp::error::{Condition, StreamCondition};
use xmpp::sasl::Secret;
use xmpp::stream::Out;
use xmpp::stream::s2s::Proof;
use xmpp::stream::s2s::dialback::{Verdict, key};
use xmpp::stream::s2s::initiating::{self, Error, Purpose};
use xmpp::stream::s2s::receiving::{self, Pair, Terms};
use xmpp::stream::server::StreamLimits;
use xmpp::xml::{Framing, Limits, Reader};

const LOCAL: &str = "capulet.example";
const REMOTE: &str = "montague.example";
const BY_CERTIFICATE: Terms = Terms { certificate: true, dialback: false };
const BY_DIALBACK: Terms = Terms { certificate: false, dialback: true };

/// What the receiving side's driver decides.
struct Policy {
    terms: Terms,
    verdict: Verdict,
    encrypted: bool,
}

#[derive(Debug)]
enum Outcome {
    Ready(initiating::Established, receiving::Established),
    Verified(Verdict),
    Failed(Error, Option<StreamCondition>),
}

fn receiving_settings() -> receiving::Settings {
    receiving::Settings {
        domains: vec![REMOTE.into(), "rooms.montague.example".into()],
        lang: "en".into(),
        stream_management: true,
        bidi: true,
        limits_before: StreamLimits::default(),
        limits_after: StreamLimits { max_bytes: Some(524_288), idle_seconds: None },
        reader_limits: Limits::SERVER,
    }
}

fn initiating_settings(dialback: bool) -> initiating::Settings {
    initiating::Settings {
        local: LOCAL.into(),
        remote: REMOTE.into(),
        bidi: true,
        dialback: dialback.then(|| Secret::from(b"secret".to_vec())),
        purpose: Purpose::Stanzas,
        reader_limits: Limits::SERVER,
    }
}

/// The receiving side, with its reader.
struct Other {
    step: receiving::Step,
    reader: Reader,
    policy: Policy,
    wrote: Vec<u8>,
}

impl Other {
    fn new(policy: Policy) -> Self {
        let settings = Arc::new(receiving_settings());
        let negotiation = receiving::Negotiation::new(settings, policy.encrypted, [7; 32]);
        Self {
            step: receiving::Step::Read(negotiation),
            reader: Reader::new(Limits::BEFORE_AUTH, Framing::Tcp),
            policy,
            wrote: Vec::new(),
        }
    }

    fn hear(mut self, bytes: &[u8]) -> Self {
        self.reader.push(bytes);
        let mut out = Out::new();
        loop {
            self.step = match self.step {
                receiving::Step::Read(negotiation) => match self.reader.next().unwrap() {
                    Some(event) => negotiation.handle(event, &mut out),
                    None => {
                        self.step = receiving::Step::Read(negotiation);
                        return self;
                    }
                },
                receiving::Step::StartTls(waiting) => waiting.answer(&mut out),
                receiving::Step::Identify(_, waiting) => {
                    waiting.answer(self.policy.terms, &mut out)
                }
                receiving::Step::Check(claim, id, waiting) => {
                    let right = key(b"secret", &claim.to, &claim.from, &id) == claim.key;
                    let verdict =
                        if right { self.policy.verdict.clone() } else { Verdict::Invalid };
                    waiting.answer(&verdict, &mut out)
                }
                receiving::Step::Vouch(claim, waiting) => {
                    let id = claim.id.clone().unwrap();
                    let ours = key(b"secret", &claim.from, &claim.to, &id) == claim.key;
                    waiting.answer(ours, &mut out)
                }
                done => {
                    self.step = done;
                    return self;
                }
            };
            self.wrote.extend_from_slice(out.bytes());
            out.apply(&mut self.reader);
        }
    }
}

/// Lets both sides talk until one of them is done.
fn talk(settings: initiating::Settings, trusted: bool, policy: Policy) -> Outcome {
    let mut out = Out::new();
    let mut reader = Reader::new(initiating::Negotiation::LIMITS, Framing::Tcp);
    let encrypted = policy.encrypted;
    let started = initiating::Negotiation::start(settings, encrypted, trusted, &mut out);
    let mut step = initiating::Step::Read(started);
    let mut other = Other::new(policy);
    loop {
        other = other.hear(out.bytes());
        out.apply(&mut reader);
        let wrote = std::mem::take(&mut other.wrote);
        reader.push(&wrote);
        step = match step {
            initiating::Step::Read(mut negotiation) => loop {
                let Some(event) = reader.next().unwrap() else {
                    break initiating::Step::Read(negotiation);
                };
                match negotiation.handle(event, &mut out) {
                    initiating::Step::Read(next) => negotiation = next,
                    other => break other,
                }
            },
            initiating::Step::StartTls(pending) => pending.answer(trusted, &mut out),
            initiating::Step::Established(ours) => match other.step {
                receiving::Step::Established(theirs) => return Outcome::Ready(ours, theirs),
                step => panic!("only one side is ready: {step:?}"),
            },
            initiating::Step::Verified(verdict) => return Outcome::Verified(verdict),
            initiating::Step::Failed(error) => {
                let told = match other.step {
                    receiving::Step::Closed(error) => error.map(|error| error.condition),
                    _ => None,
                };
                return Outcome::Failed(error, told);
            }
        };
    }
}

fn policy(terms: Terms) -> Policy {
    Policy { terms, verdict: Verdict::Valid, encrypted: false }
}

fn pair() -> Pair {
    Pair { local: REMOTE.into(), remote: LOCAL.into() }
}

#[test]
fn certificates_lead_to_a_stream_with_management_in_both_directions() {
    for encrypted in [false, true] {
        let policy = Policy { encrypted, ..policy(BY_CERTIFICATE) };
        let outcome = talk(initiating_settings(false), true, policy);
        let Outcome::Ready(ours, theirs) = outcome else { panic!("{outcome:?}") };
        assert_eq!((ours.proof, ours.bidi, ours.sm), (Proof::Certificate, true, true));
        assert_eq!(ours.max_bytes, Some(524_288));
        assert_eq!((theirs.pair, theirs.proof, theirs.bidi), (pair(), Proof::Certificate, true));
    }
}

#[test]
fn dialback_takes_the_place_of_a_certificate_where_both_allow_it() {
    let outcome = talk(initiating_settings(true), false, policy(BY_DIALBACK));
    let Outcome::Ready(ours, theirs) = outcome else { panic!("{outcome:?}") };
    assert_eq!((ours.proof, ours.bidi, ours.sm), (Proof::Dialback, true, false));
    assert_eq!((theirs.pair, theirs.proof, theirs.bidi), (pair(), Proof::Dialback, true));
}

#[test]
fn a_certificate_that_does_not_convince_the_other_side_is_told_in_words() {
    let nothing = Terms { certificate: false, dialback: false };
    let outcome = talk(initiating_settings(false), true, policy(nothing));
    let Outcome::Failed(Error::Stream(error), told) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.condition, StreamCondition::NotAuthorized);
    assert!(error.text.unwrap().contains(LOCAL));
    assert_eq!(told, Some(StreamCondition::NotAuthorized));
}

#[test]
fn without_a_proof_both_accept_there_is_no_stream() {
    let outcome = talk(initiating_settings(false), false, policy(BY_CERTIFICATE));
    assert!(matches!(outcome, Outcome::Failed(Error::NoProof, _)), "{outcome:?}");
    let outcome = talk(initiating_settings(false), true, policy(BY_DIALBACK));
    assert!(matches!(outcome, Outcome::Failed(Error::NoProof, _)), "{outcome:?}");
}

#[test]
fn a_key_that_is_not_confirmed_opens_nothing() {
    for verdict in [Verdict::Invalid, Verdict::Error(Condition::RemoteServerTimeout)] {
        let policy = Policy { verdict, ..policy(BY_DIALBACK) };
        let outcome = talk(initiating_settings(true), false, policy);
        assert!(matches!(outcome, Outcome::Failed(Error::Dialback, _)), "{outcome:?}");
    }
}

#[test]
fn a_server_vouches_for_its_own_keys_alone() {
    // Somebody showed montague.example's key on the stream "D600" of capulet.example.
    for (key, verdict) in [
        (key(b"secret", LOCAL, REMOTE, "D600"), Verdict::Valid),
        (key(b"forged", LOCAL, REMOTE, "D600"), Verdict::Invalid),
        (key(b"secret", LOCAL, REMOTE, "D601"), Verdict::Invalid),
    ] {
        let settings = initiating::Settings {
            purpose: Purpose::Verify { id: "D600".into(), key },
            ..initiating_settings(true)
        };
        let outcome = talk(settings, false, policy(BY_DIALBACK));
        assert!(matches!(&outcome, Outcome::Verified(found) if *found == verdict), "{outcome:?}");
    }
}

/// What the receiving side says to a peer that opens an encrypted stream and sends `xml`.
fn told(header: &str, xml: &str, terms: Terms) -> (String, receiving::Step) {
    let policy = Policy { encrypted: true, ..policy(terms) };
    let opening = format!(
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' \
         xmlns:db='jabber:server:dialback' version='1.0' {header}>"
    );
    let mut other = Other::new(policy).hear(opening.as_bytes());
    if matches!(other.step, receiving::Step::Read(_)) {
        other = other.hear(xml.as_bytes());
    }
    (String::from_utf8(other.wrote).unwrap(), other.step)
}

const HEADER: &str = "from='capulet.example' to='montague.example'";

fn condition(header: &str, xml: &str) -> StreamCondition {
    match told(header, xml, BY_CERTIFICATE).1 {
        receiving::Step::Closed(Some(error)) => error.condition,
        step => panic!("{step:?}"),
    }
}

#[test]
fn every_bad_header_has_its_error() {
    for (header, expected) in [
        ("from='capulet.example'", StreamCondition::ImproperAddressing),
        ("to='montague.example'", StreamCondition::ImproperAddressing),
        ("from='a@b' to='montague.example'", StreamCondition::ImproperAddressing),
        ("from='capulet.example' to='verona.example'", StreamCondition::HostUnknown),
        ("from='rooms.montague.example' to='montague.example'", StreamCondition::InvalidFrom),
    ] {
        assert_eq!(condition(header, ""), expected, "{header}");
    }
}

#[test]
fn nothing_but_a_proof_is_taken_before_there_is_one() {
    for (xml, expected) in [
        ("<message to='a@montague.example'/>", StreamCondition::NotAuthorized),
        ("<r xmlns='urn:xmpp:sm:3'/>", StreamCondition::UnsupportedStanzaType),
        (
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            StreamCondition::UnsupportedStanzaType,
        ),
        // Answers nobody asked for.
        (
            "<db:result from='capulet.example' to='montague.example' type='valid'/>",
            StreamCondition::ImproperAddressing,
        ),
        (
            "<db:verify from='capulet.example' to='montague.example' id='1' type='valid'/>",
            StreamCondition::ImproperAddressing,
        ),
        (
            "<db:result from='other.example' to='montague.example'>k</db:result>",
            StreamCondition::InvalidFrom,
        ),
        (
            "<db:result from='capulet.example' to='other.example'>k</db:result>",
            StreamCondition::HostUnknown,
        ),
    ] {
        assert_eq!(condition(HEADER, xml), expected, "{xml}");
    }
}

#[test]
fn an_identity_that_is_not_the_streams_is_refused_and_three_times_are_enough() {
    let auth = |authzid: &str| {
        format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{authzid}</auth>"
        )
    };
    let (wrote, step) = told(HEADER, &auth("b3RoZXIuZXhhbXBsZQ=="), BY_CERTIFICATE);
    assert!(wrote.contains("<invalid-authzid/>") && matches!(step, receiving::Step::Read(_)));
    for good in ["", "=", "Y2FwdWxldC5leGFtcGxl"] {
        let (wrote, _) = told(HEADER, &auth(good), BY_CERTIFICATE);
        assert!(wrote.contains("<success "), "{wrote}");
    }
    let (wrote, _) = told(HEADER, &auth("="), BY_DIALBACK);
    assert!(wrote.contains("<invalid-mechanism/>"), "{wrote}");
    assert_eq!(condition(HEADER, &auth("!").repeat(3)), StreamCondition::PolicyViolation);
}

#[test]
fn a_key_beside_a_certificate_that_convinces_needs_no_question() {
    let xml = "<db:result from='capulet.example' to='montague.example'>k</db:result>";
    let (wrote, step) = told(HEADER, xml, BY_CERTIFICATE);
    assert!(wrote.contains("<db:result ") || wrote.contains("<result "), "{wrote}");
    assert!(wrote.contains("type='valid'") || wrote.contains("type=\"valid\""), "{wrote}");
    let receiving::Step::Established(established) = step else { panic!("{step:?}") };
    assert_eq!((established.pair, established.proof), (pair(), Proof::Certificate));
    let (wrote, step) = told(HEADER, xml, BY_DIALBACK);
    assert!(
        wrote.contains("invalid"),
        "without one the domain is asked, and did not make it: {wrote}"
    );
    assert!(matches!(step, receiving::Step::Closed(_)), "{step:?}");
}

#[test]
fn a_client_is_told_that_it_is_at_the_wrong_door() {
    let header = "<stream:stream xmlns='jabber:client' version='1.0' \
                  xmlns:stream='http://etherx.jabber.org/streams' to='montague.example'>";
    let other = Other::new(policy(BY_CERTIFICATE)).hear(header.as_bytes());
    let receiving::Step::Closed(Some(error)) = other.step else { panic!() };
    assert_eq!(error.condition, StreamCondition::InvalidNamespace);
}

/// What the connecting side makes of these words of an encrypted, trusted server.
fn heard(words: &[&str]) -> Error {
    let mut out = Out::new();
    let mut reader = Reader::new(initiating::Negotiation::LIMITS, Framing::Tcp);
    let settings = initiating_settings(true);
    let mut negotiation = initiating::Negotiation::start(settings, true, true, &mut out);
    for word in words {
        reader.push(word.as_bytes());
        while let Some(event) = reader.next().unwrap() {
            match negotiation.handle(event, &mut out) {
                initiating::Step::Read(next) => negotiation = next,
                initiating::Step::Failed(error) => return error,
                step => panic!("{step:?}"),
            }
            out.apply(&mut reader);
        }
    }
    panic!("nothing was wrong")
}

#[test]
fn answers_to_another_pair_of_domains_are_no_answers() {
    let header = "<stream:stream xmlns='jabber:server' version='1.0' id='1' \
                  xmlns:db='jabber:server:dialback' from='montague.example' \
                  xmlns:stream='http://etherx.jabber.org/streams'>";
    let features = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/>\
                    </stream:features>";
    let valid = "<db:result type='valid' from='other.example' to='capulet.example'/>";
    assert!(matches!(heard(&[header, features, valid]), Error::Protocol(_)));
    let foreign = header.replace("from='montague.example'", "from='other.example'");
    assert!(matches!(heard(&[&foreign]), Error::Protocol("a stream of another domain")));
    let error = "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
                 </stream:error>";
    assert!(matches!(heard(&[header, error]), Error::Stream(_)));
    assert!(matches!(heard(&[header, "</stream:stream>"]), Error::Closed));
    let stanza = "<message from='a@montague.example' to='b@capulet.example'/>";
    assert!(matches!(heard(&[header, features, stanza]), Error::Protocol(_)));
}
