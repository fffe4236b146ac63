//! Looking through the messages, a part at a time, the same in every store.

use xmpp::jid::BareJid;

use super::{Content, File, Message, MessageId, Position};

/// One part of a look through the messages, from the newest to the oldest.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// What is looked for.
    pub wanted: &'a Wanted,
    /// Only there.
    pub conversation: Option<&'a BareJid>,
    /// Behind this message, where an earlier part ended; from the newest on if there is none.
    pub from: Option<Place>,
    /// So many messages are looked at, at most and not 0.
    pub rows: usize,
    /// So many are given, at most and not 0.
    pub found: usize,
}

/// What a part brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The newest first.
    pub found: Vec<Message>,
    /// Where the next part begins; nothing when everything was looked at.
    pub next: Option<Place>,
}

/// The place of a message among all, which need not be there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Where it stands.
    pub position: Position,
    /// Its number: several can have one position.
    pub id: MessageId,
}

impl Place {
    /// Where a message stands.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self { position: message.position, id: message.id }
    }
}

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Messages that say something.
    Words(Words),
    /// Files of these kinds.
    Files(Vec<FileKind>),
}

impl Wanted {
    /// Whether it is this message.
    #[must_use]
    pub fn is(&self, message: &Message) -> bool {
        match (self, &message.content) {
            (Self::Words(words), content) => words.are_in(content),
            (Self::Files(kinds), Content::File(file, _)) => kinds.contains(&FileKind::of(file)),
            (Self::Files(_), _) => false,
        }
    }
}

/// Words, all of which must be there, in any order and without case. They are not printed.
#[derive(Clone)]
pub struct Words(Vec<String>);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.0.len())
    }
}

impl Words {
    /// The words of a text; `None` if there are none.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let words: Vec<String> = text.split_whitespace().map(fold).collect();
        (!words.is_empty()).then_some(Self(words))
    }

    /// Whether a message says them: in its text, or in its file's name and the text beside the file.
    fn are_in(&self, content: &Content) -> bool {
        match content {
            Content::Text(text) => self.are_in_text(text, None),
            Content::File(file, caption) => self.are_in_text(&file.name, caption.as_deref()),
            Content::Retracted | Content::Undecryptable(_) | Content::Event(_) => false,
        }
    }

    fn are_in_text(&self, text: &str, more: Option<&str>) -> bool {
        let (text, more) = (fold(text), more.map(fold).unwrap_or_default());
        self.0.iter().all(|word| text.contains(word) || more.contains(word))
    }
}

/// A text without case. The letters that Unicode's case folding has and lower case has not are those
/// of German and of Greek.
fn fold(text: &str) -> String {
    text.to_lowercase().replace(['ß', 'ẞ'], "ss").replace('ς', "σ")
}

/// What a file is for whoever looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A picture.
    Picture,
    /// A film.
    Film,
    /// Something to listen to.
    Sound,
    /// Anything else.
    Other,
}

impl FileKind {
    /// All of them.
    pub const ALL: [FileKind; 4] = [Self::Picture, Self::Film, Self::Sound, Self::Other];

    /// By what was said of the file; by its name where nothing was said.
    #[must_use]
    pub fn of(file: &File) -> Self {
        let said = file.media_type.as_deref().map(str::trim).unwrap_or_default();
        let main = said.split('/').next().unwrap_or_default().to_ascii_lowercase();
        match main.as_str() {
            "image" => Self::Picture,
            "video" => Self::Film,
            "audio" => Self::Sound,
            "" => Self::of_name(&file.name),
            _ if is_anything(said) => Self::of_name(&file.name),
            _ => Self::Other,
        }
    }

    fn of_name(name: &str) -> Self {
        let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
        match end.as_deref().unwrap_or_default() {
            "jpg" | "jpeg" | "png" | "gif" | "webp" | "avif" | "heic" | "bmp" => Self::Picture,
            "mp4" | "m4v" | "webm" | "mov" | "mkv" | "3gp" => Self::Film,
            "mp3" | "m4a" | "aac" | "ogg" | "oga" | "opus" | "wav" | "flac" => Self::Sound,
            _ => Self::Other,
        }
    }
}

/// What is said of a file by whom does not know it (RFC 2046 §4.5.1).
fn is_anything(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str, typed: &str) -> bool {
        Words::of(typed).unwrap().are_in(&Content::Text(text.into()))
    }

    #[test]
    fn all_words_must_be_there_in_any_order() {
        let text = "But soft! What LIGHT through yonder window breaks?";
        assert!(says(text, "light soft"));
        assert!(says(text, "  wind\tYONDER "));
        assert!(!says(text, "light juliet"));
        assert!(Words::of(" \n ").is_none());
    }

    #[test]
    fn case_is_nothing_in_german_and_greek() {
        assert!(says("Straße", "STRASSE"));
        assert!(says("DIE STRASSE", "straße"));
        assert!(says("ΟΔΟΣ", "οδός".replace('ό', "ο").as_str()));
        assert!(says("Ärger", "äRGER"));
    }

    #[test]
    fn kinds_follow_the_type_and_then_the_name() {
        let kind = |name: &str, media_type: Option<&str>| {
            let media_type = media_type.map(str::to_owned);
            let name = name.to_owned();
            let rest = (None, None, None, None, None);
            let (size, url, key, local, preview) = rest;
            FileKind::of(&File { name, size, media_type, url, key, local, preview })
        };
        assert_eq!(kind("a", Some("Image/PNG")), FileKind::Picture);
        assert_eq!(kind("a.png", Some("video/mp4; codecs=x")), FileKind::Film);
        assert_eq!(kind("a.OGG", None), FileKind::Sound);
        assert_eq!(kind("a.jpg", Some("application/octet-stream; x=y")), FileKind::Picture);
        assert_eq!(kind("a.jpg", Some("application/pdf")), FileKind::Other);
        assert_eq!(kind("jpg", None), FileKind::Other);
    }
}
