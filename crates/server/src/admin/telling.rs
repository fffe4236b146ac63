//! What everybody is told by the server, which domains it talks to, and its end.

use std::time::{Duration, Instant};

use super::{Fault, FaultCode, Operations, Order, Response, operations::now};
use crate::{
    config::{Config, Domains, domain},
    ext::notices::{Day, Notices},
};

impl Operations {
    pub(super) fn notices_show(&self) -> Result<Response, Fault> {
        Ok(Response::Notices(self.notices()?))
    }

    /// Tells everybody who is online.
    pub(super) fn notice_now(&self, text: String) -> Result<Response, Fault> {
        let live = self.running()?;
        let told = live.tell_online(&checked(text)?);
        Ok(Response::Done(format!("{}.", heard(told))))
    }

    pub(super) async fn notice_day(
        &self,
        text: Option<String>,
        anew: bool,
    ) -> Result<Response, Fault> {
        let text = text.map(checked).transpose()?;
        let _alone = self.changing_notices.lock().await;
        let mut notices = self.notices()?;
        let before = notices.day.take();
        let none = || Fault::new(FaultCode::NotFound, "there is no message of the day");
        notices.day = match (text, &before) {
            (Some(text), _) if anew => {
                // Later ones have higher numbers, whatever the clock says.
                let last = before.as_ref().map_or(0, |day| day.number);
                Some(Day { number: now().0.max(last + 1), text })
            }
            (Some(text), Some(before)) => Some(Day { number: before.number, text }),
            (None, Some(_)) => None,
            (_, None) => return Err(none()),
        };
        let sentence = match (&notices.day, anew) {
            (None, _) => "There is no message of the day any more.",
            (Some(_), true) => "The message of the day was set.",
            (Some(_), false) => {
                "The message of the day was corrected for those who do not have it yet."
            }
        };
        let told = self.keep_notices(notices).await?;
        Ok(Response::Done(match told {
            0 => sentence.to_owned(),
            1 => format!("{sentence} 1 user was told, the others with their next session."),
            many => {
                format!("{sentence} {many} users were told, the others with their next session.")
            }
        }))
    }

    pub(super) async fn notice_welcome(&self, text: Option<String>) -> Result<Response, Fault> {
        let text = text.map(checked).transpose()?;
        let _alone = self.changing_notices.lock().await;
        let mut notices = self.notices()?;
        let sentence = match (&text, notices.welcome.is_some()) {
            (Some(_), _) => "New users are welcomed from now on.",
            (None, true) => "New users are not welcomed any more.",
            (None, false) => {
                return Err(Fault::new(FaultCode::NotFound, "there is no welcome message"));
            }
        };
        notices.welcome = text;
        self.keep_notices(notices).await?;
        Ok(Response::Done(sentence.to_owned()))
    }

    fn notices(&self) -> Result<Notices, Fault> {
        let path = self.home.notices();
        Notices::load(&path).map_err(|error| failed(&path, &error))
    }

    async fn keep_notices(&self, notices: Notices) -> Result<usize, Fault> {
        let path = self.home.notices();
        notices.save(&path).map_err(|error| failed(&path, &error))?;
        Ok(match &self.live {
            Some(live) => live.tell(notices).await,
            None => 0,
        })
    }

    pub(super) fn domains_show(&self) -> Result<Response, Fault> {
        Ok(Response::Domains(self.domains()?))
    }

    pub(super) fn domains_set(
        &self,
        deny: Option<Vec<String>>,
        allow: Option<Vec<String>>,
    ) -> Result<Response, Fault> {
        let _alone = self.changing_domains.lock();
        let mut domains = self.domains()?;
        for (list, wanted) in [(&mut domains.deny, deny), (&mut domains.allow, allow)] {
            if let Some(wanted) = wanted {
                *list = normal(wanted)?;
            }
        }
        self.keep_domains(domains).map(Response::Done)
    }

    pub(super) fn domain_deny(&self, domain: &str, listed: bool) -> Result<Response, Fault> {
        let _alone = self.changing_domains.lock();
        let mut domains = self.domains()?;
        enlist(&mut domains.deny, domain, listed)?;
        self.keep_domains(domains).map(Response::Done)
    }

    pub(super) fn domain_allow(&self, domain: &str, listed: bool) -> Result<Response, Fault> {
        let _alone = self.changing_domains.lock();
        let mut domains = self.domains()?;
        enlist(&mut domains.allow, domain, listed)?;
        self.keep_domains(domains).map(Response::Done)
    }

