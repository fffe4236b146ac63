//! RFC 6120 §4.3: stream features, and what they promise.

use super::state::Core;
use super::{Profile, Registration, StreamLimits};
use crate::ext::{bind2, fast, sasl_upgrade};
use crate::ns;
use crate::sasl::downgrade::Advertised;
use crate::sasl::{ChannelBinding, Hash, Mechanism, TlsInfo, ht};
use crate::stream::{Out, header};
use crate::xml::{Element, Framing};

impl Core {
    /// Whether STARTTLS can be used on this stream. WebSocket has its own TLS (RFC 7395 §3.9).
    pub(super) fn offers_starttls(&self) -> bool {
        self.settings.starttls && self.tls.is_none() && self.framing == Framing::Tcp
    }

    /// The channel binding types offered, strongest first.
    pub(super) fn bindings(&self) -> Vec<ChannelBinding> {
        let offered = self.settings.channel_binding.then_some(self.tls.as_ref()).flatten();
        offered.map(|tls| tls.bindings().collect()).unwrap_or_default()
    }

    /// The password mechanisms offered in a profile, strongest first; none where the profile may
    /// not be used.
    pub(super) fn mechanisms(&self, profile: Profile) -> Vec<Mechanism> {
        let encrypted = self.tls.is_some();
        let available = match profile {
            Profile::Sasl => self.may_authenticate(),
            // XEP-0388 §7: only after TLS.
            Profile::Sasl2 => self.settings.sasl2 && encrypted,
        };
        let hash = |hash: &Hash| self.settings.hashes.contains(hash);
        let binds = !self.bindings().is_empty();
        let offered = |mechanism: &Mechanism| match mechanism {
            Mechanism::ScramPlus(function) => binds && hash(function),
            Mechanism::Scram(function) => hash(function),
            // RFC 6120 §13.8.3: not without encryption.
            Mechanism::Plain => self.settings.plain && encrypted,
            Mechanism::Token(_) => false,
        };
        let all = Mechanism::PASSWORD.into_iter().filter(offered);
        if available { all.collect() } else { Vec::new() }
    }

    /// The FAST methods offered.
    pub(super) fn fast(&self) -> Vec<ht::Method> {
        let tls = self.tls.as_ref().filter(|_| self.settings.sasl2);
        let fits = |method: &ht::Method| {
            // Without channel binding only the unbound methods remain, even where data exists.
            let allowed = self.settings.channel_binding || method.binding.is_none();
            tls.is_some() && allowed && method.binding_data(tls).is_some()
        };
        self.settings.fast.iter().copied().filter(fits).collect()
    }

    /// What was offered in a profile, as XEP-0474 and XEP-0515 repeat it.
    pub(super) fn advertised(&self, profile: Profile) -> Advertised {
        let names = |mechanism: &Mechanism| mechanism.name().to_owned();
        let bindings = self.bindings();
        let bindings = bindings.iter().map(|binding| binding.name().to_owned());
        let bindings: Vec<String> = bindings.collect();
        Advertised {
            mechanisms: self.mechanisms(profile).iter().map(names).collect(),
            bindings: (!bindings.is_empty()).then_some(bindings),
            tls_version: self.tls.as_ref().and_then(|tls: &TlsInfo| tls.version),
        }
    }

    /// Writes the features of a stream whose peer is not authenticated.
    pub(super) fn write_features_before(&self, out: &mut Out) {
        let mut features = Vec::new();
        if self.offers_starttls() {
            let required = self.settings.tls_required.then(|| Element::new("required", ns::TLS));
            features.push(Element::new("starttls", ns::TLS).with_children(required));
        }
        features.extend(self.sasl_feature());
        features.extend(self.sasl2_feature());
        features.extend(self.binding_feature());
        features.extend(self.registration_features());
        features.extend(self.settings.limits_before.feature());
        features.extend(self.settings.features_before.iter().cloned());
        header::features(out, self.framing, &features);
    }

