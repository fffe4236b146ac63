//! Web Push as browsers and push services see it: a device goes away, somebody writes, and a push
//! service on this machine gets what only that device can read.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac as _};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::SystemRandom;
use ring::signature::{self, ECDSA_P256_SHA256_FIXED};
use sha2::Sha256;
use testkit::client::{Account, Client, Via};
use testkit::target::{Server, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A push service that takes what comes.
struct Service {
    listener: TcpListener,
    tls: TlsAcceptor,
}

/// One request, as it came.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Service {
    async fn start(server: &Server) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self { listener, tls: Arc::new(server.neighbour()?).into() })
    }

    fn endpoint(&self, path: &str) -> String {
        let port = self.listener.local_addr().expect("it listens").port();
        format!("https://localhost:{port}{path}")
    }

    /// Takes the next request and answers it with a status.
    async fn take(&self, status: &str) -> io::Result<Request> {
        let (stream, _) = self.listener.accept().await?;
        let mut stream = self.tls.accept(stream).await?;
        let mut read = Vec::new();
        let (head, mut body) = loop {
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                let body = read.split_off(at + 4);
                break (String::from_utf8_lossy(&read).into_owned(), body);
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let request = Request { head, body: Vec::new() };
        let length: usize =
            request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        while body.len() < length {
            if stream.read_buf(&mut body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        Ok(Request { body, ..request })
    }
}

/// A device's side of a subscription.
struct Device {
    key: EphemeralPrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Device {
    fn new() -> Self {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).expect("a key");
        let public = key.compute_public_key().expect("its public part").as_ref().to_vec();
        Self { key, public, auth: [7; 16] }
    }

    /// RFC 8291 §4, read from the other end.
    fn read(self, message: &[u8]) -> String {
        let (salt, rest) = message.split_at(16);
        let (record_size, rest) = rest.split_at(4);
        assert_eq!(record_size, 4096_u32.to_be_bytes());
        let (length, rest) = rest.split_at(1);
        assert_eq!(length, [65]);
        let (sender, record) = rest.split_at(65);
        let Self { key, public, auth } = self;
        let opened = agree_ephemeral(key, &UnparsedPublicKey::new(&ECDH_P256, sender), |shared| {
            let secret = mac(&auth, &[shared]);
            let input = mac(&secret, &[b"WebPush: info\0", &public, sender, &[1]]);
            let root = mac(salt, &[&input]);
            let key = mac(&root, &[b"Content-Encoding: aes128gcm\0", &[1]]);
            let nonce = mac(&root, &[b"Content-Encoding: nonce\0", &[1]]);
            let key = UnboundKey::new(&AES_128_GCM, &key[..16]).expect("a key");
            let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).expect("a nonce");
            let mut record = record.to_vec();
            let text = LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut record);
            text.expect("it is meant for this device").to_vec()
        });
        let padded = opened.expect("both have a key");
        let end = padded.iter().rposition(|byte| *byte != 0).expect("a delimiter");
        assert_eq!(padded[end], 2, "it is the last record");
        String::from_utf8(padded[..end].to_vec()).expect("it is text")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn account(user: &str) -> Account {
    Account {
        user: user.into(),
        password: format!("the secret of {user}"),
        resource: Some("here".into()),
        mechanism: None,
    }
}

async fn log_in(server: &Server, user: &str) -> io::Result<Client> {
    Client::log_in(server.endpoint(), Via::StartTls, &account(user)).await
}

/// Asks and returns the type of the answer.
async fn ask(client: &mut Client, request: &str) -> io::Result<String> {
    client.send(request).await?;
    let answer = client.receive_until(|stanza| stanza.attr("id") == Some("q")).await?;
    Ok(answer.attr("type").unwrap_or_default().to_owned())
}

/// Ends a connection, and waits until the server has noticed.
fn leave(server: &Server, juliet: Client) -> io::Result<()> {
    drop(juliet);
    while server.run("session list")?.contains("juliet") {
        std::thread::yield_now();
    }
    Ok(())
}

async fn write(romeo: &mut Client) -> io::Result<()> {
    let message = "<message xmlns='jabber:client' to='juliet@verona.example' type='chat'>\
                   <body>wherefore art thou</body></message>";
    romeo.send(message).await
}

/// Juliet takes Romeo among her contacts.
async fn know(juliet: &mut Client) -> io::Result<()> {
    let item = "<iq xmlns='jabber:client' type='set' id='q'><query xmlns='jabber:iq:roster'>\
                <item jid='romeo@verona.example'/></query></iq>";
    assert_eq!(ask(juliet, item).await?, "result");
    Ok(())
}

fn enable(endpoint: &str, device: &Device) -> String {
    let field =
        |name: &str, value: &str| format!("<field var='{name}'><value>{value}</value></field>");
    format!(
        "<iq xmlns='jabber:client' type='set' id='q'>\
         <enable xmlns='urn:xmpp:push:0' jid='verona.example' node='browser'>\
         <x xmlns='jabber:x:data' type='submit'>{}{}{}{}</x></enable></iq>",
        field("FORM_TYPE", "https://anemone.im/protocol/web-push"),
        field("endpoint", endpoint),
        field("p256dh", &BASE64.encode(&device.public)),
        field("auth", &BASE64.encode(device.auth)),
    )
}

/// RFC 8292: signed by the key that the server announces, for this push service.
fn check_sender(request: &Request, origin: &str, announced: &str) {
    let header = request.header("authorization").expect("who sends it");
    let rest = header.strip_prefix("vapid t=").expect("the scheme of RFC 8292");
    let (token, key) = rest.split_once(", k=").expect("two parameters");
    assert_eq!(key, announced);
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let key = signature::UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_FIXED,
        BASE64.decode(key).expect("base64url"),
    );
    let signature = BASE64.decode(signature).expect("base64url");
    key.verify(signed.as_bytes(), &signature).expect("the signature is right");
    let claims = signed.split_once('.').map(|(_, claims)| BASE64.decode(claims));
    let claims = claims.expect("claims").expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["aud"], origin);
    assert!(claims["sub"].as_str().is_some_and(|sub| sub.starts_with("https://")));
}

