//! `anemone backup` and `anemone restore`: everything a server keeps in one file.
//!
//! The file is a tar archive with `manifest.json` first, then the database, the configuration, the keys and the
//! uploaded files, all by their names in the data directory, and below `named/` what the configuration names in
//! that directory. It holds secrets, so it is readable by its owner alone.

mod named;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf, absolute},
    process::ExitCode,
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::named::{Named, carry, is_sober};
use super::{connect, show};
use crate::{
    admin::{self, Fault, FaultCode, Request, Response, socket::Conversation},
    config::{Config, Home},
    ext::upload::disk::id_of,
    files,
};

/// What the backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    /// The version of the program that wrote it.
    anemone: String,
    /// The version of this format.
    format: u32,
    domain: String,
    /// When it was written.
    created: String,
    /// SHA-256 of the database in hex.
    database_sha256: String,
    accounts: u64,
    messages: u64,
    /// Files that the configuration names, by their paths in the data directory.
    #[serde(default)]
    named: Vec<String>,
}

/// Writes a backup. The database is copied by whoever has it open; nobody has to wait for it.
pub(super) async fn backup(home: &Home, file: &Path, json: bool) -> Result<ExitCode, Fault> {
    let file = absolute(file).map_err(|error| cannot("write", file, &error))?;
    if file.exists() {
        return Err(Fault::new(
            FaultCode::Exists,
            format!("{} exists already; a backup overwrites nothing", file.display()),
        ));
    }
    let config = connect::configuration(home)?;
    // Opened before the long work, to fail early where there is nothing to be written.
    let part = Part::create(&file)?;
    let copy = Temporary(copy_path(home)?);
    let question = Request::Backup { path: copy.0.clone() };
    let written = match connect::ask(home, &question).await? {
        Response::Backup(written) => written,
        Response::Error(fault) => return Err(fault),
        _ => return Err(Fault::new(FaultCode::Storage, "the server answered something else")),
    };
    let Named { inside, elsewhere } = Named::of(home, &config);
    let manifest = Manifest {
        anemone: env!("CARGO_PKG_VERSION").to_owned(),
        format: FORMAT,
        domain: config.domain,
        created: admin::timestamp(),
        database_sha256: written.sha256.clone(),
        accounts: written.accounts,
        messages: written.messages,
        named: inside,
    };
    let bytes = part.fill(|out| pack(out, home, &copy.0, &manifest))?;
    report(&file, bytes, &manifest, &elsewhere, json);
    Ok(ExitCode::SUCCESS)
}

fn report(file: &Path, bytes: u64, manifest: &Manifest, elsewhere: &[PathBuf], json: bool) {
    if json {
        return show::value(&json!({ "backup": {
            "file": file,
            "bytes": bytes,
            "domain": manifest.domain,
            "created": manifest.created,
            "accounts": manifest.accounts,
            "messages": manifest.messages,
            "elsewhere": elsewhere,
        }}));
    }
    show::text(&format!(
        "{} holds {} and {} ({}). It also holds the server's keys: keep it \
         where nobody else can read it.",
        file.display(),
        show::count(manifest.accounts, "account"),
        show::count(manifest.messages, "message"),
        files::size(bytes)
    ));
    if !elsewhere.is_empty() {
        let paths: Vec<String> = elsewhere.iter().map(|path| path.display().to_string()).collect();
        show::text(&format!(
            "anemone.toml names files that are not in the data directory, and so not in the backup. Keep copies of \
             them as well: {}",
            paths.join(", ")
        ));
    }
}

/// The file under another name until it is complete.
pub(super) struct Part {
    out: File,
    path: Temporary,
    target: PathBuf,
}

impl Part {
    pub(super) fn create(target: &Path) -> Result<Part, Fault> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = target.with_file_name(name);
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let out = out.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Fault::new(
                FaultCode::Exists,
                format!("{} is left of a broken backup; remove it first", path.display()),
            ),
            io::ErrorKind::NotFound => Fault::new(
                FaultCode::NotFound,
                format!("there is no directory {}", path.parent().unwrap_or(&path).display()),
            ),
            _ => cannot("write", target, &error),
        })?;
        Ok(Part { out, path: Temporary(path), target: target.to_owned() })
    }

    /// Fills it, brings it to disk and gives it its name. Returns its size.
    pub(super) fn fill(self, write: impl FnOnce(&File) -> io::Result<()>) -> Result<u64, Fault> {
        let failed = |error: io::Error| cannot("write", &self.target, &error);
        write(&self.out).map_err(failed)?;
        self.out.sync_all().map_err(failed)?;
        let bytes = self.out.metadata().map_err(failed)?.len();
        fs::rename(&self.path.0, &self.target).map_err(failed)?;
        // A name is on disk when its directory is.
        let directory =
            self.target.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all());
        directory.map_err(failed)?;
        Ok(bytes)
    }
}

