//! The configuration of a node: the fields of XEP-0060 §16.4.4.
//!
//! Reading a submitted form serves two purposes: changing a configuration, and comparing publish
//! options with a node (§7.1.5), which is done by applying them to a copy and looking whether it
//! changed. Fields whose feature is not offered are known by name, so that a client which asks for
//! the value they have anyway is not refused. `config_form` writes the form.

use xmpp::{
    ext::{
        form::{Field, Form},
        pubsub::PubsubError,
    },
    jid::{BareJid, Jid},
};

use super::defaults;

/// Who may subscribe and retrieve items (XEP-0060 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessModel {
    /// Everybody.
    Open,
    /// Those who see the owner's presence.
    Presence,
    /// Those in some groups of the owner's roster.
    Roster,
    /// Those whom an owner approved.
    Authorize,
    /// Those on the list of affiliations.
    Whitelist,
}

/// Who may publish besides those whose affiliation says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishModel {
    /// Nobody.
    Publishers,
    /// Subscribers.
    Subscribers,
    /// Everybody who is not an outcast.
    Open,
}

/// When the last item is sent without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendLast {
    /// Never.
    Never,
    /// After a subscription.
    OnSub,
    /// After a subscription and when a subscriber comes online.
    OnSubAndPresence,
}

/// The type of the messages that carry notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationType {
    /// `normal`.
    Normal,
    /// `headline`: never stored for somebody who is offline.
    Headline,
}

/// What happens to the oldest item when there is no room for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFull {
    /// It is removed, and subscribers are told.
    RetractOldest,
    /// It is removed silently.
    DiscardOldest,
    /// Nothing: the new one is refused.
    Reject,
}

/// Whose address stands in the `publisher` attribute of items (§12.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemReply {
    /// The owner's.
    Owner,
    /// The publisher's.
    Publisher,
    /// Nobody's: there is no such attribute.
    None,
}

/// A number, or `max`: as much as the service allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// This many.
    Count(u32),
    /// As many as the service allows.
    Max,
}

/// The configuration of one node.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the form of the specification has them")]
pub struct Config {
    /// Who may subscribe and retrieve.
    pub access: AccessModel,
    /// The groups of [`AccessModel::Roster`].
    pub groups: Vec<String>,
    /// Who may publish.
    pub publish: PublishModel,
    /// How many items are kept.
    pub max_items: Bound,
    /// After how many seconds an item is gone.
    pub item_expire: Bound,
    /// Whether items are kept at all.
    pub persist_items: bool,
    /// Whether anybody is told anything.
    pub deliver_notifications: bool,
    /// Whether notifications carry the payload.
    pub deliver_payloads: bool,
    /// Whether a new configuration is announced.
    pub notify_config: bool,
    /// Whether a deletion is announced.
    pub notify_delete: bool,
    /// Whether the removal of items is announced.
    pub notify_retract: bool,
    /// Whether the owner hears of new and lost subscribers.
    pub notify_sub: bool,
    /// Whether only those who are online are told.
    pub presence_based_delivery: bool,
    /// Whether one can subscribe.
    pub subscribe: bool,
    /// When the last item is sent.
    pub send_last: SendLast,
    /// The type of notifications.
    pub notification_type: NotificationType,
    /// What happens when the node is full.
    pub node_full: NodeFull,
    /// Whose address items carry.
    pub item_reply: ItemReply,
    /// The largest payload in bytes.
    pub max_payload_size: u32,
    /// A name for people.
    pub title: Option<String>,
    /// A description for people.
    pub description: Option<String>,
    /// The language of the items.
    pub language: Option<String>,
    /// What the items mean.
    pub semantic_type: Option<String>,
    /// Whom to ask.
    pub contact: Vec<Jid>,
    /// Whose roster decides about a node of the shared service, as long as they own it: whoever made it, or
    /// the owner who configured it when those did not any more. No field of the form.
    pub host: Option<BareJid>,
}

/// Why a field could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// There is no such field.
    Unknown,
    /// The value makes no sense or is not offered.
    Invalid,
    /// There is no such access model.
    AccessModel,
    /// The feature of that name is not offered.
    Unsupported(&'static str),
}

