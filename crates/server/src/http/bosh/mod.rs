//! XEP-0124: Bidirectional-streams Over Synchronous HTTP (BOSH) 1.11.2, and XEP-0206: XMPP Over BOSH
//! 1.4, for clients that can use neither TCP nor WebSocket.
//!
//! A request becomes what a WebSocket would have carried, and behind that everything is as it is
//! there. Answers always have the media type `text/xml`: another one, asked for with `content`, could
//! turn what somebody wrote into a page of this server.

pub mod exchange;
pub mod pipe;

use std::{collections::HashMap, fmt::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{
    Method, StatusCode,
    body::Body,
    header::{HeaderName, HeaderValue},
};
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};
use xmpp::{
    ns,
    stream::TlsInfo,
    xml::{Element, Framing, Limits, escape_attribute_into},
};

use self::{
    exchange::{Asked, Ending, Exchange, REQUESTS, terminated},
    pipe::{Pipe, Session},
};
use super::{Answer, Visit, headers, origin, text, typed};
use crate::{
    net::{conn, conn::Peer},
    server::Server,
    session::resume::fresh_id,
};

/// Where it is.
pub const PATH: &str = "/http-bind";

/// The sessions that are open, by their id.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<Box<str>, Arc<Session>>>);

impl Sessions {
    fn find(&self, sid: &str) -> Option<Arc<Session>> {
        self.0.lock().get(sid).cloned()
    }
}

/// Deals with one request.
pub async fn handle(visit: Visit) -> Answer {
    if let Some(refusal) = origin::refusal(&visit) {
        return refusal;
    }
    let answer = match *visit.request.method() {
        Method::POST => post(visit).await,
        // Browsers ask whether pages of other origins may post XML here.
        Method::OPTIONS => text(StatusCode::NO_CONTENT, ""),
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "this address speaks XMPP over BOSH\n"),
    };
    let mut answer = headers::readable_by_all(answer);
    for (name, value) in [
        ("access-control-allow-methods", "POST, OPTIONS"),
        ("access-control-allow-headers", "content-type"),
        ("access-control-max-age", "86400"),
    ] {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        answer.headers_mut().insert(name, value);
    }
    answer
}

async fn post(visit: Visit) -> Answer {
    let Visit { server, request, peer, address, deadline, .. } = visit;
    let largest = usize::try_from(server.config().limits.stanza_bytes).unwrap_or(usize::MAX);
    let largest = largest.saturating_mul(2);
    let body = match read(request.into_body(), &server.bosh, largest).await {
        Ok(body) => body,
        Err(ending) => return xml(terminated(ending, b"")),
    };
    let limits = Limits { element_bytes: largest, skip_oversized: false, ..Limits::CLIENT };
    let Some(wrapper) = Element::parse(&body, &limits).ok().filter(|it| it.is("body", HTTPBIND))
    else {
        return xml(terminated(BAD_REQUEST, b""));
    };
    let Some(rid) =
        wrapper.attr("rid").and_then(|rid| rid.parse().ok()).filter(|it| *it <= LAST_RID)
    else {
        return xml(terminated(BAD_REQUEST, b""));
    };
    let (session, sid, asked) = match wrapper.attr("sid") {
        Some(sid) => match server.bosh.find(sid) {
            Some(session) => (session, sid.to_owned(), understand(&wrapper)),
            None => return xml(terminated(Ending::UNEXPECTED, b"")),
        },
        None => {
            let port = peer.lock().as_ref().map_or(0, |peer| peer.address.port());
            let address = SocketAddr::new(address, port);
            match begin(&server, &wrapper, rid, address) {
                Ok((session, sid)) => {
                    (session, sid, Asked { payload: open(&wrapper), terminate: false })
                }
                Err(ending) => return xml(terminated(ending, b"")),
            }
        }
    };
    // A stranger's words are kept in memory until the stream reads them.
    if !session.is_admitted() && body.len() > Limits::BEFORE_AUTH.element_bytes {
        session.hang_up();
        return xml(terminated(Ending::OVERACTIVE, b""));
    }
    deadline.extend(session.wait() + MARGIN);
    let mut answer = session.take(rid, asked);
    let answer = match timeout(session.wait(), &mut answer).await {
        Ok(answer) => answer,
        Err(_) => {
            session.expire(rid);
            answer.await
        }
    };
    if session.is_over() {
        server.bosh.0.lock().remove(&*sid);
    }
    xml(answer.unwrap_or_else(|_| terminated(Ending::UNEXPECTED, b"")))
}

