//! What browsers are told about the client, all of it here: it runs nothing but its own files, talks
//! to nobody but this server, is in nobody's frame, and has its process for itself.

use std::{fmt::Write as _, net::IpAddr};

use hyper::{
    Uri,
    header::{HeaderName, HeaderValue},
    http::uri::Authority,
};

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
    // A reverse proxy may ask by another name than browsers ask it.
    let front = config.front_door.url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    let front = front.as_ref().and_then(|url| url.authority()).map(Authority::as_str);
    let own = Own { host: host_meta::host(visit), front, workers: &super::workers() };
    let to = [&*host_meta::address(visit), &*upload::origin(config, &visit.server)];
    content_policy(&own, to, config)
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

/// Where the client's own scripts are. Files that people share may be at the same host, so that not
/// everything there is one.
struct Own<'a> {
    /// Host and port, as the browser asked for them.
    host: &'a str,
    /// The same, as the operator names them.
    front: Option<&'a str>,
    /// The paths of the scripts of workers.
    workers: &'a [&'a str],
}

impl Own<'_> {
    /// A source for each path at the hosts. No scheme stands before it: it is that of the page.
    fn sources(&self, paths: &[&str]) -> String {
        if paths.is_empty() {
            return "'none'".to_owned();
        }
        // CSP3: a policy cannot name addresses, but for one.
        if !is_name(self.host) {
            return "'self'".to_owned();
        }
        let other = self.front.filter(|front| is_name(front) && *front != self.host);
        let hosts = [Some(self.host), other].into_iter().flatten();
        let sources = hosts.flat_map(|host| paths.iter().map(move |path| format!("{host}{path}")));
        sources.collect::<Vec<_>>().join(" ")
    }
}

/// The content policy of a page that connects to two addresses, and to those that the operator names.
fn content_policy(own: &Own<'_>, to: [&str; 2], config: &Config) -> String {
    let mut policy = DIRECTIVES.trim_end().replace('\n', "; ");
    policy = policy.replace("{assets}", &own.sources(&[super::HASHED]));
    policy = policy.replace("{workers}", &own.sources(own.workers));
    for origin in to.into_iter().chain(config.web.files_from.iter().map(String::as_str)) {
        if is_source(origin) {
            let _ = write!(policy, " {origin}");
        }
    }
    policy
}

/// Whether a host, perhaps with a port, is one that a content policy can name.
fn is_name(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let is_address = name.parse::<IpAddr>().is_ok() && name != "127.0.0.1";
    !is_address && !host.starts_with('[') && is_source(host)
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

    const OWN: Own<'_> =
        Own { host: "a.example:5443", front: None, workers: &["/sw.js", "/worker-1f.js"] };

    fn directive(policy: &str, name: &str) -> String {
        let found = policy.split("; ").find_map(|one| one.strip_prefix(name)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("{policy}")).to_owned()
    }

    #[test]
    fn the_page_connects_to_this_server_and_to_what_the_operator_names() {
        let text = "domain = \"a.example\"\n[web]\nfiles_from = [\"https://files.b.example\"]\n";
        let config = Config::parse(text).unwrap();
        let to = ["wss://a.example/xmpp-websocket", "https://a.example"];
        let policy = content_policy(&OWN, to, &config);
        assert_eq!(
            directive(&policy, "connect-src"),
            "'self' wss://a.example/xmpp-websocket https://a.example https://files.b.example"
        );
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"));
        assert!(!policy.contains(['{', '}']), "{policy}");
    }

    #[test]
    fn scripts_are_the_files_of_the_client_and_nothing_else_of_its_host() {
        let config = Config::for_domain("a.example").unwrap();
        let policy = content_policy(&OWN, ["wss://a", "https://a"], &config);
        let scripts = directive(&policy, "script-src");
        assert_eq!(scripts, "a.example:5443/assets/ 'wasm-unsafe-eval'");
        assert_eq!(directive(&policy, "style-src"), "a.example:5443/assets/");
        let workers = directive(&policy, "worker-src");
        assert_eq!(workers, "a.example:5443/sw.js a.example:5443/worker-1f.js");
        for address in ["[2001:db8::1]:5443", "192.0.2.1", "a; script-src *"] {
            let policy = content_policy(&Own { host: address, ..OWN }, ["", ""], &config);
            assert_eq!(directive(&policy, "script-src"), "'self' 'wasm-unsafe-eval'", "{address}");
        }
        let behind = Own { host: "inside", front: Some("b.example"), ..OWN };
        let policy = content_policy(&behind, ["", ""], &config);
        assert_eq!(directive(&policy, "style-src"), "inside/assets/ b.example/assets/");
        let none = content_policy(&Own { workers: &[], ..OWN }, ["", ""], &config);
        assert_eq!(directive(&none, "worker-src"), "'none'");
    }

    #[test]
    fn nothing_adds_a_directive() {
        let config = Config::for_domain("a.example").unwrap();
        let policy = content_policy(&OWN, ["wss://a; script-src *", "https://a b"], &config);
        assert!(policy.ends_with("connect-src 'self'"), "{policy}");
    }
}