impl Bound {
    /// The number, with `max` standing for `limit`.
    #[must_use]
    pub fn or(self, limit: u32) -> u32 {
        match self {
            Bound::Count(count) => count.min(limit),
            Bound::Max => limit,
        }
    }

    /// Reads a number from 1 to `limit`, or `max`. The limit itself is the same as `max`, so that
    /// a precondition which spells it out is met.
    fn parse(word: &str, limit: u32) -> Option<Self> {
        match word {
            "max" => Some(Bound::Max),
            number => match number.parse().ok()? {
                0 => None,
                count if count == limit => Some(Bound::Max),
                count if count < limit => Some(Bound::Count(count)),
                _ => None,
            },
        }
    }

    /// The word on the wire.
    pub(super) fn word(self) -> String {
        match self {
            Bound::Count(count) => count.to_string(),
            Bound::Max => "max".to_owned(),
        }
    }
}

impl Config {
    /// Applies the fields of a form; those that are absent stay as they are (XEP-0004 §3.5).
    ///
    /// # Errors
    /// The first field that cannot be applied. With `strict` off, unknown fields are ignored.
    pub fn apply(&mut self, form: &Form, strict: bool) -> Result<(), FieldError> {
        for field in &form.fields {
            let Some(var) = field.var.as_deref().filter(|var| *var != "FORM_TYPE") else {
                continue;
            };
            match self.set(var, field) {
                Err(FieldError::Unknown) if !strict => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn set(&mut self, var: &str, field: &Field) -> Result<(), FieldError> {
        let name = var.strip_prefix("pubsub#").ok_or(FieldError::Unknown)?;
        match name {
            "persist_items" => self.persist_items = flag(field)?,
            "deliver_notifications" => self.deliver_notifications = flag(field)?,
            "deliver_payloads" => self.deliver_payloads = flag(field)?,
            "notify_config" => self.notify_config = flag(field)?,
            "notify_delete" => self.notify_delete = flag(field)?,
            "notify_retract" => self.notify_retract = flag(field)?,
            "notify_sub" => self.notify_sub = flag(field)?,
            "presence_based_delivery" => self.presence_based_delivery = flag(field)?,
            "subscribe" => self.subscribe = flag(field)?,
            "title" => self.title = text(field)?,
            "description" => self.description = text(field)?,
            "language" => self.language = text(field)?,
            "type" => self.semantic_type = text(field)?,
            "contact" => self.contact = addresses(field)?,
            "roster_groups_allowed" => self.groups = groups(field)?,
            _ => return self.set_choice(name, field),
        }
        Ok(())
    }

    fn set_choice(&mut self, name: &str, field: &Field) -> Result<(), FieldError> {
        match name {
            "access_model" => {
                self.access = choice(field, ACCESS_MODELS).map_err(|_| FieldError::AccessModel)?;
            }
            "publish_model" => self.publish = choice(field, PUBLISH_MODELS)?,
            "send_last_published_item" => self.send_last = choice(field, SEND_LAST)?,
            "notification_type" => self.notification_type = choice(field, NOTIFICATION_TYPES)?,
            "publish_node_full" => self.node_full = choice(field, NODE_FULL)?,
            "itemreply" => self.item_reply = choice(field, ITEM_REPLY)?,
            "max_items" => self.max_items = bound(field, defaults::MAX_ITEMS)?,
            "item_expire" => self.item_expire = bound(field, defaults::MAX_EXPIRE)?,
            "max_payload_size" => {
                let size = bound(field, defaults::MAX_PAYLOAD)?;
                self.max_payload_size = size.or(defaults::MAX_PAYLOAD);
            }
            "node_type" if field.value() == Some("leaf") => {}
            "node_type" => return Err(FieldError::Unsupported("collections")),
            // Not offered: only the value that says so is accepted.
            "purge_offline" | "tempsub" if !flag(field)? => {}
            "purge_offline" | "tempsub" => return Err(FieldError::Invalid),
            _ => return Err(FieldError::Unknown),
        }
        Ok(())
    }
}

impl FieldError {
    /// The error for a configuration that cannot be applied (XEP-0060 §8.1.2 and §8.2.5.2).
    #[must_use]
    pub fn config_error(self) -> xmpp::error::StanzaError {
        use xmpp::error::{Condition, StanzaError};
        match self {
            FieldError::AccessModel => PubsubError::UnsupportedAccessModel.into(),
            FieldError::Unsupported(feature) => PubsubError::Unsupported(feature).into(),
            FieldError::Unknown | FieldError::Invalid => StanzaError::new(Condition::NotAcceptable),
        }
    }
}

fn flag(field: &Field) -> Result<bool, FieldError> {
    field.boolean().ok_or(FieldError::Invalid)
}

fn bound(field: &Field, limit: u32) -> Result<Bound, FieldError> {
    field.value().and_then(|word| Bound::parse(word.trim(), limit)).ok_or(FieldError::Invalid)
}

fn text(field: &Field) -> Result<Option<String>, FieldError> {
    match field.value() {
        Some(text) if text.len() > TEXT_BYTES => Err(FieldError::Invalid),
        text => Ok(text.filter(|text| !text.is_empty()).map(str::to_owned)),
    }
}

fn addresses(field: &Field) -> Result<Vec<Jid>, FieldError> {
    if field.values.len() > LIST_LENGTH {
        return Err(FieldError::Invalid);
    }
    let words = field.values.iter().filter(|word| !word.is_empty());
    words.map(|word| Jid::new(word).map_err(|_| FieldError::Invalid)).collect()
}

fn groups(field: &Field) -> Result<Vec<String>, FieldError> {
    let mut groups: Vec<String> =
        field.values.iter().filter(|group| !group.is_empty()).cloned().collect();
    groups.sort_unstable();
    groups.dedup();
    let fits = groups.len() <= LIST_LENGTH && groups.iter().all(|group| group.len() <= TEXT_BYTES);
    if fits { Ok(groups) } else { Err(FieldError::Invalid) }
}

fn choice<T: Copy>(field: &Field, table: &[Choice<T>]) -> Result<T, FieldError> {
    let word = field.value().ok_or(FieldError::Invalid)?;
    let found = table.iter().find(|(_, known, _)| *known == word);
    found.map(|(value, _, _)| *value).ok_or(FieldError::Invalid)
}

/// The word of an access model, for node metadata.
#[must_use]
pub(super) fn access_word(access: AccessModel) -> &'static str {
    word(ACCESS_MODELS, access)
}

/// The word of a publish model, for node metadata.
#[must_use]
pub(super) fn publish_word(publish: PublishModel) -> &'static str {
    word(PUBLISH_MODELS, publish)
}

fn word<T: Copy + PartialEq>(table: &[Choice<T>], value: T) -> &'static str {
    table.iter().find(|(known, _, _)| *known == value).map_or("", |(_, word, _)| word)
}

