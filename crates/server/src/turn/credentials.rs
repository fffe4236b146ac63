//! Passwords for the relay: made from the name and the server's secret, so that nothing is kept. A
//! name says when it ends, and stands for a person without saying who it is.

use xmpp::time::Millis;
use zeroize::Zeroizing;

use crate::secret::ServerSecret;

/// What a client shows to the relay.
#[derive(Debug)]
pub struct Credentials {
    /// When it ends, in seconds since 1970, and a code for the person.
    pub name: String,
    /// What proves the name.
    pub password: Zeroizing<String>,
    /// When both end.
    pub expires: Millis,
}

/// Who asks for credentials when the relay is checked (`anemone check turn`): no account has this name.
pub const CHECK: &str = "anemone check";

/// The code for a person: its account is known by it, and cannot be read from it.
#[must_use]
pub fn code(secret: &ServerSecret, account: &str) -> String {
    secret.short("turn", &[account])
}

/// New ones for an account, good until `expires`.
#[must_use]
pub fn issue(secret: &ServerSecret, account: &str, expires: Millis) -> Credentials {
    let person = code(secret, account);
    let name = format!("{}:{person}", expires.0 / 1000);
    let password = derive(secret, &name);
    Credentials { name, password, expires }
}

/// The password that belongs to a name; nothing when the name has ended, or was never one.
#[must_use]
pub fn password(secret: &ServerSecret, name: &str, now: Millis) -> Option<Zeroizing<String>> {
    let (expires, person) = name.split_once(':')?;
    let expires: u64 = expires.parse().ok()?;
    let good = expires > now.0 / 1000 && !person.is_empty() && name.len() <= LONGEST;
    good.then(|| derive(secret, name))
}

/// Whose name it is: the same for all names of an account.
#[must_use]
pub fn person(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, person)| person)
}

fn derive(secret: &ServerSecret, name: &str) -> Zeroizing<String> {
    Zeroizing::new(secret.short("turn password", &[name]))
}

const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_proves_itself_until_it_ends() {
        let secret = ServerSecret::new([7; 32]);
        let made = issue(&secret, "ada@verona.example", Millis(60_000));
        assert_eq!(made.expires, Millis(60_000));
        let checked = |now: u64| password(&secret, &made.name, Millis(now));
        assert_eq!(checked(0), Some(made.password.clone()));
        assert_eq!(checked(59_999), Some(made.password.clone()));
        assert_eq!(checked(60_000), None);
        let longer = made.name.replacen("60", "99", 1);
        assert_ne!(password(&secret, &longer, Millis(0)), Some(made.password.clone()));
        let other = ServerSecret::new([8; 32]);
        assert_ne!(password(&other, &made.name, Millis(0)), Some(made.password));
    }

    #[test]
    fn a_name_stands_for_a_person_and_does_not_say_who() {
        let secret = ServerSecret::new([7; 32]);
        let name = |account, expires| issue(&secret, account, Millis(expires)).name;
        let (first, second) = (name("ada@verona.example", 1000), name("ada@verona.example", 9000));
        assert_eq!(person(&first), person(&second));
        assert_ne!(person(&first), person(&name("eve@verona.example", 1000)));
        assert!(!first.contains("ada"));
    }

    #[test]
    fn what_is_not_a_name_has_no_password() {
        let secret = ServerSecret::new([7; 32]);
        let long = format!("99:{}", "x".repeat(LONGEST));
        for bad in ["", "ada", "99", "99:", ":ada", "x:ada", "-1:ada", &long] {
            assert_eq!(password(&secret, bad, Millis(0)), None, "{bad}");
        }
    }
}
