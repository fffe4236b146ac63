//! RFC 1928: SOCKS5. Names go to the proxy, never to a resolver here.

use std::fmt;
use std::io;
use std::str::FromStr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
}

impl FromStr for Proxy {
    type Err = String;

    /// Reads `socks5://HOST:PORT`, with or without the scheme.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no proxy; write it like socks5://127.0.0.1:9050");
        let rest = match text.split_once("://") {
            Some(("socks5" | "socks5h", rest)) => rest,
            Some(_) => return Err(wrong()),
            None => text,
        };
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let odd = |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | ':' | '_');
        if host.is_empty() || host.contains(odd) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "socks5://[{}]:{}", self.host, self.port),
            false => write!(f, "socks5://{}:{}", self.host, self.port),
        }
    }
}

impl Proxy {
    /// A connection to a host through the proxy. `isolation` is given as user and password, by which
    /// Tor keeps the circuits of different accounts apart.
    ///
    /// # Errors
    /// The proxy is not there, or cannot reach the host; in words.
    pub async fn connect(&self, host: &str, port: u16, isolation: &str) -> io::Result<TcpStream> {
        let mut stream =
            TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| {
                io::Error::new(error.kind(), format!("the proxy {self} cannot be reached: {error}"))
            })?;
        stream.set_nodelay(true)?;
        self.greet(&mut stream, isolation).await?;
        self.ask(&mut stream, host, port).await?;
        Ok(stream)
    }

    /// RFC 1928 §3, RFC 1929.
    async fn greet(&self, stream: &mut TcpStream, isolation: &str) -> io::Result<()> {
        stream.write_all(&[VERSION, 2, NO_AUTHENTICATION, PASSWORD]).await?;
        let mut choice = [0; 2];
        stream.read_exact(&mut choice).await?;
        match choice {
            [VERSION, NO_AUTHENTICATION] => Ok(()),
            [VERSION, PASSWORD] => {
                let word: Vec<u8> = isolation.bytes().take(255).collect();
                let mut request = vec![1];
                for _ in 0..2 {
                    request.push(word.len() as u8);
                    request.extend_from_slice(&word);
                }
                stream.write_all(&request).await?;
                let mut answer = [0; 2];
                stream.read_exact(&mut answer).await?;
                match answer {
                    [_, 0] => Ok(()),
                    _ => Err(self.refused("it wants a password")),
                }
            }
            [VERSION, _] => Err(self.refused("it wants a login of another kind")),
            _ => Err(self.refused("it does not speak SOCKS5")),
        }
    }

    /// RFC 1928 §4, with the name as it is.
    async fn ask(&self, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
        let length = u8::try_from(host.len()).map_err(|_| self.refused("the name is too long"))?;
        let mut request = vec![VERSION, CONNECT, 0, DOMAIN_NAME, length];
        request.extend_from_slice(host.as_bytes());
        request.extend_from_slice(&port.to_be_bytes());
        stream.write_all(&request).await?;
        let mut head = [0; 4];
        stream.read_exact(&mut head).await?;
        let [version, reply, _, address] = head;
        if version != VERSION {
            return Err(self.refused("it does not speak SOCKS5"));
        }
        if reply != 0 {
            return Err(self.refused(words(reply)));
        }
        let length = match address {
            1 => 4,
            4 => 16,
            DOMAIN_NAME => usize::from(stream.read_u8().await?),
            _ => return Err(self.refused("its answer makes no sense")),
        };
        // The address and port it connects from are of no use here.
        let mut rest = vec![0; length + 2];
        stream.read_exact(&mut rest).await?;
        Ok(())
    }

    fn refused(&self, reason: &str) -> io::Error {
        io::Error::other(format!("the proxy {self} refuses: {reason}"))
    }
}

/// RFC 1928 §6.
fn words(reply: u8) -> &'static str {
    match reply {
        2 => "its rules forbid this connection",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached, or has no such name",
        5 => "nobody listens there",
        6 => "the host did not answer in time",
        _ => "it could not connect",
    }
}

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const DOMAIN_NAME: u8 = 3;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn proxies_are_read_and_written() {
        let proxy: Proxy = "socks5://127.0.0.1:9050".parse().unwrap();
        assert_eq!(proxy.to_string(), "socks5://127.0.0.1:9050");
        let proxy: Proxy = "[::1]:1080".parse().unwrap();
        assert_eq!(proxy.to_string().parse::<Proxy>().unwrap(), proxy);
        for wrong in ["http://a:1", "a", "a:b", ":1", "u:p@a:1"] {
            wrong.parse::<Proxy>().unwrap_err();
        }
    }

    /// A proxy that plays its part once; returns what it was asked.
    async fn play(choice: u8, reply: u8) -> (io::Result<TcpStream>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Proxy { host: "127.0.0.1".into(), port };
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut greeting = [0; 4];
            stream.read_exact(&mut greeting).await.unwrap();
            stream.write_all(&[5, choice]).await.unwrap();
            let mut said = Vec::new();
            if choice == PASSWORD {
                let mut word = [0; 11];
                stream.read_exact(&mut word).await.unwrap();
                said.extend_from_slice(&word);
                stream.write_all(&[1, 0]).await.unwrap();
            }
            let mut request = [0; 23];
            if choice != 0xff {
                stream.read_exact(&mut request).await.unwrap();
                stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            }
            said.extend_from_slice(&request);
            said
        };
        tokio::join!(proxy.connect("chat.example.org", 5223, "anna"), server)
    }

    #[tokio::test]
    async fn the_name_goes_to_the_proxy() {
        let (stream, said) = play(NO_AUTHENTICATION, 0).await;
        stream.unwrap();
        assert_eq!(said, b"\x05\x01\x00\x03\x10chat.example.org\x14\x67");
    }

    #[tokio::test]
    async fn accounts_are_told_apart_where_the_proxy_asks() {
        let (stream, said) = play(PASSWORD, 0).await;
        stream.unwrap();
        assert!(said.starts_with(b"\x01\x04anna\x04anna"));
    }

    #[tokio::test]
    async fn refusals_are_in_words() {
        let (stream, _) = play(NO_AUTHENTICATION, 5).await;
        assert!(stream.unwrap_err().to_string().contains("nobody listens"));
        let (stream, _) = play(0xff, 0).await;
        assert!(stream.unwrap_err().to_string().contains("login of another kind"));
    }
}
