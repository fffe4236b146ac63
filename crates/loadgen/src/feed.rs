//! A number of messages from one client, each acknowledged by the server.

use anyhow::{Context, Result, bail};

use crate::connection::{excerpt, send};
use crate::login::Session;
use crate::payload::Template;
use crate::scan;

/// Sends messages 0 to `count` of `flow` to the bare address `to` over a session
/// with XEP-0198, and returns once the server has acknowledged them all. At
/// most a few dozen are unacknowledged at any time.
pub async fn feed(session: Session, to: &str, flow: u32, count: u64) -> Result<()> {
    let before = u64::from(session.sent);
    let (mut reader, mut writer) = session.connection.split();
    let mut template = Template::new(to, flow);
    let (mut sent, mut acknowledged) = (0, 0);
    while acknowledged < count {
        while sent < count && sent < acknowledged + WINDOW {
            send(&mut writer, template.stamped(sent)).await?;
            sent += 1;
            if sent.is_multiple_of(WINDOW / 2) || sent == count {
                send(&mut writer, b"<r xmlns='urn:xmpp:sm:3'/>").await?;
            }
        }
        let stanza = reader.stanza().await?;
        if scan::is_element(stanza, "a") {
            let handled = scan::attribute(stanza, "h").context("an answer without h")?;
            acknowledged = std::str::from_utf8(handled)?.parse::<u64>()?.saturating_sub(before);
        } else if scan::is_element(stanza, "r") {
            let answer = format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", reader.handled());
            send(&mut writer, answer.as_bytes()).await?;
        } else if scan::attribute(stanza, "type") == Some(b"error") {
            bail!("a message came back: {}", excerpt(stanza));
        }
    }
    Ok(())
}

const WINDOW: u64 = 40;
