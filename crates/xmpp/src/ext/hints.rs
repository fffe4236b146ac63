//! XEP-0334: Message Processing Hints 1.0.0

use crate::ns;
use crate::xml::Element;

/// What the sender asks of those who carry a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Do not keep it in permanent storage: it is of no use later.
    NoPermanentStore,
    /// Do not keep it at all, not even until the recipient comes online.
    NoStore,
    /// Do not copy it to other devices.
    NoCopy,
    /// Keep it, although it does not look like it.
    Store,
}

impl Hint {
    /// The name of the element.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Hint::NoPermanentStore => "no-permanent-store",
            Hint::NoStore => "no-store",
            Hint::NoCopy => "no-copy",
            Hint::Store => "store",
        }
    }

    /// Reads a hint; `None` for another element.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        let all = [Hint::NoPermanentStore, Hint::NoStore, Hint::NoCopy, Hint::Store];
        all.into_iter().find(|hint| element.is(hint.as_str(), ns::HINTS))
    }

    /// The hint as an element.
    #[must_use]
    pub fn to_element(self) -> Element {
        Element::new(self.as_str(), ns::HINTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_survive_the_wire() {
        for hint in [Hint::NoPermanentStore, Hint::NoStore, Hint::NoCopy, Hint::Store] {
            assert_eq!(Hint::parse(&hint.to_element()), Some(hint));
        }
        assert_eq!(Hint::parse(&Element::new("store", "urn:other")), None);
        assert_eq!(Hint::parse(&Element::new("keep", ns::HINTS)), None);
    }
}
