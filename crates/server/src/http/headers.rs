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

/// Adds the headers that are missing.
#[must_use]
pub fn harden(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
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
