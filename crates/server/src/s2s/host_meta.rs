//! XEP-0487: Host Meta 2 0.1.0, as a server reads it: where a domain says on its web server that its
//! XMPP servers are, and by which names and keys they prove who they are.
//!
//! It is asked before the domain name system, and remembered for as long as it says. What it names is
//! tried first; when none of that works, the records are tried as if there was no such document.

use std::{net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};
use rustls::{ClientConfig, pki_types::CertificateDer};
use serde::Deserialize;

use super::{
    dane,
    documents::{self, Terms},
    resolve::{Place, random},
};
use crate::server::Server;

/// What a document adds to a place: how a server there proves that it is the right one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegation {
    /// The name it is asked for, which its certificate may have instead of the domain's.
    pub sni: String,
    /// SHA-256 hashes of public keys, one of which has to be its; empty when the domain pins none.
    pub pins: Arc<[Vec<u8>]>,
}

impl Delegation {
    /// Whether the key of a certificate is one of the pinned ones; none when none are pinned. Whoever
    /// shows a chain can append to it whatever they like, so only its first certificate counts.
    #[must_use]
    pub fn pinned(&self, chain: &[CertificateDer<'_>]) -> Option<bool> {
        let hash = || Some(digest(&SHA256, &dane::public_key(chain.first()?)?));
        let is_one =
            || hash().is_some_and(|hash| self.pins.iter().any(|pin| hash.as_ref() == *pin));
        (!self.pins.is_empty()).then(is_one)
    }
}

/// The places that a domain names itself, in order. None when it names none, or cannot be asked.
pub async fn places(server: &Arc<Server>, domain: &str) -> Vec<Place> {
    let read = async |place: &str, tls: &Arc<ClientConfig>| get(place, false, tls).await;
    server.s2s.host_meta.of(server, domain, TERMS, read).await.to_vec()
}

/// Whether a domain says on its web server that its servers are those with this certificate: by its key
/// where it pins keys, or else by one of the names that they are asked for, which `named` looks for. Without a
/// certificate nobody is asked: whoever names a domain must not make this server knock at its door.
pub async fn vouches(
    server: &Arc<Server>,
    domain: &str,
    chain: &[CertificateDer<'_>],
    named: impl Fn(&str) -> bool,
) -> bool {
    named_by(chain, async || places(server, domain).await, named).await
}

async fn named_by(
    chain: &[CertificateDer<'_>],
    places: impl AsyncFnOnce() -> Vec<Place>,
    named: impl Fn(&str) -> bool,
) -> bool {
    if chain.is_empty() {
        return false;
    }
    let places = places().await;
    let mut delegations = places.iter().filter_map(|place| place.delegated.as_ref());
    delegations.any(|one| one.pinned(chain).unwrap_or_else(|| named(&one.sni)))
}

/// Only over HTTPS (XEP-0487 §2.2 rule 1), and redirects are not followed.
async fn get(
    place: &str,
    private: bool,
    tls: &Arc<ClientConfig>,
) -> Result<(Vec<Place>, u64), String> {
    parse(&documents::get(place, private, tls, MOST_BYTES).await?, random)
}

#[derive(Deserialize)]
struct Document {
    xmpp: Option<About>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct About {
    ttl: u64,
    #[serde(rename = "public-key-pins-sha-256", default)]
    pins: Vec<String>,
}

/// Other links have other fields, or none of these.
#[derive(Deserialize)]
struct Link {
    rel: String,
    port: Option<u16>,
    #[serde(default)]
    ips: Vec<IpAddr>,
    #[serde(default)]
    priority: u16,
    #[serde(default)]
    weight: u16,
    sni: Option<String>,
}

/// The places for servers, and for how many seconds they are good.
fn parse(text: &[u8], random: impl Fn() -> u32) -> Result<(Vec<Place>, u64), String> {
    let bad = |error: serde_json::Error| format!("the document cannot be read: {error}");
    let document: Document = serde_json::from_slice(text).map_err(bad)?;
    let Some(about) = document.xmpp else {
        return Err("it is one of the older kind (XEP-0156)".to_owned());
    };
    let pins: Vec<Vec<u8>> =
        about.pins.iter().take(MOST_PINS).filter_map(|pin| BASE64.decode(pin).ok()).collect();
    if pins.is_empty() && !about.pins.is_empty() {
        return Err("none of the keys in the document can be read".to_owned());
    }
    let pins: Arc<[Vec<u8>]> = pins.into();
    let mut links: Vec<Link> =
        document.links.into_iter().filter(|link| link.rel == S2S_TLS).take(MOST_LINKS).collect();
    // RFC 2782: by priority, and by chance with the weight within it.
    links.sort_by_cached_key(|link| {
        let chance = u64::from(random()) % (u64::from(link.weight) + 1);
        (link.priority, std::cmp::Reverse(chance))
    });
    let mut places = Vec::new();
    for link in links {
        let (Some(port), Some(sni)) = (link.port, link.sni) else { continue };
        for ip in link.ips.iter().take(MOST_ADDRESSES) {
            let delegation = Delegation { sni: sni.clone(), pins: pins.clone() };
            places.push(Place {
                host: ip.to_string(),
                port,
                tls: true,
                signed: false,
                priority: link.priority,
                delegated: Some(delegation),
            });
        }
    }
    Ok((places, about.ttl.clamp(LEAST_SECONDS, MOST_SECONDS)))
}

const S2S_TLS: &str = "urn:xmpp:alt-connections:s2s-tls";
const TERMS: Terms = Terms {
    kind: "host-meta",
    path: "host-meta.json",
    // A domain without a web server must not hold up messages to it.
    patience: Duration::from_secs(3),
    without: 60 * 60,
};
/// Bytes of a document.
const MOST_BYTES: usize = 64 * 1024;
const MOST_LINKS: usize = 16;
const MOST_ADDRESSES: usize = 4;
const MOST_PINS: usize = 32;
/// XEP-0487 §7 advises a week at most.
const MOST_SECONDS: u64 = 7 * 24 * 60 * 60;
const LEAST_SECONDS: u64 = 5 * 60;

#[cfg(test)]
mod tests {
    use super::{
        super::posh::tests::{certificate, web},
        *,
    };

    #[test]
    fn places_come_in_their_order_with_what_proves_them() {
        let text = format!(
            r#"{{"xmpp":{{"ttl":3000,"public-key-pins-sha-256":["{}"]}},"links":[
            {{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a.example/ws","ips":["192.0.2.9"],
              "priority":1,"weight":1,"sni":"a.example"}},
            {{"rel":"{S2S_TLS}","port":5270,"ips":["192.0.2.1","2001:db8::1"],"priority":20,"weight":0,
              "sni":"b.example"}},
            {{"rel":"{S2S_TLS}","port":443,"ips":["192.0.2.2"],"priority":10,"weight":0,
              "sni":"c.example","ech":"AAAA"}},
            {{"rel":"{S2S_TLS}","ips":["192.0.2.3"],"priority":1,"weight":0}}]}}"#,
            BASE64.encode([7; 32])
        );
        let (places, seconds) = parse(text.as_bytes(), || 0).unwrap();
        let found: Vec<_> = places.iter().map(|place| (place.host.as_str(), place.port)).collect();
        assert_eq!(found, [("192.0.2.2", 443), ("192.0.2.1", 5270), ("2001:db8::1", 5270)]);
        assert_eq!(seconds, 3000);
        let delegation = places[0].delegated.as_ref().unwrap();
        assert_eq!(delegation.sni, "c.example");
        assert!(places.iter().all(|place| place.tls));
        assert_eq!(delegation.pinned(&[]), Some(false));
        assert_eq!(Delegation::default().pinned(&[]), None);
    }

    #[tokio::test]
    async fn nobody_is_asked_about_a_peer_that_shows_no_certificate() {
        let delegated = Some(Delegation { sni: "b.example".into(), ..Delegation::default() });
        let (host, port, priority) = ("192.0.2.1".to_owned(), 5270, 0);
        let place = Place { host, port, tls: true, signed: false, priority, delegated };
        let says = async || vec![place.clone()];
        assert!(named_by(&[certificate("b.example").0], says, |name| name == "b.example").await);
        assert!(!named_by(&[certificate("b.example").0], says, |name| name == "a.example").await);
        assert!(!named_by(&[], async || panic!("it was asked"), |_| true).await);
    }

    #[test]
    fn documents_of_the_older_kind_and_nonsense_name_nothing() {
        for bad in [
            "",
            "{}",
            r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a.example/"}]}"#,
            r#"{"xmpp":{},"links":[]}"#,
            r#"{"xmpp":{"ttl":-1}}"#,
            r#"{"xmpp":{"ttl":60,"public-key-pins-sha-256":["not base64"]}}"#,
            r#"{"xmpp":{"ttl":60},"links":[{"rel":"x","ips":["a name"]}]}"#,
        ] {
            assert!(parse(bad.as_bytes(), || 0).is_err(), "{bad}");
        }
        let (places, seconds) = parse(br#"{"xmpp":{"ttl":0}}"#, || 0).unwrap();
        assert_eq!((places.len(), seconds), (0, LEAST_SECONDS));
    }

    #[tokio::test]
    async fn it_is_read_over_https_and_pins_the_key_that_comes_first() {
        let (peer, other) = (certificate("a.example").0, certificate("a.example").0);
        let pin = BASE64.encode(digest(&SHA256, &dane::public_key(&peer).unwrap()));
        let document = format!(
            r#"{{"xmpp":{{"ttl":600,"public-key-pins-sha-256":["{pin}"]}},"links":[{{"rel":"{S2S_TLS}",
            "port":1,"ips":["192.0.2.1"],"priority":1,"weight":1,"sni":"a.example"}}]}}"#
        );
        let (port, tls) = web(vec![document]).await;
        let place = format!("https://localhost:{port}/.well-known/host-meta.json");
        let (places, 600) = get(&place, true, &tls).await.unwrap() else { panic!("{place}") };
        let delegation = places[0].delegated.as_ref().unwrap();
        assert_eq!(delegation.pinned(&[peer.clone(), other.clone()]), Some(true));
        assert_eq!(delegation.pinned(&[other, peer]), Some(false), "anybody can append it");
        let (port, _) = web(vec![String::new()]).await;
        let place = format!("https://localhost:{port}/.well-known/host-meta.json");
        assert!(get(&place, true, &tls).await.is_err(), "the web server has another certificate");
    }

    #[test]
    fn weights_give_chances_within_a_priority() {
        let link = |port: u16, weight: u16| {
            format!(
                r#"{{"rel":"{S2S_TLS}","port":{port},"ips":["192.0.2.1"],"priority":5,"weight":{weight},
                "sni":"a.example"}}"#
            )
        };
        let text = format!(r#"{{"xmpp":{{"ttl":60}},"links":[{},{}]}}"#, link(1, 0), link(2, 100));
        let (places, _) = parse(text.as_bytes(), || 50).unwrap();
        assert_eq!(places[0].port, 2);
    }
}
