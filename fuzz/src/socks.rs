//! The greeting of SOCKS5, in pieces of every size.

use anemone::bytestreams::socks::{Greeting, Step, granted};

/// Greets in pieces, whose size is the first byte; the outcome is that of the whole.
pub fn greeting(data: &[u8]) {
    let Some((size, input)) = data.split_first() else { return };
    let whole = outcome(input, input.len());
    // One that is cut waits for nothing that was there at once, and is refused no earlier than it.
    let cut = outcome(input, usize::from(*size));
    match (&whole, &cut) {
        (Step::Named(name), _) => {
            assert_eq!(whole, cut);
            assert!(name.iter().all(u8::is_ascii_hexdigit));
            assert!(granted(name).windows(name.len()).any(|window| window == name));
        }
        // What follows the name in the same piece is refused, later it is data of the stream.
        (Step::Refuse(_), Step::Named(_)) => {}
        (Step::Refuse(_), _) => assert!(matches!(cut, Step::Refuse(_)), "{whole:?} {cut:?}"),
        _ => assert_eq!(whole, cut),
    }
}

fn outcome(input: &[u8], size: usize) -> Step {
    let mut greeting = Greeting::default();
    let mut step = Step::More;
    for piece in input.chunks(size.max(1)) {
        step = greeting.push(piece);
        while let Step::Answer(answer) = step {
            assert_eq!(answer, [5, 0]);
            step = greeting.push(b"");
        }
        if !matches!(step, Step::More) {
            break;
        }
    }
    step
}
