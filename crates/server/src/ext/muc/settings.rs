//! The configuration of a room, and its form (XEP-0045 §10.1.3).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Field, FieldType, Form, FormType},
        muc::Role,
    },
    ns,
    xml::Element,
};

use crate::ext::archive::retention::MOST_DAYS;

/// How a room is meant to be used. Every field has a place in the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// A name for people.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// The language spoken in it.
    pub lang: String,
    /// Stays when nobody is in it.
    pub persistent: bool,
    /// Can be found by looking.
    pub public: bool,
    /// Who has no role of their own can only read.
    pub moderated: bool,
    /// Only members come in.
    pub members_only: bool,
    /// What everybody has to know to come in.
    pub password: Option<String>,
    /// Everybody sees who everybody is.
    pub non_anonymous: bool,
    /// Participants may change the subject.
    pub subject_by_participants: bool,
    /// Occupants may invite, which makes members where only members come in.
    pub invitations_by_occupants: bool,
    /// Strangers may ask admins to make them members, where only members come in.
    pub membership_requests: bool,
    /// The least role that may write to one occupant; `none` for nobody.
    pub private_messages: Writers,
    /// Most occupants; 0 for as many as the server allows.
    pub max_users: u32,
    /// Roles whose coming and going is shown.
    pub shown: BTreeSet<Shown>,
    /// Roles that may read the lists of members.
    pub list_readers: BTreeSet<Shown>,
    /// Messages are kept (XEP-0313).
    pub archived: bool,
    /// Days for which they are kept, no longer than the server keeps them; 0 for as long.
    pub kept_days: u32,
    /// Messages of the past that newcomers get, when they do not ask for less.
    pub history: u32,
    /// The node of the space that it is part of (XEP-0503); empty for none.
    pub space: String,
    /// Seconds between two messages of one participant (XEP-0500); 0 for none.
    pub slow_mode: u64,
}

/// Who may write to one occupant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writers {
    /// Everybody in the room.
    #[default]
    Anyone,
    /// Participants and moderators.
    Participants,
    /// Moderators.
    Moderators,
    /// Nobody.
    Nobody,
}

/// A role in one of the lists of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Moderators.
    Moderator,
    /// Participants.
    Participant,
    /// Visitors.
    Visitor,
}

impl Default for Settings {
    /// A private group: for members, who see each other's addresses and so can encrypt for each
    /// other, and kept.
    fn default() -> Self {
        Settings {
            name: String::new(),
            description: String::new(),
            lang: String::new(),
            persistent: true,
            public: false,
            moderated: false,
            members_only: true,
            password: None,
            non_anonymous: true,
            subject_by_participants: false,
            invitations_by_occupants: false,
            membership_requests: false,
            private_messages: Writers::Anyone,
            max_users: 0,
            shown: Shown::ALL.into(),
            list_readers: Shown::ALL.into(),
            archived: true,
            kept_days: 0,
            history: 20,
            space: String::new(),
            slow_mode: 0,
        }
    }
}

impl Settings {
    /// A public channel: everybody comes in, and nobody but moderators sees who they are. When it is for members
    /// later, others may ask to be one.
    #[must_use]
    pub fn channel() -> Self {
        Settings {
            public: true,
            members_only: false,
            non_anonymous: false,
            membership_requests: true,
            list_readers: [Shown::Moderator].into(),
            ..Settings::default()
        }
    }
}

impl Settings {
    /// Whether everybody can read what is said (§7.2.12): it is kept, and who reads it need not be let in.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        self.archived && !self.members_only && self.password.is_none()
    }

    /// Whether the coming and going of occupants of this role is shown to others.
    #[must_use]
    pub fn shows(&self, role: Role) -> bool {
        Shown::of(role).is_some_and(|role| self.shown.contains(&role))
    }
}

impl Shown {
    const ALL: [Shown; 3] = [Shown::Moderator, Shown::Participant, Shown::Visitor];

    /// The role, if it is one that occupants have.
    #[must_use]
    pub fn of(role: Role) -> Option<Self> {
        match role {
            Role::Moderator => Some(Shown::Moderator),
            Role::Participant => Some(Shown::Participant),
            Role::Visitor => Some(Shown::Visitor),
            Role::None => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Shown::Moderator => "moderator",
            Shown::Participant => "participant",
            Shown::Visitor => "visitor",
        }
    }
}

impl Writers {
    const ALL: [(Writers, &'static str, &'static str); 4] = [
        (Writers::Anyone, "anyone", "Everybody"),
        (Writers::Participants, "participants", "Participants"),
        (Writers::Moderators, "moderators", "Moderators"),
        (Writers::Nobody, "none", "Nobody"),
    ];

