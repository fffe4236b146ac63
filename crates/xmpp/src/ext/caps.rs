//! XEP-0115: Entity Capabilities 1.6.0
//!
//! A hash in presence stands for a disco#info answer, so that everybody asks only once. The hash
//! proves the answer only if it is computed from the answer by the one who asked: [`verify`].
//! SHA-1 is the mandatory hash and the only one seen in practice; others are not cached.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::ext::disco::{Identity, Info};
use crate::ext::form::{FORM_TYPE, FieldType, Form};
use crate::ns;
use crate::xml::Element;

/// The name of the only supported hash function.
pub const SHA_1: &str = "sha-1";

/// What an entity says about itself in presence or stream features.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caps {
    /// A URI that names the software.
    pub node: String,
    /// The hash, in Base64.
    pub ver: String,
    /// The hash function; absent in the legacy format, which proves nothing.
    pub hash: Option<String>,
}

/// Why a disco#info answer does not prove a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The hash function is unknown, or the legacy format was used: the answer may be used for this
    /// one address and must not be cached for others.
    #[error("the hash function is not supported")]
    UnsupportedHash,
    /// The answer lists something twice (XEP-0115 §5.4 steps 3.3 to 3.5).
    #[error("the answer lists something twice")]
    IllFormed,
    /// The answer has another hash.
    #[error("the answer has another hash")]
    Mismatch,
}

impl Caps {
    /// The caps of an entity that answers with `info`.
    #[must_use]
    pub fn of(node: impl Into<String>, info: &Info) -> Self {
        Caps { node: node.into(), ver: ver(info), hash: Some(SHA_1.to_owned()) }
    }

    /// Reads `<c/>`; `None` for another element or without the required `node` and `ver`.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("c", ns::CAPS) {
            return None;
        }
        Some(Caps {
            node: element.attr("node")?.to_owned(),
            ver: element.attr("ver")?.to_owned(),
            hash: element.attr("hash").map(str::to_owned),
        })
    }

    /// The caps as `<c/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("c", ns::CAPS)
            .with_attr_opt("hash", self.hash.as_deref())
            .with_attr("node", self.node.as_str())
            .with_attr("ver", self.ver.as_str())
    }

    /// The node to ask disco#info for.
    #[must_use]
    pub fn disco_node(&self) -> String {
        format!("{}#{}", self.node, self.ver)
    }

    /// Whether an answer can be proven by the hash and hence shared between addresses.
    #[must_use]
    pub fn is_verifiable(&self) -> bool {
        self.hash.as_deref() == Some(SHA_1)
    }
}

/// Checks that `info` is what `caps` stands for.
///
/// # Errors
/// See [`VerifyError`]; the answer must then not be cached for other addresses.
pub fn verify(caps: &Caps, info: &Info) -> Result<(), VerifyError> {
    if !caps.is_verifiable() {
        return Err(VerifyError::UnsupportedHash);
    }
    if has_doubles(info) {
        return Err(VerifyError::IllFormed);
    }
    if ver(info) == caps.ver { Ok(()) } else { Err(VerifyError::Mismatch) }
}

/// The verification string of an answer (XEP-0115 §5.1): SHA-1 in Base64.
#[must_use]
pub fn ver(info: &Info) -> String {
    STANDARD.encode(Sha1::digest(factors(info)))
}

/// The string S of XEP-0115 §5.1.
fn factors(info: &Info) -> String {
    let mut out = String::new();
    let mut identities: Vec<&Identity> = info.identities.iter().collect();
    identities.sort_by_key(|id| (&id.category, &id.kind, id.lang.as_deref().unwrap_or_default()));
    for id in identities {
        let lang = id.lang.as_deref().unwrap_or_default();
        let name = id.name.as_deref().unwrap_or_default();
        for part in [&id.category, "/", &id.kind, "/", lang, "/", name, "<"] {
            out.push_str(part);
        }
    }
    push_sorted(&mut out, info.features.iter());
    let mut forms: Vec<(&str, &Form)> =
        info.forms.iter().filter_map(|form| Some((hashed_form_type(form)?, form))).collect();
    forms.sort_by_key(|(form_type, _)| *form_type);
    for (form_type, form) in forms {
        out.push_str(form_type);
        out.push('<');
        let mut fields: Vec<_> = form
            .fields
            .iter()
            .filter_map(|field| Some((field.var.as_deref()?, field)))
            .filter(|(var, _)| *var != FORM_TYPE)
            .collect();
        fields.sort_by_key(|(var, _)| *var);
        for (var, field) in fields {
            out.push_str(var);
            out.push('<');
            push_sorted(&mut out, field.values.iter());
        }
    }
    out
}

