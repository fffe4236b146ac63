//! What is typed behind vim's `:`. Whatever vim does not know is a command behind `/`.

use super::{Action, App};
use crate::ui::event::Notice;

/// Names as vim has them, and what they stand for. A name that ends with a space takes the rest of
/// the line.
pub const COLON: &[(&[&str], Meaning, &str)] = &[
    (&["w", "write"], Meaning::Send, "send what is written"),
    (&["q", "quit", "qa", "q!", "qa!"], Meaning::Run("/quit"), "leave Clownfish"),
    (&["wq", "x"], Meaning::SendAndQuit, "send, and leave"),
    (&["e", "edit", "b", "buffer"], Meaning::With("/chat"), "open a conversation: :e juliet"),
    (&["bn", "bnext"], Meaning::By(1), "next conversation of the list"),
    (&["bp", "bprevious", "bN"], Meaning::By(-1), "previous conversation of the list"),
    (&["bd", "bdelete"], Meaning::Run("/hide"), "hide the conversation"),
    (&["ls", "buffers"], Meaning::List, "to the list of conversations"),
    (&["h", "help"], Meaning::With("/help"), "help: :h file"),
];

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Send what is written.
    Send,
    /// Send what is written, then leave.
    SendAndQuit,
    /// A command, as it stands here.
    Run(&'static str),
    /// A command with what was typed behind the name.
    With(&'static str),
    /// So many conversations further down the list.
    By(isize),
    /// The list of conversations.
    List,
}

impl App {
    /// Does what was typed behind a `:`.
    pub(crate) fn run_colon(&mut self, typed: &str, actions: &mut Vec<Action>) {
        let typed = typed.trim().trim_start_matches(':').trim_start();
        if typed.is_empty() {
            return;
        }
        let (name, rest) = typed.split_once(' ').unwrap_or((typed, ""));
        let known = COLON.iter().find(|(names, ..)| names.contains(&name));
        // `/edit` with a text changes a message; vim's `:edit` opens something.
        match known.map(|(_, meaning, _)| *meaning) {
            None => self.run(&format!("/{typed}"), actions),
            Some(Meaning::With(command)) => self.run(format!("{command} {rest}").trim(), actions),
            Some(Meaning::Run(command)) => self.run(command, actions),
            Some(Meaning::By(by)) => self.go_on(by, actions),
            Some(Meaning::List) => self.focus = crate::ui::app::Focus::List,
            Some(Meaning::Send) => _ = self.send_written(actions),
            Some(Meaning::SendAndQuit) => match self.send_written(actions) {
                true => self.quit(actions),
                false => self.say(Notice::bad("nothing is written; :q leaves")),
            },
        }
    }
}
