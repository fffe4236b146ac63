//! Tokens instead of passwords.

use xmpp::ext::sasl2::UserAgent;
use xmpp::sasl::{Mechanism, Secret, TlsInfo, ht::Method};
use xmpp::stream::client::{Encryption, Error, Settings, Token};

use crate::house::{CLIENT_ID, House, tls};
use crate::pair::{Pair, juliet};
use crate::wire::{Wire, base64};

fn client(method: Method) -> Settings {
    let mut client = juliet();
    client.user_agent = Some(UserAgent { id: Some(CLIENT_ID.into()), ..UserAgent::default() });
    client.request_token = Some(method);
    client
}

fn with_token(method: Method, token: &str) -> Settings {
    let mut client = client(method);
    client.request_token = None;
    client.credential = None;
    client.token = Some(Token { secret: Secret::from(token), method, invalidate: false });
    client
}

#[test]
fn a_token_is_issued_and_used_once_and_again() {
    for method in [Method::SHA_256_EXPR, Method::SHA_256_ENDP, Method::SHA_256_NONE] {
        let mut house = House::new();
        let first = Pair::new(&mut house, client(method)).run().client.unwrap();
        let issued = first.token.unwrap();
        assert_eq!(issued.method, method);
        let token = issued.secret.expose_str().unwrap().to_owned();
        for _ in 0..2 {
            let end = Pair::new(&mut house, with_token(method, &token)).run();
            assert_eq!(end.client.as_ref().unwrap().mechanism, Mechanism::Token(method));
            assert!(end.jid().starts_with("juliet@example.org/"));
            assert!(!end.transcript.contains("<challenge"));
        }
        assert!(house.log.contains(&"used token 0 of None".to_owned()));
    }
}

#[test]
fn a_token_of_another_method_or_channel_is_refused() {
    let mut house = House::new();
    house.tokens.insert(CLIENT_ID.into(), vec![("good".into(), Method::SHA_256_EXPR, true)]);
    let end = Pair::new(&mut house, with_token(Method::SHA_256_NONE, "good")).run();
    assert!(matches!(end.client_error(), Error::Refused(_)));
    let mut pair = Pair::new(&mut house, with_token(Method::SHA_256_EXPR, "good"));
    pair.client_tls.exporter = Some([66; 32]);
    assert!(matches!(pair.run().client_error(), Error::Refused(_)));
}

#[test]
fn an_expired_token_is_named_to_its_owner_only() {
    let mut house = House::new();
    house.tokens.insert(
        CLIENT_ID.into(),
        vec![
            ("new".into(), Method::SHA_256_NONE, true),
            ("old".into(), Method::SHA_256_NONE, false),
        ],
    );
    let end = Pair::new(&mut house, with_token(Method::SHA_256_NONE, "old")).run();
    assert!(end.transcript.contains("<credentials-expired"));
    let end = Pair::new(&mut house, with_token(Method::SHA_256_NONE, "other")).run();
    assert!(end.transcript.contains("<not-authorized"));
    let end = Pair::new(&mut house, with_token(Method::SHA_256_NONE, "new")).run();
    assert!(end.client.is_ok());
}

#[test]
fn a_refused_token_is_followed_by_the_password() {
    let mut house = House::new();
    let mut client = client(Method::SHA_256_EXPR);
    client.token = Some(Token {
        secret: Secret::from("forgotten"),
        method: Method::SHA_256_EXPR,
        invalidate: false,
    });
    let end = Pair::new(&mut house, client).run();
    assert!(end.transcript.contains("<not-authorized"));
    let session = end.client.unwrap();
    assert_eq!(session.mechanism.name(), "SCRAM-SHA-512-PLUS");
    assert!(session.token.is_some());
}

#[test]
fn logging_out_forgets_the_token() {
    let mut house = House::new();
    let method = Method::SHA_256_ENDP;
    house.tokens.insert(CLIENT_ID.into(), vec![("good".into(), method, true)]);
    let mut leaving = with_token(method, "good");
    leaving.token.as_mut().unwrap().invalidate = true;
    assert!(Pair::new(&mut house, leaving).run().client.is_ok());
    let end = Pair::new(&mut house, with_token(method, "good")).run();
    assert!(end.client.is_err());
}

#[test]
fn a_token_mechanism_needs_the_fast_element_and_an_id() {
    let message = {
        let token = Secret::from("good");
        let message = xmpp::sasl::ht::initiate(Method::SHA_256_NONE, "juliet", &token, &[]);
        use base64::Engine;
        base64::prelude::BASE64_STANDARD.encode(message)
    };
    let request = |mechanism: &str, children: &str, response: &str| {
        format!(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>\
             <initial-response>{response}</initial-response>{children}</authenticate>"
        )
    };
    let house = || {
        let mut house = House::new();
        let tokens = vec![("good".into(), Method::SHA_256_NONE, true)];
        house.tokens.insert(CLIENT_ID.into(), tokens);
        house
    };
    let agent = format!("<user-agent id='{CLIENT_ID}'/>");
    let fast = "<fast xmlns='urn:xmpp:fast:0' count='3'/>";
    let none = "HT-SHA-256-NONE";
    let mut wire = Wire::open(house());
    assert!(wire.send(&request(none, &agent, &message)).contains("<invalid-mechanism"));
    assert!(wire.send(&request(none, fast, &message)).contains("<malformed-request"));
    let password = base64("\0juliet\0r0m30");
    let both = format!("{agent}{fast}");
    assert!(wire.send(&request("PLAIN", &both, &password)).contains("<mechanism-too-weak"));
    assert!(wire.send(&request(none, &both, &message)).contains("<success"));
    assert!(wire.house.log.contains(&"used token 0 of Some(3)".to_owned()));
}

#[test]
fn tokens_are_not_used_where_they_are_not_offered() {
    let mut house = House::new();
    house.settings.tls_required = false;
    let mut client = with_token(Method::SHA_256_NONE, "good");
    client.encryption = Encryption::Never;
    let end = Pair::new(&mut house, client).run();
    assert!(matches!(end.client_error(), Error::NoMechanism));

    let weaker = TlsInfo { exporter: None, ..tls() };
    let mut pair = Pair::new(&mut house, with_token(Method::SHA_256_EXPR, "good"));
    pair.server_tls = weaker;
    let end = pair.run();
    assert!(!end.transcript.contains("HT-SHA-256-EXPR"));
    assert!(matches!(end.client_error(), Error::NoMechanism));
}
