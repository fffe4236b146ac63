//! Somebody who uploads files and deletes them again, all the time. After a crash everything that the
//! server has taken must be there, everything that it has deleted must be gone, and what it counts must
//! be what there is: in the list, in the sum that quotas look at, and on the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::sync::watch;

use super::device::{Orders, Phase};
use crate::connection::{Connection, Secured, excerpt};
use crate::http::{Client, Url};
use crate::login::{Target, Wishes};
use crate::mode::upload::ask_slot;
use crate::payload::random_bytes;
use crate::peer::service::output;

/// What was said of the files.
#[derive(Debug, Default)]
pub struct Claims {
    files: BTreeMap<u64, Claim>,
    next: u64,
    /// Something is under way.
    busy: bool,
    /// Bytes of slots that nothing came into, as far as is known, and how many of them.
    open: (u64, usize),
    /// How many were taken, and how many deleted.
    pub stored: u64,
    /// See there.
    pub deleted: u64,
}

#[derive(Debug)]
struct Claim {
    url: Option<Url>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was begun.
    Tried,
    /// The server has it.
    Stored,
    /// Its deletion was begun.
    Doomed,
    /// The server has deleted it.
    Deleted,
}

/// Whoever does that.
pub struct Filer {
    name: String,
    target: Target,
    orders: watch::Receiver<Orders>,
    claims: Arc<Mutex<Claims>>,
    noise: Vec<u8>,
}

impl Filer {
    /// Somebody without files.
    pub fn new(
        name: &str,
        target: Target,
        orders: watch::Receiver<Orders>,
    ) -> (Self, Arc<Mutex<Claims>>) {
        let claims = Arc::new(Mutex::new(Claims::default()));
        let shown = Arc::clone(&claims);
        let noise = random_bytes(LARGEST, NOISE);
        (Self { name: name.to_owned(), target, orders, claims, noise }, shown)
    }

    /// Uploads and deletes while there is load, connecting again and again, until told to stop.
    pub async fn run(mut self) -> Result<()> {
        while self.orders.borrow().phase != Phase::Stop {
            // A lost connection is all in a day's work.
            let _ = self.connected().await;
            self.claims()?.busy = false;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn connected(&mut self) -> Result<()> {
        let session = self.target.log_in(&self.name, "filer", Wishes::default()).await?;
        let mut session = session.connection;
        let mut http = Client::new(self.target.clone());
        loop {
            while self.orders.borrow().phase != Phase::Load {
                if self.orders.borrow().phase == Phase::Stop {
                    return Ok(());
                }
                self.orders.changed().await?;
            }
            self.claims()?.busy = true;
            self.upload(&mut session, &mut http).await?;
            while let Some(number) = self.next_to_go()? {
                self.delete(&mut session, number).await?;
            }
            self.claims()?.busy = false;
        }
    }

    async fn upload(&self, session: &mut Connection<Secured>, http: &mut Client) -> Result<()> {
        let number = {
            let mut claims = self.claims()?;
            claims.next += 1;
            let number = claims.next;
            claims.files.insert(number, Claim { url: None, state: State::Tried });
            number
        };
        let content = self.noise.get(..size(number)).context("a file that is too large")?;
        let slot = ask_slot(session, &self.target.domain, &name(number), content.len()).await?;
        self.change(number, |claim| claim.url = Some(slot.get.clone()))?;
        let answer = http.put(&slot.put, &slot.headers, &[content]).await?;
        if !matches!(answer.status, 200 | 201) {
            bail!("an upload was answered with {}", answer.status);
        }
        self.change(number, |claim| claim.state = State::Stored)?;
        self.claims()?.stored += 1;
        Ok(())
    }

    /// The oldest one, when there are more than are kept.
    fn next_to_go(&self) -> Result<Option<u64>> {
        let claims = self.claims()?;
        let there = || {
            let there =
                |(_, claim): &(&u64, &Claim)| matches!(claim.state, State::Stored | State::Doomed);
            claims.files.iter().filter(there)
        };
        Ok(there().next().filter(|_| there().count() > KEPT).map(|(number, _)| *number))
    }

    /// With the command that lists them (XEP-0050).
    async fn delete(&self, session: &mut Connection<Secured>, number: u64) -> Result<()> {
        self.change(number, |claim| claim.state = State::Doomed)?;
        let list = command(&self.target.domain, "");
        let list = session.request("files", list).await?;
        let label = format!("{} (", name(number));
        let option = list.split("<option").find(|option| option.contains(&label));
        // Its deletion may have been done without an answer.
        if let Some(option) = option {
            let id = option.split_once("<value>").and_then(|(_, rest)| rest.split_once('<'));
            let (id, _) = id.context("a file without a name")?;
            let form = format!(
                "<x xmlns='jabber:x:data' type='submit'><field var='delete'><value>{id}</value>\
                 </field></x>"
            );
            let done = session.request("files", command(&self.target.domain, &form)).await?;
            if !done.contains("completed") {
                bail!("a deletion was refused: {}", excerpt(done.as_bytes()));
            }
        }
        self.change(number, |claim| claim.state = State::Deleted)?;
        self.claims()?.deleted += 1;
        Ok(())
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Claim)) -> Result<()> {
        let mut claims = self.claims()?;
        claims.files.get_mut(&number).map(change).context("nothing is known of the file")
    }

    fn claims(&self) -> Result<MutexGuard<'_, Claims>> {
        self.claims.lock().map_err(|_| anyhow!("the filer panicked"))
    }
}

