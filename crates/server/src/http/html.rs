//! Writing pages: everything that comes from outside is escaped, and every page has one frame.

use hyper::StatusCode;

use super::{Answer, typed};

/// HTML that is safe to send. Text becomes HTML only through [`Html::text`].
#[derive(Clone, Debug, Default)]
pub struct Html(String);

impl Html {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends markup that is written in this program or by the operator.
    #[must_use]
    pub fn raw(mut self, markup: &str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Appends text from anywhere, escaped for elements and attributes.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Appends other HTML.
    #[must_use]
    pub fn html(mut self, other: &Html) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A whole page for the operator, in English. Those for visitors: [`Words::page`].
///
/// [`Words::page`]: super::words::Words::page
#[must_use]
pub fn page(status: StatusCode, title: &str, main: &Html) -> Answer {
    frame("en", status, title, main)
}

/// The frame of all pages.
pub(super) fn frame(language: &str, status: StatusCode, title: &str, main: &Html) -> Answer {
    let page = Html::new()
        .raw("<!doctype html>\n<html lang=\"")
        .text(language)
        .raw("\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"robots\" content=\"noindex\">\n<title>")
        .text(title)
        .raw("</title>\n<link rel=\"icon\" href=\"/favicon.ico\">\n")
        .raw("<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n")
        .html(main)
        .raw("\n</main>\n</body>\n</html>\n");
    typed(status, "text/html; charset=utf-8", page.0)
}

/// A page for the operator that says one thing: a heading and a sentence.
#[must_use]
pub fn notice(status: StatusCode, heading: &str, sentence: &str) -> Answer {
    page(status, heading, &says(heading, sentence, "To the front door"))
}

/// A heading, a sentence and the way to the first page.
pub(super) fn says(heading: &str, sentence: &str, way: &str) -> Html {
    Html::new()
        .raw("<h1>")
        .text(heading)
        .raw("</h1>\n<p>")
        .text(sentence)
        .raw("</p>\n<p><a href=\"/\">")
        .text(way)
        .raw("</a></p>")
}

/// The style of all pages.
#[must_use]
pub fn style() -> Answer {
    typed(StatusCode::OK, "text/css; charset=utf-8", include_str!("style.css"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let html = Html::new().raw("<p title=\"").text("\"><script>'&").raw("\">");
        assert_eq!(html.as_str(), "<p title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">");
    }
}
