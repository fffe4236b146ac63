//! XEP-0455: Service Outage Status 0.4.0

use std::{io, path::Path};

use serde::{Deserialize, Serialize};
use xmpp::{
    ext::form::{Field, FieldType, Form, FormType},
    ns,
    time::Millis,
};

use super::{Extension, Scope, Spec};
use crate::{config::Config, files, invitation};

/// Tells apps where to look when the server is away.
pub const EXTENSION: Extension = Extension {
    name: "outage",
    specs: &[Spec { xep: 455, version: "0.4.0", title: "Service Outage Status" }],
    forms: &[(Scope::Server, form)],
    ..Extension::NOTHING
};

/// Where the server itself says what is planned.
pub const PATH: &str = "/.well-known/xmpp-outage.json";

fn form(config: &Config) -> Option<Form> {
    let addresses = match config.outage.addresses.as_slice() {
        [] => vec![format!("{}{PATH}", invitation::origin(config, &[]))],
        elsewhere => elsewhere.to_vec(),
    };
    let field = Field::new("external-status-addresses", FieldType::ListMulti);
    Some(Form::typed(FormType::Result, ns::OUTAGE).with_field(field.with_values(addresses)))
}

/// What is announced (XEP-0455 §3.2). Without a beginning there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// It was decided beforehand.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub planned: Option<bool>,
    /// When it begins, as XEP-0082 writes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beginning: Option<String>,
    /// When it will be over, if that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected_end: Option<String>,
    /// What people are told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<Words>,
}

/// A sentence for people, whatever their language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The sentence.
    pub default: String,
}

impl Outage {
    /// An outage that begins `after` seconds from now and takes so long, if that is known.
    #[must_use]
    pub fn new(text: String, now: Millis, after: u64, seconds: Option<u64>) -> Self {
        let begins = now.plus(after.saturating_mul(1000));
        let at = |time: Millis| Millis::from_secs(time.secs()).xep0082();
        Self {
            planned: Some(after > 0),
            beginning: Some(at(begins)),
            expected_end: seconds.map(|seconds| at(begins.plus(seconds.saturating_mul(1000)))),
            message: Some(Words { default: text }),
        }
    }

    /// What is announced; nothing when the file is not there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(path: &Path) -> io::Result<Self> {
        files::load(path)
    }

    /// Announces it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        files::write_public(path, files::json(self)?.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_written_as_apps_read_it() {
        let outage = Outage::new("New disks".into(), Millis(0), 3600, Some(60));
        let text = serde_json::to_value(&outage).unwrap();
        assert_eq!(text["planned"], true);
        assert_eq!(text["beginning"], "1970-01-01T01:00:00Z");
        assert_eq!(text["expected_end"], "1970-01-01T01:01:00Z");
        assert_eq!(text["message"]["default"], "New disks");
        assert_eq!(serde_json::to_string(&Outage::default()).unwrap(), "{}");
        assert_eq!(Outage::new("Fire".into(), Millis(0), 0, None).planned, Some(false));
    }
}
