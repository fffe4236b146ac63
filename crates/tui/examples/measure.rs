//! How fast the terminal client starts and scrolls, and how much memory it takes.
//!
//! ```sh
//! cargo build --release -p clownfish
//! cargo run --release -p clownfish --example measure
//! ```
//!
//! An account is made in a temporary folder, with 200 conversations of which one has 100,000
//! messages; its server does not answer. `clownfish` then runs in a terminal of 140 columns and 40
//! rows, which `script` of util-linux provides, and this program reads what it draws; once with each of
//! the three protections of the key (the keyring is a script). Scrolling is
//! measured here, without the terminal: a key goes in, and the time is taken until the page is drawn,
//! with everything that the core had to fetch for it.

use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use client::store::{
    ArchiveState, Archives as _, Contact, Content, Conversation, Delivery, Encryption,
    EncryptionMode, Login, Message, MessageId, Mute, Notify, Position, Profile as _, Store as _,
    Subscription, Timeline as _, TrustLevel, Version,
};
use client::store::{Contacts as _, Conversations as _};
use client_sqlite::{Keyring, SqliteStore, Unlock};
use clownfish::driver::Output;
use clownfish::port::Port;
use clownfish::profile::Profile;
use clownfish::ui::app::Key;
use clownfish::ui::clock::Clock;
use clownfish::ui::event::{AccountNumber, FromCore};
use clownfish::ui::settings::Settings;
use clownfish::ui::theme::{Background, Depth, Theme};
use clownfish::ui::{Action, App, Event, draw};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let program = program()?;
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    fill(folder.path())?;
    eprintln!("filled in {:.1} s", begun.elapsed().as_secs_f64());

    let tools = tempfile::tempdir()?;
    for (name, unlock, arguments) in kinds(tools.path())? {
        SqliteStore::open(folder.path(), &Unlock::Plain)?.protect(&unlock)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut starts = Vec::new();
        let mut memory = Vec::new();
        let mut peaks = Vec::new();
        for _ in 0..ROUNDS {
            let mut run = Run::start(&program, folder.path(), tools.path(), &arguments)?;
            starts.push(run.until("person000")?);
            memory.push(run.settled_memory()?);
            peaks.push(run.memory("VmHWM:")?);
            run.end()?;
        }
        println!("{name}: start until the list is on the screen: {}", spread(&starts));
        println!("{name}: memory then {} MB, peak {} MB", largest(&memory), largest(&peaks));
        SqliteStore::open(folder.path(), &unlock)?.protect(&Unlock::Plain)?;
    }

    let long = person(0).to_string();
    let mut run = Run::start(&program, folder.path(), tools.path(), &["--connect", &long])?;
    run.until("99999")?;
    let before = run.settled_memory()?;
    for _ in 0..PAGES {
        run.input.write_all(b"\x1b[5~")?;
        std::thread::sleep(Duration::from_millis(4));
    }
    let after = run.settled_memory()?;
    println!(
        "memory in the long conversation: {before} MB, after {PAGES} times PageUp: {after} MB"
    );
    run.end()?;

    let (times, reached) = scroll(folder.path())?;
    println!("a page of the long conversation: {}", spread(&times));
    println!("reached message {reached} of {LONG} in {} pages", times.len());
    Ok(())
}

/// A way to protect the key: what it is called, and what the program needs to open it.
type Kind = (&'static str, Unlock, Vec<String>);

/// All of them.
fn kinds(tools: &Path) -> Result<[Kind; 3], Failed> {
    let program = tools.join("secret-tool");
    let script = "#!/bin/sh\ncase $1 in store) cat >\"$0.key\" ;; lookup) cat \"$0.key\" ;; esac\n";
    std::fs::write(&program, script)?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700))?;
    let passphrase = tools.join("passphrase");
    std::fs::write(&passphrase, "a rose by any other name\n")?;
    let option = vec!["--passphrase-file".to_owned(), passphrase.display().to_string()];
    Ok([
        ("key file", Unlock::Plain, Vec::new()),
        ("keyring", Unlock::Keyring(Keyring::with_program(program)), Vec::new()),
        ("passphrase", Unlock::Passphrase("a rose by any other name".into()), option),
    ])
}

/// The program that was built beside this one.
fn program() -> Result<PathBuf, Failed> {
    let own = std::env::current_exe()?;
    let built = own.parent().and_then(Path::parent).map(|folder| folder.join("clownfish"));
    let built = built.filter(|path| path.is_file());
    Ok(built.ok_or("build it first: cargo build --release -p clownfish")?)
}

fn person(number: usize) -> BareJid {
    format!("person{number:03}@example.org").parse().unwrap()
}

