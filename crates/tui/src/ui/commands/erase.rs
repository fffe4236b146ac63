//! What is deleted on this device alone.

use client::Command as Ask;

use super::{Action, App, Argument, Command, Kind, Values, here};
use crate::ui::app::is_message;
use crate::ui::overlay::{Overlay, Question, Then};

pub(super) const ERASE: Command = Command {
    name: "erase",
    alias: None,
    arguments: &[Argument::optional("history|chat", Kind::Choice(&["history", "chat"]))],
    about: "delete the chosen message, or the newest, on this device alone; `history` all messages here, \
            `chat` the conversation with them; asks first",
    examples: &["/erase", "/erase history", "/erase chat"],
    run: erase,
};

fn erase(app: &mut App, values: &Values, _: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let (title, command, said) = match values.at(0) {
        Some("history") => ("Delete what was said here?", Ask::ClearHistory(key.with), "deleted"),
        Some(_) => {
            ("Delete this conversation?", Ask::DeleteConversation(key.with), "it is deleted here")
        }
        None => {
            let message = app.chosen(is_message).ok_or("there is no message to delete")?;
            ("Delete this message?", Ask::DeleteHere(message.id), "")
        }
    };
    let then = Then::ask(key.account, command, said);
    app.overlay = Some(Overlay::Question(Question::new(
        title,
        "Only on this device: the others keep it, and so do your other devices. It does not come back \
         here. What waits to be sent is given up. Files stay where you put them.",
        vec![('y', "yes, delete it here", then), ('n', "no", Then::Nothing)],
    )));
    Ok(())
}
