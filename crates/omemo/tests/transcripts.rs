//! Sessions that were held with other implementations, replayed: what they wrote is read, and
//! what they read is written again, byte for byte.
//!
//! `tests/vectors/transcripts` has a file per session: a comment, the seed of our random numbers,
//! then commands and answers as `examples/peer.rs` describes them. The randomness of a device is
//! part of it; where the order in which it is drawn changes, they have to be recorded anew:
//! `tests/interop/test_oracle.py --record`.

#[allow(dead_code, reason = "of the program only what answers is used here")]
#[path = "../examples/peer.rs"]
mod peer;

use std::fs;
use std::path::Path;

use omemo::Version;

#[test]
fn recorded_sessions_go_on_as_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/transcripts");
    let mut sessions = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let version = match name.split('_').next().unwrap() {
            "legacy" => Version::Legacy,
            "omemo2" => Version::Omemo2,
            other => panic!("{other} is no version"),
        };
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let seed = lines.next().unwrap().strip_prefix("seed ").unwrap().parse().unwrap();
        let mut peer = peer::Peer::new(version, seed);
        while let (Some(command), Some(answer)) = (lines.next(), lines.next()) {
            assert_eq!(peer.answer(command).unwrap(), answer, "{name}: {command}");
        }
        sessions += 1;
    }
    assert_eq!(sessions, 4);
}
