//! Wall clocks that jump: a year ahead, and back. What matters goes by the server's order and by the
//! steady clock.

use client::Command;
use client::store::{Content, Event, MessageId};
use client::view::Connection;
use xmpp::ns;
use xmpp::time::Millis;

use crate::archive::{archive, write};
use crate::login::connection;
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";
const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;
/// Clocks before and after a jump.
const JUMPS: [[i64; 2]; 4] = [[0, YEAR], [0, -YEAR], [YEAR, 0], [-YEAR, 0]];

/// The texts of a conversation, and when each was written.
fn times(world: &World, device: usize) -> Vec<Millis> {
    world.messages(device, JULIET).into_iter().map(|message| message.time).collect()
}

fn is_waiting(world: &World, device: usize) -> bool {
    matches!(connection(world, device), Connection::Waiting { .. })
}

#[test]
fn a_jump_between_writing_and_sending_loses_doubles_and_disorders_nothing() {
    for jump in JUMPS {
        let mut world = World::new();
        let devices = [world.online(ROMEO, &[JULIET]), world.online(ROMEO, &[JULIET])];
        let [one, other] = devices;
        let juliet = world.online(JULIET, &[ROMEO]);
        let mut number = 0;
        let mut talk = |world: &mut World| {
            for _ in 0..3 {
                number += 1;
                world.send(one, JULIET, &format!("one {number}"));
                world.send(other, JULIET, &format!("other {number}"));
                world.send(juliet, ROMEO, &format!("juliet {number}"));
                world.settle_some(number);
            }
        };
        // Queued and on the way; the clock jumps; then the connection breaks, or the program ends.
        for crash in [false, true] {
            for ahead in jump {
                world.devices[one].reachable = crash;
                world.cut(one);
                talk(&mut world);
                world.devices[one].ahead = ahead;
                world.devices[one].reachable = true;
                talk(&mut world);
                if crash {
                    world.crash(one)
                } else {
                    world.cut(one)
                }
                talk(&mut world);
                world.pass(200_000);
            }
        }
        let all = archive(&world, ROMEO);
        assert_eq!(all.len(), 108);
        for device in devices {
            assert_eq!(world.texts(device, JULIET), all, "{jump:?}");
            assert!(world.messages(device, JULIET).iter().all(|one| one.archive_id.is_some()));
        }
        assert_eq!(world.texts(juliet, ROMEO), archive(&world, JULIET), "{jump:?}");
    }
}

#[test]
fn what_was_missed_has_the_times_of_the_server_whatever_the_clock_says() {
    for jump in JUMPS {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        world.devices[romeo].ahead = jump[0];
        world.run(romeo, Command::Disconnect);
        for number in 0..25 {
            write(&mut world, JULIET, ROMEO, &format!("missed {number}"));
        }
        world.devices[romeo].ahead = jump[1];
        world.run(romeo, Command::Reconnect);
        assert_eq!(world.texts(romeo, JULIET), archive(&world, ROMEO));
        let rows = world.server.accounts[&bare(ROMEO)].archive.iter();
        let archived: Vec<Millis> = rows.map(|row| row.time).collect();
        assert_eq!(times(&world, romeo), archived, "{jump:?}");
    }
}

#[test]
fn nothing_new_stands_before_what_was_there_because_the_clock_went_back() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.run(romeo, Command::Disconnect);
    write(&mut world, JULIET, ROMEO, "missed");
    world.run(romeo, Command::Reconnect);
    world.devices[romeo].ahead = -YEAR;
    write(&mut world, JULIET, ROMEO, "live");
    world.send(romeo, JULIET, "own");
    world.pass(20_000);
    assert_eq!(world.texts(romeo, JULIET), ["missed", "live", "own"]);
    let times = times(&world, romeo);
    assert!(times.is_sorted(), "{times:?}");
    // Ahead of the server, an own message is put right when its place is known.
    world.devices[romeo].ahead = YEAR;
    world.send(romeo, JULIET, "of the future");
    world.pass(20_000);
    assert!(world.last(romeo, JULIET).time <= world.server.now);
}