fn push_sorted<'a>(out: &mut String, words: impl Iterator<Item = &'a String>) {
    let mut words: Vec<&String> = words.collect();
    // Comparing UTF-8 bytewise is the i;octet collation.
    words.sort();
    for word in words {
        out.push_str(word);
        out.push('<');
    }
}

/// The `FORM_TYPE` of a form that counts: §5.4 step 3.6 ignores those where it is not hidden.
fn hashed_form_type(form: &Form) -> Option<&str> {
    let field = form.field(FORM_TYPE)?;
    (field.kind == Some(FieldType::Hidden)).then(|| field.value()).flatten()
}

fn has_doubles(info: &Info) -> bool {
    let form_types = info.forms.iter().filter_map(|form| form.form_type());
    let many_values = info.forms.iter().any(|form| {
        let values = form.values(FORM_TYPE);
        values.iter().any(|value| Some(value) != values.first())
    });
    let identities = info.identities.iter().map(|id| {
        (&id.category, &id.kind, id.lang.as_deref().unwrap_or_default(), id.name.as_deref())
    });
    many_values || !unique(identities) || !unique(info.features.iter()) || !unique(form_types)
}

fn unique<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut items: Vec<T> = items.collect();
    let count = items.len();
    items.sort_unstable();
    items.dedup();
    items.len() == count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ext::form::{Field, FormType};

    fn simple() -> Info {
        Info::new()
            .with_identity(Identity::new("client", "pc").with_name("Exodus 0.9.1"))
            .with_features([
                "http://jabber.org/protocol/disco#items",
                "http://jabber.org/protocol/caps",
                "http://jabber.org/protocol/muc",
                "http://jabber.org/protocol/disco#info",
            ])
    }

    fn complex() -> Info {
        let mut info = simple();
        info.identities = vec![
            Identity {
                lang: Some("en".into()),
                ..Identity::new("client", "pc").with_name("Psi 0.11")
            },
            Identity {
                lang: Some("el".into()),
                ..Identity::new("client", "pc").with_name("\u{3a8} 0.11")
            },
        ];
        info.with_form(
            Form::typed(FormType::Result, "urn:xmpp:dataforms:softwareinfo")
                .with_field(Field::untyped("os").with_value("Mac"))
                .with_field(Field::untyped("ip_version").with_values(["ipv6", "ipv4"]))
                .with_field(Field::untyped("os_version").with_value("10.5.1"))
                .with_field(Field::untyped("software_version").with_value("0.11"))
                .with_field(Field::untyped("software").with_value("Psi")),
        )
    }

    #[test]
    fn the_simple_example_of_the_xep_is_computed() {
        assert_eq!(ver(&simple()), "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }

    #[test]
    fn the_complex_example_of_the_xep_is_computed() {
        assert_eq!(ver(&complex()), "q07IKJEyjvHSyhy//CH0CxmKi8w=");
    }

    #[test]
    fn a_matching_answer_is_verified_and_another_is_not() {
        let caps = Caps::of("http://psi-im.org", &complex());
        assert_eq!(verify(&caps, &complex()), Ok(()));
        assert_eq!(verify(&caps, &simple()), Err(VerifyError::Mismatch));
        assert_eq!(caps.disco_node(), "http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w=");
    }

    #[test]
    fn doubles_make_an_answer_ill_formed() {
        let caps = |info: &Info| Caps::of("n", info);
        let info = simple().with_feature("http://jabber.org/protocol/caps");
        assert_eq!(verify(&caps(&info), &info), Err(VerifyError::IllFormed));
        let info = simple().with_identity(simple().identities[0].clone());
        assert_eq!(verify(&caps(&info), &info), Err(VerifyError::IllFormed));
        let info = complex().with_form(complex().forms[0].clone());
        assert_eq!(verify(&caps(&info), &info), Err(VerifyError::IllFormed));
    }

    #[test]
    fn a_form_whose_type_is_not_hidden_does_not_count() {
        let form = Form::new(FormType::Result)
            .with_field(Field::untyped(FORM_TYPE).with_value("urn:x"))
            .with_field(Field::untyped("k").with_value("v"));
        assert_eq!(ver(&simple().with_form(form)), ver(&simple()));
    }

    #[test]
    fn the_legacy_format_proves_nothing() {
        let caps = Caps { hash: None, ..Caps::of("n", &simple()) };
        assert_eq!(verify(&caps, &simple()), Err(VerifyError::UnsupportedHash));
        assert_eq!(Caps::parse(&caps.to_element()), Some(caps));
    }
}
