//! One request to somebody's HTTPS server: found, reached and asked within a set time, at a public
//! address. Push services are posted to, and domains are asked for what they say about themselves.

pub mod endpoint;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use self::endpoint::Endpoint;
use crate::{dns, net::address::permitted};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Bytes of the answer's body that are read.
    most: usize,
}

impl Request {
    /// Posts a body. That of the answer is not read.
    #[must_use]
    pub fn post(headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Self {
        Self { method: Method::POST, headers, body, most: 0 }
    }

    /// Gets a document of at most so many bytes.
    #[must_use]
    pub fn get(most: usize) -> Self {
        Self { method: Method::GET, headers: Vec::new(), body: Vec::new(), most }
    }
}

/// What the server said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Seconds it wants us to wait.
    pub retry_after: Option<u64>,
    /// The body, if it was asked for.
    pub body: Bytes,
}

/// Asks an endpoint. Redirects are not followed. `private` permits addresses that are not public.
///
/// # Errors
/// Why that did not work, in words.
pub async fn ask(
    endpoint: &Endpoint,
    private: bool,
    tls: &Arc<ClientConfig>,
    request: Request,
) -> Result<Answer, String> {
    let late = |_| format!("{} takes too long", endpoint.host);
    timeout(PATIENCE, reach(endpoint, private, tls, request)).await.map_err(late)?
}

/// Trusts some authorities with the certificates of web servers.
///
/// # Errors
/// When the cryptography has no usable protocol.
pub fn tls(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

async fn reach(
    endpoint: &Endpoint,
    private: bool,
    tls: &Arc<ClientConfig>,
    request: Request,
) -> Result<Answer, String> {
    let stream = connect(endpoint, private).await?;
    if !endpoint.tls {
        return exchange(stream, endpoint, request).await;
    }
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| format!("{} is not a host name", endpoint.host))?;
    let stream = TlsConnector::from(tls.clone())
        .connect(name, stream)
        .await
        .map_err(|error| format!("no encrypted connection: {error}"))?;
    exchange(stream, endpoint, request).await
}

/// Connects to the first address that answers. The addresses are checked as they are used, so that
/// a name cannot lead elsewhere than it did when it was looked at.
async fn connect(endpoint: &Endpoint, private: bool) -> Result<TcpStream, String> {
    let found = dns::lookup(&endpoint.host, endpoint.port).await;
    let found = found.map_err(|error| format!("{} was not found: {error}", endpoint.host))?;
    let addresses: Vec<SocketAddr> = permitted(found, private).take(MOST_ADDRESSES).collect();
    let mut last = format!("{} has no public address", endpoint.host);
    for address in addresses {
        match timeout(CONNECTING, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = format!("{} cannot be reached: {error}", endpoint.host),
            Err(_) => last = format!("{} does not answer", endpoint.host),
        }
    }
    Err(last)
}

async fn exchange<S>(stream: S, endpoint: &Endpoint, request: Request) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let host = &endpoint.host;
    let broken = |error: hyper::Error| format!("{host} did not answer: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let most = request.most;
    let mut made = hyper::Request::builder().method(request.method).uri(&endpoint.path);
    made = made.header(header::HOST, &endpoint.authority);
    for (name, value) in request.headers {
        made = made.header(name, value);
    }
    let made = made
        .body(Full::new(Bytes::from(request.body)))
        .map_err(|error| format!("the request cannot be made: {error}"))?;
    let answering = async {
        let answer = sender.send_request(made).await.map_err(broken)?;
        let wait = answer.headers().get(header::RETRY_AFTER);
        let wait = wait.and_then(|value| value.to_str().ok());
        let retry_after = wait.and_then(|value| value.trim().parse().ok());
        let status = answer.status();
        let body = match most {
            0 => Bytes::new(),
            _ => Limited::new(answer.into_body(), most)
                .collect()
                .await
                .map_err(|error| format!("the answer of {host} cannot be read: {error}"))?
                .to_bytes(),
        };
        Ok(Answer { status, retry_after, body })
    };
    tokio::pin!(answering);
    // The connection has to be driven meanwhile. A server may close it right after its answer:
    // what came before that counts.
    tokio::select! {
        biased;
        answer = &mut answering => answer,
        _ = connection => answering.await,
    }
}

/// For everything together.
const PATIENCE: Duration = Duration::from_secs(30);
/// For one address.
const CONNECTING: Duration = Duration::from_secs(10);
/// Addresses of a host that are tried.
const MOST_ADDRESSES: usize = 4;
/// Bytes of the answer's head.
const MOST_HEADERS: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a name leads to is looked at when it is used.
    #[tokio::test]
    async fn a_name_that_leads_into_this_machine_is_not_followed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint {
            tls: true,
            host: "localhost".into(),
            port,
            authority: format!("localhost:{port}"),
            path: "/".into(),
        };
        let refused = connect(&endpoint, false).await.unwrap_err();
        assert_eq!(refused, "localhost has no public address");
        assert!(connect(&endpoint, true).await.is_ok());
    }
}
