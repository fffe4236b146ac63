//! What a person can choose about the user interface. Kept in a small file.

use serde::{Deserialize, Serialize};

use super::theme::{Background, Depth, Theme};

/// The choices. A key that is missing from the file has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Settings {
    /// Dark or light; otherwise what the terminal says.
    pub theme: Option<Background>,
    /// How many colours; otherwise what the terminal says.
    pub colours: Option<Depth>,
    /// Which keys do what.
    pub keys: Keys,
    /// Wheel and clicks. The terminal's own selection then needs Shift.
    pub mouse: bool,
    /// Ring for a message that is not on screen.
    pub bell: bool,
    /// Show a desktop notification for it.
    pub notify: bool,
    /// Say from whom it is, and not what.
    pub hide_content: bool,
    /// With what pictures are shown in the conversation.
    pub pictures: Pictures,
    /// Fetch encrypted pictures of contacts as soon as they are in sight.
    pub fetch_pictures: bool,
    /// Pasting more lines than this asks first.
    pub paste_lines: usize,
}

/// Which keys do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keys {
    /// As in a shell: keys with Ctrl and Alt.
    #[default]
    Emacs,
    /// Escape leaves the text; then single letters move and act.
    Vim,
}

/// With what pictures are shown in the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pictures {
    /// With what the terminal says it can do, if that shows real pictures.
    #[default]
    Auto,
    /// Not at all: only their names.
    Off,
    /// Kitty's graphics protocol.
    Kitty,
    /// Inline images of iTerm2.
    Iterm2,
    /// Sixel.
    Sixel,
    /// Half blocks in colour.
    Blocks,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            theme: None,
            colours: None,
            keys: Keys::Emacs,
            mouse: false,
            bell: true,
            notify: true,
            hide_content: false,
            pictures: Pictures::Auto,
            fetch_pictures: false,
            paste_lines: 10,
        }
    }
}

impl Settings {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Settings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// The theme, as chosen or as the terminal says.
    #[must_use]
    pub fn look(&self, terminal: Theme) -> Theme {
        Theme {
            background: self.theme.unwrap_or(terminal.background),
            depth: self.colours.unwrap_or(terminal.depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_what_is_missing_has_its_default() {
        let settings =
            Settings { keys: Keys::Vim, theme: Some(Background::Light), ..Settings::default() };
        assert_eq!(Settings::parse(&settings.write()), Ok(settings));
        assert_eq!(Settings::parse(""), Ok(Settings::default()));
        assert!(Settings::parse("keys = \"nano\"").is_err());
    }
}
