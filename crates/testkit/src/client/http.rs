//! Just enough HTTP/1.1 to ask a server as a browser would.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::connection::{PATIENCE, Trust};

/// A page that was opened.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// HTTP status code.
    pub status: u16,
    /// Header fields, names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
}

/// What is asked of a server.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The name in an address that was given whole.
    pub host: Option<String>,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
    /// The body, with its length announced.
    pub body: Option<String>,
}

impl Request {
    /// A question for a page, named by its path or its whole address.
    pub fn get(address: &str) -> Self {
        let (host, path) = match address.strip_prefix("https://") {
            Some(rest) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                (Some(host.to_owned()), format!("/{path}"))
            }
            None => (None, address.to_owned()),
        };
        Request { method: "GET".into(), path, host, headers: Vec::new(), body: None }
    }

    fn write(&self, domain: &str) -> String {
        let host = self.host.as_deref().unwrap_or(domain);
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n",
            self.method, self.path
        );
        // As a page of the server's own does.
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("origin")) {
            text.push_str(&format!("Origin: https://{host}\r\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let announced =
            self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if let Some(body) = self.body.as_ref().filter(|_| !announced) {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(self.body.as_deref().unwrap_or_default());
        text
    }
}

/// Asks a server over HTTPS.
///
/// # Errors
/// When the server cannot be reached or answers something that is not HTTP.
pub async fn send(address: SocketAddr, trust: &Trust, request: &Request) -> io::Result<Page> {
    let request = request.write(trust.domain());
    let exchange = async {
        let tcp = TcpStream::connect(address).await?;
        let mut tls = trust.handshake(tcp, Some("http/1.1")).await?;
        tls.write_all(request.as_bytes()).await?;
        tls.flush().await?;
        let mut response = Vec::new();
        match tls.read_to_end(&mut response).await {
            // Some servers end TLS without its closing message; the length of the page shows a cut.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(response),
        }
    };
    let response = tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the page does not load"))??;
    parse(&response).ok_or_else(|| io::Error::other("the answer is not HTTP"))
}

fn parse(response: &[u8]) -> Option<Page> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&response[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = BTreeMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = response[end + 4..].to_vec();
    if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        body = dechunk(&body)?;
    }
    Some(Page { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        rest = rest.get(line + 2..)?;
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        let page = parse(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        )
        .unwrap();
        assert_eq!((page.status, page.body.as_str()), (200, "abcde"));
    }
}
