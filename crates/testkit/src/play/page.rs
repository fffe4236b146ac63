//! Pages that visitors open.

use super::matching;
use super::report::{Failure, Outcome};
use super::script::{PageCheck, Visit};
use super::stage::Stage;
use super::template::Template;
use crate::client::http::{self, Page};
use crate::tree::{Found, Framing, Reader, Tree};

impl Stage<'_> {
    pub(super) async fn visit(&mut self, visit: &Visit) -> Outcome {
        let request = self.request(visit)?;
        let server = self.server.endpoint();
        self.page = http::send(server.https, &server.trust, &request).await?;
        self.transcript.note(format!("{} {}: {:?}", request.method, request.path, self.page));
        Ok(())
    }

    /// Opens all of them at the same moment.
    pub(super) async fn visit_at_once(&mut self, visits: &[Visit]) -> Outcome {
        let server = self.server.endpoint();
        let mut under_way = Vec::new();
        for visit in visits {
            let (request, address) = (self.request(visit)?, server.https);
            let trust = server.trust.clone();
            under_way.push(tokio::spawn(async move {
                let page = http::send(address, &trust, &request).await;
                (request, page)
            }));
        }
        self.pages.clear();
        for visit in under_way {
            let (request, page) = visit.await.map_err(|error| Failure::new(error.to_string()))?;
            let page = page?;
            self.transcript.note(format!("{} {}: {page:?}", request.method, request.path));
            self.pages.push((request.body.unwrap_or_default(), page));
        }
        Ok(())
    }

    pub(super) fn one_page_has(&mut self, status: u16) -> Outcome {
        let of_others = |(_, page): &(String, Page)| page.status != status;
        let (others, mut found): (Vec<_>, Vec<_>) = self.pages.drain(..).partition(of_others);
        let won = found.pop().filter(|_| found.is_empty());
        let Some((body, page)) = won else {
            return Err(Failure::new(format!("{} pages have it, and {others:?}", found.len())));
        };
        (self.pages, self.page) = (others, page);
        self.variables.insert("what won".to_owned(), body);
        Ok(())
    }

    pub(super) fn other_pages_have(&mut self, status: u16) -> Outcome {
        match self.pages.iter().all(|(_, page)| page.status == status) {
            true => Ok(()),
            false => Err(Failure::new(format!("the pages are {:?}", self.pages))),
        }
    }

    fn request(&self, visit: &Visit) -> Result<http::Request, Failure> {
        let expand = |text: &Template| text.expand(&self.variables, false);
        let mut request = http::Request {
            method: visit.method.clone(),
            ..http::Request::get(&expand(&visit.path)?)
        };
        for (name, value) in &visit.headers {
            request.headers.push((name.clone(), expand(value)?));
        }
        request.body = visit.body.as_ref().map(expand).transpose()?;
        Ok(request)
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