/// Compares what was claimed with what the server gives out, lists, counts and has on its disk. What
/// differs is told in words.
pub async fn verify(
    name: &str,
    target: &Target,
    (anemone, data): (&Path, &Path),
    claims: &Mutex<Claims>,
) -> Result<Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let wrong = match claims.lock().map_err(|_| anyhow!("the filer panicked"))?.busy {
            true => vec!["an upload does not end".to_owned()],
            false => Vec::new(),
        };
        let wrong = match wrong.is_empty() {
            true => compare(name, target, (anemone, data), claims).await?,
            false => wrong,
        };
        // What was deleted, and what a crash left behind, goes from the disk a moment later.
        if wrong.is_empty() || Instant::now() > deadline {
            return Ok(wrong);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn compare(
    owner: &str,
    target: &Target,
    (anemone, data): (&Path, &Path),
    claims: &Mutex<Claims>,
) -> Result<Vec<String>> {
    let mut wrong = fetch(target, claims).await?;
    let ask = |arguments: &[&str]| -> Result<Value> {
        let mut command = Command::new(anemone);
        command.args(arguments).args(["--json", "--data"]).arg(data);
        serde_json::from_str(&output(&mut command)?).context("that is no JSON")
    };
    let address = target.bare(owner);
    let rows = ask(&["upload", "list", &address])?;
    let rows = rows["uploads"].as_array().context("no list of files")?;
    let told = ask(&["account", "show", &address])?;
    let counted = number_of(&told, "upload_bytes").context("nothing is counted")?;
    let claims = claims.lock().map_err(|_| anyhow!("the filer panicked"))?;
    for (number, claim) in &claims.files {
        let listed = rows.iter().any(|row| row["name"] == *name(*number));
        if listed != (claim.state == State::Stored) {
            wrong.push(format!("{} is {:?}, listed: {listed}", name(*number), claim.state));
        }
    }
    let listed: u64 = rows.iter().filter_map(|row| row["bytes"].as_u64()).sum();
    let (open, slots) = claims.open;
    if !(listed..=listed + open).contains(&counted) {
        wrong.push(format!("{counted} bytes are counted, {listed} listed, and {open} open"));
    }
    wrong.extend(on_disk(data, rows, slots)?);
    Ok(wrong)
}

/// Fetches everything. What was under way when the server was killed is known then.
async fn fetch(target: &Target, claims: &Mutex<Claims>) -> Result<Vec<String>> {
    let asked: Vec<(u64, State, Option<Url>)> = {
        let claims = claims.lock().map_err(|_| anyhow!("the filer panicked"))?;
        claims.files.iter().map(|(number, one)| (*number, one.state, one.url.clone())).collect()
    };
    let (mut http, noise, mut wrong) =
        (Client::new(target.clone()), random_bytes(LARGEST, NOISE), Vec::new());
    for (number, state, url) in asked {
        let answer = match &url {
            Some(url) => match http.get(url).await {
                Ok(answer) => Some(answer),
                // Its door opens a moment after the other one.
                Err(error) => return Ok(vec![format!("{}: {error:#}", name(number))]),
            },
            None => None,
        };
        let there = answer.as_ref().is_some_and(|answer| answer.status == 200);
        if let Some(answer) = answer.filter(|_| there)
            && Some(&*answer.body) != noise.get(..size(number))
        {
            wrong.push(format!("{} is not what was put there", name(number)));
        }
        let mut claims = claims.lock().map_err(|_| anyhow!("the filer panicked"))?;
        match (state, there) {
            (State::Stored, true) | (State::Deleted, false) => {}
            (State::Stored, false) | (State::Deleted, true) => {
                wrong.push(format!("{} is {state:?}, given out: {there}", name(number)));
            }
            (State::Tried | State::Doomed, true) => {
                if let Some(claim) = claims.files.get_mut(&number) {
                    claim.state = State::Stored;
                }
            }
            (State::Tried, false) => {
                claims.open.0 += size(number) as u64;
                claims.open.1 += 1;
            }
            (State::Doomed, false) => {}
        }
        if !there && wrong.is_empty() {
            // It is over with this one.
            claims.files.remove(&number);
        }
    }
    Ok(wrong)
}

/// Every row has its file, and there are no others than those whose upload was broken off.
fn on_disk(data: &Path, rows: &[Value], open: usize) -> Result<Vec<String>> {
    let mut files = BTreeMap::new();
    let directory = data.join("uploads");
    if directory.exists() {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            // One that is removed meanwhile is no longer there.
            if let Ok(metadata) = entry.metadata() {
                files.insert(entry.file_name().to_string_lossy().into_owned(), metadata.len());
            }
        }
    }
    let mut wrong = Vec::new();
    for row in rows {
        let found = row["file"].as_str().and_then(|file| files.remove(file));
        if found != row["bytes"].as_u64() {
            wrong.push(format!("on the disk are {found:?} bytes of {row}"));
        }
    }
    if files.len() > open {
        wrong.push(format!("{} files belong to nothing, of {open} broken off", files.len()));
    }
    Ok(wrong)
}

