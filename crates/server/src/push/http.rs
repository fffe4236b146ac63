//! One request to a push service: found, reached and asked within a set time, at a public address.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::endpoint::{Endpoint, is_public};

/// What is posted.
pub(super) struct Post {
    /// Names and values of headers.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// What the service said.
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// Seconds it wants us to wait.
    pub(super) retry_after: Option<u64>,
}

/// Posts to an endpoint. Redirects are not followed, and the body of the answer is not read.
///
/// # Errors
/// Why that did not work, in words.
pub(super) async fn post(
    endpoint: &Endpoint,
    private: bool,
    tls: &Arc<ClientConfig>,
    post: Post,
) -> Result<Answer, String> {
    let late = |_| "the push service takes too long".to_owned();
    timeout(PATIENCE, exchange(endpoint, private, tls, post)).await.map_err(late)?
}

async fn exchange(
    endpoint: &Endpoint,
    private: bool,
    tls: &Arc<ClientConfig>,
    post: Post,
) -> Result<Answer, String> {
    let stream = connect(endpoint, private).await?;
    if !endpoint.tls {
        return ask(stream, endpoint, post).await;
    }
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| format!("{} is not a host name", endpoint.host))?;
    let stream = TlsConnector::from(tls.clone())
        .connect(name, stream)
        .await
        .map_err(|error| format!("no encrypted connection: {error}"))?;
    ask(stream, endpoint, post).await
}

/// Connects to the first address that answers. The addresses are checked as they are used, so that
/// a name cannot lead elsewhere than it did when it was looked at.
async fn connect(endpoint: &Endpoint, private: bool) -> Result<TcpStream, String> {
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let found = found.map_err(|error| format!("{} was not found: {error}", endpoint.host))?;
    let addresses: Vec<SocketAddr> =
        found.filter(|address| private || is_public(address.ip())).take(MOST_ADDRESSES).collect();
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

async fn ask<S>(stream: S, endpoint: &Endpoint, post: Post) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| format!("the push service did not answer: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut request = Request::post(&endpoint.path).header(header::HOST, &endpoint.authority);
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(post.body)))
        .map_err(|error| format!("the request cannot be made: {error}"))?;
    let answering = sender.send_request(request);
    tokio::pin!(answering);
    // The connection has to be driven meanwhile. A service may close it right after its answer:
    // what came before that counts.
    let answer = tokio::select! {
        biased;
        answer = &mut answering => answer,
        _ = connection => answering.await,
    };
    let answer = answer.map_err(broken)?;
    let wait = answer.headers().get(header::RETRY_AFTER);
    let wait = wait.and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: answer.status(),
        retry_after: wait.and_then(|value| value.trim().parse().ok()),
    })
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
