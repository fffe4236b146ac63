//! The configuration of a node as a form: for owners to change, for subscribers to hear of, and for
//! the store to keep.

use xmpp::{
    ext::form::{Field, FieldType, Form, FormType},
    jid::Jid,
    ns,
};

use super::options::{
    ACCESS_MODELS, Choice, Config, ITEM_REPLY, NODE_FULL, NOTIFICATION_TYPES, PUBLISH_MODELS,
    SEND_LAST,
};

impl Config {
    /// The configuration as a form of `kind`: with labels and choices when people fill it out.
    #[must_use]
    pub fn form(&self, kind: FormType) -> Form {
        let mut form = Form::typed(kind, ns::PUBSUB_NODE_CONFIG);
        form.fields.extend(self.text_fields());
        form.fields.extend(self.choice_fields());
        form.fields.extend(self.flag_fields());
        if kind == FormType::Form {
            return form;
        }
        for field in &mut form.fields {
            field.label = None;
            field.options.clear();
        }
        form
    }

    fn text_fields(&self) -> Vec<Field> {
        let single = |var: &str, label: &str, value: Option<&str>| {
            Field::new(format!("pubsub#{var}"), FieldType::TextSingle)
                .with_label(label)
                .with_values(value)
        };
        vec![
            single("title", "A friendly name for the node", self.title.as_deref()),
            single("description", "A description of the node", self.description.as_deref()),
            single("language", "The default language of the node", self.language.as_deref()),
            single("type", "The meaning of the items", self.semantic_type.as_deref()),
            Field::new("pubsub#contact", FieldType::JidMulti)
                .with_label("The addresses of those to contact with questions")
                .with_values(self.contact.iter().map(Jid::as_str)),
            single("max_items", "How many items to keep, or max", Some(&self.max_items.word())),
            single(
                "item_expire",
                "Seconds after which items are removed, or max",
                Some(&self.item_expire.word()),
            ),
            single(
                "max_payload_size",
                "The largest payload in bytes",
                Some(&self.max_payload_size.to_string()),
            ),
        ]
    }

    fn choice_fields(&self) -> Vec<Field> {
        vec![
            list(
                "access_model",
                "Who may subscribe and retrieve items",
                ACCESS_MODELS,
                self.access,
            ),
            Field::new("pubsub#roster_groups_allowed", FieldType::ListMulti)
                .with_label("The roster groups allowed to subscribe and retrieve items")
                .with_values(&self.groups),
            list("publish_model", "Who may publish", PUBLISH_MODELS, self.publish),
            list(
                "send_last_published_item",
                "When to send the last published item",
                SEND_LAST,
                self.send_last,
            ),
            list(
                "notification_type",
                "The type of messages that carry notifications",
                NOTIFICATION_TYPES,
                self.notification_type,
            ),
            list(
                "publish_node_full",
                "What to do when publishing on a full node",
                NODE_FULL,
                self.node_full,
            ),
            list("itemreply", "Whose address items carry", ITEM_REPLY, self.item_reply),
        ]
    }

    fn flag_fields(&self) -> Vec<Field> {
        let flag = |var: &str, label: &str, value: bool| {
            Field::new(format!("pubsub#{var}"), FieldType::Boolean)
                .with_label(label)
                .with_value(if value { "true" } else { "false" })
        };
        vec![
            flag("persist_items", "Keep items", self.persist_items),
            flag("deliver_notifications", "Deliver notifications", self.deliver_notifications),
            flag("deliver_payloads", "Deliver payloads with notifications", self.deliver_payloads),
            flag("notify_config", "Notify of a new configuration", self.notify_config),
            flag("notify_delete", "Notify when the node is deleted", self.notify_delete),
            flag("notify_retract", "Notify when items are removed", self.notify_retract),
            flag("notify_sub", "Notify owners of subscriptions", self.notify_sub),
            flag(
                "presence_based_delivery",
                "Deliver notifications only to those who are online",
                self.presence_based_delivery,
            ),
            flag("subscribe", "Allow subscriptions", self.subscribe),
        ]
    }
}

fn list<T: Copy + PartialEq>(var: &str, label: &str, table: &[Choice<T>], value: T) -> Field {
    let mut field = Field::new(format!("pubsub#{var}"), FieldType::ListSingle).with_label(label);
    for (known, word, text) in table {
        if *known == value {
            field.values.push((*word).to_owned());
        }
        field = field.with_option(*text, *word);
    }
    field
}
