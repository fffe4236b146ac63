//! The web side of [`crate::ext::unified_push`]: what is posted to the address of an application, as RFC 8030 §5
//! and the server specification of UnifiedPush have it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
};
use store::endpoints::{Endpoint, EndpointId};
use tokio::time::timeout;

use super::{Answer, Visit, headers, text, typed};
use crate::{
    ext::unified_push::{self, LONGEST, Post},
    server::Server,
};

/// Answers everything below `/push/`; `token` is what follows.
pub async fn handle(visit: Visit, token: &str) -> Answer {
    let server = visit.server.clone();
    let id =
        unified_push::id_in(&server.secret, token).filter(|_| server.config().unified_push.enabled);
    let answer = match (visit.request.method(), id) {
        (&Method::OPTIONS, _) => text(StatusCode::NO_CONTENT, ""),
        (_, None) => text(StatusCode::NOT_FOUND, "there is no such address\n"),
        (&Method::GET | &Method::HEAD, Some(id)) => match living(&server, id).await {
            // An application server looks whether this is what it was told it is.
            Ok(_) => typed(StatusCode::OK, "application/json", r#"{"unifiedpush":{"version":1}}"#),
            Err(refused) => *refused,
        },
        (&Method::POST, Some(id)) => match post(visit, id).await {
            Ok(answer) => answer,
            Err(refused) => *refused,
        },
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "notifications are posted\n"),
    };
    open(answer)
}

/// An answer instead of what was asked for.
type Refused = Box<Answer>;

async fn post(visit: Visit, id: EndpointId) -> Result<Answer, Refused> {
    let Visit { server, request, address, .. } = visit;
    let now = Instant::now();
    // A loopback address stands for everybody behind a proxy.
    let known = address.to_canonical().is_loopback();
    if !server.endpoint_posts.take(id.0, now)
        || !known && !server.network_posts.take_network(address, now)
    {
        return Err(refused(StatusCode::TOO_MANY_REQUESTS, "too many notifications\n"));
    }
    let (endpoint, name) = living(&server, id).await?;
    let (head, body) = request.into_parts();
    let ttl = ttl(&head.headers)?;
    let topic = topic(&head.headers)?;
    let wakes = wakes(&head.headers);
    let payload = payload(&head.headers, body).await?;
    let post = Post { ttl, topic, wakes, payload };
    match unified_push::take(&server, &endpoint, &name, post).await {
        Ok(Some(ttl)) => {
            let mut answer = text(StatusCode::CREATED, "");
            let ttl = HeaderValue::from(ttl.as_secs());
            answer.headers_mut().insert(HeaderName::from_static(TTL), ttl);
            Ok(answer)
        }
        Ok(None) => Err(gone()),
        Err(error) => {
            server.store_failed("endpoints", &error);
            Err(later())
        }
    }
}

/// An address that has not ended, and the name of its account.
async fn living(server: &Server, id: EndpointId) -> Result<(Endpoint, Box<str>), Refused> {
    let failed = |error| {
        server.store_failed("endpoints", &error);
        later()
    };
    let endpoint = server.store.endpoints.load(id).await.map_err(failed)?;
    let now = server.now().0;
    let endpoint = endpoint.filter(|endpoint| endpoint.expires.0 > now).ok_or_else(gone)?;
    let account = server.store.accounts.by_id(endpoint.account).await.map_err(failed)?;
    let account = account.filter(|account| !account.disabled).ok_or_else(gone)?;
    Ok((endpoint, account.name))
}

/// How long the message may wait (RFC 8030 §5.2). Those of UnifiedPush 1 do not say.
fn ttl(headers: &HeaderMap) -> Result<Duration, Refused> {
    let Some(given) = headers.get(TTL) else { return Ok(UNSAID) };
    let digits = given.to_str().unwrap_or_default().trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused(StatusCode::BAD_REQUEST, "the header TTL is a number of seconds\n"));
    }
    // More than can be counted is more than anything waits.
    Ok(digits.parse().map_or(LONGEST, Duration::from_secs))
}

