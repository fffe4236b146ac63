//! What everybody is told, and when the server ends (XEP-0133 §4.23 to §4.28, §4.30, §4.31).

use super::*;
use crate::ext::notices::Notices;

/// When, and what people are told before it.
pub(super) fn before_the_end() -> Vec<Field> {
    let delays = [("at once", 0), ("30 seconds", 30), ("1 minute", 60), ("2 minutes", 120)];
    let later = [("5 minutes", 300), ("15 minutes", 900), ("1 hour", 3600)];
    let delay = Field::new("delay", FieldType::ListSingle).with_label("When").with_value("30");
    let delay = delays
        .into_iter()
        .chain(later)
        .fold(delay, |delay, (label, seconds)| delay.with_option(label, seconds.to_string()));
    vec![delay, text("announcement", "What people are told before")]
}

impl Call<'_> {
    /// A message of the server itself to every device that is there.
    pub(super) async fn announce(&self, form: &Form) -> IqAnswer {
        let text = required(form, "announcement")?;
        self.say(Request::NoticeNow { text }).await
    }

    /// The field for what is told, with what it is now where that is to be corrected.
    pub(super) async fn notice(&self, command: &str) -> Result<Field, StanzaError> {
        let Notices { day, welcome } = match self.operate(Request::NoticesShow {}).await? {
            Response::Notices(notices) => notices,
            _ => Notices::default(),
        };
        let (field, now) = match command {
            "set-motd" => (text("motd", "What everybody is told once"), None),
            "edit-motd" => {
                let none = || StanzaError::new(Condition::ItemNotFound);
                let day = day.ok_or_else(|| none().with_text("there is no message of the day"))?;
                let label = "What those are told who were not told yet";
                (text("motd", label), Some(day.text))
            }
            _ => (text("welcome", "What new users are told"), welcome),
        };
        let lines = now.iter().flat_map(|text| text.lines());
        Ok(field.with_required().with_values(lines))
    }

    pub(super) async fn set_notice(&self, command: &str, form: &Form) -> IqAnswer {
        self.say(match command {
            "set-welcome" => Request::NoticeWelcome { text: Some(required(form, "welcome")?) },
            _ => Request::NoticeDay {
                text: Some(required(form, "motd")?),
                anew: command == "set-motd",
            },
        })
        .await
    }

    /// The server ends, perhaps to begin anew.
    pub(super) async fn end(&self, restart: bool, form: &Form) -> IqAnswer {
        let delay = form.value("delay").unwrap_or("0").trim();
        let after = delay.parse().map_err(|_| refused("the delay is not a number of seconds"))?;
        let text = written(form, "announcement");
        self.say(Request::Stop { restart, after, text }).await
    }

    /// It does not end after all.
    pub(super) async fn call_off(&self, form: &Form) -> IqAnswer {
        self.say(Request::StopCancel { text: written(form, "announcement") }).await
    }
}