    /// Writes the features of a stream whose peer is authenticated.
    pub(super) fn write_features_after(&self, bound: bool, out: &mut Out) {
        let mut features = Vec::new();
        if !bound {
            features.push(Element::new("bind", ns::BIND));
            // Clients from before RFC 6120 establish a session; the newer ones see that they
            // need not.
            let optional = Element::new("optional", ns::SESSION);
            features.push(Element::new("session", ns::SESSION).with_child(optional));
        }
        if self.settings.stream_management {
            features.push(Element::new("sm", ns::SM));
        }
        features.extend(self.settings.limits_after.feature());
        features.extend(self.settings.features_after.iter().cloned());
        header::features(out, self.framing, &features);
    }

    fn sasl_feature(&self) -> Option<Element> {
        let mechanisms = self.mechanisms(Profile::Sasl);
        let names = mechanisms.iter().map(|mechanism| mechanism.name());
        let children = names.map(|name| Element::new("mechanism", ns::SASL).with_text(name));
        let feature = Element::new("mechanisms", ns::SASL).with_children(children);
        (!mechanisms.is_empty()).then_some(feature)
    }

    fn sasl2_feature(&self) -> Option<Element> {
        let mechanisms = self.mechanisms(Profile::Sasl2);
        if mechanisms.is_empty() {
            return None;
        }
        let sm = self.settings.stream_management;
        let vars = sm.then_some(ns::SM).into_iter();
        let vars = vars.chain(self.settings.bind_features.iter().map(String::as_str));
        let mut inline = Element::new("inline", ns::SASL2).with_child(bind2::feature(vars));
        if sm {
            inline.push(Element::new("sm", ns::SM));
        }
        let methods = self.fast();
        if !methods.is_empty() {
            inline.push(fast::feature(methods));
        }
        let names = mechanisms.iter().map(|mechanism| mechanism.name());
        let names = names.map(|name| Element::new("mechanism", ns::SASL2).with_text(name));
        let feature = Element::new("authentication", ns::SASL2).with_children(names);
        let upgrades = self.settings.upgrades.iter().copied().map(sasl_upgrade::upgrade);
        Some(feature.with_child(inline).with_children(upgrades))
    }

    fn binding_feature(&self) -> Option<Element> {
        let bindings = self.bindings();
        let types = bindings.iter().map(|binding| {
            Element::new("channel-binding", ns::SASL_CHANNEL_BINDING)
                .with_attr("type", binding.name())
        });
        let feature =
            Element::new("sasl-channel-binding", ns::SASL_CHANNEL_BINDING).with_children(types);
        (!bindings.is_empty()).then_some(feature)
    }

    fn registration_features(&self) -> Vec<Element> {
        if self.settings.registration == Registration::Closed || !self.may_authenticate() {
            return Vec::new();
        }
        // Clients made before XEP-0445 look for the namespace of XEP-0401. All of them want the
        // feature of XEP-0077 beside it.
        [ns::PREAUTH_FEATURE, ns::INVITE, ns::REGISTER_FEATURE]
            .map(|namespace| Element::new("register", namespace))
            .to_vec()
    }
}

impl StreamLimits {
    /// The stream feature of XEP-0478, if there is anything to tell.
    pub(in crate::stream) fn feature(self) -> Option<Element> {
        let child = |name, value: Option<u32>| {
            value.map(|value| Element::new(name, ns::STREAM_LIMITS).with_text(value.to_string()))
        };
        let max_bytes = child("max-bytes", self.max_bytes);
        let idle_seconds = child("idle-seconds", self.idle_seconds);
        let any = max_bytes.is_some() || idle_seconds.is_some();
        let feature = Element::new("limits", ns::STREAM_LIMITS)
            .with_children(max_bytes)
            .with_children(idle_seconds);
        any.then_some(feature)
    }
}