    /// Talks to other domains according to these lists. Returns what they come to.
    fn keep_domains(&self, domains: Domains) -> Result<String, Fault> {
        let path = self.home.domains();
        domains.save(&path).map_err(|error| failed(&path, &error))?;
        let count = |list: &[String]| match list.len() {
            1 => "1 domain is".to_owned(),
            many => format!("{many} domains are"),
        };
        let sentence = match (domains.deny.as_slice(), domains.allow.as_slice()) {
            ([], []) => "Other domains are as the configuration says.".to_owned(),
            (deny, []) => format!("{} not talked to.", count(deny)),
            ([], allow) => format!("Only {} talked to.", count(allow)),
            (deny, allow) => {
                format!("Only {} talked to, and {} not.", count(allow), count(deny))
            }
        };
        if let Some(live) = &self.live {
            live.set_domains(domains);
        }
        Ok(sentence)
    }

    fn domains(&self) -> Result<Domains, Fault> {
        let path = self.home.domains();
        Domains::load(&path).map_err(|error| failed(&path, &error))
    }

    pub(super) fn stop(
        &self,
        restart: bool,
        after: u64,
        text: Option<String>,
    ) -> Result<Response, Fault> {
        let live = self.running()?;
        if after > LONGEST_DELAY {
            let message = format!("a delay is at most {LONGEST_DELAY} seconds");
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        let text = text.map(checked).transpose()?;
        if restart && let Err(error) = Config::load(&self.home) {
            let message = format!("nothing was done; the server would not start again: {error}");
            return Err(Fault::new(FaultCode::Invalid, message));
        }
        let told = text.map_or(0, |text| live.tell_online(&text));
        // Whoever asked gets the answer.
        let delay = Duration::from_secs(after).max(SHORTEST_DELAY);
        live.order(Order { at: Instant::now() + delay, restart });
        let what = if restart { "restarts" } else { "shuts down" };
        Ok(Response::Done(match after {
            0 => format!("The server {what} now; {}.", heard(told)),
            _ => format!("The server {what} in {after} seconds; {}.", heard(told)),
        }))
    }

    /// The server does not go down after all.
    pub(super) fn stop_cancel(&self, text: Option<String>) -> Result<Response, Fault> {
        let live = self.running()?;
        let text = text.map(checked).transpose()?;
        let order = live.call_off().ok_or_else(|| {
            Fault::new(FaultCode::NotFound, "neither a restart nor a stop is ordered")
        })?;
        let told = text.map_or(0, |text| live.tell_online(&text));
        let what = order.name();
        Ok(Response::Done(format!("The {what} was called off; {}.", heard(told))))
    }
}

fn failed(path: &std::path::Path, error: &std::io::Error) -> Fault {
    Fault::new(FaultCode::Storage, format!("{}: {error}", path.display()))
}

/// How many devices were told something.
pub(super) fn heard(told: usize) -> String {
    match told {
        1 => "1 device was told".to_owned(),
        many => format!("{many} devices were told"),
    }
}

/// What people can be told.
pub(super) fn checked(text: String) -> Result<String, Fault> {
    match text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        true => Err(Fault::new(
            FaultCode::Invalid,
            format!("a notice has at least one word and at most {LONGEST_TEXT} characters"),
        )),
        false => Ok(text),
    }
}

/// A domain of a list as the record shows it: in its normal form where it has one.
pub(super) fn shown(domain: &str) -> String {
    normal(vec![domain.to_owned()]).map_or_else(|_| domain.to_owned(), |name| name.concat())
}

/// Puts a domain on a list, or takes it off.
fn enlist(list: &mut Vec<String>, domain: &str, listed: bool) -> Result<(), Fault> {
    let name = normal(vec![domain.to_owned()])?.concat();
    match (list.contains(&name), listed) {
        (true, true) => {
            let words = format!("{name} is on the list already");
            return Err(Fault::new(FaultCode::Exists, words));
        }
        (false, false) => {
            let words = format!("{name} is not on the list");
            return Err(Fault::new(FaultCode::NotFound, words));
        }
        (true, false) => list.retain(|one| *one != name),
        (false, true) => {
            let mut all = list.clone();
            all.push(name);
            *list = normal(all)?;
        }
    }
    Ok(())
}

