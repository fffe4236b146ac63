//! Talking with the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::{
    admin::{Fault, FaultCode},
    ext::archive::retention::MOST_DAYS,
    password::{self, Password},
};

/// The password for an account: the first line of standard input, or what the person types, twice
/// and unseen.
///
/// The operator may set a password that a user could not choose, and is told that it is weak.
pub(super) fn password(account: &str, from_stdin: bool) -> Result<Password, Fault> {
    let password = if from_stdin { line()? } else { typed(account)? };
    let name = account.split('@').next().unwrap_or(account);
    if let Err(problem) = password::verify(&password, name, ADVISED_LENGTH) {
        eprintln!("note: {problem}");
    }
    Ok(password)
}

/// The value of an argument that is yes or no.
pub(super) fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

/// Days for which messages are kept, 0 for ever; nothing for as long as those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept(pub(super) Option<u32>);

/// The value of an argument that says how long messages are kept.
pub(super) fn kept(text: &str) -> Result<Kept, String> {
    match text {
        "default" => Ok(Kept(None)),
        "forever" => Ok(Kept(Some(0))),
        days => match days.parse::<u32>() {
            Ok(days) if (1..=MOST_DAYS).contains(&days) => Ok(Kept(Some(days))),
            _ => Err(format!("say a number of days from 1 to {MOST_DAYS}, default, or forever")),
        },
    }
}

fn typed(account: &str) -> Result<Password, Fault> {
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            FaultCode::Usage,
            "there is no terminal to ask for the password on: give it on standard input with \
             --password-stdin",
        ));
    }
    let first = unseen(&format!("Password for {account}: "))?;
    let second = unseen("The same again: ")?;
    if first == second {
        Ok(first)
    } else {
        Err(Fault::new(FaultCode::Invalid, "the two passwords are not the same"))
    }
}

/// Asks before an account is deleted. Without a terminal, `--yes` is needed.
pub(super) fn confirm_deletion(account: &str) -> Result<(), Fault> {
    confirm(account, "{} will be deleted with its messages and everything else.")
}

/// The same for something else, in a sentence with `{}` for what it is about.
pub(super) fn confirm(account: &str, sentence: &str) -> Result<(), Fault> {
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            FaultCode::Usage,
            "deleting cannot be undone; say --yes to do it without being asked",
        ));
    }
    let sentence = sentence.replace("{}", account);
    prompt(&format!("{sentence}\nType the address again to go on: "))?;
    if line()?.expose() == account {
        Ok(())
    } else {
        Err(Fault::new(FaultCode::Invalid, "nothing was deleted"))
    }
}

/// Seconds of a time such as `90s`, `30m`, `12h`, `7d` or `2w`.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a time such as 30m, 12h, 7d or 2w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(seconds).filter(|total| *total > 0).ok_or_else(wrong)
}

/// A question on standard error, so that standard output holds results only.
fn prompt(text: &str) -> Result<(), Fault> {
    let mut out = io::stderr();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| broken(&error))
}

fn line() -> Result<Password, Fault> {
    let mut text = String::new();
    let read = io::stdin().lock().read_line(&mut text).map_err(|error| broken(&error))?;
    if read == 0 {
        return Err(Fault::new(FaultCode::Invalid, "standard input is empty"));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Password::new(text))
}

/// Reads a line that the terminal does not show.
fn unseen(question: &str) -> Result<Password, Fault> {
    prompt(question)?;
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).map_err(|error| broken(&error.into()))?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).map_err(|error| broken(&error.into()))?;
    let typed = line();
    let restored = tcsetattr(&stdin, OptionalActions::Now, &before);
    restored.map_err(|error| broken(&error.into()))?;
    typed
}

fn broken(error: &io::Error) -> Fault {
    Fault::new(FaultCode::Usage, format!("the terminal cannot be used: {error}"))
}

/// Characters below which a password is called short.
const ADVISED_LENGTH: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_their_unit() {
        assert_eq!(duration("90s"), Ok(90));
        assert_eq!(duration("12h"), Ok(43_200));
        assert_eq!(duration("7d"), Ok(604_800));
        for wrong in ["", "7", "d", "-1d", "0d", "7 d", "1y", "99999999999999999999w", "1é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
