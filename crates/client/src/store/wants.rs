//! What the sender of a message wants to be told of it.

use serde::{Deserialize, Serialize};

/// What is asked for with a message, and by which id it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Wants {
    /// What the sender calls the message.
    pub id: String,
    /// That it arrived (XEP-0184), as long as that was not said.
    pub receipt: bool,
    /// That it was seen (XEP-0333).
    pub marker: bool,
}

/// Earlier programs kept the id alone, whichever of the two was asked for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Either(String),
    Told { id: String, receipt: bool, marker: bool },
}

impl From<Kept> for Wants {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Either(id) => Self { id, receipt: true, marker: true },
            Kept::Told { id, receipt, marker } => Self { id, receipt, marker },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wants;

    #[test]
    fn what_an_earlier_program_kept_is_read() {
        let wants = |receipt| Wants { id: "a".into(), receipt, marker: true };
        assert_eq!(serde_json::from_str::<Wants>("\"a\"").unwrap(), wants(true));
        let kept = serde_json::to_string(&wants(false)).unwrap();
        assert_eq!(serde_json::from_str::<Wants>(&kept).unwrap(), wants(false));
    }
}