/// Domains in their normal form, each once.
fn normal(wanted: Vec<String>) -> Result<Vec<String>, Fault> {
    let invalid = |message: String| Fault::new(FaultCode::Invalid, message);
    if wanted.len() > Domains::MOST {
        return Err(invalid(format!("a list has at most {} domains", Domains::MOST)));
    }
    let mut list = Vec::new();
    for one in wanted {
        let (prefix, name) = match one.strip_prefix("*.") {
            Some(parent) => ("*.", parent),
            None => ("", one.as_str()),
        };
        let name = domain(name).map_err(|_| {
            invalid(format!("`{one}` is not a domain, such as example.org or *.example.org"))
        })?;
        list.push(format!("{prefix}{name}"));
    }
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

/// Characters of what people are told.
pub const LONGEST_TEXT: usize = 10_000;
const LONGEST_DELAY: u64 = 24 * 60 * 60;
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Home;

    #[test]
    fn lists_have_domains_in_their_normal_form() {
        let list = |names: &[&str]| normal(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(
            list(&["Spam.EXAMPLE", "*.worse.example", "spam.example"]).unwrap(),
            ["*.worse.example", "spam.example"]
        );
        for wrong in ["iago@spam.example", "spam.example/x", "*", "a..b", "*.*.example", ""] {
            assert!(list(&[wrong]).unwrap_err().message.contains("is not a domain"), "{wrong}");
        }
    }

    #[test]
    fn a_domain_comes_on_a_list_once_and_goes_off_it_once() {
        let mut some = vec!["spam.example".to_owned()];
        enlist(&mut some, "*.Worse.example", true).unwrap();
        assert_eq!(some, ["*.worse.example", "spam.example"]);
        assert_eq!(enlist(&mut some, "SPAM.example", true).unwrap_err().code, FaultCode::Exists);
        enlist(&mut some, "SPAM.example", false).unwrap();
        assert_eq!(enlist(&mut some, "spam.example", false).unwrap_err().code, FaultCode::NotFound);
        assert_eq!(enlist(&mut some, "no domain", true).unwrap_err().code, FaultCode::Invalid);
        assert_eq!(some, ["*.worse.example"]);
        let mut full: Vec<_> = (0..Domains::MOST).map(|n| format!("d{n}.example")).collect();
        assert_eq!(enlist(&mut full, "more.example", true).unwrap_err().code, FaultCode::Invalid);
        enlist(&mut full, "d0.example", false).unwrap();
    }

    fn operations(directory: &tempfile::TempDir) -> Operations {
        let store = store::sqlite::open_in_memory(Default::default()).unwrap();
        let config = Config::parse("domain = \"example.org\"\n").unwrap();
        Operations::stopped(store, Home::new(directory.path().to_owned()), config)
    }

    #[test]
    fn who_changes_lists_at_the_same_time_takes_nothing_from_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let operations = operations(&directory);
        std::thread::scope(|scope| {
            for one in 0..4 {
                let operations = &operations;
                scope.spawn(move || {
                    for other in 0..10 {
                        let domain = format!("d{other}.n{one}.example");
                        operations.domain_deny(&domain, true).unwrap();
                        operations.domain_allow(&domain, true).unwrap();
                    }
                });
            }
        });
        let domains = operations.domains().unwrap();
        assert_eq!((domains.deny.len(), domains.allow.len()), (40, 40));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_changes_notices_at_the_same_time_takes_nothing_from_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let operations = std::sync::Arc::new(operations(&directory));
        let text = |number: usize| Some(format!("Tea number {number}"));
        let worker = operations.clone();
        let days = tokio::spawn(async move {
            for number in 0..50 {
                worker.notice_day(text(number), true).await.unwrap();
                let kept = worker.notices().unwrap().day.map(|day| day.text);
                assert_eq!(kept, text(number));
            }
        });
        for number in 0..50 {
            operations.notice_welcome(text(number)).await.unwrap();
            assert_eq!(operations.notices().unwrap().welcome, text(number));
        }
        days.await.unwrap();
    }

    #[test]
    fn a_notice_says_something_and_not_too_much() {
        assert!(checked(" \n".to_owned()).is_err());
        assert!(checked("x".repeat(LONGEST_TEXT + 1)).is_err());
        assert!(checked("ж".repeat(LONGEST_TEXT)).is_ok(), "as many as in any other alphabet");
        assert_eq!(checked("Tea".to_owned()).unwrap(), "Tea");
    }
}