/// A file or directory that is removed when it is no longer needed.
pub(super) struct Temporary(pub(super) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Whatever is left takes space and does no harm.
        let _ = match self.0.is_dir() {
            true => fs::remove_dir_all(&self.0),
            false => fs::remove_file(&self.0),
        };
    }
}

pub(super) fn copy_path(home: &Home) -> Result<PathBuf, Fault> {
    let name = format!("backup-{:08x}.tmp", random()?);
    absolute(home.path().join(name)).map_err(|error| cannot("write", home.path(), &error))
}

fn pack(out: &File, home: &Home, database: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut archive = tar::Builder::new(io::BufWriter::new(out));
    let text = serde_json::to_vec_pretty(manifest)?;
    append(&mut archive, MANIFEST, (text.len() as u64, PRIVATE), text.as_slice())?;
    let database = File::open(database)?;
    append(&mut archive, DATABASE, (database.metadata()?.len(), PRIVATE), database)?;
    for name in &manifest.named {
        let file = File::open(home.path().join(name))?;
        let facts = file.metadata()?;
        // A program has to be one afterwards.
        let mode = PRIVATE | (facts.permissions().mode() & 0o100);
        append(&mut archive, &format!("{NAMED}{name}"), (facts.len(), mode), file)?;
    }
    for name in KEPT {
        match File::open(home.path().join(name)) {
            Ok(file) => append(&mut archive, name, (file.metadata()?.len(), PRIVATE), file)?,
            // A server with its own certificate has no authority.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    pack_uploads(&mut archive, home)?;
    archive.into_inner()?.flush()
}

/// Uploaded files. Those that come or go meanwhile may be missing, or be there without a row.
fn pack_uploads(archive: &mut tar::Builder<impl io::Write>, home: &Home) -> io::Result<()> {
    let entries = match fs::read_dir(home.uploads()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| id_of(name).is_some()) else { continue };
        match File::open(entry.path()) {
            Ok(file) => {
                let name = format!("{UPLOADS}{name}");
                append(archive, &name, (file.metadata()?.len(), PRIVATE), file)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn append(
    archive: &mut tar::Builder<impl io::Write>,
    name: &str,
    (bytes, mode): (u64, u32),
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(mode);
    header.set_entry_type(tar::EntryType::Regular);
    archive.append_data(&mut header, name, content)
}

/// Puts a backup into a data directory: unpacked beside, checked, and only then moved in.
pub(super) async fn restore(
    home: &Home,
    file: &Path,
    replace: bool,
    json: bool,
) -> Result<ExitCode, Fault> {
    let input = File::open(file).map_err(|error| cannot("read", file, &error))?;
    if Conversation::open(home).await?.is_some() {
        return Err(Fault::new(
            FaultCode::Running,
            format!("a server is running on {}; stop it before you restore", home.path().display()),
        ));
    }
    let occupied = home.config_file().exists() || home.database().exists();
    if occupied && !replace {
        return Err(Fault::new(
            FaultCode::Exists,
            format!(
                "{} holds a server already; say --replace to move its files aside, or choose an \
                 empty directory",
                home.path().display()
            ),
        ));
    }
    files::private_directory(home.path()).map_err(|e| cannot("write", home.path(), &e))?;
    connect::owned_by_this_user(home)?;
    let unpacked = Temporary(home.path().join(format!("restore-{:08x}.tmp", random()?)));
    files::private_directory(&unpacked.0).map_err(|e| cannot("write", &unpacked.0, &e))?;
    let manifest = unpack(&input, &unpacked.0).map_err(|error| damaged(file, &error))?;
    verify(&unpacked.0, &manifest, file).await?;
    let aside = if occupied { Some(move_aside(home, &manifest)?) } else { None };
    move_in(&unpacked.0, home, &manifest)?;
    restored(home, &manifest, aside.as_deref(), json);
    Ok(ExitCode::SUCCESS)
}

/// Takes the known files out of the archive and nothing else: no other names, no links, nothing outside of the
/// directory.
fn unpack(input: &File, into: &Path) -> io::Result<Manifest> {
    let mut manifest: Option<Manifest> = None;
    for entry in tar::Archive::new(io::BufReader::new(input)).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let upload = name.strip_prefix(UPLOADS).is_some_and(|name| id_of(name).is_some());
        let is_named = name.strip_prefix(NAMED).is_some_and(is_sober);
        let known = name == DATABASE || KEPT.contains(&name.as_str()) || upload || is_named;
        if name == MANIFEST {
            let mut text = Vec::new();
            (&mut entry).take(LONGEST_MANIFEST).read_to_end(&mut text)?;
            let mut read: Manifest = serde_json::from_slice(&text)?;
            read.named.retain(|name| is_sober(name));
            manifest = Some(read);
        } else if known && entry.header().entry_type() == tar::EntryType::Regular {
            let mode = match name.as_str() {
                "ca.pem" | "server.pem" => 0o644,
                _ if is_named => PRIVATE | (entry.header().mode()? & 0o100),
                _ => PRIVATE,
            };
            let place = into.join(&name);
            if let Some(directory) = place.parent() {
                files::private_directory(directory)?;
            }
            let mut options = OpenOptions::new();
            let mut out = options.write(true).create_new(true).mode(mode).open(place)?;
            io::copy(&mut entry, &mut out)?;
            out.sync_all()?;
        }
    }
    manifest.ok_or_else(|| io::Error::other("it has no manifest"))
}

/// The database must be the one that was written, and one that this version can use.
async fn verify(unpacked: &Path, manifest: &Manifest, file: &Path) -> Result<(), Fault> {
    if manifest.format > FORMAT {
        return Err(Fault::new(
            FaultCode::Invalid,
            format!(
                "{} was written by version {}, which is newer than this one",
                file.display(),
                manifest.anemone
            ),
        ));
    }
    let database = unpacked.join(DATABASE);
    let sum = checksum(&database).map_err(|error| damaged(file, &error))?;
    if sum != manifest.database_sha256 {
        return Err(damaged(file, &io::Error::other("the database is not as it was written")));
    }
    let unpacked = Home::new(unpacked);
    let config = Config::load(&unpacked);
    config.map_err(|error| Fault::new(FaultCode::Invalid, error.to_string()))?;
    let store = connect::open(&unpacked)?;
    let problems = store.maintenance.check().await?;
    store.maintenance.close().await?;
    match problems.first() {
        None => Ok(()),
        Some(problem) => Err(damaged(file, &io::Error::other(problem.clone()))),
    }
}

fn checksum(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Moves the files of the server that was there into a directory of their own.
fn move_aside(home: &Home, manifest: &Manifest) -> Result<PathBuf, Fault> {
    let name = format!("before-restore-{}", admin::timestamp().replace(':', ""));
    let aside = home.path().join(name);
    files::private_directory(&aside).map_err(|error| cannot("write", &aside, &error))?;
    for name in KEPT.into_iter().chain([DATABASE, "anemone.db-wal", "anemone.db-shm", UPLOADS]) {
        rename(&home.path().join(name), &aside.join(name))?;
    }
    for name in &manifest.named {
        rename(&home.path().join(name), &aside.join(name))?;
    }
    Ok(aside)
}

/// The configuration comes last: where it is, the rest is complete.
fn move_in(unpacked: &Path, home: &Home, manifest: &Manifest) -> Result<(), Fault> {
    for name in &manifest.named {
        rename(&unpacked.join(NAMED).join(name), &home.path().join(name))?;
    }
    for name in [DATABASE, UPLOADS].into_iter().chain(KEPT) {
        rename(&unpacked.join(name), &home.path().join(name))?;
    }
    let synced = File::open(home.path()).and_then(|directory| directory.sync_all());
    synced.map_err(|error| cannot("write", home.path(), &error))
}

fn rename(from: &Path, to: &Path) -> Result<(), Fault> {
    carry(from, to).map_err(|error| cannot("write", to, &error))
}

fn restored(home: &Home, manifest: &Manifest, aside: Option<&Path>, json: bool) {
    if json {
        return show::value(&json!({ "restored": {
            "data": home.path(),
            "domain": manifest.domain,
            "created": manifest.created,
            "accounts": manifest.accounts,
            "messages": manifest.messages,
            "aside": aside,
        }}));
    }
    show::text(&format!(
        "{} is again as it was at {}: {}, {}, {}.",
        home.path().display(),
        manifest.created,
        manifest.domain,
        show::count(manifest.accounts, "account"),
        show::count(manifest.messages, "message")
    ));
    if let Some(aside) = aside {
        show::text(&format!("What was there before is in {}.", aside.display()));
    }
}

pub(super) fn cannot(verb: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::new(FaultCode::Storage, format!("cannot {verb} {}: {error}", path.display()))
}

fn damaged(file: &Path, error: &io::Error) -> Fault {
    Fault::new(
        FaultCode::Invalid,
        format!("{} is not a backup or is damaged ({error}); nothing was changed", file.display()),
    )
}

fn random() -> Result<u32, Fault> {
    getrandom::u32().map_err(|error| {
        Fault::new(FaultCode::Storage, format!("the system gives no random numbers: {error}"))
    })
}

const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "anemone.db";
/// Beside the database, the configuration last.
const KEPT: [&str; 11] = [
    "secret.key",
    "push.key",
    "ca.pem",
    "ca.key",
    "server.pem",
    "server.key",
    "acme.pem",
    "acme.json",
    "notices.json",
    "domains.json",
    "anemone.toml",
];
/// The directory of uploaded files.
const UPLOADS: &str = "uploads/";
/// The directory of files that the configuration names.
const NAMED: &str = "named/";
const PRIVATE: u32 = 0o600;
const LONGEST_MANIFEST: u64 = 64 * 1024;
