//! Puts the web client into the server: every file of `web/dist/site`, which `scripts/web.sh` makes,
//! becomes an entry of a table. Without that folder the table is empty, and the server says so where
//! the client would be.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = manifest.join("../../web/dist");
    let site = dist.join("site");
    println!("cargo:rerun-if-changed=build.rs");
    if packs_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // Cargo runs this again whenever a watched path is missing, so it is one that exists.
    let watched = [&site, &dist, &manifest].into_iter().find(|path| path.exists());
    println!("cargo:rerun-if-changed={}", watched.unwrap_or(&manifest).display());

    let mut files = Vec::new();
    if site.join("index.html").is_file() {
        collect(&site, &mut files)?;
    }
    let name = |file: &Path| format!("/{}", file.strip_prefix(&site).unwrap_or(file).display());
    // The server finds them by their names, byte by byte.
    files.sort_by_key(|file| name(file));
    let mut table = String::from("&[\n");
    for file in files.iter().filter(|file| !is_packed(file)) {
        let _ = writeln!(
            table,
            "    Asset {{ path: {:?}, plain: include_bytes!({:?}), brotli: {}, gzip: {} }},",
            name(file),
            file.display().to_string(),
            packed(file, "br"),
            packed(file, "gz"),
        );
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("web_assets.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn is_packed(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "br" || extension == "gz")
}

/// The compressed form of a file, as Rust.
fn packed(file: &Path, extension: &str) -> String {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    match Path::new(&name).is_file() {
        true => format!("Some(include_bytes!({:?}))", name.display().to_string()),
        false => "None".to_owned(),
    }
}

/// Whether the program may say in few bytes where addresses are in its data. It is loaded at another place each
/// time, which changes all of them; as a table that is megabytes, which stay in memory. The C library has to
/// understand it (glibc 2.36), and be the one of the machine on which the program will run.
fn packs_relocations() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    let here = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !here || env::var("HOST") != env::var("TARGET") {
        return false;
    }
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = said.ok().and_then(|said| {
        let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    version >= Some((2, 36))
}
