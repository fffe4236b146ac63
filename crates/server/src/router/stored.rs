//! Waiting until one thing is on disk.

use std::sync::Arc;

use parking_lot::Mutex;
use store::{StoreError, archive::Ticket};
use tokio::sync::oneshot;

/// A ticket for one thing, and what becomes of that.
pub fn ticket() -> (Arc<dyn Ticket>, impl Future<Output = Result<(), StoreError>>) {
    let (sender, receiver) = oneshot::channel();
    let ticket = Arc::new(Awaited(Mutex::new(Some(sender))));
    // Whoever lets go of it without a word has stored nothing.
    (ticket, async move { receiver.await.unwrap_or(Err(StoreError::Closed)) })
}

struct Awaited(Mutex<Option<oneshot::Sender<Result<(), StoreError>>>>);

impl Ticket for Awaited {
    fn settled(&self, _: u64, outcome: Result<(), &StoreError>) {
        if let Some(sender) = self.0.lock().take() {
            // Nobody may wait any more.
            let _ = sender.send(outcome.map_err(Clone::clone));
        }
    }
}
