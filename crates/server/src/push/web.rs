//! Web Push: RFC 8030 (the request), RFC 8188 and RFC 8291 (its body, which only the device can
//! read), RFC 8292 (who sends it). UnifiedPush, since version 3 of its specification, is the same.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, Mac as _};
use hyper::StatusCode;
use parking_lot::RwLock;
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey},
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _},
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Outcome, Reason};
use crate::{
    config::{Config, Home},
    fetch::{self, endpoint::Endpoint},
    files,
    s2s::verify::add_authorities,
    server::Server,
};

/// What a browser gives to whoever may wake it (Push API, `PushSubscription`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Where to post. Whoever knows it can try to.
    endpoint: String,
    /// The device's public key, in base64url: 65 bytes, uncompressed.
    p256dh: String,
    /// 16 secret bytes shared with the device, in base64url.
    auth: String,
}

/// Nothing of it is printed: it is all that one needs to reach a device.
impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription(..)")
    }
}

impl Subscription {
    /// A subscription as a client sends it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(
        endpoint: &str,
        p256dh: &str,
        auth: &str,
        private: bool,
    ) -> Result<Self, &'static str> {
        Endpoint::parse(endpoint, private)?;
        let subscription = Self {
            endpoint: endpoint.to_owned(),
            p256dh: p256dh.trim_end_matches('=').to_owned(),
            auth: auth.trim_end_matches('=').to_owned(),
        };
        let keys = subscription.keys().ok_or("p256dh and auth must be keys in base64url")?;
        // A point that is not on the curve is found out here and not when somebody writes.
        let random = SystemRandom::new();
        let probe = EphemeralPrivateKey::generate(&ECDH_P256, &random);
        let probe = probe.map_err(|_| "the server has no random numbers")?;
        let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.0);
        agreement::agree_ephemeral(probe, &theirs, |_| ())
            .map_err(|_| "p256dh is not a public key")?;
        Ok(subscription)
    }

    /// Public key and secret of the device.
    fn keys(&self) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        let public = BASE64.decode(&self.p256dh).ok().filter(|key| key.len() == PUBLIC_KEY)?;
        let auth = Zeroizing::new(BASE64.decode(&self.auth).ok()?);
        (auth.len() == AUTH).then_some((public, auth))
    }

    /// The push service.
    #[must_use]
    pub fn origin(&self) -> String {
        Endpoint::parse(&self.endpoint, true).map_or_else(|_| String::new(), |e| e.origin())
    }
}

/// Posts to push services.
#[derive(Default)]
pub(super) struct Poster {
    identity: RwLock<Option<Arc<EcdsaKeyPair>>>,
    /// Whom to trust: read when it is first needed.
    tls: RwLock<Option<Arc<ClientConfig>>>,
}

impl Poster {
    /// Reads the key that push services know this server by, and makes it the first time.
    pub(super) fn open(&self, home: &Home) -> Result<(), String> {
        let path = home.push_key();
        let bad = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        if !path.try_exists().map_err(|error| bad(&error))? {
            let key = rcgen::KeyPair::generate().map_err(|error| bad(&error))?;
            let pem = Zeroizing::new(key.serialize_pem());
            files::write_private(&path, pem.as_bytes()).map_err(|error| bad(&error))?;
        }
        let key = PrivatePkcs8KeyDer::from_pem_file(&path).map_err(|error| bad(&error))?;
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.secret_pkcs8_der(),
            &random,
        );
        let advice = "it is not a P-256 key; put it back from a backup, or remove it and let \
                      people allow notifications anew";
        *self.identity.write() = Some(Arc::new(key.map_err(|_| bad(&advice))?));
        Ok(())
    }

    pub(super) fn public_key(&self) -> Option<String> {
        let identity = self.identity.read();
        identity.as_ref().map(|key| BASE64.encode(key.public_key().as_ref()))
    }

    pub(super) fn forget_trust(&self) {
        *self.tls.write() = None;
    }

    /// RFC 8292 §3: who sends this, signed for one push service and for half a day.
    fn authorization(&self, origin: &str, contact: &str, now: u64) -> Option<String> {
        let key = self.identity.read().clone()?;
        let claims = serde_json::json!({ "aud": origin, "exp": now + VALID, "sub": contact });
        let signed = format!(
            "{}.{}",
            BASE64.encode(r#"{"typ":"JWT","alg":"ES256"}"#),
            BASE64.encode(claims.to_string())
        );
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let public = BASE64.encode(key.public_key().as_ref());
        Some(format!("vapid t={signed}.{}, k={public}", BASE64.encode(signature)))
    }

    /// How connections to push services are encrypted.
    async fn tls(&self, config: &Arc<Config>, home: &Home) -> Result<Arc<ClientConfig>, String> {
        if let Some(tls) = self.tls.read().clone() {
            return Ok(tls);
        }
        let (config, home) = (config.clone(), home.clone());
        // Reading the authorities of a system takes a while.
        let made = tokio::task::spawn_blocking(move || trust(&config, &home)).await;
        let made = Arc::new(made.map_err(|error| error.to_string())??);
        *self.tls.write() = Some(made.clone());
        Ok(made)
    }
}

