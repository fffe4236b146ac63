//! HTTP/1.1 over TLS, as much as uploads and downloads need.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::connect::{Ways, open};
use super::tls::{Pinned, Protocol};

/// What is sent with a request.
pub type Body = BoxBody<Bytes, std::io::Error>;

/// Nothing is sent with a request.
#[must_use]
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// The server of the account, and the certificate that the user trusts it with.
#[derive(Clone, Debug)]
pub struct Home {
    /// The domain of the account.
    pub domain: String,
    /// SHA-256 of the certificate.
    pub pinned: [u8; 32],
}

impl Home {
    /// What the decision about that certificate means for a host: nothing else is believed at the
    /// domain itself. Elsewhere it is believed as well, because a server often has its files at another
    /// name, and authorities decide as they do without it.
    fn pinned_for(&self, host: &str) -> Pinned {
        Pinned { sha256: self.pinned, only: host.eq_ignore_ascii_case(&self.domain) }
    }
}

/// Sends a request, and returns the beginning of the answer.
///
/// # Errors
/// There is no answer; why, in words.
pub async fn send(
    ways: &Ways,
    home: Option<&Home>,
    method: Method,
    url: &Uri,
    headers: &[(String, String)],
    body: Body,
) -> Result<Response<Incoming>, String> {
    let (host, port) = place(url)?;
    let stream = timeout(CONNECT, open(ways, &host, port))
        .await
        .map_err(|_| format!("{host} does not answer"))?
        .map_err(|error| format!("{host}: {error}"))?;
    let stream = secure(ways, stream, &host, home).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("{host}: {error}"))?;
    // Ends with the last of the request and the answer.
    tokio::spawn(connection);
    let request = request(method, url, headers, body)?;
    sender.send_request(request).await.map_err(|error| format!("{host}: {error}"))
}

async fn secure(
    ways: &Ways,
    stream: tokio::net::TcpStream,
    host: &str,
    home: Option<&Home>,
) -> Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>, String> {
    let pinned = home.map(|home| home.pinned_for(host));
    let connecting = ways.trust.connect(stream, host, pinned, Protocol::Http);
    let secured = timeout(CONNECT, connecting).await;
    secured.map_err(|_| format!("{host} does not answer"))?.map_err(|failure| failure.to_string())
}

/// Follows the answers that name another place.
///
/// # Errors
/// As [`send`]; also when it leads in circles, or away from HTTPS.
pub async fn get(
    ways: &Ways,
    home: Option<&Home>,
    url: &str,
) -> Result<Response<Incoming>, String> {
    let mut url = parse(url)?;
    for _ in 0..MOST_REDIRECTIONS {
        let answer = send(ways, home, Method::GET, &url, &[], empty()).await?;
        if !answer.status().is_redirection() {
            return Ok(answer);
        }
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        url = elsewhere(&url, location.ok_or("the server sends us nowhere")?)?;
    }
    Err("the server sends us in circles".to_owned())
}

/// An address that may be asked.
///
/// # Errors
/// It is not one of HTTPS.
pub fn parse(url: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url:?} is no address"))?;
    place(&uri).map(|_| uri)
}

fn elsewhere(from: &Uri, location: &str) -> Result<Uri, String> {
    match location.strip_prefix('/') {
        Some(path) if !path.starts_with('/') => {
            let authority = from.authority().map(ToString::to_string).unwrap_or_default();
            parse(&format!("https://{authority}{location}"))
        }
        _ => parse(location),
    }
}

fn place(url: &Uri) -> Result<(String, u16), String> {
    match (url.scheme_str(), url.host()) {
        (Some("https"), Some(host)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Ok((host.to_owned(), url.port_u16().unwrap_or(443)))
        }
        _ => Err(format!("{url} is not an address of HTTPS")),
    }
}

fn request(
    method: Method,
    url: &Uri,
    headers: &[(String, String)],
    body: Body,
) -> Result<Request<Body>, String> {
    let target = url.path_and_query().map_or("/", |path| path.as_str());
    let authority = url.authority().map(ToString::to_string).unwrap_or_default();
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, authority)
        // Says nothing about the machine or the version.
        .header(USER_AGENT, "Clownfish");
    for (name, value) in headers {
        let name: HeaderName = name.parse().map_err(|_| "a header field has no name")?;
        let value: HeaderValue = value.parse().map_err(|_| "a header field makes no sense")?;
        request = request.header(name, value);
    }
    request.body(body).map_err(|error| error.to_string())
}

const CONNECT: Duration = Duration::from_secs(20);
const MOST_REDIRECTIONS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_asked() {
        assert_eq!(
            place(&parse("https://example.org/a").unwrap()),
            Ok(("example.org".into(), 443))
        );
        assert_eq!(place(&parse("https://[::1]:5443/a?b").unwrap()), Ok(("::1".into(), 5443)));
        for wrong in ["http://example.org/", "file:///etc/passwd", "/a", "", "aesgcm://a/b"] {
            parse(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_pinned_certificate_excludes_others_at_the_domain_of_the_account_only() {
        let home = Home { domain: "example.org".into(), pinned: [7; 32] };
        let pinned = |only| Pinned { sha256: [7; 32], only };
        assert_eq!(home.pinned_for("Example.org"), pinned(true));
        assert_eq!(home.pinned_for("upload.example.org"), pinned(false));
        assert_eq!(home.pinned_for("example.com"), pinned(false));
    }

    #[test]
    fn redirections_stay_with_https() {
        let from = parse("https://example.org:5443/a/b").unwrap();
        assert_eq!(elsewhere(&from, "/c").unwrap(), "https://example.org:5443/c");
        assert_eq!(elsewhere(&from, "https://example.com/d").unwrap(), "https://example.com/d");
        elsewhere(&from, "http://example.org/").unwrap_err();
        elsewhere(&from, "//example.com/").unwrap_err();
    }
}
