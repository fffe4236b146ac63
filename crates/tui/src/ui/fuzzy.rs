//! Finding something by a few of its letters.

/// How well a text fits what was typed; `None` if its letters are not all there in order. More is
/// better: letters that stand together, at the beginnings of words, and early count more.
#[must_use]
pub fn score(typed: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).take(LONGEST).collect();
    let typed: Vec<char> =
        typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    // Beginnings of words can lead past letters that are needed later.
    walk(&typed, &text, best_place).or_else(|| walk(&typed, &text, first_place))
}

/// Finds every letter at the place that `place` gives, and adds up what they are worth.
fn walk(typed: &[char], text: &[char], place: Place) -> Option<i32> {
    let mut total = 0;
    let mut from = 0;
    let mut last: Option<usize> = None;
    for letter in typed {
        let found = place(text, from, *letter, last)?;
        total += worth(text, found, last);
        last = Some(found);
        from = found + 1;
    }
    Some(total - (text.len() / 8) as i32)
}

/// Text, from where on, the letter, where the last letter was found.
type Place = fn(&[char], usize, char, Option<usize>) -> Option<usize>;

fn first_place(text: &[char], from: usize, letter: char, _: Option<usize>) -> Option<usize> {
    (from..text.len()).find(|at| text.get(*at) == Some(&letter))
}

/// Where a letter fits best: right behind the last one, else at the beginning of a word, else at
/// the first place.
fn best_place(text: &[char], from: usize, letter: char, last: Option<usize>) -> Option<usize> {
    if last.is_some() && text.get(from) == Some(&letter) {
        return Some(from);
    }
    (from..text.len())
        .find(|at| text.get(*at) == Some(&letter) && starts_word(text, *at))
        .or_else(|| first_place(text, from, letter, last))
}

fn worth(text: &[char], at: usize, last: Option<usize>) -> i32 {
    let together = last.is_some_and(|last| at == last + 1);
    let mut worth = 1;
    if together {
        worth += 6;
    }
    if starts_word(text, at) {
        worth += 4;
    }
    if at == 0 {
        worth += 4;
    }
    worth
}

fn starts_word(text: &[char], at: usize) -> bool {
    at == 0 || text.get(at - 1).is_some_and(|before| !before.is_alphanumeric())
}

/// Letters of a text that are looked at.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_must_be_there_in_order() {
        assert!(score("jc", "Juliet Capulet").is_some());
        assert!(score("cj", "Juliet Capulet").is_none());
        assert!(score("", "anything").is_some());
        assert!(score("JULIET", "juliet").is_some());
        assert!(score("ab", "cab a").is_some());
    }

    #[test]
    fn beginnings_of_words_and_letters_together_come_first() {
        let better = |typed: &str, one: &str, two: &str| {
            assert!(score(typed, one) > score(typed, two), "{typed}: {one} before {two}");
        };
        better("ro", "Romeo", "Mercutio Rosalindson");
        better("jc", "Juliet Capulet", "object");
        better("nurse", "Nurse", "n u r s e");
        better("ben", "Benvolio", "Ursula Benedict");
    }
}