fn trust(config: &Config, home: &Home) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for path in &config.push.trust {
        add_authorities(&mut roots, &home.resolve(path))?;
    }
    fetch::tls(roots)
}

/// Tells a device that something is there.
pub(super) async fn post(
    server: &Arc<Server>,
    subscription: &Subscription,
    reason: Reason,
) -> Outcome {
    match attempt(server, subscription, reason).await {
        Ok(answer) => judge(answer),
        Err(why) => Outcome::Later { why, after: None },
    }
}

async fn attempt(
    server: &Arc<Server>,
    subscription: &Subscription,
    reason: Reason,
) -> Result<fetch::Answer, String> {
    let config = server.config();
    let private = config.push.private_addresses;
    let endpoint = Endpoint::parse(&subscription.endpoint, private)?;
    let (public, auth) = subscription.keys().ok_or("the subscription cannot be read")?;
    let body = encrypt(&public, &auth, reason)
        .map_err(|_| "the notification could not be encrypted".to_owned())?;
    let poster = &server.pushes.poster;
    let now = server.now().0 / 1000;
    let authorization = poster.authorization(&endpoint.origin(), &contact(&config), now);
    let headers = vec![
        ("authorization", authorization.ok_or("there is no key to sign with")?),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", reason.seconds().to_string()),
        ("urgency", urgency(reason).to_owned()),
        // RFC 8030 §5.4: while the device is away, the last of a kind is enough.
        ("topic", reason.topic().to_owned()),
    ];
    let tls = poster.tls(&config, server.home()).await?;
    fetch::ask(&endpoint, private, &tls, fetch::Request::post(headers, body)).await
}

/// RFC 8030 §5.3. Phones that save power deliver nothing less urgent before they are picked up.
fn urgency(reason: Reason) -> &'static str {
    match reason {
        Reason::Request => "normal",
        Reason::Stranger | Reason::Line | Reason::Message | Reason::Call => "high",
    }
}

/// RFC 8292 §2.1: whom a push service can ask about this server.
fn contact(config: &Config) -> String {
    let known = config.contact.admin.iter().chain(&config.contact.abuse);
    let mail = known.into_iter().find(|address| address.starts_with("mailto:"));
    mail.cloned().unwrap_or_else(|| format!("https://{}", config.domain))
}

/// RFC 8030 §5 and §7.3.
fn judge(answer: fetch::Answer) -> Outcome {
    let fetch::Answer { status, retry_after, .. } = answer;
    match status {
        status if status.is_success() => Outcome::Arrived,
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Outcome::Gone("the device no longer wants notifications".to_owned())
        }
        status => Outcome::Later {
            why: format!("the push service answered {status}"),
            after: retry_after,
        },
    }
}

/// What the device is told, for it alone: the kind and nothing else, always of one length.
fn encrypt(
    public: &[u8],
    auth: &[u8],
    reason: Reason,
) -> Result<Vec<u8>, ring::error::Unspecified> {
    let random = SystemRandom::new();
    let ours = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let our_public = ours.compute_public_key()?;
    let mut salt = [0; SALT];
    random.fill(&mut salt)?;
    let text = serde_json::json!({ "kind": reason.as_str() }).to_string();
    let theirs = UnparsedPublicKey::new(&ECDH_P256, public);
    agreement::agree_ephemeral(ours, &theirs, |shared| {
        let secrets = Secrets { shared, auth, public, our_public: our_public.as_ref(), salt };
        seal(&secrets, text.as_bytes(), PADDED)
    })?
}

/// What the keys of one message are made from (RFC 8291 §3.4).
struct Secrets<'a> {
    shared: &'a [u8],
    auth: &'a [u8],
    public: &'a [u8],
    our_public: &'a [u8],
    salt: [u8; SALT],
}

/// One message as one record (RFC 8188 §2, RFC 8291 §4), padded to at least `padded` bytes.
fn seal(
    secrets: &Secrets<'_>,
    text: &[u8],
    padded: usize,
) -> Result<Vec<u8>, ring::error::Unspecified> {
    let Secrets { shared, auth, public, our_public, salt } = secrets;
    let key = mac(auth, &[shared]);
    let input = mac(&*key, &[b"WebPush: info\0", public, our_public, &[1]]);
    let root = mac(salt, &[&*input]);
    let content_key = mac(&*root, &[b"Content-Encoding: aes128gcm\0", &[1]]);
    let nonce = mac(&*root, &[b"Content-Encoding: nonce\0", &[1]]);
    let (content_key, _) = content_key.split_at(16);
    let mut record = text.to_vec();
    // The last record ends with 2, and zeros for padding.
    record.push(2);
    record.resize(record.len().max(padded), 0);
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, content_key)?);
    let nonce = Nonce::try_assume_unique_for_key(nonce.split_at(12).0)?;
    sealing.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let mut message = Vec::with_capacity(SALT + 5 + our_public.len() + record.len());
    message.extend_from_slice(salt);
    message.extend_from_slice(&RECORD.to_be_bytes());
    message.push(u8::try_from(our_public.len()).map_err(|_| ring::error::Unspecified)?);
    message.extend_from_slice(our_public);
    message.extend_from_slice(&record);
    Ok(message)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac =
        <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Bytes of a public key of P-256, uncompressed.
