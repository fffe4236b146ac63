//! RFC 6455 and RFC 7395: the client's side of a WebSocket, just enough for tests.

/// What a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// A complete text message.
    Text(String),
    /// A ping with its payload, to be answered.
    Ping(Vec<u8>),
    /// The end, with status code and reason if there were any.
    Close(String),
}

/// Puts messages together from bytes.
#[derive(Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    fragments: Vec<u8>,
}

const TEXT: u8 = 0x1;
const CONTINUATION: u8 = 0x0;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, `None` when more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Message>, String> {
        while let Some((first, payload)) = self.frame()? {
            match first & 0x0F {
                TEXT | CONTINUATION => {
                    self.fragments.extend_from_slice(&payload);
                    if first & 0x80 != 0 {
                        let text = String::from_utf8(std::mem::take(&mut self.fragments));
                        let text = text.map_err(|_| "a WebSocket message is not UTF-8")?;
                        return Ok(Some(Message::Text(text)));
                    }
                }
                PING => return Ok(Some(Message::Ping(payload))),
                PONG => {}
                CLOSE => return Ok(Some(Message::Close(close_reason(&payload)))),
                // RFC 7395 §3.2: data frames are of type text.
                other => return Err(format!("a WebSocket frame of type {other}")),
            }
        }
        Ok(None)
    }

    /// Takes one frame: its first byte and its payload.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        let [first, second, rest @ ..] = self.buffer.as_slice() else { return Ok(None) };
        if second & 0x80 != 0 {
            // RFC 6455 §5.1: a server must not mask.
            return Err("the server masked a frame".into());
        }
        let (header, length) = match second & 0x7F {
            126 if rest.len() < 2 => return Ok(None),
            126 => (4, u64::from(u16::from_be_bytes([rest[0], rest[1]]))),
            127 => match rest.first_chunk::<8>() {
                Some(bytes) => (10, u64::from_be_bytes(*bytes)),
                None => return Ok(None),
            },
            short => (2, u64::from(short)),
        };
        let end = header + usize::try_from(length).map_err(|_| "a WebSocket frame too long")?;
        if self.buffer.len() < end {
            return Ok(None);
        }
        let first = *first;
        let payload = self.buffer[header..end].to_vec();
        self.buffer.drain(..end);
        Ok(Some((first, payload)))
    }
}

fn close_reason(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            format!("WebSocket close {code} {}", String::from_utf8_lossy(reason))
        }
        _ => "WebSocket close".into(),
    }
}

/// A text message as one frame. The mask only protects proxies, so tests use a fixed one.
pub(super) fn text_frame(text: &str) -> Vec<u8> {
    frame(TEXT, text.as_bytes())
}

/// The answer to a ping.
pub(super) fn pong_frame(payload: &[u8]) -> Vec<u8> {
    frame(PONG, payload)
}

/// The frame that ends the connection normally.
pub(super) fn close_frame() -> Vec<u8> {
    frame(CLOSE, &1000_u16.to_be_bytes())
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut out = vec![0x80 | kind];
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => out.push(0x80 | length.to_be_bytes()[1]),
        Ok(length) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The request that turns an HTTP connection into a WebSocket.
pub(super) fn upgrade_request(host: &str, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: xmpp\r\n\r\n"
    )
}

/// Checks the server's answer to [`upgrade_request`].
pub(super) fn check_upgrade(response: &str) -> Result<(), String> {
    let lower = response.to_ascii_lowercase();
    let has = |name: &str, value: &str| {
        lower
            .lines()
            .filter_map(|line| line.split_once(':'))
            .any(|(n, v)| n == name && v.trim() == value)
    };
    if !lower.starts_with("http/1.1 101") {
        return Err(format!("no WebSocket: {}", response.lines().next().unwrap_or_default()));
    }
    // RFC 6455 §1.3 gives this answer to the nonce used above; RFC 7395 §3.1 the subprotocol.
    if !has("sec-websocket-accept", "s3pplmbitxaq9kygzzhzrbk+xoo=") {
        return Err("Sec-WebSocket-Accept is missing or wrong".into());
    }
    if !has("sec-websocket-protocol", "xmpp") {
        return Err("Sec-WebSocket-Protocol is not xmpp".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_put_together() {
        let mut frames = Frames::default();
        frames.push(&[0x01, 2, b'a', b'b', 0x89, 1, b'p', 0x80, 1, b'c']);
        assert_eq!(frames.next(), Ok(Some(Message::Ping(b"p".to_vec()))));
        assert_eq!(frames.next(), Ok(Some(Message::Text("abc".into()))));
        assert_eq!(frames.next(), Ok(None));
    }

    #[test]
    fn long_frames_carry_their_length() {
        assert_eq!(text_frame(&"a".repeat(200))[..4], [0x81, 0xFE, 0, 200]);
        assert_eq!(
            text_frame(&"a".repeat(70_000))[..10],
            [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0x11, 0x70]
        );
    }
}
