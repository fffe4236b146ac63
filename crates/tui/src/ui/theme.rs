//! Colours and styles, for dark and for light terminals of every depth.
//!
//! The background is the terminal's own. Whatever colour says is also said by a word, a sign or
//! an attribute.

use client::store::Message;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;

use super::colour;

/// How the terminal looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// What the letters stand on.
    pub background: Background,
    /// How many colours there are.
    pub depth: Depth,
}

/// What the letters stand on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// Black or nearly.
    #[default]
    Dark,
    /// White or nearly.
    Light,
}

/// How many colours there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// None: weight and underlining only.
    None,
    /// The 16 colours every terminal has; what they look like is the user's choice.
    Sixteen,
    /// The colour cube of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl Depth {
    /// What the environment says: `NO_COLOR`, `COLORTERM` and `TERM`.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Depth {
        let term = variable("TERM").unwrap_or_default();
        if variable("NO_COLOR").is_some_and(|v| !v.is_empty()) || term == "dumb" {
            return Depth::None;
        }
        match variable("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Depth::True,
            _ if term.contains("256color") || term.contains("kitty") => Depth::Indexed,
            _ => Depth::Sixteen,
        }
    }
}

impl Background {
    /// What the environment says: `COLORFGBG`, whose last part is the background's number.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Option<Background> {
        let value = variable("COLORFGBG")?;
        let number: u8 = value.rsplit(';').next()?.parse().ok()?;
        Some(if number == 7 || number == 15 { Background::Light } else { Background::Dark })
    }
}

impl Theme {
    /// What matters less.
    #[must_use]
    pub fn dim(&self) -> Style {
        match self.depth {
            Depth::None => Style::new().add_modifier(Modifier::DIM),
            _ => self.ink([139, 143, 156], [104, 107, 120], Color::DarkGray),
        }
    }

    /// Lines and frames.
    #[must_use]
    pub fn rule(&self) -> Style {
        match self.depth {
            Depth::None => Style::new().add_modifier(Modifier::DIM),
            _ => self.ink([68, 71, 84], [200, 203, 212], Color::DarkGray),
        }
    }

    /// What the eye should find: the own name, the unread line, read ticks.
    #[must_use]
    pub fn accent(&self) -> Style {
        self.ink([102, 178, 255], [0, 95, 184], Color::Cyan)
    }

    /// All is well: verified, available.
    #[must_use]
    pub fn good(&self) -> Style {
        self.ink([126, 200, 128], [30, 122, 52], Color::Green)
    }

    /// Look at this: drafts, plain text, a new device.
    #[must_use]
    pub fn warn(&self) -> Style {
        self.ink([232, 178, 92], [148, 92, 0], Color::Yellow)
    }

    /// It did not work.
    #[must_use]
    pub fn bad(&self) -> Style {
        self.ink([242, 116, 116], [184, 24, 38], Color::Red)
    }

