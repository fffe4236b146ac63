//! Devices that come, go, lose their connections and come back, whatever the order: no message is lost, none is
//! given twice, and those of one device come in order.

use std::collections::HashSet;

use xmpp::xml::{Event, Framing, Reader};

use super::*;
use crate::model::{Tape, bytes};

/// One device of Juliet and what its client knows.
struct Device {
    name: &'static str,
    session: Option<Arc<Session>>,
    /// Its connection is there.
    online: bool,
    /// It has not said yet whether it takes messages.
    fresh: bool,
    /// It has said that it does.
    takes: bool,
    carbons: bool,
    /// Written by the server and not read: the number of the message, for stanzas that are one.
    wire: Vec<Option<usize>>,
    /// Stanzas that it has read in this session.
    handled: u32,
    /// Messages that it has read in this session.
    read: Vec<usize>,
    /// The first message that came after it was bound with carbons.
    since: Option<usize>,
}

struct World<'a> {
    stage: &'a Stage,
    juliet: Arc<Account>,
    devices: Vec<Device>,
    /// Those that a client has.
    arrived: HashSet<usize>,
    sent: usize,
    story: Vec<String>,
}

impl<'a> World<'a> {
    fn new(stage: &'a Stage, names: &[&'static str], sent: usize) -> Self {
        let device = |&name: &&'static str| Device {
            name,
            session: None,
            online: false,
            fresh: false,
            takes: false,
            carbons: false,
            wire: Vec::new(),
            handled: 0,
            read: Vec::new(),
            since: None,
        };
        let devices = names.iter().map(device).collect();
        let (juliet, arrived) = (stage.juliet(), HashSet::new());
        Self { stage, juliet, devices, arrived, sent, story: Vec::new() }
    }

    fn session(&self, who: usize) -> Option<Arc<Session>> {
        self.devices[who].session.clone()
    }

    /// A new session, in the place of the one before.
    fn bind(&mut self, who: usize, carbons: bool) {
        let session = bind(self.stage, &self.juliet, self.devices[who].name);
        session.link().enable_sm(sm::Limits::SESSION);
        session.link().set_resumption("x");
        self.juliet.lock().resource(&session).unwrap().carbons = carbons;
        let device = &mut self.devices[who];
        *device = Device {
            session: Some(session),
            online: true,
            fresh: true,
            takes: false,
            carbons,
            wire: Vec::new(),
            handled: 0,
            read: Vec::new(),
            since: carbons.then_some(self.sent + 1),
            name: device.name,
        };
    }

    fn presence(&mut self, who: usize, priority: Option<i8>) {
        let Some(session) = self.session(who).filter(|_| self.devices[who].online) else { return };
        if self.devices[who].fresh && priority == Some(-1) {
            // What is older comes once it does take messages, and others to itself come at once.
            return;
        }
        self.devices[who].fresh &= priority.is_none();
        match priority {
            Some(priority) => available(self.stage, &session, priority),
            None => unavailable(self.stage, &session),
        }
        self.devices[who].takes = priority.is_some_and(|priority| priority >= 0);
    }

    fn send(&mut self, to: &str) {
        self.sent += 1;
        send(self.stage, to, self.sent);
    }

    /// The server writes up to so many stanzas, and reads what waits as it goes.
    fn write(&mut self, who: usize, most: usize) {
        let Some(session) = self.session(who).filter(|_| self.devices[who].online) else { return };
        for _ in 0..most {
            let mut out = Output::new(true, session.full());
            let written = session.link().write(self.stage.server.now(), &mut out, 1);
            life::delivered(&self.stage.server, &self.juliet, written.delivered);
            self.devices[who].wire.extend(stanzas(&out));
            let (wants, more) = {
                let link = session.link();
                (link.wants_backlog(), link.has_more())
            };
            if wants && !more {
                self.stage.run(hand_over(&self.stage.server, &session));
            } else if !more {
                break;
            }
        }
        if session.link().closing().is_some() {
            self.lose(who, false);
        }
    }

    /// The client reads up to so many stanzas.
    fn read(&mut self, who: usize, most: usize) {
        let device = &mut self.devices[who];
        let count = most.min(device.wire.len());
        for message in device.wire.drain(..count) {
            device.handled += 1;
            let Some(message) = message else { continue };
            assert!(!device.read.contains(&message), "m{message} twice for {}", device.name);
            device.read.push(message);
            self.arrived.insert(message);
        }
    }

    fn acknowledge(&self, who: usize) {
        let device = &self.devices[who];
        let Some(session) = device.session.as_ref().filter(|_| device.online) else { return };
        let ids = session.link().acknowledge(device.handled).unwrap();
        life::delivered(&self.stage.server, &self.juliet, ids);
    }

    /// The connection is gone; `keep` when the client may come back.
    fn lose(&mut self, who: usize, keep: bool) {
        let device = &mut self.devices[who];
        device.wire.clear();
        let online = std::mem::take(&mut device.online);
        let Some(session) = device.session.clone().filter(|_| online) else { return };
        let epoch = session.link().epoch();
        let parting = session.link().detach(epoch, self.stage.server.now(), keep);
        match parting {
            crate::session::link::Parting::Waits => interrupted(&mut self.juliet.lock(), &session),
            _ => self.end(who),
        }
    }

    fn resume(&mut self, who: usize) {
        let Some(session) = self.session(who).filter(|_| !self.devices[who].online) else { return };
        if !session.link().resumable() {
            return;
        }
        let ids = session.link().resume(self.devices[who].handled).unwrap();
        life::delivered(&self.stage.server, &self.juliet, ids);
        let mut out = Output::new(true, session.full());
        session.link().rewrite(&mut out);
        self.devices[who].wire.extend(stanzas(&out));
        self.devices[who].online = true;
    }

    fn end(&mut self, who: usize) {
        let device = &mut self.devices[who];
        (device.online, device.since) = (false, None);
        device.wire.clear();
        if let Some(session) = device.session.take() {
            self.stage.run(life::end(&self.stage.server, &session));
        }
    }

    /// Everything that is to come to a device comes.
    fn settle(&mut self, who: usize) {
        loop {
            self.write(who, usize::MAX);
            if self.devices[who].wire.is_empty() {
                break;
            }
            self.read(who, usize::MAX);
            self.acknowledge(who);
        }
    }

    fn at_once(&self, who: usize) -> bool {
        let device = &self.devices[who];
        device.takes || device.carbons || device.fresh
    }

    fn step(&mut self, tape: &mut Tape<'_>) {
        let who = tape.below(self.devices.len());
        let (what, number) = (tape.below(20), tape.below(8));
        self.story.push(format!("{} {what} {number}", self.devices[who].name));
        match what {
            0 => self.bind(who, number % 2 == 0),
            1 | 2 => self.presence(who, Some(0)),
            3 => self.presence(who, None),
            4 => self.presence(who, Some(-1)),
            5..=8 => self.send("juliet@a.example"),
            // Who takes no messages, and wants no copies, gets those to itself before older ones.
            9 if self.at_once(who) => {
                self.send(&format!("juliet@a.example/{}", self.devices[who].name));
            }
            10..=12 => self.write(who, number),
            13 | 14 => self.read(who, number),
            15 => self.acknowledge(who),
            16 => self.lose(who, number > 0),
            17 | 18 => self.resume(who),
            19 if number == 0 => self.end(who),
            _ => self.settle(who),
        }
    }

    /// All devices are gone but the last one, which gets what nobody has.
    fn close(&mut self, first: usize) {
        for who in 0..self.devices.len() {
            if let Some(session) = self.session(who).filter(|_| self.devices[who].online) {
                session.link().stop_awaiting();
                self.settle(who);
            }
            if let Some(since) = self.devices[who].since.filter(|_| self.devices[who].online) {
                let has = |message: &usize| self.devices[who].read.contains(message);
                assert!((since..=self.sent).all(|message| has(&message)), "with carbons: {who}");
            }
        }
        for who in 0..self.devices.len() {
            self.end(who);
        }
        self.bind(0, false);
        self.presence(0, Some(0));
        self.settle(0);
        let lost: Vec<_> =
            (first..=self.sent).filter(|message| !self.arrived.contains(message)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert!(pending(self.stage, &self.juliet).is_empty(), "and nothing waits");
        self.end(0);
    }
}

