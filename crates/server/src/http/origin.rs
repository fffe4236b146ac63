//! Whose pages may speak XMPP with this server from a browser (RFC 6455 §10.2).
//!
//! A browser says where a page came from (RFC 6454 §7). Programs that are no browsers do not, and come
//! in as they always do.

use hyper::{
    StatusCode,
    header::{self, HeaderMap},
};

use super::{Answer, Visit, text};
use crate::config::Config;

/// The answer for a page that may not; nothing for everybody else.
#[must_use]
pub fn refusal(visit: &Visit) -> Option<Answer> {
    let may = may_connect(visit.request.headers(), &visit.server.config());
    let words = "pages of this origin may not connect; `origins` in [web] names those that may\n";
    (!may).then(|| text(StatusCode::FORBIDDEN, words))
}

fn may_connect(headers: &HeaderMap, config: &Config) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let Some(origin) = origin.to_str().ok().filter(|_| origins.next().is_none()) else {
        return false;
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = |host: &str| {
        let rest = origin.split_once("://").map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
    };
    let named = |allowed: &String| covers(allowed, origin);
    host.is_some_and(own)
        || config
            .front_door
            .url
            .as_deref()
            .is_some_and(|url| covers(url.trim_end_matches('/'), origin))
        || config.web.origins.iter().any(named)
}

/// Whether an origin is the one that is allowed, below it (`https://*.example.net`), or any (`*`).
fn covers(allowed: &str, origin: &str) -> bool {
    if allowed == "*" || allowed.eq_ignore_ascii_case(origin) {
        return true;
    }
    let Some((scheme, below)) = allowed.split_once("://*.") else { return false };
    let Some((other, host)) = origin.split_once("://") else { return false };
    let (below, host) = (below.to_ascii_lowercase(), host.to_ascii_lowercase());
    let part = host.strip_suffix(&below).and_then(|part| part.strip_suffix('.'));
    scheme.eq_ignore_ascii_case(other) && part.is_some_and(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn may(origin: &[&str], config: &str) -> bool {
        let config = Config::parse(&format!("domain = \"a.example\"\n{config}")).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("chat.a.example:5443"));
        for origin in origin {
            headers.append(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        may_connect(&headers, &config)
    }

    #[test]
    fn own_pages_and_programs_may_connect_and_pages_of_others_may_not() {
        assert!(may(&[], ""), "no browser");
        assert!(may(&["https://chat.a.example:5443"], ""));
        for other in ["https://evil.example", "https://chat.a.example", "null", "https://a.example"]
        {
            assert!(!may(&[other], ""), "{other}");
        }
        assert!(!may(&["https://chat.a.example:5443", "https://evil.example"], ""));
        let url = "[front_door]\nurl = \"https://a.example/\"\n";
        assert!(may(&["https://a.example"], url));
    }

    #[test]
    fn the_operator_names_others() {
        let list = "[web]\norigins = [\"https://web.example\", \"https://*.b.example\"]\n";
        assert!(may(&["https://web.example"], list));
        assert!(may(&["https://x.b.example"], list));
        for other in
            ["http://web.example", "https://b.example", "https://xb.example", "https://.b.example"]
        {
            assert!(!may(&[other], list), "{other}");
        }
        let any = "[web]\norigins = [\"*\"]\n";
        assert!(may(&["https://anywhere.example"], any) && may(&["null"], any));
    }
}
