//! When a visitor's connection ends.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// The time at which a connection ends, whatever is going on. A request that needs longer, because
/// much is to be sent or read, asks for it.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<Mutex<Instant>>);

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        Self(Arc::new(Mutex::new(Instant::now() + time)))
    }

    /// Gives the connection at least `time` from now.
    pub fn extend(&self, time: Duration) {
        let mut until = self.0.lock();
        *until = (*until).max(Instant::now() + time);
    }

    /// Resolves when it is over.
    pub async fn over(&self) {
        loop {
            let until = *self.0.lock();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_over_when_the_longest_time_asked_for_is() {
        let deadline = Deadline::new(Duration::ZERO);
        deadline.over().await;
        deadline.extend(Duration::from_secs(3600));
        deadline.extend(Duration::ZERO);
        assert!(tokio::time::timeout(Duration::from_millis(1), deadline.over()).await.is_err());
    }
}