/// Makes the account.
fn fill(folder: &Path) -> Result<(), Failed> {
    let store = SqliteStore::open(folder, &Unlock::Plain)?;
    let me: BareJid = "me@example.org".parse()?;
    store.begin()?;
    store.save_login(&Login {
        address: me.clone(),
        password: Some("secret".to_owned().into()),
        // Nobody listens there: the machine's own discard port.
        server: Some("127.0.0.1:9".to_owned()),
        pinned: None,
        client_id: String::new(),
        token: None,
    })?;
    store.save_archive(&me, &ArchiveState { complete: true, ..ArchiveState::default() })?;
    let mut next = MIDDLE;
    for number in (0..CONVERSATIONS).rev() {
        let with = person(number);
        let count = if number == 0 { LONG } else { SHORT };
        let mut latest = None;
        for index in 0..count {
            latest = Some(store.append(&message(&with, &me, next, index))?);
            next += 1;
            if index % 5000 == 4999 {
                store.commit()?;
                store.begin()?;
            }
        }
        store.save_conversation(&conversation(&with, latest, next - 1))?;
        store.save_contact(&contact(&with))?;
    }
    let positions: Vec<u8> = [next, MIDDLE].iter().flat_map(|n| n.to_be_bytes()).collect();
    store.save_value("positions", Some(&positions))?;
    store.commit()?;
    Ok(())
}

fn message(with: &BareJid, me: &BareJid, position: u64, index: usize) -> Message {
    let own = index.is_multiple_of(3);
    let words = "But soft, what light through yonder window breaks? It is the east. ";
    let text = format!("{} {index}", words.repeat(1 + index % 4));
    Message {
        id: MessageId(0),
        conversation: with.clone(),
        position: Position(position),
        sender: if own { me.clone() } else { with.clone() },
        occupant: None,
        own,
        time: Millis(1_700_000_000_000 + index as u64 * 600_000),
        content: Content::Text(text),
        origin_id: Some(format!("{position:032x}")),
        archive_id: Some(position.to_string()),
        encryption: Encryption::Omemo {
            version: Version::Omemo2,
            device: 7,
            key: [7; 32],
            trust: TrustLevel::Blind,
        },
        delivery: own.then_some(Delivery::Read),
        reached: Vec::new(),
        reply: None,
        reactions: Vec::new(),
        starred: false,
        versions: Vec::new(),
        edits: Vec::new(),
        wants: None,
        stayed: false,
        elsewhere: false,
        way: client::store::Way::default(),
    }
}

fn conversation(with: &BareJid, latest: Option<MessageId>, order: u64) -> Conversation {
    Conversation {
        address: with.clone(),
        draft: String::new(),
        read_up_to: Some(Position(order)),
        unread: 0,
        latest,
        order: Position(order),
        mute: Mute::No,
        pinned: false,
        shown: true,
        encryption: EncryptionMode::Omemo,
        accepted: true,
        announced: false,
        room: false,
        mentions: 0,
        notify: Notify::Usual,
        wallpaper: None,
        cleared: None,
        deleted: false,
    }
}

fn contact(address: &BareJid) -> Contact {
    Contact {
        address: address.clone(),
        in_roster: true,
        name: address.node().map(|node| node.as_str().to_owned()),
        nickname: None,
        groups: Vec::new(),
        subscription: Subscription::Both,
        asked: false,
        asks: false,
        avatar: None,
        blocked: false,
    }
}

/// The program in a terminal.
struct Run {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    shown: Vec<u8>,
    begun: Instant,
}

