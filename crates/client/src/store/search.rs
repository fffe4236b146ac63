//! What a search looks at, the same in every store.

use super::{Content, Message};

/// What somebody looks for, without case.
#[derive(Debug)]
pub struct Needle(String);

impl Needle {
    /// Looks for this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// Whether the message says it: in its text, its file's name or the text beside the file.
    #[must_use]
    pub fn is_in(&self, message: &Message) -> bool {
        match &message.content {
            Content::Text(text) => self.is_in_text(text),
            Content::File(file, caption) => {
                self.is_in_text(&file.name)
                    || caption.as_deref().is_some_and(|text| self.is_in_text(text))
            }
            Content::Retracted | Content::Undecryptable(_) | Content::Event(_) => false,
        }
    }

    fn is_in_text(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.0)
    }
}
