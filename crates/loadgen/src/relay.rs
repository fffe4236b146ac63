//! The floor: a TLS relay that does the least a chat server can do.
//!
//! It lets anybody in as `uN`, pairs `u0` with `u1`, `u2` with `u3` and so on,
//! and from then on moves what one of a pair says to the other without looking
//! at it: one read, one decryption, one encryption, one write. What a real
//! server needs more than this is the price of being a server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::{Connection, Frame, send};
use crate::scan;

type Stream = TlsStream<TcpStream>;
type Halves = (ReadHalf<Stream>, WriteHalf<Stream>);

/// Serves on `address` until the task is dropped; `ready` is called once it
/// listens.
pub async fn serve(
    address: SocketAddr,
    certificate: &Path,
    key: &Path,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key).context("cannot read the key")?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let waiting = Arc::new(Mutex::new(HashMap::new()));
    let listener = TcpListener::bind(address).await?;
    ready(listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let (acceptor, waiting) = (acceptor.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            if let Err(error) = welcome(socket, acceptor, &waiting).await {
                eprintln!("relay: {error:#}");
            }
        });
    }
}

/// Lets one client in; the second of a pair starts the relaying.
async fn welcome(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    waiting: &Mutex<HashMap<u32, Halves>>,
) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut connection = Connection::new(acceptor.accept(socket).await?);
    let number = pretend(&mut connection).await?;
    let (reader, writer) = connection.split();
    let mine = (reader.into_inner()?, writer);
    let partner = {
        let mut waiting = waiting.lock().map_err(|_| anyhow!("a relay task panicked"))?;
        let Some(partner) = waiting.remove(&(number ^ 1)) else {
            waiting.insert(number, mine);
            return Ok(());
        };
        partner
    };
    tokio::spawn(forward(mine.0, partner.1));
    tokio::spawn(forward(partner.0, mine.1));
    Ok(())
}

/// Plays a server until a resource is bound; returns N of `uN`.
async fn pretend(connection: &mut Connection<Stream>) -> Result<u32> {
    let plain = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                 <mechanism>PLAIN</mechanism></mechanisms>";
    greet(connection, plain).await?;
    let auth = connection.stanza().await?;
    let identity = STANDARD.decode(scan::between(auth, b">", b"<").unwrap_or_default())?;
    let user = identity.split(|&byte| byte == 0).nth(1).context("no user name")?;
    let user = String::from_utf8(user.to_vec())?;
    let number = user.strip_prefix('u').context("not a user of the relay")?.parse()?;
    connection.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await?;
    greet(connection, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>").await?;
    let request = connection.stanza().await?;
    let id = scan::attribute(request, "id").context("an IQ without id")?;
    let answer = format!(
        "<iq type='result' id='{}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>{user}@localhost/relay</jid></bind></iq>",
        String::from_utf8_lossy(id)
    );
    connection.send(answer).await?;
    Ok(number)
}

async fn greet(connection: &mut Connection<Stream>, features: &str) -> Result<()> {
    match connection.next().await? {
        Frame::Header(_) => {}
        _ => bail!("expected a stream header"),
    }
    let header = "<?xml version='1.0'?><stream:stream from='localhost' id='relay' version='1.0' \
         xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    connection.send(format!("{header}<stream:features>{features}</stream:features>")).await
}

async fn forward(mut from: ReadHalf<Stream>, mut to: WriteHalf<Stream>) {
    let mut block = vec![0; 16 * 1024];
    while let Ok(length) = from.read(&mut block).await {
        if length == 0 || send(&mut to, &block[..length]).await.is_err() {
            return;
        }
    }
}