const PUBLIC_KEY: usize = 65;
/// Bytes of the secret that the device shares.
const AUTH: usize = 16;
const SALT: usize = 16;
/// Record size (RFC 8188 §2.1): the whole message is one record.
const RECORD: u32 = 4096;
/// Every notification has this length before it is encrypted.
const PADDED: usize = 64;
/// Seconds for which a proof of who we are is good.
const VALID: u64 = 12 * 60 * 60;

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as VerifyingKey};

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64.decode(text).unwrap()
    }

    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH_SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    /// RFC 8291 §5 and appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let public = bytes(P256DH);
        let our_public = bytes(
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
        );
        let secrets = Secrets {
            shared: &bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            auth: &bytes(AUTH_SECRET),
            public: &public,
            our_public: &our_public,
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        };
        let sealed = seal(&secrets, b"When I grow up, I want to be a watermelon", 0).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6\
                        e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZ\
                        wbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64.encode(sealed), expected);
    }

    #[test]
    fn every_notification_looks_alike_from_outside() {
        let all = [Reason::Line, Reason::Message, Reason::Call, Reason::Request, Reason::Stranger];
        let lengths =
            all.map(|reason| encrypt(&bytes(P256DH), &bytes(AUTH_SECRET), reason).unwrap().len());
        assert_eq!(lengths, [SALT + 5 + PUBLIC_KEY + PADDED + 16; 5]);
        let outside = |reason: Reason| (reason.topic(), reason.seconds(), urgency(reason));
        assert_eq!(outside(Reason::Stranger), outside(Reason::Message));
    }

    #[test]
    fn a_subscription_is_read_with_care() {
        let endpoint = "https://push.example/x";
        let padded = format!("{AUTH_SECRET}==");
        let read = Subscription::new(endpoint, P256DH, &padded, false).unwrap();
        assert_eq!(read.origin(), "https://push.example");
        assert_eq!(format!("{read:?}"), "Subscription(..)");
        let off_the_curve = BASE64.encode([4; PUBLIC_KEY]);
        for (endpoint, key, auth) in [
            ("https://10.0.0.1/x", P256DH, AUTH_SECRET),
            (endpoint, "", AUTH_SECRET),
            (endpoint, P256DH, "AAAA"),
            (endpoint, &off_the_curve, AUTH_SECRET),
        ] {
            assert!(Subscription::new(endpoint, key, auth, false).is_err());
        }
    }

    /// RFC 8292 §2: what is signed is for one push service, and ends.
    #[test]
    fn a_push_service_can_check_who_sends() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let poster = Poster::default();
        poster.open(&home).unwrap();
        let key = poster.public_key().unwrap();
        let header = poster.authorization("https://push.example", "mailto:a@b", 1000).unwrap();
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(public, key);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        VerifyingKey::new(&ECDSA_P256_SHA256_FIXED, bytes(public))
            .verify(signed.as_bytes(), &bytes(signature))
            .unwrap();
        let claims = bytes(signed.split_once('.').unwrap().1);
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let expected = serde_json::json!({
            "aud": "https://push.example", "exp": 1000 + VALID, "sub": "mailto:a@b",
        });
        assert_eq!(claims, expected);
        // It is the same after a restart.
        let again = Poster::default();
        again.open(&home).unwrap();
        assert_eq!(again.public_key(), Some(key));
    }

    #[test]
    fn the_answer_decides_what_becomes_of_a_subscription() {
        let judged = |status, retry_after| {
            judge(fetch::Answer { status, retry_after, body: bytes::Bytes::new() })
        };
        assert_eq!(judged(StatusCode::CREATED, None), Outcome::Arrived);
        for gone in [StatusCode::NOT_FOUND, StatusCode::GONE] {
            assert!(matches!(judged(gone, None), Outcome::Gone(_)));
        }
        for later in [StatusCode::TOO_MANY_REQUESTS, StatusCode::FOUND, StatusCode::FORBIDDEN] {
            let outcome = judged(later, Some(30));
            assert!(matches!(outcome, Outcome::Later { after: Some(30), .. }), "{later}");
        }
    }
}
