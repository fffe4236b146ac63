//! As much of HTTP/1.1 (RFC 9112) over TLS as uploading and fetching files needs.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, anyhow, bail};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::connection::Secured;
use crate::login::Target;

/// An `https` address on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    path: String,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The content.
    pub body: Vec<u8>,
}

/// A client whose connection stays open from one request to the next.
pub struct Client {
    target: Target,
    open: Option<(Url, Secured)>,
}

impl Url {
    /// Reads an address such as `https://localhost:5443/upload/x`.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = || {
            let (authority, path) = text.strip_prefix("https://")?.split_once('/')?;
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (authority, 443),
            };
            Some(Self { host: host.to_owned(), port, path: format!("/{path}") })
        };
        parts().with_context(|| format!("not an address of a file: {text}"))
    }

    fn is_at(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }
}

impl Client {
    /// A client that trusts whom the client of `target` trusts.
    pub fn new(target: Target) -> Self {
        Self { target, open: None }
    }

    /// PUT of what `content` has in it, one part after the other. `headers` end with a line break
    /// each.
    pub async fn put(&mut self, url: &Url, headers: &str, content: &[&[u8]]) -> Result<Answer> {
        let length: usize = content.iter().map(|part| part.len()).sum();
        let head = format!("{headers}Content-Length: {length}\r\n");
        self.request("PUT", url, &head, content).await
    }

    /// GET.
    pub async fn get(&mut self, url: &Url) -> Result<Answer> {
        self.request("GET", url, "", &[]).await
    }

    async fn request(
        &mut self,
        method: &str,
        url: &Url,
        headers: &str,
        content: &[&[u8]],
    ) -> Result<Answer> {
        let Url { host, port, path } = url;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}\r\n");
        if let Some((_, mut stream)) = self.open.take().filter(|(open, _)| open.is_at(url)) {
            // The server may have closed it in the meantime (RFC 9112 §9.3.1): once more then.
            if let Ok(answer) = exchange(&mut stream, head.as_bytes(), content).await {
                return Ok(self.keep(url, stream, answer));
            }
        }
        let mut stream = self.connect(url).await?;
        let answer = exchange(&mut stream, head.as_bytes(), content).await;
        let answer = answer.with_context(|| format!("{method} {path}"))?;
        Ok(self.keep(url, stream, answer))
    }

    fn keep(&mut self, url: &Url, stream: Secured, (answer, stays): (Answer, bool)) -> Answer {
        self.open = stays.then(|| (url.clone(), stream));
        answer
    }

    async fn connect(&self, url: &Url) -> Result<Secured> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, url.port));
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from(url.host.clone())?;
        Ok(self.target.web_connector().connect(name, socket).await?)
    }
}

/// One request and its answer, and whether the connection stays open.
async fn exchange(stream: &mut Secured, head: &[u8], content: &[&[u8]]) -> Result<(Answer, bool)> {
    stream.write_all(head).await?;
    for part in content {
        stream.write_all(part).await?;
    }
    stream.flush().await?;
    let mut bytes = Vec::with_capacity(READ_SIZE);
    let (head, length) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (std::str::from_utf8(&bytes[..end])?.to_owned(), end + 4);
        }
        if bytes.len() > MOST_HEAD || stream.read_buf(&mut bytes).await? == 0 {
            bail!("no answer");
        }
    };
    let mut body = bytes.split_off(length);
    let answer = Head::parse(&head)?;
    let wanted = answer.length.unwrap_or(MOST_CONTENT);
    if wanted > MOST_CONTENT {
        bail!("an answer of {wanted} bytes");
    }
    if answer.length.is_some() {
        body.reserve_exact(wanted.saturating_sub(body.len()));
    }
    while body.len() < wanted {
        let more = stream.read_buf(&mut body).await;
        match more {
            Ok(0) | Err(_) if answer.length.is_none() => break,
            Ok(0) => bail!("the content ends after {} of {wanted} bytes", body.len()),
            more => more?,
        };
    }
    let stays = answer.length == Some(body.len()) && !answer.closes;
    Ok((Answer { status: answer.status, body }, stays))
}

/// The part before the content.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Until the connection ends when absent.
    length: Option<usize>,
    closes: bool,
}

impl Head {
    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let mut head = Self {
            status: status.ok_or_else(|| anyhow!("not an answer: {text}"))?,
            length: None,
            closes: text.starts_with("HTTP/1.0"),
        };
        if head.status == 204 || head.status == 304 {
            head.length = Some(0);
        }
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse()?);
            } else if name.eq_ignore_ascii_case("connection") {
                head.closes = value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("chunks are not understood: {text}");
            }
        }
        Ok(head)
    }
}

const READ_SIZE: usize = 16 * 1024;
const MOST_HEAD: usize = 64 * 1024;
const MOST_CONTENT: usize = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_path() {
        let url = Url::parse("https://localhost:5443/a/b?c").unwrap();
        assert_eq!((&*url.host, url.port, &*url.path), ("localhost", 5443, "/a/b?c"));
        assert_eq!(Url::parse("https://localhost/").unwrap().port, 443);
        for bad in ["http://localhost/", "https://localhost", "https://localhost:x/"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn heads_say_how_long_the_content_is() {
        let head = |text| Head::parse(text).map_err(drop);
        let open = |status, length| Ok(Head { status, length, closes: false });
        assert_eq!(head("HTTP/1.1 201 Created\r\ncontent-length: 0"), open(201, Some(0)));
        assert_eq!(head("HTTP/1.1 204 No Content"), open(204, Some(0)));
        assert_eq!(head("HTTP/1.1 200 OK\r\nDate: 1:2"), open(200, None));
        assert!(head("HTTP/1.1 200 OK\r\nConnection: Close").unwrap().closes);
        assert!(head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked").is_err());
        assert!(head("HTTP/1.1").is_err());
    }
}