    /// Whether an occupant of this role is one of them.
    #[must_use]
    pub fn admits(self, role: Role) -> bool {
        match self {
            Writers::Anyone => true,
            Writers::Participants => role >= Role::Participant,
            Writers::Moderators => role == Role::Moderator,
            Writers::Nobody => false,
        }
    }

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(who, ..)| *who == self).map_or("anyone", |(_, name, _)| name)
    }
}

/// The form that owners fill in.
#[must_use]
pub fn form(settings: &Settings) -> Form {
    let s = settings;
    let text = |var, label: &str, value: &str| {
        Field::new(var, FieldType::TextSingle).with_label(label).with_value(value)
    };
    let yes = |var, label: &str, value| {
        Field::new(var, FieldType::Boolean).with_label(label).with_bool(value)
    };
    Form::typed(FormType::Form, ns::MUC_ROOM_CONFIG)
        .with_title("Configuration of the room")
        .with_field(text(NAME, "Name", &s.name))
        .with_field(text(DESCRIPTION, "Description", &s.description))
        .with_field(text(LANG, "Language", &s.lang))
        .with_field(yes(PERSISTENT, "Stays when everybody has left", s.persistent))
        .with_field(yes(PUBLIC, "Can be found by everybody", s.public))
        .with_field(yes(MEMBERS_ONLY, "For members only", s.members_only))
        .with_field(yes(MODERATED, "Newcomers can only read", s.moderated))
        .with_field(yes(PROTECTED, "Needs a password", s.password.is_some()))
        .with_field(
            Field::new(SECRET, FieldType::TextPrivate)
                .with_label("Password")
                .with_value(s.password.as_deref().unwrap_or_default()),
        )
        .with_field(whois(s))
        .with_field(yes(SUBJECT, "Participants may change the subject", s.subject_by_participants))
        .with_field(yes(INVITES, "Occupants may invite others", s.invitations_by_occupants))
        .with_field(yes(REQUESTS, "Others may ask to become members", s.membership_requests))
        .with_field(writers(s))
        .with_field(max_users(s))
        .with_field(roles(BROADCAST, "Whose coming and going is shown", &s.shown))
        .with_field(roles(MEMBER_LIST, "Who may read the list of members", &s.list_readers))
        .with_field(yes(ARCHIVING, "Messages are kept in the archive", s.archived))
        .with_field(number(
            KEPT_DAYS,
            "Days for which they are kept; 0 for as long as the server keeps messages",
            s.kept_days.into(),
        ))
        .with_field(number(HISTORY, "Messages that newcomers get", s.history.into()))
        .with_field(text(SPACE, "Address of the node of its space", &s.space))
        .with_field(number(SLOW_MODE, "Seconds between two messages of one person", s.slow_mode))
}

fn whois(settings: &Settings) -> Field {
    Field::new(WHOIS, FieldType::ListSingle)
        .with_label("Who sees the addresses of occupants")
        .with_option("Moderators", "moderators")
        .with_option("Everybody", "anyone")
        .with_value(if settings.non_anonymous { "anyone" } else { "moderators" })
}

fn writers(settings: &Settings) -> Field {
    let field = Field::new(PRIVATE_MESSAGES, FieldType::ListSingle)
        .with_label("Who may write to single occupants")
        .with_value(settings.private_messages.as_str());
    Writers::ALL.iter().fold(field, |field, (_, name, label)| field.with_option(*label, *name))
}

fn max_users(settings: &Settings) -> Field {
    let value = match settings.max_users {
        0 => "none".to_owned(),
        most => most.to_string(),
    };
    let field = Field::new(MAX_USERS, FieldType::ListSingle)
        .with_label("Most occupants")
        .with_option("As many as the server allows", "none");
    let choices = ["10", "20", "30", "50", "100", "200", "500"];
    let field = choices.iter().fold(field, |field, most| field.with_option(*most, *most));
    field.with_value(value)
}

fn roles(var: &str, label: &str, chosen: &BTreeSet<Shown>) -> Field {
    let field = Field::new(var, FieldType::ListMulti).with_label(label);
    let field = Shown::ALL
        .iter()
        .fold(field, |field, role| field.with_option(role.as_str(), role.as_str()));
    field.with_values(chosen.iter().map(|role| role.as_str()))
}

/// A number that is not negative, said so (XEP-0122).
fn number(var: &str, label: &str, value: u64) -> Field {
    let range = Element::new("range", ns::DATA_FORMS_VALIDATE).with_attr("min", "0");
    let validate = Element::new("validate", ns::DATA_FORMS_VALIDATE)
        .with_attr("datatype", "xs:integer")
        .with_child(range);
    Field::new(var, FieldType::TextSingle)
        .with_label(label)
        .with_extra(validate)
        .with_value(value.to_string())
}

