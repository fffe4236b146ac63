//! XEP-0313: Message Archive Management, pages of the own archive (XEP-0059).

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::{Connection, excerpt, is_answer};
use crate::scan;

/// One page, oldest message first.
#[derive(Debug, Default)]
pub struct Page {
    /// Archive id and the whole result stanza of each message.
    pub items: Vec<(String, Vec<u8>)>,
    /// Whether nothing comes after this page.
    pub complete: bool,
}

/// Fetches up to `size` messages after the one with archive id `after`, or from
/// the beginning.
pub async fn page<S>(
    connection: &mut Connection<S>,
    after: Option<&str>,
    size: usize,
) -> Result<Page>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    page_of(connection, None, after, size).await
}

/// The same from the archive of a room, where one is given.
pub async fn page_of<S>(
    connection: &mut Connection<S>,
    room: Option<&str>,
    after: Option<&str>,
    size: usize,
) -> Result<Page>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let to = room.map(|room| format!(" to='{room}'")).unwrap_or_default();
    let after = after.map(|id| format!("<after>{id}</after>")).unwrap_or_default();
    let query = format!(
        "<iq type='set' id='{QUERY}'{to}><query xmlns='urn:xmpp:mam:2' queryid='{QUERY}'>\
         <set xmlns='http://jabber.org/protocol/rsm'><max>{size}</max>{after}</set></query></iq>"
    );
    connection.send(query).await?;
    let mut page = Page::default();
    loop {
        let stanza = connection.stanza().await?;
        if is_answer(stanza, QUERY) {
            let Some(fin) = scan::between(stanza, b"<fin", b">") else {
                bail!("an archive query failed: {}", excerpt(stanza));
            };
            page.complete = scan::attribute(fin, "complete") == Some(b"true");
            return Ok(page);
        }
        if let Some(result) = scan::between(stanza, b"<result", b">") {
            let id = scan::attribute(result, "id").context("an archive result without id")?;
            page.items.push((String::from_utf8(id.to_vec())?, stanza.to_vec()));
        }
    }
}

const QUERY: &str = "page";