    /// The chosen row.
    #[must_use]
    pub fn selected(&self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::REVERSED),
            _ => Style::new().bg(self.colour([44, 50, 66], [222, 231, 245], Color::Reset)),
        }
    }

    /// A count of unread messages; grey when the conversation is muted.
    #[must_use]
    pub fn badge(&self, muted: bool) -> Style {
        let style = if muted { self.dim() } else { self.accent() };
        style.add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// A key in a hint.
    #[must_use]
    pub fn key(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Code, and other text that is to be taken literally.
    #[must_use]
    pub fn literal(&self) -> Style {
        self.ink([214, 170, 214], [128, 44, 128], Color::Magenta)
    }

    /// The colour of a person (XEP-0392).
    #[must_use]
    pub fn person(&self, address: &BareJid) -> Style {
        self.named(address.as_str())
    }

    /// The colour of who wrote a message: that of their address, or of their nickname in a room that
    /// hides it (XEP-0392).
    #[must_use]
    pub fn author(&self, message: &Message) -> Style {
        match &message.occupant {
            Some(occupant) if message.sender == message.conversation => self.named(&occupant.nick),
            _ => self.person(&message.sender),
        }
    }

    /// The colour of a name (XEP-0392).
    #[must_use]
    pub fn named(&self, name: &str) -> Style {
        let hue = colour::hue(name);
        let lightness = match self.background {
            Background::Dark => 73.2,
            Background::Light => 42.0,
        };
        let colour = match self.depth {
            Depth::None => None,
            Depth::Sixteen => colour::nearest(&self.sixteen(), hue, lightness),
            Depth::Indexed => colour::nearest(&cube(), hue, lightness),
            Depth::True => {
                let [r, g, b] = colour::hsluv_to_rgb(hue, 85.0, lightness).map(to_byte);
                Some(Color::Rgb(r, g, b))
            }
        };
        colour.map_or_else(Style::new, |colour| Style::new().fg(colour))
    }

    /// Turns 24 bit colours in an area into those that the terminal has.
    pub(crate) fn limit(&self, area: Rect, buffer: &mut Buffer) {
        if self.depth == Depth::True {
            return;
        }
        let limited = |colour| match colour {
            Color::Rgb(r, g, b) if self.depth == Depth::Indexed => indexed([r, g, b]),
            Color::Rgb(r, g, b) => grey([r, g, b]),
            other => other,
        };
        for at in area.positions() {
            // What is not a block is a number of kitty's, and no colour.
            let block = |cell: &&mut Cell| cell.symbol() == "▀";
            if let Some(cell) = buffer.cell_mut(at).filter(block) {
                (cell.fg, cell.bg) = (limited(cell.fg), limited(cell.bg));
            }
        }
    }

    fn ink(&self, dark: [u8; 3], light: [u8; 3], basic: Color) -> Style {
        match self.depth {
            Depth::None => Style::new(),
            _ => Style::new().fg(self.colour(dark, light, basic)),
        }
    }

    fn colour(&self, dark: [u8; 3], light: [u8; 3], basic: Color) -> Color {
        let [r, g, b] = match self.background {
            Background::Dark => dark,
            Background::Light => light,
        };
        match self.depth {
            Depth::None => Color::Reset,
            Depth::Sixteen => basic,
            Depth::Indexed => indexed([r, g, b]),
            Depth::True => Color::Rgb(r, g, b),
        }
    }

    /// The six colours of sixteen that can be read on the background, as xterm shows them.
    fn sixteen(&self) -> [(Color, [u8; 3]); 6] {
        match self.background {
            Background::Dark => [
                (Color::LightRed, [255, 0, 0]),
                (Color::LightGreen, [0, 255, 0]),
                (Color::LightYellow, [255, 255, 0]),
                (Color::LightBlue, [92, 92, 255]),
                (Color::LightMagenta, [255, 0, 255]),
                (Color::LightCyan, [0, 255, 255]),
            ],
            Background::Light => [
                (Color::Red, [205, 0, 0]),
                (Color::Green, [0, 205, 0]),
                (Color::Yellow, [205, 205, 0]),
                (Color::Blue, [0, 0, 238]),
                (Color::Magenta, [205, 0, 205]),
                (Color::Cyan, [0, 205, 205]),
            ],
        }
    }
}

/// The colour cube of xterm, numbers 16 to 231.
fn cube() -> Vec<(Color, [u8; 3])> {
    (0..216u8)
        .map(|n| {
            let level = |index: u8| CUBE_LEVELS[usize::from(index)];
            (Color::Indexed(16 + n), [level(n / 36), level(n / 6 % 6), level(n % 6)])
        })
        .collect()
}

/// The nearest of the cube and of the greys behind it, 232 to 255.
fn indexed(rgb: [u8; 3]) -> Color {
    let distance = |other: [u8; 3]| -> u32 {
        rgb.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let greys = (0..24u8).map(|n| (Color::Indexed(232 + n), [8 + 10 * n; 3]));
    cube()
        .into_iter()
        .chain(greys)
        .min_by_key(|(_, other)| distance(*other))
        .map_or(Color::Reset, |(colour, _)| colour)
}

/// The nearest of the four greys that every terminal has.
fn grey([r, g, b]: [u8; 3]) -> Color {
    match (u32::from(r) * 3 + u32::from(g) * 6 + u32::from(b)) / 10 {
        0..64 => Color::Black,
        64..140 => Color::DarkGray,
        140..210 => Color::Gray,
        _ => Color::White,
    }
}

fn to_byte(part: f64) -> u8 {
    (part * 255.0).round() as u8
}

const CUBE_LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
    }

    #[test]
    fn the_environment_tells_depth_and_background() {
        let depth = |pairs: &[(&str, &str)]| Depth::detect(environment(pairs));
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(depth(&[("TERM", "linux")]), Depth::Sixteen);
        let background = |value| Background::detect(environment(&[("COLORFGBG", value)]));
        assert_eq!(background("0;15"), Some(Background::Light));
        assert_eq!(background("15;default;0"), Some(Background::Dark));
        assert_eq!(background("?"), None);
    }

    #[test]
    fn people_have_different_colours_at_every_depth_that_has_colours() {
        let romeo: BareJid = "romeo@montague.example".parse().unwrap();
        let juliet: BareJid = "juliet@capulet.example".parse().unwrap();
        for background in [Background::Dark, Background::Light] {
            for depth in [Depth::Indexed, Depth::True] {
                let theme = Theme { background, depth };
                assert_ne!(theme.person(&romeo), theme.person(&juliet));
            }
            let none = Theme { background, depth: Depth::None };
            assert_eq!(none.person(&romeo), Style::new());
        }
    }

    #[test]
    fn names_stand_out_from_the_background() {
        for name in 0..200 {
            let address: BareJid = format!("person{name}@example.org").parse().unwrap();
            for (background, light) in [(Background::Dark, true), (Background::Light, false)] {
                let theme = Theme { background, depth: Depth::True };
                let Some(Color::Rgb(r, g, b)) = theme.person(&address).fg else {
                    panic!("a 24 bit colour")
                };
                let (_, lightness) = colour::rgb_to_hue([r, g, b]).unwrap();
                assert_eq!(lightness > 60.0, light, "{address}: {lightness}");
            }
        }
    }
}