/// A value, its word on the wire, and its label.
pub(super) type Choice<T> = (T, &'static str, &'static str);

pub(super) const ACCESS_MODELS: &[Choice<AccessModel>] = &[
    (AccessModel::Open, "open", "Everybody"),
    (AccessModel::Presence, "presence", "Contacts who see the owner's presence"),
    (AccessModel::Roster, "roster", "Contacts in the groups below"),
    (AccessModel::Authorize, "authorize", "Those whom an owner approved"),
    (AccessModel::Whitelist, "whitelist", "Those on the list of members"),
];

pub(super) const PUBLISH_MODELS: &[Choice<PublishModel>] = &[
    (PublishModel::Publishers, "publishers", "Publishers"),
    (PublishModel::Subscribers, "subscribers", "Subscribers"),
    (PublishModel::Open, "open", "Everybody"),
];

pub(super) const SEND_LAST: &[Choice<SendLast>] = &[
    (SendLast::Never, "never", "Never"),
    (SendLast::OnSub, "on_sub", "When somebody subscribes"),
    (
        SendLast::OnSubAndPresence,
        "on_sub_and_presence",
        "When somebody subscribes and when a subscriber comes online",
    ),
];

pub(super) const NOTIFICATION_TYPES: &[Choice<NotificationType>] = &[
    (NotificationType::Normal, "normal", "Messages of type normal"),
    (NotificationType::Headline, "headline", "Messages of type headline"),
];

