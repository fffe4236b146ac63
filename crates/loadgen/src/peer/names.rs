//! A name server that knows one thing: where the server of one domain is.
//!
//! ejabberd finds other servers by the domain name system alone, first by SRV
//! records (RFC 2782). The host in ours is an address, because the next question
//! would go to the name server of the machine.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Serves at 127.0.0.1 until dropped.
#[derive(Debug)]
pub struct Names {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Names {
    /// Says that the server for other servers of `domain` is at `port` of 127.0.0.1.
    pub async fn start(domain: &'static str, port: u16) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = answer(&buffer[..length], domain, port) {
                    // Who asked asks again.
                    let _ = socket.send_to(&answer, asker).await;
                }
            }
        });
        Ok(Self { address, _task: task })
    }

    /// Where it listens, over UDP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The answer to a message with one question (RFC 1035 §4), or `None` when it is
/// no such message.
fn answer(message: &[u8], domain: &str, port: u16) -> Option<Vec<u8>> {
    let id = message.get(..2)?;
    let (mut name, mut at) = (String::new(), HEADER);
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = std::str::from_utf8(message.get(at..at + length)?).ok()?;
        name.push_str(label);
        name.push('.');
        at += length;
    }
    let question = message.get(HEADER..at + 4)?;
    let known = message.get(at..at + 2)? == SRV
        && name.eq_ignore_ascii_case(&format!("_xmpp-server._tcp.{domain}."));
    // An answer, of somebody who knows: no error, or that there is no such name.
    let (flags, count) = if known { ([0x85, 0x80], 1) } else { ([0x85, 0x83], 0) };
    let mut answer = [id, &flags, &[0, 1, 0, count, 0, 0, 0, 0], question].concat();
    if known {
        let mut data = vec![0, 0, 0, 0];
        data.extend(port.to_be_bytes());
        for label in ["127", "0", "0", "1"] {
            data.push(u8::try_from(label.len()).ok()?);
            data.extend(label.bytes());
        }
        data.push(0);
        // The name of the question, the type, the internet, good for 0 seconds.
        answer.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 0]);
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

const HEADER: usize = 12;
const SRV: [u8; 2] = [0, 33];

#[cfg(test)]
mod tests {
    use super::*;

    fn question(labels: &[&str], kind: u8) -> Vec<u8> {
        let mut message = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in labels {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend(label.bytes());
        }
        message.extend([0, 0, kind, 0, 1]);
        message
    }

    #[test]
    fn one_name_is_known() {
        let labels = ["_xmpp-server", "_tcp", "right", "test"];
        let known = answer(&question(&labels, 33), "right.test", 0x1234).unwrap();
        assert_eq!(known[..8], [7, 9, 0x85, 0x80, 0, 1, 0, 1]);
        assert!(known.ends_with(b"\x00\x11\0\0\0\0\x12\x34\x03127\x010\x010\x011\0"));
        for (labels, kind) in [(&labels[..], 1), (&labels[2..], 33), (&labels[1..], 33)] {
            let unknown = answer(&question(labels, kind), "right.test", 1).unwrap();
            assert_eq!(unknown[..8], [7, 9, 0x85, 0x83, 0, 1, 0, 0]);
        }
    }

    #[test]
    fn nonsense_is_not_answered() {
        let whole = question(&["a"], 33);
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length], "a", 1), None, "{length}");
        }
    }
}
