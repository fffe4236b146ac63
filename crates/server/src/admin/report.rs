//! Reports that came along with blocks, and outages that are announced, as the operator sees them.

use super::{
    Fault, FaultCode, Operations, Response,
    operations::{now, stamp},
    protocol::Report,
    telling::{checked, heard},
};
use crate::ext::{outage::Outage, reporting};

impl Operations {
    pub(super) async fn report_list(&self) -> Result<Response, Fault> {
        let describe = |(id, at, report): (String, store::Millis, reporting::Report)| Report {
            id,
            at: stamp(at),
            address: report.jid,
            by: report.by,
            reason: report.reason,
            text: report.text,
            messages: report.messages,
        };
        let kept = reporting::kept(&self.store).await?;
        Ok(Response::Reports(kept.into_iter().map(describe).collect()))
    }

    pub(super) async fn report_delete(&self, id: &str) -> Result<Response, Fault> {
        match reporting::remove(&self.store, id).await? {
            true => Ok(Response::Done("The report was deleted.".to_owned())),
            false => Err(Fault::new(FaultCode::NotFound, format!("there is no report {id}"))),
        }
    }

    pub(super) fn outage_announce(
        &self,
        text: String,
        after: u64,
        seconds: Option<u64>,
    ) -> Result<Response, Fault> {
        let text = checked(text)?;
        if after.max(seconds.unwrap_or(0)) > LONGEST {
            let words = "an outage begins within a year and takes no longer";
            return Err(Fault::new(FaultCode::Invalid, words));
        }
        let outage = Outage::new(text.clone(), xmpp::time::Millis(now().0), after, seconds);
        self.save_outage(&outage)?;
        let told = self.live.as_ref().map_or(0, |live| live.tell_online(&text));
        let path = self.home.outage();
        Ok(Response::Done(format!(
            "Announced; {}. Copy {} to wherever `addresses` in [outage] leads.",
            heard(told),
            path.display()
        )))
    }

    pub(super) fn outage_end(&self) -> Result<Response, Fault> {
        self.save_outage(&Outage::default())?;
        Ok(Response::Done("Nothing is announced any more.".to_owned()))
    }

    pub(super) fn outage_show(&self) -> Result<Response, Fault> {
        let failed = |error: std::io::Error| {
            let path = self.home.outage();
            Fault::new(FaultCode::Storage, format!("{}: {error}", path.display()))
        };
        Ok(Response::Outage(Outage::load(&self.home.outage()).map_err(failed)?))
    }

    fn save_outage(&self, outage: &Outage) -> Result<(), Fault> {
        let path = self.home.outage();
        outage
            .save(&path)
            .map_err(|error| Fault::new(FaultCode::Storage, format!("{}: {error}", path.display())))
    }
}

/// Seconds until an outage, and of it.
const LONGEST: u64 = 366 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::{
        super::{By, Request},
        *,
    };
    use crate::config::{Config, Home};

    #[tokio::test]
    async fn an_outage_is_within_a_year_and_says_something() {
        let directory = tempfile::tempdir().unwrap();
        let options = store::sqlite::Options::default();
        let store = store::sqlite::open(&directory.path().join("anemone.db"), options).unwrap();
        let config = Config::for_domain("example.org").unwrap();
        let home = Home::new(directory.path().to_owned());
        let operations = Operations::stopped(store, home, config);
        let announce = async |text: &str, after, seconds| {
            let request = Request::OutageAnnounce { text: text.to_owned(), after, seconds };
            operations.perform(&By::CommandLine(0), request).await
        };
        for (text, after, seconds) in
            [(" ", 0, None), ("Disks", u64::MAX, None), ("Disks", 0, Some(LONGEST + 1))]
        {
            let refused = announce(text, after, seconds).await;
            assert!(matches!(refused, Response::Error(_)), "{text} {after} {seconds:?}");
        }
        assert!(matches!(announce("Disks", LONGEST, Some(60)).await, Response::Done(_)));
    }
}
