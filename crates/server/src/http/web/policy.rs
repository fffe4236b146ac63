//! What browsers are told about the client, all of it here: it runs nothing but its own files, talks
//! to nobody but this server, is in nobody's frame, and has its process for itself.

use std::fmt::Write as _;

use hyper::header::{HeaderName, HeaderValue};

use crate::{
    config::Config,
    ext::upload,
    http::{Answer, Visit, host_meta},
};

/// Headers beside the content policy.
const HEADERS: &[(&str, &str)] = &[
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    (
        "permissions-policy",
        "camera=(self), microphone=(self), accelerometer=(), autoplay=(self), \
         display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), midi=(), \
         payment=(), serial=(), usb=()",
    ),
];

/// The content policy for who comes to the address that this visit asked for.
#[must_use]
pub(super) fn of(visit: &Visit, config: &Config) -> String {
    content_policy(&host_meta::address(visit), &upload::origin(config, &visit.server), config)
}

/// Adds the headers of the client's own files. The policy of a worker is that of its script's
/// answer, so every file has it.
#[must_use]
pub(super) fn harden(mut answer: Answer, policy: &str) -> Answer {
    let headers = answer.headers_mut();
    // Every part of it is visible ASCII: the configuration and the host are checked.
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(hyper::header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// The content policy, a directive in each line; sources are added to the last one. Pages that
/// development and tests serve have it from the same file (`web/policy.mjs`).
const DIRECTIVES: &str = include_str!("policy.txt");

/// The content policy of a page whose WebSocket is at `socket` and whose files are at `files`.
fn content_policy(socket: &str, files: &str, config: &Config) -> String {
    let mut policy = DIRECTIVES.trim_end().replace('\n', "; ");
    for origin in
        [socket, files].into_iter().chain(config.web.files_from.iter().map(String::as_str))
    {
        if is_source(origin) {
            let _ = write!(policy, " {origin}");
        }
    }
    policy
}

/// Whether a text can be one source of a content policy and nothing more.
#[must_use]
pub(crate) fn is_source(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%*".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_connects_to_this_server_and_to_what_the_operator_names() {
        let text = "domain = \"a.example\"\n[web]\nfiles_from = [\"https://files.b.example\"]\n";
        let config = Config::parse(text).unwrap();
        let policy = content_policy("wss://a.example/xmpp-websocket", "https://a.example", &config);
        let connect = policy.split("; ").find(|one| one.starts_with("connect-src")).unwrap();
        assert_eq!(
            connect,
            "connect-src 'self' wss://a.example/xmpp-websocket https://a.example \
             https://files.b.example"
        );
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"));
    }

    #[test]
    fn nothing_adds_a_directive() {
        let config = Config::for_domain("a.example").unwrap();
        let policy = content_policy("wss://a; script-src *", "https://a b", &config);
        assert!(policy.ends_with("connect-src 'self'"), "{policy}");
    }
}
