//! RFC 9110 §12.5.3: in which encodings a visitor takes a file.

/// How a file is compressed on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// As HTTP says it; nothing for what is sent as it is.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What a tag ends with: the forms of a file are different contents (RFC 9110 §8.8.3).
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Gzip => "-gz",
            Self::Identity => "",
        }
    }

    /// Whether the header `Accept-Encoding` names it, or `*`, and does not refuse it.
    pub(super) fn is_accepted(self, header: &str) -> bool {
        let Some(name) = self.name() else { return true };
        let mut any = false;
        for entry in header.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default();
            let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(is_zero);
            if coding.eq_ignore_ascii_case(name) {
                return !refused;
            }
            any |= coding == "*" && !refused;
        }
        any
    }
}

fn is_zero(quality: &str) -> bool {
    quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_of_zero_refuses() {
        let accepted = |header| Encoding::Brotli.is_accepted(header);
        for yes in ["br", "gzip, BR", "gzip;q=1.0, br;q=0.5", "*", "identity, *;q=0.1"] {
            assert!(accepted(yes), "{yes}");
        }
        for no in ["", "gzip", "br;q=0", "br; q=0.000, *", "*;q=0", "brotli", "xbr"] {
            assert!(!accepted(no), "{no}");
        }
        assert!(Encoding::Identity.is_accepted(""));
    }
}