async fn announced_key(client: &mut Client) -> io::Result<String> {
    client
        .send(
            "<iq xmlns='jabber:client' type='get' id='d' to='juliet@verona.example'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        )
        .await?;
    let answer = client.receive_until(|stanza| stanza.attr("id") == Some("d")).await?;
    let query = answer.children().next().expect("a query");
    let mut fields = query.children().filter(|child| child.name == "x").flat_map(|x| x.children());
    let vapid = fields.find(|field| field.attr("var") == Some("vapid")).expect("the key");
    let value = vapid.children().next().expect("its value");
    Ok(value.text())
}

fn run(play: impl Future<Output = io::Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(play).expect("it goes well");
}

#[test]
fn a_browser_that_was_closed_is_woken_and_nobody_else_can_read_why() {
    run(async {
        let server = Server::start(Target::Anemone, &["push to this machine".to_owned()])?;
        for user in ["romeo", "juliet"] {
            server.create_account(user, &format!("the secret of {user}"))?;
        }
        let service = Service::start(&server).await?;
        let device = Device::new();
        let mut romeo = log_in(&server, "romeo").await?;
        let mut juliet = log_in(&server, "juliet").await?;
        know(&mut juliet).await?;
        let key = announced_key(&mut juliet).await?;
        let endpoint = service.endpoint("/wake/juliet");
        assert_eq!(ask(&mut juliet, &enable(&endpoint, &device)).await?, "result");
        leave(&server, juliet)?;

        write(&mut romeo).await?;
        let request = service.take("201 Created").await?;
        assert!(request.head.starts_with("POST /wake/juliet HTTP/1.1\r\n"), "{}", request.head);
        assert_eq!(request.header("content-encoding"), Some("aes128gcm"));
        assert_eq!(request.header("urgency"), Some("high"));
        assert_eq!(request.header("topic"), Some("message"));
        assert!(request.header("ttl").is_some_and(|ttl| ttl != "0"));
        check_sender(&request, &service.endpoint(""), &key);
        assert!(!request.head.contains("romeo") && !request.head.contains("verona.example/"));
        assert_eq!(device.read(&request.body), "{\"kind\":\"message\"}");

        // The person took the permission back: the push service says so, and that was it.
        write(&mut romeo).await?;
        service.take("410 Gone").await?;
        while !server.run("push list")?.contains("No device") {
            tokio::task::yield_now().await;
        }
        Ok(())
    });
}

#[test]
fn a_notification_that_waits_survives_a_restart_and_a_crash() {
    run(async {
        let server = Server::start(Target::Anemone, &["push to this machine".to_owned()])?;
        for user in ["romeo", "juliet"] {
            server.create_account(user, &format!("the secret of {user}"))?;
        }
        let service = Service::start(&server).await?;
        let device = Device::new();
        let mut romeo = log_in(&server, "romeo").await?;
        let mut juliet = log_in(&server, "juliet").await?;
        let request = enable(&service.endpoint("/wake/juliet"), &device);
        assert_eq!(ask(&mut juliet, &request).await?, "result");
        leave(&server, juliet)?;
        write(&mut romeo).await?;
        drop(service.take("503 Service Unavailable").await?);
        server.kill()?;
        drop(service.take("503 Service Unavailable").await?);
        server.restart()?;
        let request = service.take("201 Created").await?;
        // Juliet does not know Romeo. That is for her device and nobody on the way.
        assert_eq!(device.read(&request.body), "{\"kind\":\"stranger\"}");
        assert_eq!(request.header("topic"), Some("message"));
        Ok(())
    });
}

#[test]
fn a_push_service_whom_nobody_vouches_for_gets_nothing() {
    run(async {
        let server = Server::start(Target::Anemone, &["push to this machine".to_owned()])?;
        let stranger = Server::start(Target::Anemone, &[])?;
        for user in ["romeo", "juliet"] {
            server.create_account(user, &format!("the secret of {user}"))?;
        }
        let service = Service::start(&stranger).await?;
        let mut romeo = log_in(&server, "romeo").await?;
        let mut juliet = log_in(&server, "juliet").await?;
        let request = enable(&service.endpoint("/wake"), &Device::new());
        assert_eq!(ask(&mut juliet, &request).await?, "result");
        leave(&server, juliet)?;
        write(&mut romeo).await?;
        assert!(service.take("201 Created").await.is_err(), "it breaks the handshake off");
        while !server.run("push list")?.contains("no encrypted connection") {
            tokio::task::yield_now().await;
        }
        Ok(())
    });
}