/// Reads all of a database whose server is stopped, and has everything counted again.
pub fn inspect(anemone: &Path, data: &Path) -> Result<Vec<String>> {
    let mut command = Command::new(anemone);
    command.args(["check", "--deep", "--data"]).arg(data);
    let told = command.stdin(Stdio::null()).output().context("cannot check")?;
    // Of what else is wrong with a server that nobody can reach, there is more.
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let good = told.contains("undamaged") && told.contains("counted right");
    Ok(if good { Vec::new() } else { vec![format!("the check of the database says: {told}")] })
}

fn command(domain: &str, form: &str) -> String {
    format!(
        "<iq type='set' id='files' to='upload.{domain}'>\
         <command xmlns='http://jabber.org/protocol/commands' node='files'>{form}</command></iq>"
    )
}

/// The number under a name, wherever it stands.
fn number_of(value: &Value, name: &str) -> Option<u64> {
    match value {
        Value::Object(fields) => match fields.get(name) {
            Some(found) => found.as_u64(),
            None => fields.values().find_map(|value| number_of(value, name)),
        },
        Value::Array(values) => values.iter().find_map(|value| number_of(value, name)),
        _ => None,
    }
}

fn name(number: u64) -> String {
    format!("f{number}.bin")
}

/// Different for each, from almost nothing to several writes.
fn size(number: u64) -> usize {
    1 + usize::try_from(number.wrapping_mul(7919) % (LARGEST as u64)).unwrap_or(0)
}

const LARGEST: usize = 600_000;
const NOISE: u32 = 23;
/// Files that stay; the oldest of more is deleted.
const KEPT: usize = 12;
/// How long a round may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_differ_in_size_and_a_number_is_found() {
        assert!((1..2000).all(|number| (1..=LARGEST).contains(&size(number))));
        assert_ne!(size(1), size(2));
        let value = serde_json::json!({ "account": { "name": "u1", "upload_bytes": 7 } });
        assert_eq!(number_of(&value, "upload_bytes"), Some(7));
        assert_eq!(number_of(&value, "nothing"), None);
    }

    #[test]
    fn what_is_on_the_disk_and_in_no_row_is_told() {
        let rows = [serde_json::json!({ "file": "a", "bytes": 3 })];
        let nowhere = Path::new("/nonexistent");
        assert_eq!(on_disk(nowhere, &rows, 0).unwrap().len(), 1);
        assert!(on_disk(nowhere, &[], 0).unwrap().is_empty());
    }
}
