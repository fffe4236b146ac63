//! Devices of one account agree, whatever happens. Not in WebAssembly: the chance of these tests comes
//! from the system.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::archive::{archive, write};
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

#[derive(Clone, Debug)]
enum Deed {
    Write(bool),
    Repeat,
    Send(usize),
    Carry(usize, usize),
    Cut(usize),
    Crash(usize),
    Forget(bool),
    Pass(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => any::<bool>().prop_map(Deed::Write),
        1 => Just(Deed::Repeat),
        4 => (0..2_usize).prop_map(Deed::Send),
        8 => (0..2_usize, 1..30_usize).prop_map(|(device, count)| Deed::Carry(device, count)),
        2 => (0..2_usize).prop_map(Deed::Cut),
        2 => (0..2_usize).prop_map(Deed::Crash),
        1 => any::<bool>().prop_map(Deed::Forget),
        4 => (1..20_000_u64).prop_map(Deed::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Two devices of one account, random traffic, losses and kills: in the end both have what the
    /// archive has, in its order.
    #[test]
    fn devices_end_with_what_the_archive_has(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut world = World::new();
        let devices = [world.online(ROMEO, &[JULIET]), world.online(ROMEO, &[JULIET])];
        let mut written = "juliet".to_owned();
        for (number, deed) in deeds.into_iter().enumerate() {
            match deed {
                Deed::Write(true) => {
                    written = format!("juliet {number}");
                    write(&mut world, JULIET, ROMEO, &written);
                }
                Deed::Repeat => write(&mut world, JULIET, ROMEO, &written),
                Deed::Write(false) => {
                    write(&mut world, ROMEO, JULIET, &format!("romeo elsewhere {number}"));
                }
                Deed::Send(device) => {
                    world.send(devices[device], JULIET, &format!("romeo {device} {number}"));
                }
                Deed::Carry(device, count) => {
                    for _ in 0..count {
                        world.carry(devices[device], true);
                        world.carry(devices[device], false);
                    }
                }
                Deed::Cut(device) => world.cut(devices[device]),
                Deed::Crash(device) => world.crash(devices[device]),
                Deed::Forget(forgetful) => world.server.forgetful = forgetful,
                Deed::Pass(milliseconds) => world.pass(milliseconds),
            }
        }
        world.pass(900_000);
        let mut seen = BTreeSet::new();
        let mut expected = archive(&world, ROMEO);
        expected.retain(|text| seen.insert(text.clone()));
        for device in devices {
            prop_assert_eq!(&world.texts(device, JULIET), &expected);
        }
    }
}
