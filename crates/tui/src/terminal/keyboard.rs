//! The keyboard is read on a thread of its own, which can rest while another program has the terminal.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ratatui::crossterm::event as keyboard;
use rustix::process::{Signal, getpid, kill_process};

use super::Incoming;
use crate::failure::Failure;

/// The thread that reads the keyboard; it ends with the program.
pub(super) struct Keyboard {
    turn: Arc<Turn>,
}

/// Whose turn it is to read.
#[derive(Default)]
struct Turn {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Reading,
    /// The thread is asked to rest.
    Asked,
    Resting,
}

impl Keyboard {
    pub(super) fn start(sender: SyncSender<Incoming>) -> Result<Keyboard, Failure> {
        let turn = Arc::new(Turn::default());
        let own = Arc::clone(&turn);
        let read = move || {
            loop {
                let (incoming, last) = match keyboard::read() {
                    Ok(pressed) => (Incoming::Pressed(pressed), false),
                    Err(_) => (Incoming::Gone, true),
                };
                if sender.send(incoming).is_err() || last {
                    return;
                }
                own.rest();
            }
        };
        std::thread::Builder::new()
            .name("keyboard".to_owned())
            .spawn(read)
            .map(|_| Keyboard { turn })
            .map_err(|error| Failure::Other(format!("no thread for the keyboard: {error}")))
    }

    /// Lets the thread rest. Says whether it does: only then may another program read.
    pub(super) fn rest(&self) -> bool {
        self.turn.set(State::Asked);
        // The thread sits in a read, which a change of the terminal's size ends.
        let woken = kill_process(getpid(), Signal::WINCH).is_ok();
        woken && self.turn.wait_for(State::Resting)
    }

    /// Lets the thread read again.
    pub(super) fn go_on(&self) {
        self.turn.set(State::Reading);
    }
}

impl Turn {
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_all();
    }

    fn wait_for(&self, wanted: State) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| *state != wanted);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == wanted
    }

    /// Rests if that is wanted, until it is not any more.
    fn rest(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Asked {
            *state = State::Resting;
            self.changed.notify_all();
        }
        let reading = self.changed.wait_while(state, |state| *state != State::Reading);
        drop(reading.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A key is taken in far less.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_rests_when_asked_and_goes_on_when_told() {
        let turn = Arc::new(Turn::default());
        let own = Arc::clone(&turn);
        turn.set(State::Asked);
        let reader = std::thread::spawn(move || own.rest());
        assert!(turn.wait_for(State::Resting));
        turn.set(State::Reading);
        reader.join().unwrap();
        // Unasked it does not rest at all.
        turn.rest();
    }
}
