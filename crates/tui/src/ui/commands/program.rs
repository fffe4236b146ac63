//! Commands for the program itself.

use super::{Action, App, Argument, Command, Kind, Notice, Values, account};
use crate::ui::app::Waiting;
use crate::ui::overlay::Overlay;
use crate::ui::settings::{Keys, Pictures};
use crate::ui::theme::{Background, Depth};

pub(super) const HELP: Command = Command {
    name: "help",
    alias: Some("?"),
    arguments: &[Argument::optional("WORD", Kind::Command)],
    about: "keys and commands; with a word only those that have to do with it",
    examples: &["/help", "/help file"],
    run: |app, values, _| {
        app.overlay = Some(Overlay::help(values.text(0)));
        Ok(())
    },
};

pub(super) const THEME: Command = Command {
    name: "theme",
    alias: None,
    arguments: &[Argument::required("auto|dark|light", Kind::Choice(&["auto", "dark", "light"]))],
    about: "colours for a dark or a light terminal",
    examples: &["/theme light", "/theme auto"],
    run: |app, values, actions| {
        app.settings.theme = match values.text(0) {
            "dark" => Some(Background::Dark),
            "light" => Some(Background::Light),
            _ => None,
        };
        actions.push(Action::Settings);
        Ok(())
    },
};

pub(super) const KEYS: Command = Command {
    name: "keys",
    alias: None,
    arguments: &[Argument::required("emacs|vim", Kind::Choice(&["emacs", "vim"]))],
    about: "which keys do what; /help lists them",
    examples: &["/keys vim", "/keys emacs"],
    run: |app, values, actions| {
        app.settings.keys = if values.text(0) == "vim" { Keys::Vim } else { Keys::Emacs };
        actions.push(Action::Settings);
        Ok(())
    },
};

pub(super) const SET: Command = Command {
    name: "set",
    alias: None,
    arguments: &[
        Argument::required(
            "SETTING",
            Kind::Choice(&[
                "mouse",
                "bell",
                "notify",
                "hide-content",
                "colours",
                "pictures",
                "fetch-pictures",
                "paste-lines",
                "typing",
                "read",
                "idle",
            ]),
        ),
        Argument::required("VALUE", Kind::Word),
    ],
    about: "other settings: on or off; colours auto, none, 16, 256, true; pictures auto, off, kitty, \
            iterm2, sixel, blocks; paste-lines a number. typing, read and idle say whether contacts see \
            that you write, what you have read and when you last looked",
    examples: &[
        "/set mouse on",
        "/set colours 256",
        "/set pictures off",
        "/set paste-lines 20",
        "/set typing off",
        "/set read off",
        "/set idle on",
    ],
    run: set,
};

fn set(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let (name, value) = (values.text(0), values.text(1));
    if matches!(name, "typing" | "read" | "idle") {
        return privacy(app, name, switch(value)?, actions);
    }
    let settings = &mut app.settings;
    match name {
        "mouse" => settings.mouse = switch(value)?,
        "bell" => settings.bell = switch(value)?,
        "notify" => settings.notify = switch(value)?,
        "hide-content" => settings.hide_content = switch(value)?,
        "colours" => settings.colours = depth(value)?,
        "pictures" => settings.pictures = pictures(value)?,
        "fetch-pictures" => settings.fetch_pictures = switch(value)?,
        _ => {
            settings.paste_lines =
                value.parse().map_err(|_| "how many lines? /set paste-lines 20")?;
        }
    }
    app.say(Notice::good(format!("{name} is {value}")));
    actions.push(Action::Settings);
    Ok(())
}

/// What contacts may know is a matter of the account.
fn privacy(
    app: &mut App,
    name: &str,
    shown: bool,
    actions: &mut Vec<Action>,
) -> Result<(), String> {
    let number = account(app)?;
    let known = app.mirror(number).and_then(|mirror| mirror.account.as_ref());
    let mut privacy = known.map(|account| account.privacy).unwrap_or_default();
    let said = match (name, shown) {
        ("typing", true) => "contacts see that you are writing",
        ("typing", false) => "contacts do not see that you are writing",
        ("read", true) => "contacts see what you have read",
        ("read", false) => "contacts do not see what you have read",
        (_, true) => "contacts see when you last looked, five minutes later",
        (_, false) => "contacts do not see when you last looked",
    };
    match name {
        "typing" => privacy.typing = shown,
        "read" => privacy.read = shown,
        _ => privacy.idle = shown,
    }
    let said = Waiting::Say(said.to_owned());
    app.ask(number, client::Command::SetPrivacy(privacy), said, actions);
    Ok(())
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off?".to_owned()),
    }
}

fn depth(value: &str) -> Result<Option<Depth>, String> {
    match value {
        "auto" => Ok(None),
        "none" => Ok(Some(Depth::None)),
        "16" => Ok(Some(Depth::Sixteen)),
        "256" => Ok(Some(Depth::Indexed)),
        "true" => Ok(Some(Depth::True)),
        _ => Err("colours are auto, none, 16, 256 or true".to_owned()),
    }
}

fn pictures(value: &str) -> Result<Pictures, String> {
    match value {
        "auto" | "on" => Ok(Pictures::Auto),
        "off" => Ok(Pictures::Off),
        "kitty" => Ok(Pictures::Kitty),
        "iterm2" => Ok(Pictures::Iterm2),
        "sixel" => Ok(Pictures::Sixel),
        "blocks" => Ok(Pictures::Blocks),
        _ => Err("pictures are auto, off, kitty, iterm2, sixel or blocks".to_owned()),
    }
}

pub(super) const QUIT: Command = Command {
    name: "quit",
    alias: Some("exit"),
    arguments: &[],
    about: "leave Clownfish; what you were writing is kept",
    examples: &["/quit"],
    run: |app, _, actions| {
        app.quit(actions);
        Ok(())
    },
};
