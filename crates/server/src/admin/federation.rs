//! Other servers as the operator handles them.

use xmpp::jid::BareJid;

use super::{Fault, FaultCode, Operations, Response};

impl Operations {
    pub(super) async fn federation_list(&self) -> Result<Response, Fault> {
        Ok(Response::Federation(self.running()?.federation().await?))
    }

    pub(super) async fn federation_try(&self, domain: &str) -> Result<Response, Fault> {
        let live = self.running()?;
        let domain = self.domain(domain)?;
        let tried = live.try_domain(&domain).await;
        tried.map(Response::Done).map_err(|reason| {
            Fault::new(FaultCode::Unreachable, format!("{domain} cannot be reached: {reason}"))
        })
    }

    pub(super) fn federation_give_back(&self, domain: &str) -> Result<Response, Fault> {
        let live = self.running()?;
        let domain = self.domain(domain)?;
        match live.give_back(&domain) {
            None => {
                let words = format!("{domain} is connected, and what waits for it is on its way");
                Err(Fault::new(FaultCode::Invalid, words))
            }
            Some(0) => {
                let words = format!("nothing waits for {domain} that is not on its way");
                Err(Fault::new(FaultCode::NotFound, words))
            }
            Some(1) => Ok(Response::Done("1 stanza goes back to its sender.".to_owned())),
            Some(many) => Ok(Response::Done(format!("{many} stanzas go back to their senders."))),
        }
    }

    pub(super) fn federation_end(&self, domain: &str) -> Result<Response, Fault> {
        let live = self.running()?;
        let domain = self.domain(domain)?;
        match live.end_streams(&domain) {
            0 => Err(Fault::new(FaultCode::NotFound, format!("there is no stream of {domain}"))),
            1 => Ok(Response::Done("1 stream was ended.".to_owned())),
            many => Ok(Response::Done(format!("{many} streams were ended."))),
        }
    }

    /// A domain in its normal form.
    pub(super) fn domain(&self, text: &str) -> Result<String, Fault> {
        let jid = BareJid::new(text).ok().filter(|jid| jid.node().is_none());
        let domain = jid.map(|jid| jid.domain().as_str().to_owned());
        domain.ok_or_else(|| {
            Fault::new(FaultCode::Invalid, format!("`{text}` is not a domain such as example.net"))
        })
    }
}
