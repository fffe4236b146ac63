//! Which other domains the server talks to (XEP-0133 §4.11, §4.12). What administrators choose adds to
//! what the operator wrote in `[federation]`, which they see and cannot take back.

use super::*;
use crate::config::Domains;

impl Call<'_> {
    /// The field with what was chosen, below what the configuration says.
    pub(super) async fn listed_domains(&self, command: &str) -> Result<Vec<Field>, StanzaError> {
        let chosen = match self.operate(Request::DomainsShow {}).await? {
            Response::Domains(domains) => domains,
            _ => Domains::default(),
        };
        let config = self.context.server.config();
        let (var, label, chosen, written) = match command {
            "edit-blacklist" => {
                (BLACK, "Domains that are not talked to", chosen.deny, &config.federation.deny)
            }
            _ => (
                WHITE,
                "The only domains that are talked to",
                chosen.allow,
                &config.federation.allow,
            ),
        };
        let list = Field::new(var, FieldType::JidMulti).with_label(label).with_values(chosen);
        let fixed = Field::untyped("").with_value(format!(
            "The configuration says, and only the operator changes that: {}",
            written.join(", ")
        ));
        let fixed = Field { var: None, kind: Some(FieldType::Fixed), ..fixed };
        Ok(match written.is_empty() {
            true => vec![list],
            false => vec![fixed, list],
        })
    }

    pub(super) async fn choose_domains(&self, command: &str, form: &Form) -> IqAnswer {
        let black = command == "edit-blacklist";
        let var = if black { BLACK } else { WHITE };
        // A form without the field is none that was filled in; one with no value empties the list.
        let field = form.field(var).ok_or_else(|| refused(&format!("`{var}` is missing")))?;
        let wanted: Vec<String> = field.values.iter().map(|one| one.trim().to_owned()).collect();
        let wanted = wanted.into_iter().filter(|one| !one.is_empty()).collect();
        let (deny, allow) = if black { (Some(wanted), None) } else { (None, Some(wanted)) };
        self.say(Request::DomainsSet { deny, allow }).await
    }
}

const BLACK: &str = "blacklistjids";
const WHITE: &str = "whitelistjids";