#[test]
fn an_archive_that_forgot_is_read_by_its_own_time_and_not_by_this_clock() {
    for ahead in [YEAR, -YEAR] {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[JULIET]);
        write(&mut world, JULIET, ROMEO, "one");
        world.settle();
        world.run(romeo, Command::Disconnect);
        write(&mut world, JULIET, ROMEO, "two");
        world.run(romeo, Command::Reconnect);
        // What arrives live says nothing of the server's clock.
        world.devices[romeo].ahead = ahead;
        write(&mut world, JULIET, ROMEO, "three");
        world.settle();
        world.run(romeo, Command::Disconnect);
        // Long after that, so that a wrong time is not found by the day that is read again.
        world.server.now = world.server.now.plus(YEAR.unsigned_abs() / 2);
        for number in 0..15 {
            write(&mut world, JULIET, ROMEO, &format!("missed {number}"));
        }
        world.server.accounts.get_mut(&bare(ROMEO)).unwrap().archive.drain(..3);
        world.run(romeo, Command::Reconnect);
        let mut expected: Vec<String> = ["one", "two", "three"].map(str::to_owned).to_vec();
        expected.extend((0..15).map(|number| format!("missed {number}")));
        assert_eq!(world.texts(romeo, JULIET), expected, "{ahead}");
        let gap = Content::Event(Event::Gap);
        let gaps = world.messages(romeo, JULIET);
        assert_eq!(gaps.iter().filter(|one| one.content == gap).count(), 1);
    }
}

#[test]
fn a_new_account_whose_archive_told_no_time_reads_all_of_it() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].ahead = YEAR;
    write(&mut world, JULIET, ROMEO, "live");
    world.settle();
    world.run(romeo, Command::Disconnect);
    for number in 0..15 {
        write(&mut world, JULIET, ROMEO, &format!("missed {number}"));
    }
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().archive.remove(0);
    world.run(romeo, Command::Reconnect);
    let texts = world.texts(romeo, JULIET);
    assert_eq!((texts.len(), texts[0].as_str(), texts[15].as_str()), (16, "live", "missed 14"));
}

#[test]
fn a_token_counts_as_long_as_its_server_says() {
    for ahead in [YEAR, -YEAR] {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[]);
        world.run(romeo, Command::Disconnect);
        // The keys of the password would open nothing any more.
        world.server.accounts.get_mut(&bare(ROMEO)).unwrap().password = "changed".into();
        world.devices[romeo].ahead = ahead;
        world.run(romeo, Command::Reconnect);
        assert_eq!(connection(&world, romeo), Connection::Online, "{ahead}");
    }
}

#[test]
fn waiting_for_the_next_try_goes_by_the_steady_clock() {
    for jump in JUMPS {
        let mut world = World::new();
        let romeo = world.online(ROMEO, &[]);
        world.devices[romeo].ahead = jump[0];
        world.devices[romeo].reachable = false;
        world.cut(romeo);
        world.pass(60_000);
        assert!(is_waiting(&world, romeo));
        let tries = world.devices[romeo].changes.len();
        world.devices[romeo].ahead = jump[1];
        world.input(romeo, client::Input::Tick);
        assert_eq!(world.devices[romeo].changes.len(), tries, "no try before its time: {jump:?}");
        world.devices[romeo].reachable = true;
        // The longest pause there is.
        world.pass(120_000);
        assert!(!is_waiting(&world, romeo), "{jump:?}");
    }
}

#[test]
fn what_was_promised_before_the_clock_went_back_is_done() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    world.devices[romeo].ahead = YEAR;
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    world.command(romeo, Command::SetNickname("Romeo".into()));
    world.devices[romeo].ahead = 0;
    world.devices[romeo].reachable = true;
    world.crash(romeo);
    world.pass(200_000);
    assert!(world.server.accounts[&bare(ROMEO)].nodes[ns::NICK].contains_key("current"));
}

#[test]
fn ids_of_messages_do_not_depend_on_the_clock() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let mut ids: Vec<MessageId> = Vec::new();
    for ahead in [0, YEAR, -YEAR, 0] {
        world.devices[romeo].ahead = ahead;
        ids.push(world.send(romeo, JULIET, &format!("{ahead}")));
        world.settle();
    }
    assert!(ids.is_sorted());
    let texts = world.texts(romeo, JULIET);
    assert_eq!(texts, [0, YEAR, -YEAR, 0].map(|ahead| ahead.to_string()));
}
