//! What browsers are told about every page: nothing runs, nothing is loaded from elsewhere,
//! nothing is framed, nothing is remembered by caches.

use hyper::header::{HeaderName, HeaderValue};

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
    headers.insert(hyper::header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
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
}