/// What a request carries: as much as a stanza of a client that has logged in, and from everybody else
/// no more than is read of a stream before login.
async fn read<B: Body<Data = Bytes> + Unpin>(
    mut from: B,
    sessions: &Sessions,
    largest: usize,
) -> Result<Bytes, Ending> {
    let mut body = BytesMut::new();
    let mut most = Limits::BEFORE_AUTH.element_bytes.min(largest);
    while let Some(frame) = from.frame().await {
        let Some(data) = frame.map_err(|_| BAD_REQUEST)?.into_data().ok() else { continue };
        body.extend_from_slice(&data);
        if body.len() > most {
            if most == largest {
                return Err(BAD_REQUEST);
            }
            let session = names(&body).and_then(|sid| sessions.find(&sid));
            if !session.is_some_and(|session| session.is_admitted()) {
                return Err(Ending::OVERACTIVE);
            }
            most = largest;
            if body.len() > most {
                return Err(BAD_REQUEST);
            }
        }
    }
    Ok(body.freeze())
}

/// The session that a request names whose end has not come yet.
fn names(beginning: &[u8]) -> Option<String> {
    let from = beginning.windows(5).position(|at| at == b"<body")?;
    let tag = beginning.get(from..)?;
    let mut quote = None;
    let to = tag.iter().position(|&byte| {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && byte == b'>'
    })?;
    let tag = tag.get(..to)?;
    let tag = [tag.strip_suffix(b"/").unwrap_or(tag), b"/>"].concat();
    let wrapper = Element::parse(&tag, &Limits::BEFORE_AUTH).ok()?;
    Some(wrapper.attr("sid").filter(|_| wrapper.is("body", HTTPBIND))?.to_owned())
}

/// Makes a session and starts its stream (§ Initiating a BOSH Session).
fn begin(
    server: &Arc<Server>,
    wrapper: &Element,
    rid: u64,
    address: SocketAddr,
) -> Result<(Arc<Session>, String), Ending> {
    let admission = server.gate.admit(address.ip()).map_err(|_| Ending::OVERACTIVE)?;
    let sid = fresh_id().map_err(|_| Ending::Condition("internal-server-error"))?;
    let number = |name| wrapper.attr(name).and_then(|value| value.parse::<u64>().ok());
    // A client that can have one connection only polls: nothing it asks is held.
    let polls = number("wait") == Some(0) || number("hold") == Some(0);
    let hold = usize::from(!polls);
    let wait = number("wait").unwrap_or(WAIT.as_secs()).min(WAIT.as_secs());
    let mut greeting = format!(
        " sid='{sid}' ver='1.11' wait='{wait}' hold='{hold}' requests='{REQUESTS}' inactivity='{}' \
         xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restartlogic='true'",
        INACTIVITY.as_secs()
    );
    let _ = write!(greeting, " from='{}'", server.domain());
    let exchange = Exchange::new(rid, hold, greeting);
    let (session, pipe) = Session::new(exchange, Duration::from_secs(wait));
    server.bosh.0.lock().insert(sid.as_str().into(), session.clone());
    server.metrics.bosh_opened.increment();
    // What is known of the connection is known of this request only: no channel can be bound.
    let info = Some(TlsInfo { version: None, exporter: None, end_point: None });
    let peer = Peer { address, admission, transport: "bosh", info };
    tokio::spawn(run(server.clone(), pipe, peer));
    tokio::spawn(watch(server.clone(), session.clone(), sid.clone()));
    Ok((session, sid))
}

/// The stream, until it ends.
async fn run(server: Arc<Server>, pipe: Pipe, peer: Peer) {
    let opening = Box::pin(conn::established(server, pipe, peer, Framing::WebSocket));
    if let Some(mut connection) = opening.await {
        connection.run().await;
    }
}

/// Ends a session whose client does not come back (§ Inactivity).
async fn watch(server: Arc<Server>, session: Arc<Session>, sid: String) {
    loop {
        let idle = session.idle();
        if session.is_over() || idle >= INACTIVITY {
            break;
        }
        sleep(INACTIVITY - idle).await;
    }
    session.hang_up();
    server.bosh.0.lock().remove(&*sid);
}

