//! Pages that visitors open.

use super::matching;
use super::report::{Failure, Outcome};
use super::script::{PageCheck, Visit};
use super::stage::Stage;
use super::template::Template;
use crate::client::http;
use crate::tree::{Found, Framing, Reader, Tree};

impl Stage<'_> {
    pub(super) async fn visit(&mut self, visit: &Visit) -> Outcome {
        let expand = |text: &Template| text.expand(&self.variables, false);
        let mut request = http::Request {
            method: visit.method.clone(),
            ..http::Request::get(&expand(&visit.path)?)
        };
        for (name, value) in &visit.headers {
            request.headers.push((name.clone(), expand(value)?));
        }
        request.body = visit.body.as_ref().map(expand).transpose()?;
        let server = self.server.endpoint();
        self.page = http::send(server.https, &server.trust, &request).await?;
        self.transcript.note(format!("{} {}: {:?}", request.method, request.path, self.page));
        Ok(())
    }

    pub(super) fn check_page(&mut self, check: &PageCheck) -> Outcome {
        let page = &self.page;
        let holds = |wanted: &Template| {
            wanted.expand(&self.variables, false).map(|text| page.body.contains(&text))
        };
        let good = match check {
            PageCheck::Status(status) => page.status == *status,
            PageCheck::Contains(wanted) => holds(wanted)?,
            PageCheck::ContainsNot(wanted) => !holds(wanted)?,
            PageCheck::Header(name, value) => {
                let found = page.headers.get(name);
                let found = found.ok_or_else(|| Failure::new(format!("there is no {name}")))?;
                return Ok(value.compare(found, &mut self.variables)?);
            }
            PageCheck::Reads(pattern) => {
                let tree = whole_document(&page.body)?;
                return Ok(matching::compare(pattern, &tree, &mut self.variables)?);
            }
        };
        if good { Ok(()) } else { Err(Failure::new(format!("the page is {page:?}"))) }
    }
}

fn whole_document(text: &str) -> Result<Tree, Failure> {
    let mut reader = Reader::new(Framing::Documents);
    reader.push(text.as_bytes());
    loop {
        match reader.read()? {
            Some(Found::Element(tree)) => return Ok(tree),
            Some(_) => {}
            None => return Err(Failure::new("the page is not a whole XML document")),
        }
    }
}
