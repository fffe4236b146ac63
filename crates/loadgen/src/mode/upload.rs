//! Files (XEP-0363): slots, uploads over HTTPS, and fetching them again.
//!
//! Large files show what a byte costs, small ones what a file costs. Every
//! client has a session, over which it asks for slots, and one connection for
//! HTTP that stays open. Every file is fetched and compared.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;

use crate::connection::{Connection, Secured, complaint};
use crate::crowd::Load;
use crate::http::{Client, Url};
use crate::login::Wishes;
use crate::payload::random_bytes;
use crate::report::{Report, millis};
use crate::scan;
use crate::sequence::Verdict;

/// What to upload.
#[derive(Debug, Clone)]
pub struct Options {
    /// Clients at the same time.
    pub clients: usize,
    /// Large files of each client.
    pub large: usize,
    /// Bytes of a large file.
    pub large_bytes: usize,
    /// Small files of each client.
    pub small: usize,
    /// Bytes of a small file.
    pub small_bytes: usize,
}

/// One of the clients.
struct Uploader {
    number: usize,
    session: Connection<Secured>,
    http: Client,
    domain: String,
    noise: Arc<Vec<u8>>,
}

/// A file that was uploaded: its beginning, its length and where it is.
struct File {
    mark: [u8; 16],
    bytes: usize,
    url: Url,
}

/// Where a file may be put, and where it is then.
pub(crate) struct Slot {
    pub(crate) put: Url,
    pub(crate) get: Url,
    /// What is to be said when it is put; each ends with a line break.
    pub(crate) headers: String,
}

/// What a part of a run took.
struct Part {
    files: u64,
    megabytes: f64,
    cpu: Duration,
    wall: Duration,
}

/// Runs the mode with `u0` and up.
pub async fn run(load: &Load, options: &Options) -> Result<Report> {
    let sessions = load.log_in(0, options.clients, Wishes::default()).await?;
    let noise = Arc::new(random_bytes(options.large_bytes.max(options.small_bytes), 11));
    let mut clients: Vec<Uploader> = sessions
        .into_iter()
        .enumerate()
        .map(|(number, session)| Uploader {
            number,
            session: session.connection,
            http: Client::new(load.target.clone()),
            domain: load.target.domain.clone(),
            noise: Arc::clone(&noise),
        })
        .collect();
    let mut verdict = Verdict::default();
    let mut report = Report::new("upload");
    let sizes =
        [(options.large, options.large_bytes, LARGE), (options.small, options.small_bytes, SMALL)];
    for (count, bytes, names) in sizes {
        let (back, files, up) = upload(load, clients, count, bytes).await?;
        let (back, found, down) = fetch(load, back, files).await?;
        clients = back;
        verdict += found;
        for (part, names) in [(up, names.0), (down, names.1)] {
            let seconds = part.wall.as_secs_f64();
            report = report
                .with(names[0], part.megabytes / seconds, "MB/s")
                .with(names[1], millis(part.cpu) / part.megabytes, "ms")
                .with(names[2], part.files as f64 / seconds, "/s")
                .with(names[3], millis(part.cpu) / part.files as f64, "ms");
        }
    }
    for client in clients {
        client.session.close().await?;
    }
    Ok(report.with_messages(verdict))
}

async fn upload(
    load: &Load,
    clients: Vec<Uploader>,
    count: usize,
    bytes: usize,
) -> Result<(Vec<Uploader>, Vec<Vec<File>>, Part)> {
    let (before, start) = (load.process.cpu()?, Instant::now());
    let mut tasks = JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move {
            let mut files = Vec::with_capacity(count);
            for file in 0..count {
                files.push(client.upload(file, bytes).await?);
            }
            anyhow::Ok((client, files))
        });
    }
    let mut done = Vec::new();
    while let Some(one) = tasks.join_next().await {
        done.push(one??);
    }
    let (cpu, wall) = (load.process.cpu()?.saturating_sub(before), start.elapsed());
    let (clients, files): (Vec<_>, Vec<Vec<File>>) = done.into_iter().unzip();
    let part = Part::new(&files, cpu, wall);
    Ok((clients, files, part))
}

/// Everybody fetches what they uploaded.
async fn fetch(
    load: &Load,
    clients: Vec<Uploader>,
    files: Vec<Vec<File>>,
) -> Result<(Vec<Uploader>, Verdict, Part)> {
    let (before, start) = (load.process.cpu()?, Instant::now());
    let mut tasks = JoinSet::new();
    for (mut client, files) in clients.into_iter().zip(files) {
        tasks.spawn(async move {
            let mut verdict = Verdict { sent: files.len() as u64, ..Verdict::default() };
            for file in &files {
                client.fetch(file, &mut verdict).await?;
            }
            anyhow::Ok((client, verdict, files))
        });
    }
    let (mut clients, mut verdict, mut all) = (Vec::new(), Verdict::default(), Vec::new());
    while let Some(one) = tasks.join_next().await {
        let (client, found, files) = one??;
        clients.push(client);
        verdict += found;
        all.push(files);
    }
    let (cpu, wall) = (load.process.cpu()?.saturating_sub(before), start.elapsed());
    Ok((clients, verdict, Part::new(&all, cpu, wall)))
}