/// What a request says, in the words of RFC 7395.
fn understand(wrapper: &Element) -> Asked {
    let terminate = wrapper.attr("type") == Some("terminate");
    if matches!(wrapper.attr_ns("restart", XBOSH), Some("true" | "1")) {
        return Asked { payload: open(wrapper), terminate };
    }
    let mut payload = Vec::new();
    for child in wrapper.children() {
        // XEP-0206 § Wrapper Element: many clients leave the namespace of stanzas out.
        if child.ns() == HTTPBIND {
            adopt(child).write(&mut payload, "")
        } else {
            child.write(&mut payload, "")
        }
    }
    if terminate {
        payload.extend_from_slice(b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    }
    Asked { payload: payload.into(), terminate }
}

/// The element with everything that has the namespace of the wrapper in that of stanzas.
fn adopt(element: &Element) -> Element {
    use xmpp::xml::Node;
    let mut adopted = Element::new(element.name(), ns::CLIENT);
    for (name, value) in element.attrs() {
        adopted.set_attr(name, value);
    }
    for node in element.nodes() {
        match node {
            Node::Element(child) if child.ns() == HTTPBIND => adopted.push(adopt(child)),
            Node::Element(child) => adopted.push(child.clone()),
            Node::Text(text) => adopted.push_text(&**text),
        }
    }
    adopted
}

/// The header of a stream (RFC 7395 §3.4), with what the client says of it.
fn open(wrapper: &Element) -> Bytes {
    let mut open =
        BytesMut::from(&b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'"[..]);
    for name in ["to", "from", "xml:lang"] {
        if let Some(value) = wrapper.attr(name) {
            let mut escaped = Vec::new();
            escape_attribute_into(&mut escaped, value);
            open.extend_from_slice(format!(" {name}='").as_bytes());
            open.extend_from_slice(&escaped);
            open.extend_from_slice(b"'");
        }
    }
    open.extend_from_slice(b"/>");
    open.freeze()
}

fn xml(body: Bytes) -> Answer {
    typed(StatusCode::OK, "text/xml; charset=utf-8", body)
}

const HTTPBIND: &str = "http://jabber.org/protocol/httpbind";
const XBOSH: &str = "urn:xmpp:xbosh";
const BAD_REQUEST: Ending = Ending::Condition("bad-request");
/// The largest `rid` (§ Request IDs).
const LAST_RID: u64 = (1 << 53) - 1;
/// How long a request waits at most for something to answer it with; clients may ask for less.
const WAIT: Duration = Duration::from_secs(60);
/// What an answer may take beside that.
const MARGIN: Duration = Duration::from_secs(10);
/// How long a client may be away.
const INACTIVITY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(wrapper: &str) -> String {
        let wrapper = Element::parse(wrapper.as_bytes(), &Limits::CLIENT).unwrap();
        String::from_utf8(understand(&wrapper).payload.to_vec()).unwrap()
    }

    #[test]
    fn stanzas_without_a_namespace_are_stanzas_all_the_same() {
        let heard = understood(
            "<body xmlns='http://jabber.org/protocol/httpbind'><message to='a@b'><body>hi</body>\
             <x xmlns='urn:x'><y/></x></message></body>",
        );
        assert_eq!(
            heard,
            "<message xmlns='jabber:client' to='a@b'><body>hi</body><x xmlns='urn:x'><y/></x></message>"
        );
    }

    #[test]
    fn a_session_is_found_before_the_request_is_whole() {
        let begun = |attributes: &str| {
            names(
                format!("<?xml version='1.0'?><body {attributes}><message><body>hi</bo").as_bytes(),
            )
        };
        let space = "xmlns='http://jabber.org/protocol/httpbind'";
        assert_eq!(begun(&format!("rid='7' sid='ab>c' {space}")).as_deref(), Some("ab>c"));
        assert_eq!(begun(&format!("rid='7' {space}")), None);
        assert_eq!(begun("rid='7' sid='abc' xmlns='urn:x'"), None);
        assert_eq!(names(b"<body rid='7' sid='ab"), None);
    }

    #[tokio::test]
    async fn no_more_is_read_of_a_stranger_than_before_a_login() {
        let long = vec![b'x'; Limits::BEFORE_AUTH.element_bytes + 1];
        let body = http_body_util::Full::new(Bytes::from(long.clone()));
        let read_all = read(body, &Sessions::default(), usize::MAX).await;
        assert!(matches!(read_all, Err(Ending::OVERACTIVE)));
        let named = format!("<body xmlns='{HTTPBIND}' rid='1' sid='guess'>").into_bytes();
        let body = http_body_util::Full::new(Bytes::from([named, long.clone()].concat()));
        let read_all = read(body, &Sessions::default(), usize::MAX).await;
        assert!(matches!(read_all, Err(Ending::OVERACTIVE)), "a session that does not exist");
        let body = http_body_util::Full::new(Bytes::from(long[1..].to_vec()));
        assert!(read(body, &Sessions::default(), usize::MAX).await.is_ok());
    }

    #[test]
    fn a_restart_is_a_header_and_nothing_else() {
        let heard = understood(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' \
             xmpp:restart='true' to=\"it's\"><message/></body>",
        );
        assert_eq!(
            heard,
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' to='it&apos;s'/>"
        );
    }
}
