//! What browsers are told about every page: nothing runs, nothing is loaded from elsewhere,
//! nothing is framed, nothing is remembered by caches.

use hyper::{
    Uri,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    http::uri::Authority,
};

use super::Answer;

/// Headers of every answer, unless the answer has its own.
const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// Never without TLS again, for a year (RFC 6797 §6.1).
const STRICT: (&str, &str) = ("strict-transport-security", "max-age=31536000");

/// Whether browsers may be told never to come to a domain without TLS: not on this machine, where a
/// trial is served without.
#[must_use]
pub fn is_public(domain: &str) -> bool {
    domain != "localhost" && !domain.ends_with(".localhost")
}

/// Whether a request came to the port that browsers take of themselves. Browsers keep to TLS for a host
/// with all of its ports (RFC 6797 §8.3): from another one the server does not speak for the host.
#[must_use]
pub fn is_usual_port(uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<Authority>().ok());
    let authority = authority.as_ref().or(uri.authority());
    authority.is_some_and(|authority| {
        let host = authority.host();
        // After a host there is a port or nothing: an empty one is no number.
        let port = authority.as_str().rsplit('@').next().and_then(|text| text.strip_prefix(host));
        matches!(port, Some("" | ":" | ":443"))
    })
}

/// Adds the headers that are missing. `strict` says that the visitor came over TLS to a public domain.
#[must_use]
pub fn harden(mut answer: Answer, strict: bool) -> Answer {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS.iter().chain(strict.then_some(&STRICT)) {
        if !headers.contains_key(*name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    answer
}

/// Lets pages of other origins read the answer (XEP-0156 §3: web clients live anywhere).
#[must_use]
pub fn readable_by_all(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::text;

    #[test]
    fn who_came_over_tls_never_comes_without_again() {
        let name = "strict-transport-security";
        let answer = |strict| harden(text(hyper::StatusCode::OK, ""), strict);
        assert!(answer(true).headers()[name].to_str().unwrap().starts_with("max-age="));
        assert!(!answer(false).headers().contains_key(name));
        assert!(is_public("a.example") && is_public("localhost.example"));
        assert!(!is_public("localhost") && !is_public("chat.localhost"));
    }

    #[test]
    fn another_port_does_not_speak_for_the_whole_host() {
        let came = |uri: &str, host: Option<&str>| {
            let host = host.map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
            is_usual_port(&uri.parse().unwrap(), &host.into_iter().collect())
        };
        for usual in ["a.example", "a.example:443", "[2001:db8::1]", "[2001:db8::1]:443"] {
            assert!(came("/", Some(usual)), "{usual}");
        }
        for other in ["a.example:5443", "[2001:db8::1]:5443", "a.example:44", "", "a b"] {
            assert!(!came("/", Some(other)), "{other}");
        }
        assert!(!came("/", None));
        assert!(came("https://a.example/", None), "HTTP/2 has it in the address");
        assert!(!came("https://a.example:5443/", None));
    }
}