impl Part {
    fn new(files: &[Vec<File>], cpu: Duration, wall: Duration) -> Self {
        let bytes: usize = files.iter().flatten().map(|file| file.bytes).sum();
        let count: usize = files.iter().map(Vec::len).sum();
        Self { files: count as u64, megabytes: bytes as f64 / 1e6, cpu, wall }
    }
}

impl Uploader {
    async fn upload(&mut self, file: usize, bytes: usize) -> Result<File> {
        let slot = ask_slot(&mut self.session, &self.domain, "file.bin", bytes).await?;
        // So that no two files are the same.
        let mut mark = [0; 16];
        mark[..8].copy_from_slice(&(self.number as u64).to_be_bytes());
        mark[8..].copy_from_slice(&((file as u64) << 32 | bytes as u64).to_be_bytes());
        let rest = self.noise.get(mark.len()..bytes).context("a file that is too small")?;
        let answer = self.http.put(&slot.put, &slot.headers, &[&mark, rest]).await?;
        if !matches!(answer.status, 200 | 201) {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            bail!("an upload was answered with {}: {text}", answer.status);
        }
        Ok(File { mark, bytes, url: slot.get })
    }

    async fn fetch(&mut self, file: &File, verdict: &mut Verdict) -> Result<()> {
        let answer = self.http.get(&file.url).await?;
        let (mark, rest) = answer.body.split_at_checked(file.mark.len()).unwrap_or_default();
        if answer.status != 200 {
            verdict.lost += 1;
        } else if mark != file.mark || Some(rest) != self.noise.get(file.mark.len()..file.bytes) {
            verdict.damaged += 1;
        } else {
            verdict.delivered += 1;
        }
        Ok(())
    }
}

/// Asks for a slot (XEP-0363 §5).
pub(crate) async fn ask_slot(
    session: &mut Connection<Secured>,
    domain: &str,
    name: &str,
    bytes: usize,
) -> Result<Slot> {
    let request = format!(
        "<iq type='get' id='slot' to='upload.{domain}'><request xmlns='urn:xmpp:http:upload:0' \
         filename='{name}' size='{bytes}' content-type='application/octet-stream'/></iq>"
    );
    let answer = session.request("slot", request).await?;
    read_slot(&answer).with_context(|| format!("no slot: {}", complaint(answer.as_bytes())))
}

fn read_slot(answer: &str) -> Result<Slot> {
    let put = scan::between(answer.as_bytes(), b"<put", b">").context("nothing to put")?;
    let get = scan::between(answer.as_bytes(), b"<get", b">").context("nothing to get")?;
    let url = |tag: &[u8]| {
        // The names of attributes are found after white space, which `between` leaves.
        let url = scan::attribute(tag, "url").context("without an address")?;
        Url::parse(&unescaped(std::str::from_utf8(url)?))
    };
    let mut headers = "Content-Type: application/octet-stream\r\n".to_owned();
    let mut rest = answer;
    while let Some((_, header)) = rest.split_once("<header ") {
        let (tag, after) = header.split_once('>').context("half a header")?;
        let (value, after) = after.split_once("</").context("half a header")?;
        let name = scan::attribute(format!(" {tag}").as_bytes(), "name").map(<[u8]>::to_vec);
        let name = String::from_utf8(name.context("a header without a name")?)?;
        headers.push_str(&format!("{name}: {}\r\n", unescaped(value.trim())));
        rest = after;
    }
    Ok(Slot { put: url(put)?, get: url(get)?, headers })
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// The names of the figures: up and down, each rate and cost of a megabyte, rate
/// and cost of a file.
type Names = ([&'static str; 4], [&'static str; 4]);

const LARGE: Names = (
    ["large up", "server CPU per MB up", "large files up", "server CPU per large file up"],
    ["large down", "server CPU per MB down", "large files down", "server CPU per large file down"],
);

const SMALL: Names = (
    ["small up", "server CPU per small MB up", "small files up", "server CPU per small file up"],
    [
        "small down",
        "server CPU per small MB down",
        "small files down",
        "server CPU per small file down",
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_all_servers_are_read() {
        let answer = "<iq type=\"result\" id='slot'><slot xmlns='urn:xmpp:http:upload:0'>\
             <get url='https://localhost:1/f/a.bin?x=1&amp;y=2'/>\
             <put url=\"https://localhost:1/f/a.bin\"><header name='Authorization'>Bearer a=\
             </header><header name='Cookie'>b</header></put></slot></iq>";
        let slot = read_slot(answer).unwrap();
        assert_eq!(slot.get, Url::parse("https://localhost:1/f/a.bin?x=1&y=2").unwrap());
        assert_eq!(slot.put, Url::parse("https://localhost:1/f/a.bin").unwrap());
        assert!(slot.headers.ends_with("Authorization: Bearer a=\r\nCookie: b\r\n"));
        assert!(read_slot("<iq type='error' id='slot'/>").is_err());
    }
}