/// The stanzas that were written: the number of the message, for those that are one.
fn stanzas(out: &Output) -> Vec<Option<usize>> {
    let mut reader = Reader::new(Limits::TRUSTED, Framing::WebSocket);
    let mut found = Vec::new();
    reader.push(out.text().as_bytes());
    while let Some(event) = reader.next().unwrap() {
        let Event::Stanza(stanza) = event else { continue };
        if stanza.kind() == xmpp::stanza::Kind::Other {
            continue;
        }
        let text = String::from_utf8_lossy(stanza.bytes()).into_owned();
        let body = text.split_once("<body>m").and_then(|(_, rest)| rest.split_once('<'));
        found.push(body.map(|(number, _)| number.parse().unwrap()));
    }
    found
}

fn play(stage: &Stage, names: &[&'static str], seed: u64, sent: &mut usize) {
    let tape = bytes(seed, 240);
    let mut tape = Tape::new(&tape);
    let first = *sent + 1;
    let mut world = World::new(stage, names, *sent);
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        while !tape.is_over() {
            world.step(&mut tape);
            if let [only] = &world.devices[..] {
                assert!(only.read.is_sorted(), "out of order: {:?}", only.read);
            }
        }
        world.close(first);
    }));
    if let Err(panic) = told {
        eprintln!("seed {seed}, {} devices: {:#?}", names.len(), world.story);
        std::panic::resume_unwind(panic);
    }
    *sent = world.sent;
}

#[test]
fn whatever_devices_do_each_message_comes_to_one_of_them() {
    let archive = ["", "[archive]\nenabled = false\n"];
    for (stage, archives) in archive.map(|more| (more, more.is_empty())) {
        let stage = Stage::with(&format!("[federation]\nenabled = false\n{stage}"));
        let mut sent = 0;
        for seed in 0..120 {
            let names: &[&'static str] = match seed % 3 {
                _ if !archives => &["phone"],
                0 => &["phone"],
                1 => &["phone", "desk"],
                _ => &["phone", "desk", "watch"],
            };
            play(&stage, names, seed, &mut sent);
        }
    }
}
