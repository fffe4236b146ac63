//! Reports that came along with blocks, and outages that are announced, as the operator sees them.

use super::{
    Fault, FaultCode, Operations, Response,
    operations::{now, stamp},
    protocol::Report,
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
        if text.trim().is_empty() {
            return Err(Fault::new(FaultCode::Invalid, "there is nothing to tell"));
        }
        let outage = Outage::new(text.clone(), xmpp::time::Millis(now().0), after, seconds);
        self.save_outage(&outage)?;
        let told = self.live.as_ref().map_or(0, |live| live.tell_online(&text));
        let path = self.home.outage();
        Ok(Response::Done(format!(
            "Announced; {told} devices were told. Copy {} to wherever `addresses` in [outage] leads.",
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
