//! A client with a bound resource, for tests that want to talk and not to negotiate.

use std::io;
use std::net::SocketAddr;

use super::connection::{Connection, Trust};
use super::login;
use super::sasl::{Credentials, Exchange};
use crate::tree::{STREAMS, Tree, escape};

/// How a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Via {
    /// RFC 6120 §5: TCP, upgraded by STARTTLS.
    #[default]
    StartTls,
    /// XEP-0368: TLS from the first byte.
    DirectTls,
    /// RFC 7395 inside HTTPS.
    WebSocket,
    /// TCP without TLS.
    Plain,
}

/// Where a server is and whom to trust there.
#[derive(Clone)]
pub struct Endpoint {
    /// TCP and STARTTLS.
    pub c2s: SocketAddr,
    /// Direct TLS.
    pub c2s_tls: SocketAddr,
    /// HTTPS.
    pub https: SocketAddr,
    /// The path of WebSockets.
    pub websocket_path: String,
    /// The domain and the authority of its certificate.
    pub trust: Trust,
}

impl Endpoint {
    /// Connects without opening a stream.
    ///
    /// # Errors
    /// When nobody listens or TLS fails.
    pub async fn connect(&self, via: Via) -> io::Result<Connection> {
        match via {
            Via::StartTls | Via::Plain => Connection::tcp(self.c2s).await,
            Via::DirectTls => {
                Connection::direct_tls(self.c2s_tls, &self.trust, "xmpp-client").await
            }
            Via::WebSocket => {
                Connection::websocket(self.https, &self.trust, &self.websocket_path).await
            }
        }
    }
}

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// Resource to ask for; the server chooses if `None`.
    pub resource: Option<String>,
    /// Mechanism; the best common one if `None`.
    pub mechanism: Option<String>,
}

/// A logged-in client.
pub struct Client {
    connection: Connection,
    domain: String,
    jid: String,
}

impl Client {
    /// Connects, logs in by SASL and binds a resource. Presence is not sent.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or does not answer in time.
    pub async fn log_in(server: &Endpoint, via: Via, account: &Account) -> io::Result<Self> {
        let domain = server.trust.domain().to_owned();
        let connection = server.connect(via).await?;
        let mut client = Client { connection, domain, jid: String::new() };
        let mut features = client.open_stream().await?;
        if via == Via::StartTls {
            client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
            client.expect("proceed").await?;
            client.connection.start_tls(&server.trust).await?;
            features = client.open_stream().await?;
        }
        client.authenticate(account, &features).await?;
        client.connection.restart();
        client.open_stream().await?;
        client.bind(account.resource.as_deref()).await?;
        Ok(client)
    }

    /// The bound address.
    pub fn jid(&self) -> &str {
        &self.jid
    }

    /// Sends XML as it is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, xml: &str) -> io::Result<()> {
        self.connection.write(xml.as_bytes()).await
    }

    /// The next element.
    ///
    /// # Errors
    /// When the stream ends or nothing comes for as long as [`PATIENCE`](super::PATIENCE).
    pub async fn receive(&mut self) -> io::Result<Tree> {
        self.connection.element().await
    }

    /// The next element that satisfies a condition; others are passed over.
    ///
    /// # Errors
    /// As [`Client::receive`].
    pub async fn receive_until(&mut self, wanted: impl Fn(&Tree) -> bool) -> io::Result<Tree> {
        loop {
            let element = self.receive().await?;
            if wanted(&element) {
                return Ok(element);
            }
        }
    }

    /// The connection, for tests that send half an element or end TCP without a word.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    async fn open_stream(&mut self) -> io::Result<Tree> {
        let header = stream_header(&self.connection, &[("to", &self.domain), ("version", "1.0")]);
        self.send(&header).await?;
        self.receive_until(|element| element.is("features", STREAMS)).await
    }

    async fn expect(&mut self, name: &str) -> io::Result<Tree> {
        let element = self.receive().await?;
        if element.name == name {
            return Ok(element);
        }
        Err(io::Error::other(format!("expected <{name}>, got\n{}", element.pretty())))
    }

    async fn authenticate(&mut self, account: &Account, features: &Tree) -> io::Result<()> {
        let mechanism = match &account.mechanism {
            Some(mechanism) => mechanism.clone(),
            None => login::choose(&login::offered(features, false)).map_err(io::Error::other)?,
        };
        let binding = mechanism.ends_with("-PLUS").then(|| {
            let data = self.connection.channel_binding("tls-exporter").unwrap_or_default();
            ("tls-exporter".to_owned(), data)
        });
        let mut exchange = Exchange::new(Credentials {
            mechanism: mechanism.clone(),
            user: account.user.clone(),
            authzid: String::new(),
            password: account.password.clone(),
            binding,
            offer: None,
            nonce: nonce(),
        });
        let initial = exchange.initial().map_err(io::Error::other)?;
        self.send(&login::request(false, &mechanism, &initial, "")).await?;
        loop {
            let answer = self.receive().await?;
            if answer.name != "challenge" {
                break self.conclude(exchange, &answer);
            }
            let challenge = login::decode(&answer.text()).map_err(io::Error::other)?;
            let response = exchange.respond(&challenge).map_err(io::Error::other)?;
            self.send(&login::response(false, &response)).await?;
        }
    }

    fn conclude(&self, mut exchange: Exchange, answer: &Tree) -> io::Result<()> {
        if !answer.is("success", login::SASL) {
            return Err(io::Error::other(format!("the login is refused:\n{}", answer.pretty())));
        }
        let data = login::success_data(answer).map_err(io::Error::other)?;
        exchange.finish(&data).map_err(io::Error::other)
    }

    async fn bind(&mut self, resource: Option<&str>) -> io::Result<()> {
        self.send(&bind_request(&self.connection, resource)).await?;
        let answer = self.expect("iq").await?;
        self.jid = bound_jid(&answer).ok_or_else(|| {
            io::Error::other(format!("no resource was bound:\n{}", answer.pretty()))
        })?;
        Ok(())
    }
}

/// RFC 7395: WebSocket Subprotocol for XMPP
pub(crate) const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// The header of a stream, or `<open/>` over WebSocket.
pub(crate) fn stream_header(connection: &Connection, attributes: &[(&str, &str)]) -> String {
    let written: String = attributes
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!(" {name}='{}'", escape(value)))
        .collect();
    if connection.is_websocket() {
        return format!("<open xmlns='{FRAMING}'{written}/>");
    }
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
         xmlns:stream='{STREAMS}'{written}>"
    )
}

/// RFC 6120 §7: asks for a resource.
pub(crate) fn bind_request(connection: &Connection, resource: Option<&str>) -> String {
    let ns = if connection.is_websocket() { " xmlns='jabber:client'" } else { "" };
    let resource =
        resource.map_or(String::new(), |name| format!("<resource>{}</resource>", escape(name)));
    format!("<iq{ns} type='set' id='bind'><bind xmlns='{BIND}'>{resource}</bind></iq>")
}

/// The address in the answer to [`bind_request`].
pub(crate) fn bound_jid(answer: &Tree) -> Option<String> {
    let bound = answer.attr("type") == Some("result");
    let jid = answer.child("bind", BIND)?.child("jid", BIND)?.text();
    bound.then_some(jid)
}

/// A nonce that no other login of this process has. Test accounts need no better one.
pub(crate) fn nonce() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    format!("{:x}x{count:x}x{now:x}", std::process::id())
}