pub(super) const NODE_FULL: &[Choice<NodeFull>] = &[
    (NodeFull::RetractOldest, "retract-oldest", "Retract the oldest item"),
    (NodeFull::DiscardOldest, "discard-oldest", "Discard the oldest item"),
    (NodeFull::Reject, "reject", "Reject the new item"),
];

pub(super) const ITEM_REPLY: &[Choice<ItemReply>] = &[
    (ItemReply::Owner, "owner", "The owner of the node"),
    (ItemReply::Publisher, "publisher", "The publisher of the item"),
    (ItemReply::None, "none", "Nobody"),
];

/// The longest text of one field.
const TEXT_BYTES: usize = 1024;

/// The longest list of one field.
const LIST_LENGTH: usize = 100;

#[cfg(test)]
mod tests {
    use xmpp::{ext::form::FormType, ns};

    use super::*;

    fn submit(fields: &[(&str, &str)]) -> Form {
        let mut form = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG);
        for (var, value) in fields {
            form.fields.push(Field::untyped(*var).with_value(*value));
        }
        form
    }

    #[test]
    fn a_configuration_survives_the_form() {
        let mut config = defaults::config("urn:example");
        let form = submit(&[
            ("pubsub#access_model", "roster"),
            ("pubsub#roster_groups_allowed", "Friends"),
            ("pubsub#max_items", "17"),
            ("pubsub#item_expire", "604800"),
            ("pubsub#publish_model", "open"),
            ("pubsub#send_last_published_item", "never"),
            ("pubsub#notification_type", "normal"),
            ("pubsub#publish_node_full", "reject"),
            ("pubsub#itemreply", "publisher"),
            ("pubsub#title", "Musings"),
            ("pubsub#contact", "bard@shakespeare.example"),
            ("pubsub#max_payload_size", "1028"),
            ("pubsub#deliver_payloads", "0"),
            ("pubsub#notify_sub", "true"),
        ]);
        config.apply(&form, true).unwrap();
        assert_eq!(config.access, AccessModel::Roster);
        assert_eq!(config.max_items, Bound::Count(17));
        assert!(!config.deliver_payloads);
        for kind in [FormType::Form, FormType::Result] {
            let mut copy = defaults::config("urn:example");
            copy.apply(&config.form(kind), true).unwrap();
            assert_eq!(copy, config);
        }
    }

    #[test]
    fn unknown_fields_are_ignored_unless_they_are_preconditions() {
        let mut config = defaults::config("urn:example");
        let form = submit(&[("pubsub#colour", "blue"), ("x-own", "1")]);
        assert_eq!(config.apply(&form, false), Ok(()));
        assert_eq!(config.apply(&form, true), Err(FieldError::Unknown));
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for (var, value) in [
            ("pubsub#persist_items", "perhaps"),
            ("pubsub#max_items", "0"),
            ("pubsub#max_items", "1001"),
            ("pubsub#max_items", "-1"),
            ("pubsub#publish_model", "king"),
            ("pubsub#contact", "@"),
            ("pubsub#tempsub", "1"),
        ] {
            let result = defaults::config("n").apply(&submit(&[(var, value)]), false);
            assert_eq!(result, Err(FieldError::Invalid), "{var}={value}");
        }
        let result = defaults::config("n").apply(&submit(&[("pubsub#access_model", "x")]), false);
        assert_eq!(result, Err(FieldError::AccessModel));
        let form = submit(&[("pubsub#node_type", "collection")]);
        let result = defaults::config("n").apply(&form, false);
        assert_eq!(result, Err(FieldError::Unsupported("collections")));
    }

    #[test]
    fn the_limit_spelled_out_is_the_same_as_max() {
        let mut config = defaults::config("n");
        let limit = defaults::MAX_ITEMS.to_string();
        config.apply(&submit(&[("pubsub#max_items", limit.as_str())]), true).unwrap();
        assert_eq!(config.max_items, Bound::Max);
        assert_eq!(config.max_items.or(defaults::MAX_ITEMS), defaults::MAX_ITEMS);
    }

    #[test]
    fn features_that_are_not_offered_may_be_declined() {
        let form = submit(&[
            ("pubsub#tempsub", "false"),
            ("pubsub#purge_offline", "0"),
            ("pubsub#node_type", "leaf"),
        ]);
        assert_eq!(defaults::config("n").apply(&form, true), Ok(()));
    }
}
