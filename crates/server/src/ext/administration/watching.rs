//! How the server is, what people reported, and what apps are told of outages.

use super::*;

pub(super) fn report() -> Field {
    line("report", "Its number in the list").with_required()
}

pub(super) fn outage() -> Vec<Field> {
    vec![
        text("announcement", "What people are told").with_required(),
        line("delay", "Seconds until it begins").with_value("0"),
        line("duration", "Seconds that it takes, if that is known"),
    ]
}

fn seconds(form: &Form, var: &str) -> Result<Option<u64>, StanzaError> {
    let Some(text) = written(form, var) else { return Ok(None) };
    let number =
        text.trim().parse().map_err(|_| refused(&format!("`{var}` is not a number of seconds")))?;
    Ok(Some(number))
}

impl Call<'_> {
    pub(super) async fn announce_outage(&self, form: &Form) -> IqAnswer {
        let text = required(form, "announcement")?;
        let after = seconds(form, "delay")?.unwrap_or(0);
        let seconds = seconds(form, "duration")?;
        self.say(Request::OutageAnnounce { text, after, seconds }).await
    }
}