/// The settings with what a submitted form changes. Fields that are not known, and those of the
/// lists of owners and admins, are left to others.
///
/// # Errors
/// `not-acceptable` when a value is none of those that exist, or contradicts another.
pub fn submitted(old: &Settings, form: &Form, most_history: u32) -> Result<Settings, StanzaError> {
    let mut new = old.clone();
    let mut protected = old.password.is_some();
    let mut secret = None;
    for field in &form.fields {
        let Some(var) = field.var.as_deref() else { continue };
        let wrong = || {
            StanzaError::new(Condition::NotAcceptable)
                .with_text(format!("the value of {var} makes no sense"))
        };
        let value = field.value().unwrap_or_default();
        let text = || cut(value);
        let flag = || field.boolean().ok_or_else(wrong);
        match var {
            NAME => new.name = text(),
            DESCRIPTION => new.description = text(),
            LANG => new.lang = text(),
            PERSISTENT => new.persistent = flag()?,
            PUBLIC => new.public = flag()?,
            MODERATED => new.moderated = flag()?,
            MEMBERS_ONLY => new.members_only = flag()?,
            PROTECTED => protected = flag()?,
            SECRET => secret = Some(value.to_owned()),
            WHOIS => new.non_anonymous = anyone(value).ok_or_else(wrong)?,
            SUBJECT => new.subject_by_participants = flag()?,
            INVITES | MEMBER_INVITES => new.invitations_by_occupants = flag()?,
            REQUESTS => new.membership_requests = flag()?,
            PRIVATE_MESSAGES => {
                let known = Writers::ALL.iter().find(|(_, name, _)| *name == value);
                new.private_messages = known.map(|(who, ..)| *who).ok_or_else(wrong)?;
            }
            MAX_USERS => new.max_users = most(value).ok_or_else(wrong)?,
            BROADCAST => new.shown = chosen(&field.values).ok_or_else(wrong)?,
            MEMBER_LIST => new.list_readers = chosen(&field.values).ok_or_else(wrong)?,
            ARCHIVING | "mam" => new.archived = flag()?,
            KEPT_DAYS => {
                let days = value.parse::<u32>().ok().filter(|days| *days <= MOST_DAYS);
                new.kept_days = days.ok_or_else(wrong)?;
            }
            HISTORY | HISTORY_LENGTH => {
                let wanted: u32 = value.parse().map_err(|_| wrong())?;
                new.history = wanted.min(most_history);
            }
            SPACE => new.space = node_address(value).ok_or_else(wrong)?,
            SLOW_MODE => {
                new.slow_mode = value.parse().ok().filter(|s| *s <= DAY).ok_or_else(wrong)?;
            }
            _ => {}
        }
    }
    new.password = password(old, protected, secret)?;
    Ok(new)
}

/// A password is kept until it is taken away; one that is needed must not be empty.
fn password(
    old: &Settings,
    protected: bool,
    secret: Option<String>,
) -> Result<Option<String>, StanzaError> {
    if !protected {
        return Ok(None);
    }
    let secret = secret.filter(|secret| !secret.is_empty()).or_else(|| old.password.clone());
    secret.map(|secret| Some(cut(&secret))).ok_or_else(|| {
        StanzaError::new(Condition::NotAcceptable).with_text("the password must not be empty")
    })
}

fn anyone(value: &str) -> Option<bool> {
    match value {
        "anyone" => Some(true),
        "moderators" => Some(false),
        _ => None,
    }
}

/// The address of a node (XEP-0060 §12.19), or nothing.
fn node_address(value: &str) -> Option<String> {
    let address = value.trim();
    let is_node = address.starts_with("xmpp:") && address.contains(";node=");
    let fits = address.chars().count() <= LONGEST_TEXT;
    (address.is_empty() || (is_node && fits)).then(|| address.to_owned())
}

fn most(value: &str) -> Option<u32> {
    match value {
        "" | "none" | "0" => Some(0),
        number => number.parse().ok(),
    }
}

fn chosen(values: &[String]) -> Option<BTreeSet<Shown>> {
    let known = |value: &String| Shown::ALL.into_iter().find(|role| role.as_str() == value);
    values.iter().filter(|value| !value.is_empty() && *value != "none").map(known).collect()
}

/// A text of bounded length.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

