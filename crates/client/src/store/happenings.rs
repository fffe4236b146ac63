//! What happens in a room besides what is said: kept so that it stands between the messages.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xmpp::ext::muc::{Affiliation, Role};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

/// One thing that happened in a room (XEP-0045).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// When this device learnt of it.
    pub time: Millis,
    /// What the room calls whom it is about, as far as is known.
    pub nick: Option<String>,
    /// Their address, where the room tells it.
    pub address: Option<BareJid>,
    /// What happened.
    pub what: Happened,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// They came in, or became one of a private group.
    Joined,
    /// They went out.
    Left,
    /// They are not one of a private group any more.
    Removed,
    /// They were put out; why, in the words of whoever did it.
    PutOut(Option<String>),
    /// They were put out for good.
    Banned(Option<String>),
    /// They have another relation to the room.
    Affiliation(#[serde(with = "affiliation")] Affiliation),
    /// They may do more or less than before.
    Role(#[serde(with = "role")] Role),
    /// They go on under this name.
    Nick(String),
    /// Something else is talked about, or nothing in particular.
    Subject(Option<String>),
    /// The room has another name.
    Name(String),
    /// The room has another picture, or none any more.
    Picture,
}

/// Names and words are not printed.
impl std::fmt::Debug for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Happening")
            .field("time", &self.time)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// Only the kind is printed.
impl std::fmt::Debug for Happened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Joined => "Joined",
            Self::Left => "Left",
            Self::Removed => "Removed",
            Self::PutOut(_) => "PutOut(..)",
            Self::Banned(_) => "Banned(..)",
            Self::Affiliation(affiliation) => affiliation.as_str(),
            Self::Role(role) => role.as_str(),
            Self::Nick(_) => "Nick(..)",
            Self::Subject(_) => "Subject(..)",
            Self::Name(_) => "Name(..)",
            Self::Picture => "Picture",
        })
    }
}

/// By the word on the wire. What a later program wrote and this one does not know is nothing special.
mod affiliation {
    use super::{Affiliation, Deserialize, Deserializer, Serializer};

    // serde says how it is called.
    #[expect(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(it: &Affiliation, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(it.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Affiliation, D::Error> {
        Ok(Affiliation::parse(&String::deserialize(from)?).unwrap_or_default())
    }
}

/// The same for roles.
mod role {
    use super::{Deserialize, Deserializer, Role, Serializer};

    // serde says how it is called.
    #[expect(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(it: &Role, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(it.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
        Ok(Role::parse(&String::deserialize(from)?).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_happening_is_kept_and_read_again_and_its_words_are_not_printed() {
        for what in [
            Happened::PutOut(Some("canary".into())),
            Happened::Affiliation(Affiliation::Admin),
            Happened::Role(Role::Visitor),
            Happened::Nick("canary".into()),
        ] {
            let one =
                Happening { time: Millis(1), nick: Some("canary".into()), address: None, what };
            let kept = serde_json::to_vec(&one).unwrap();
            assert_eq!(serde_json::from_slice::<Happening>(&kept).unwrap(), one);
            assert!(!format!("{one:?}").contains("canary"));
        }
    }
}
