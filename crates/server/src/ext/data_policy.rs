//! XEP-0504: Data Policy 0.1.0

use std::time::Duration;

use store::retentions::Retention;
use xmpp::{
    ext::form::{Field, FieldType, Form, FormType},
    ns,
};

use super::{Extension, IqContext, Scope, Spec, archive::retention};
use crate::{account::Account, config::Config};

/// Tells how people's data is handled: what the server knows, and what the operator says.
pub const EXTENSION: Extension = Extension {
    name: "data_policy",
    specs: &[Spec { xep: 504, version: "0.1.0", title: "Data Policy" }],
    offered: |config| config.data_policy.enabled,
    forms: &[
        (Scope::Server, server),
        (Scope::Rooms, rooms),
        (Scope::Upload, files),
        (Scope::Pubsub, nodes),
    ],
    ..Extension::NOTHING
};

fn server(config: &Config) -> Option<Form> {
    let kept = if config.archive.enabled { config.archive.retention() } else { None };
    // Without an archive, messages for people who are away still wait for them.
    Some(policy(config, kept, false).with_field(flag("full_erasure", true)))
}

fn rooms(config: &Config) -> Option<Form> {
    Some(policy(config, config.archive.retention(), false))
}

fn files(config: &Config) -> Option<Form> {
    Some(policy(config, config.upload.retention(), true))
}

fn nodes(config: &Config) -> Option<Form> {
    Some(policy(config, None, true))
}

/// What an account is told of its own data, which may be kept longer or shorter than that of others (ADR 32).
/// Nobody else is told.
pub async fn of_account(context: &IqContext<'_>, account: &Account) -> Option<Form> {
    let config = context.server.config();
    if !config.data_policy.enabled || context.asker.bare() != *account.jid() {
        return None;
    }
    let said = context.server.store.retentions.of(account.id).await;
    // The time of all others could be a wrong one.
    let said = said.map_err(|error| context.server.store_failed("retention", &error)).ok()?;
    Some(own(&config, &said))
}

fn own(config: &Config, said: &Retention) -> Form {
    let days = retention::days(config, said);
    let kept = (config.archive.enabled && days > 0).then(|| Duration::from_secs(days * DAY));
    // With a command, as far as it is theirs (`archive::clearing`).
    policy(config, kept, true).with_field(flag("full_erasure", true))
}

/// The form, for data that is kept for so long (`None` for ever) and that people delete themselves
/// or not.
fn policy(config: &Config, kept: Option<Duration>, deletable: bool) -> Form {
    let own = &config.data_policy;
    let retention =
        kept.map_or("infinite".to_owned(), |kept| kept.as_secs().div_ceil(3600).to_string());
    // XEP-0504 §3.1: who may send a password in plain text lets the server see it.
    let auth = if config.login.plain { "plain" } else { "hidden" };
    let access: Vec<&str> = match own.access.is_empty() {
        true => vec!["none"],
        false => own.access.iter().map(|reader| reader.as_str()).collect(),
    };
    let backup_retention = match (own.backup_hours, own.backup_retention_hours) {
        (Some(0), _) => Some("0".to_owned()),
        (_, Some(hours)) => Some(hours.to_string()),
        (_, None) => None,
    };
    let text = |var, value: Option<String>| {
        value.map(|value| Field::new(var, FieldType::TextSingle).with_value(value))
    };
    let mut form = Form::typed(FormType::Result, ns::DATA_POLICY)
        .with_field(Field::new("auth_data", FieldType::ListSingle).with_value(auth))
        .with_field(Field::new("data_retention", FieldType::TextSingle).with_value(retention))
        .with_field(flag("data_deletion", deletable))
        .with_field(flag("encryption_at_rest", false))
        .with_field(Field::new("access_policy", FieldType::ListMulti).with_values(access));
    form.fields.extend(text("backup_frequency", own.backup_hours.map(|hours| hours.to_string())));
    form.fields.extend(text("backup_retention", backup_retention));
    form.fields.extend(text("tos", own.terms.clone()));
    if let Some(remarks) = &own.remarks {
        let lines = remarks.lines().map(str::to_owned);
        form.fields.push(Field::new("extra_info", FieldType::TextMulti).with_values(lines));
    }
    form
}

fn flag(var: &str, value: bool) -> Field {
    Field::new(var, FieldType::Boolean).with_value(if value { "true" } else { "false" })
}

/// In seconds.
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use store::AccountId;
    use xmpp::jid::Jid;

    use super::*;
    use crate::{ext::Asker, model::Stage};

    fn value(lines: &str, form: fn(&Config) -> Option<Form>, var: &str) -> Option<String> {
        let config = Config::parse(&format!("domain = \"a.example\"\n{lines}")).unwrap();
        form(&config).unwrap().value(var).map(str::to_owned)
    }

    #[test]
    fn the_form_says_what_the_configuration_means() {
        assert_eq!(value("", server, "data_retention").as_deref(), Some("720"));
        let forever = "[archive]\nretention_days = 0";
        assert_eq!(value(forever, server, "data_retention").as_deref(), Some("infinite"));
        assert_eq!(value("", server, "auth_data").as_deref(), Some("hidden"));
        let plain = "[login]\nplain = true";
        assert_eq!(value(plain, server, "auth_data").as_deref(), Some("plain"));
        let nobody = "[data_policy]\naccess = []";
        assert_eq!(value(nobody, files, "access_policy").as_deref(), Some("none"));
        let none = "[data_policy]\nbackup_hours = 0\nbackup_retention_hours = 24";
        assert_eq!(value(none, server, "backup_retention").as_deref(), Some("0"));
        assert_eq!(value("", server, "backup_frequency"), None);
    }

    #[test]
    fn the_time_of_an_account_is_what_the_operator_and_its_owner_say_of_it() {
        let hours = |lines: &str, days, own| {
            let config = Config::parse(&format!("domain = \"a.example\"\n{lines}")).unwrap();
            let form = super::own(&config, &Retention { archive: AccountId(1), days, own });
            form.value("data_retention").map(str::to_owned).unwrap()
        };
        assert_eq!(hours("", None, None), "720");
        assert_eq!(hours("", None, Some(7)), "168");
        assert_eq!(hours("", Some(0), None), "infinite");
        assert_eq!(hours("", Some(365), Some(400)), "8760");
        assert_eq!(hours("[archive]\nenabled = false", None, Some(7)), "infinite");
    }

    #[test]
    fn an_account_is_told_of_itself_and_nobody_else_is() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        stage.run(stage.server.store.retentions.choose(juliet.id, Some(7))).unwrap();
        let told = |asker: &str| {
            let asker = Jid::new(asker).unwrap();
            let context = IqContext::new(&stage.server, Asker::Remote(&asker), Some(&juliet));
            stage.run(of_account(&context, &juliet))
        };
        let form = told("juliet@a.example/balcony").unwrap();
        assert_eq!(form.value("data_retention"), Some("168"));
        assert!(told("romeo@b.example/orchard").is_none());
    }
}