pub(super) const NAME: &str = "muc#roomconfig_roomname";
pub(super) const DESCRIPTION: &str = "muc#roomconfig_roomdesc";
const LANG: &str = "muc#roomconfig_lang";
const PERSISTENT: &str = "muc#roomconfig_persistentroom";
pub(super) const PUBLIC: &str = "muc#roomconfig_publicroom";
pub(super) const MODERATED: &str = "muc#roomconfig_moderatedroom";
pub(super) const MEMBERS_ONLY: &str = "muc#roomconfig_membersonly";
const PROTECTED: &str = "muc#roomconfig_passwordprotectedroom";
const SECRET: &str = "muc#roomconfig_roomsecret";
const WHOIS: &str = "muc#roomconfig_whois";
const SUBJECT: &str = "muc#roomconfig_changesubject";
const INVITES: &str = "muc#roomconfig_allowinvites";
/// What some servers call it, and clients that know them.
const MEMBER_INVITES: &str = "{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites";
/// The registry has no field for it.
const REQUESTS: &str = "x-roomconfig_membership_requests";
const PRIVATE_MESSAGES: &str = "muc#roomconfig_allowpm";
const MAX_USERS: &str = "muc#roomconfig_maxusers";
const BROADCAST: &str = "muc#roomconfig_presencebroadcast";
const MEMBER_LIST: &str = "muc#roomconfig_getmemberlist";
pub(super) const ARCHIVING: &str = "muc#roomconfig_enablearchiving";
/// The registry has no field for it.
const KEPT_DAYS: &str = "x-roomconfig_kept_days";
const HISTORY: &str = "muc#maxhistoryfetch";
const HISTORY_LENGTH: &str = "muc#roomconfig_historylength";
const SPACE: &str = "muc#roomconfig_pubsub";
const SLOW_MODE: &str = "muc#roomconfig_slow_mode_duration";
const LONGEST_TEXT: usize = 1000;
const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(fields: &[(&str, &str)]) -> Result<Settings, StanzaError> {
        let form = fields.iter().fold(Form::new(FormType::Submit), |form, (var, value)| {
            form.with_field(Field::untyped(*var).with_value(*value))
        });
        submitted(&Settings::default(), &form, 50)
    }

    #[test]
    fn what_the_form_says_is_what_it_takes() {
        let mut settings = Settings::channel();
        settings.name = "A Dark Cave".to_owned();
        settings.password = Some("cauldronburn".to_owned());
        settings.max_users = 30;
        settings.private_messages = Writers::Moderators;
        settings.shown = [Shown::Moderator].into();
        settings.slow_mode = 20;
        settings.kept_days = 7;
        settings.space = "xmpp:pubsub.example.org?;node=coven".to_owned();
        let filled = form(&settings);
        assert_eq!(submitted(&Settings::default(), &filled, 50), Ok(settings));
    }

    #[test]
    fn what_is_not_submitted_stays() {
        let changed = submit(&[(NAME, "Heath")]).unwrap();
        assert_eq!(changed, Settings { name: "Heath".into(), ..Settings::default() });
        assert_eq!(submit(&[]), Ok(Settings::default()));
    }

    #[test]
    fn nonsense_is_refused_and_greed_is_cut() {
        for (var, value) in [
            (WHOIS, "nobody"),
            (PERSISTENT, "perhaps"),
            (MAX_USERS, "many"),
            (PRIVATE_MESSAGES, "friends"),
            (SPACE, "https://example.org/"),
            (SPACE, "xmpp:pubsub.example.org"),
            (KEPT_DAYS, "long"),
            (KEPT_DAYS, "36501"),
            (SLOW_MODE, "-1"),
            (SLOW_MODE, "99999999"),
            (BROADCAST, "king"),
        ] {
            let error = submit(&[(var, value)]).unwrap_err();
            assert_eq!(error.condition, Condition::NotAcceptable, "{var}={value}");
        }
        assert_eq!(submit(&[(HISTORY, "1000000")]).unwrap().history, 50);
        assert_eq!(submit(&[(NAME, &"x".repeat(5000))]).unwrap().name.len(), LONGEST_TEXT);
    }

    #[test]
    fn a_password_is_needed_where_one_is_asked_for() {
        assert!(submit(&[(PROTECTED, "1")]).is_err());
        let protected = submit(&[(PROTECTED, "1"), (SECRET, "burn")]).unwrap();
        assert_eq!(protected.password.as_deref(), Some("burn"));
        let open =
            Form::new(FormType::Submit).with_field(Field::untyped(PROTECTED).with_value("0"));
        assert_eq!(submitted(&protected, &open, 50).unwrap().password, None);
    }

    #[test]
    fn settings_of_an_older_version_are_read() {
        let read: Settings = serde_json::from_str("{\"name\":\"Heath\"}").unwrap();
        assert_eq!(read, Settings { name: "Heath".into(), ..Settings::default() });
    }
}
