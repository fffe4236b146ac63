//! Both sides of a negotiation between servers, driven by whatever the fuzzer sends.

use std::sync::Arc;

use xmpp::error::StreamCondition;
use xmpp::sasl::Secret;
use xmpp::stream::Out;
use xmpp::stream::s2s::Proof;
use xmpp::stream::s2s::dialback::{Verdict, key};
use xmpp::stream::s2s::initiating::{self, Purpose};
use xmpp::stream::s2s::receiving::{self, Step, Terms};
use xmpp::stream::server::StreamLimits;
use xmpp::xml::{Framing, Limits, Reader};

/// Connects to us in flights that are separated by NUL, which XML cannot contain.
pub fn receiving(options: u8, input: &[u8]) {
    let settings = Arc::new(receiving::Settings {
        domains: vec!["b".into()],
        lang: "en".into(),
        stream_management: options & 1 != 0,
        bidi: options & 2 != 0,
        limits_before: StreamLimits::default(),
        limits_after: StreamLimits { max_bytes: Some(1), idle_seconds: None },
        reader_limits: Limits::SERVER,
    });
    let terms = Terms { certificate: options & 4 != 0, dialback: options & 8 != 0 };
    let encrypted = options & 16 != 0;
    let mut reader = Reader::new(Limits::BEFORE_AUTH, Framing::Tcp);
    let mut step = Step::Read(receiving::Negotiation::new(settings, encrypted, [1; 32]));
    let mut checked = false;
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
                Step::StartTls(waiting) => waiting.answer(&mut out),
                Step::Identify(pair, waiting) => {
                    assert!(pair.local == "b" && pair.remote != "b");
                    waiting.answer(terms, &mut out)
                }
                Step::Check(claim, id, waiting) => {
                    assert!(terms.dialback && claim.to == "b");
                    checked = key(b"secret", "b", &claim.from, &id) == claim.key;
                    let verdict = if checked { Verdict::Valid } else { Verdict::Invalid };
                    waiting.answer(&verdict, &mut out)
                }
                Step::Vouch(claim, waiting) => {
                    assert!(claim.id.is_some() && claim.to == "b");
                    waiting.answer(options & 32 != 0, &mut out)
                }
                Step::Established(established) => {
                    match established.proof {
                        Proof::Certificate => assert!(terms.certificate),
                        Proof::Dialback => assert!(checked),
                    }
                    return;
                }
                Step::Closed(_) => return,
            };
            assert!(readable(&out));
            out.apply(&mut reader);
        }
    }
    if let Step::Read(negotiation) = step {
        let mut out = Out::new();
        negotiation.fail(StreamCondition::ConnectionTimeout.into(), &mut out);
        assert!(readable(&out));
    }
}

/// Answers us in flights that are separated by NUL.
pub fn initiating(options: u8, input: &[u8]) {
    let purpose = match options & 1 {
        0 => Purpose::Stanzas,
        _ => Purpose::Verify { id: "i".into(), key: "k".into() },
    };
    let settings = initiating::Settings {
        local: "a".into(),
        remote: "b".into(),
        bidi: options & 2 != 0,
        dialback: (options & 4 != 0).then(|| Secret::from(b"secret".to_vec())),
        purpose,
        reader_limits: Limits::SERVER,
    };
    let (encrypted, trusted) = (options & 8 != 0, options & 16 != 0);
    let mut reader = Reader::new(initiating::Negotiation::LIMITS, Framing::Tcp);
    let mut out = Out::new();
    let started = initiating::Negotiation::start(settings, encrypted, trusted, &mut out);
    let mut step = initiating::Step::Read(started);
    for flight in input.split(|byte| *byte == 0) {
        reader.push(flight);
        loop {
            assert!(readable(&out));
            out.apply(&mut reader);
            step = match step {
                initiating::Step::Read(negotiation) => match reader.next() {
                    Ok(Some(event)) => negotiation.handle(event, &mut out),
                    Ok(None) => {
                        step = initiating::Step::Read(negotiation);
                        break;
                    }
                    Err(_) => return,
                },
                initiating::Step::StartTls(pending) => pending.answer(trusted, &mut out),
                initiating::Step::Established(established) => {
                    assert!(trusted || established.proof == Proof::Dialback);
                    return;
                }
                initiating::Step::Verified(_) | initiating::Step::Failed(_) => return,
            };
        }
    }
}

/// Each element that a machine writes can be read by whoever gets it.
fn readable(out: &Out) -> bool {
    let header = "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
                  xmlns:stream='http://etherx.jabber.org/streams'>";
    let mut reader = Reader::new(Limits::TRUSTED, Framing::Tcp);
    reader.push(header.as_bytes());
    for frame in out.frames() {
        if frame.starts_with(b"<?xml") {
            reader = Reader::new(Limits::TRUSTED, Framing::Tcp);
        }
        reader.push(frame);
        while matches!(reader.next(), Ok(Some(_))) {}
        if reader.next().is_err() {
            return false;
        }
    }
    true
}