/// RFC 8030 §5.4: at most 32 characters of base64url.
fn topic(headers: &HeaderMap) -> Result<Option<Box<str>>, Refused> {
    let Some(given) = headers.get("topic") else { return Ok(None) };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match given.to_str() {
        Ok(topic) if matches!(topic.len(), 1..=32) && topic.bytes().all(allowed) => {
            Ok(Some(topic.into()))
        }
        _ => Err(refused(StatusCode::BAD_REQUEST, "the header Topic has 32 letters at most\n")),
    }
}

/// RFC 8030 §5.3: what can wait until the device is back by itself does not wake it.
fn wakes(headers: &HeaderMap) -> bool {
    let urgency = headers.get("urgency").and_then(|urgency| urgency.to_str().ok());
    !urgency.is_some_and(|urgency| matches!(urgency.trim(), "very-low" | "low"))
}

async fn payload(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Refused> {
    let long = || refused(StatusCode::PAYLOAD_TOO_LARGE, "a notification has 4096 bytes at most\n");
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > MOST as u64)
    {
        return Err(long());
    }
    let read = timeout(PATIENCE, Limited::new(body, MOST).collect()).await;
    let read = read.map_err(|_| refused(StatusCode::REQUEST_TIMEOUT, "that was too slow\n"))?;
    let read = read.map_err(|error| match error.is::<LengthLimitError>() {
        true => long(),
        false => refused(StatusCode::BAD_REQUEST, "the notification is not whole\n"),
    })?;
    match read.to_bytes() {
        empty if empty.is_empty() => {
            Err(refused(StatusCode::BAD_REQUEST, "the notification is empty\n"))
        }
        bytes => Ok(bytes),
    }
}

fn refused(status: StatusCode, sentence: &'static str) -> Refused {
    let mut answer = text(status, sentence);
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(SPAN.as_secs()));
    }
    Box::new(answer)
}

fn gone() -> Refused {
    refused(StatusCode::GONE, "this address has ended\n")
}

fn later() -> Refused {
    refused(StatusCode::SERVICE_UNAVAILABLE, "try again later\n")
}

/// Application servers live anywhere, in browsers too.
fn open(mut answer: Answer) -> Answer {
    for (name, value) in [
        ("access-control-allow-methods", "OPTIONS, HEAD, GET, POST"),
        (
            "access-control-allow-headers",
            "Authorization, Content-Encoding, Content-Type, TTL, Topic, Urgency",
        ),
        ("access-control-expose-headers", "Retry-After, TTL"),
        ("access-control-max-age", "7200"),
    ] {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        answer.headers_mut().insert(name, value);
    }
    headers::readable_by_all(answer)
}

const TTL: &str = "ttl";
/// Bytes of a notification.
const MOST: usize = 4096;
/// How long one may be on its way here.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one waits that does not say.
const UNSAID: Duration = Duration::from_secs(24 * 60 * 60);
/// The time in which notifications are counted.
pub const SPAN: Duration = Duration::from_secs(60);
/// One network may send so many times what may be sent to one address: application servers have many users.
pub const ADDRESSES: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &'static str, value: &'static str) -> HeaderMap {
        let name = HeaderName::from_static(name);
        HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
    }

    #[test]
    fn a_message_says_how_long_it_waits() {
        assert_eq!(ttl(&HeaderMap::new()).unwrap(), UNSAID);
        assert_eq!(ttl(&head(TTL, "0")).unwrap(), Duration::ZERO);
        assert_eq!(ttl(&head(TTL, "60")).unwrap(), Duration::from_secs(60));
        assert_eq!(ttl(&head(TTL, "99999999999999999999999")).unwrap(), LONGEST);
        for bad in ["", "-1", "+1", "1.5", "1s", "ein Tag", "é"] {
            assert_eq!(ttl(&head(TTL, bad)).unwrap_err().status(), StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn a_topic_is_short_and_plain() {
        assert_eq!(topic(&HeaderMap::new()).unwrap(), None);
        assert_eq!(topic(&head("topic", "up_-9")).unwrap().as_deref(), Some("up_-9"));
        for bad in ["", "a b", "é", "a/b", "123456789012345678901234567890123"] {
            assert!(topic(&head("topic", bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_urgent_wakes_nobody() {
        for waking in ["normal", "high", "now", "é"] {
            assert!(wakes(&head("urgency", waking)), "{waking}");
        }
        assert!(wakes(&HeaderMap::new()));
        assert!(!wakes(&head("urgency", "low")) && !wakes(&head("urgency", "very-low")));
    }
}