impl Run {
    fn start(
        program: &Path,
        folder: &Path,
        tools: &Path,
        arguments: &[&str],
    ) -> Result<Run, Failed> {
        let inside = format!(
            "stty rows 40 cols 140; exec '{}' --profile '{}' {}",
            program.display(),
            folder.display(),
            arguments.join(" ")
        );
        let begun = Instant::now();
        let mut child = Command::new("script")
            .args(["-q", "-f", "-c", &inside, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("PATH", format!("{}:{}", tools.display(), std::env::var("PATH")?))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().ok_or("a pipe")?;
        let mut pipe = child.stdout.take().ok_or("a pipe")?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 65_536];
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        // Every terminal answers the question whether it is well.
        input.write_all(b"\x1b[?62c\x1b[0n")?;
        Ok(Run { child, input, output, shown: Vec::new(), begun })
    }

    /// The time until a text is drawn.
    fn until(&mut self, text: &str) -> Result<Duration, Failed> {
        loop {
            if self.shown.windows(text.len()).any(|window| window == text.as_bytes()) {
                return Ok(self.begun.elapsed());
            }
            self.shown.extend(self.output.recv_timeout(Duration::from_secs(20)).map_err(|_| {
                format!("{text} is not drawn: {}", String::from_utf8_lossy(&self.shown))
            })?);
        }
    }

    /// Megabytes in memory, once nothing is drawn for a while.
    fn settled_memory(&mut self) -> Result<u64, Failed> {
        while self.output.recv_timeout(Duration::from_millis(700)).is_ok() {}
        self.memory("VmRSS:")
    }

    /// Megabytes of the program, as the system counts them under this name.
    fn memory(&self, name: &str) -> Result<u64, Failed> {
        let shell =
            std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.child.id()))?;
        let inner = shell.split_whitespace().next().ok_or("a process")?;
        let status = std::fs::read_to_string(format!("/proc/{inner}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("a number")?;
        Ok(kilobytes.parse::<u64>()?.div_ceil(1024))
    }

    fn end(mut self) -> Result<(), Failed> {
        self.input.write_all(b"\x11")?;
        self.child.wait()?;
        Ok(())
    }
}

/// Scrolls to the beginning of the long conversation. Returns the time of every page, and the
/// number of the oldest message that was reached.
fn scroll(folder: &Path) -> Result<(Vec<Duration>, usize), Failed> {
    let profile = Profile::at(folder);
    let (sender, said) = channel();
    let output = move |output| drop(sender.send(output));
    let port = Port::start(&profile, Unlock::Plain, profile.ways()?, output)?;
    let theme = Theme { background: Background::Dark, depth: Depth::Indexed };
    let clock = Clock::new(Millis(1_800_000_000_000), TimeZone::UTC);
    let app = App::new(Settings::default(), theme, clock, (140, 40));
    let terminal = Terminal::new(TestBackend::new(140, 40))?;
    let mut screen = Screen { app, terminal, port, said };
    let account = AccountNumber(0);
    screen.event(Event::Account(account))?;
    screen.event(Event::GoTo(Key { account, with: person(0) }))?;
    while screen.app.window().is_none_or(|window| window.is_empty()) {
        screen.listen()?;
    }
    let mut times = Vec::new();
    for _ in 0..MOST_PAGES {
        let begun = Instant::now();
        screen.event(Event::Key(KeyEvent::new(KeyCode::PageUp, KeyModifiers::NONE)))?;
        while screen.app.window().is_some_and(|window| window.loading) {
            screen.listen()?;
        }
        times.push(begun.elapsed());
        if screen.app.window().is_some_and(|window| !window.older) && screen.oldest() == Some(0) {
            break;
        }
    }
    Ok((times, LONG - screen.oldest().unwrap_or(LONG)))
}

/// The user interface, driven as in a terminal.
struct Screen {
    app: App,
    terminal: Terminal<TestBackend>,
    port: Port,
    said: Receiver<Output>,
}

impl Screen {
    fn event(&mut self, event: Event) -> io::Result<()> {
        for action in self.app.update(event) {
            if let Action::Request(_, request) = action {
                self.port.try_submit(request.number, request.command);
            }
        }
        let drawn = self.terminal.draw(|frame| draw(&self.app, frame));
        drawn.map(drop).map_err(|error| io::Error::other(error.to_string()))
    }

    /// Waits for what the core says.
    fn listen(&mut self) -> Result<(), Failed> {
        let event = match self.said.recv_timeout(Duration::from_secs(20))? {
            Output::View(change) => FromCore::View(change),
            Output::Notify(note) => FromCore::Notify(note),
            Output::Kept(number) => FromCore::Kept(number),
            Output::Done(number, outcome) => FromCore::Done(number, outcome),
            // The store of a measurement does not fail.
            Output::Viewed | Output::Anew => return Ok(()),
            Output::Storage(reason) => return Err(reason.into()),
        };
        Ok(self.event(Event::Core(AccountNumber(0), event))?)
    }

    /// The number in the oldest message that is here.
    fn oldest(&self) -> Option<usize> {
        match &self.app.window()?.oldest()?.content {
            Content::Text(text) => text.rsplit(' ').next()?.parse().ok(),
            _ => None,
        }
    }
}

/// The middle of some times, and the longest.
fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |share: usize| {
        let index = (sorted.len().saturating_sub(1)) * share / 100;
        sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!("{:.1} ms (median), {:.1} ms (99 of 100), {:.1} ms (longest)", at(50), at(99), at(100))
}

fn largest(numbers: &[u64]) -> u64 {
    numbers.iter().copied().max().unwrap_or(0)
}

const CONVERSATIONS: usize = 200;
const LONG: usize = 100_000;
const SHORT: usize = 20;
const ROUNDS: usize = 10;
const PAGES: usize = 1000;
const MOST_PAGES: usize = 50_000;
/// Where positions begin.
const MIDDLE: u64 = 1 << 62;
