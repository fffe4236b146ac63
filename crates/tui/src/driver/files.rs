//! Files of other people on this machine: names that are only names, and nothing half-written.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A name for a file that came from somebody else: no folders, nothing hidden, nothing that a
/// terminal or another system takes for something special, at most [`MOST_NAME_BYTES`].
#[must_use]
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !is_special(*c)).collect();
    let kept = kept.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    let stem_end = kept.rfind('.').unwrap_or(kept.len());
    let (stem, extension) = kept.split_at(stem_end);
    let extension = cut(extension, 16);
    let stem = cut(stem, MOST_NAME_BYTES - extension.len());
    match stem.is_empty() {
        true => format!("file{extension}"),
        false => format!("{stem}{extension}"),
    }
}

/// Longest name of a file.
pub const MOST_NAME_BYTES: usize = 120;

fn is_special(c: char) -> bool {
    c.is_control()
        || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
        // Marks that turn the direction of writing make `exe.txt` out of `txt.exe`.
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The beginning of a text, in whole characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A path in a folder that no file has yet, and that is not `taken`: `name.png`, `name (2).png`, …
#[must_use]
pub fn free_path(folder: &Path, name: &str, taken: impl Fn(&Path) -> bool) -> PathBuf {
    let name = safe_name(name);
    let path = folder.join(&name);
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name.as_str(), ""),
    };
    let numbered = |number: u32| folder.join(format!("{stem} ({number}){extension}"));
    let mut paths = std::iter::once(path).chain((2..).map(numbered));
    paths.find(|path| !path.exists() && !taken(path)).unwrap_or_default()
}

/// A file that is not there for others before it is whole.
#[derive(Debug)]
pub struct Partial {
    part: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Partial {
    /// Begins `path`, under another name beside it.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> io::Result<(Self, File)> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = match options.open(&part) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Left by a program that was killed. `create_new` then follows no link.
                std::fs::remove_file(&part)?;
                options.open(&part)?
            }
            other => other?,
        };
        Ok((Self { part, path: path.to_owned(), finished: false }, file))
    }

    /// It is whole: gives it its name. A file that has the name by now is not replaced.
    ///
    /// # Errors
    /// It cannot be given the name.
    pub fn finish(mut self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        // A link fails when the name is taken; renaming would replace what is there.
        std::fs::hard_link(&self.part, &self.path).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            // No links on this file system.
            _ if self.path.exists() => Err(error),
            _ => std::fs::copy(&self.part, &self.path).map(drop),
        })?;
        self.finished = true;
        std::fs::remove_file(&self.part)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            // There is nobody to tell; the next try removes it.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn names_are_only_names() {
        for (name, safe) in [
            ("balcony.png", "balcony.png"),
            ("../../.ssh/authorized_keys", "authorized_keys"),
            ("C:\\Windows\\a.exe", "a.exe"),
            (".bashrc", "bashrc"),
            ("..", "file"),
            ("", "file"),
            ("a\u{1b}[31m\n.txt", "a[31m.txt"),
            ("invoice\u{202e}gpj.exe", "invoicegpj.exe"),
            ("name. ", "name"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.jpeg", "ä".repeat(400)));
        assert!(long.len() <= MOST_NAME_BYTES && long.ends_with(".jpeg"));
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let free = || free_path(folder.path(), "a.png", |_| false);
        assert_eq!(free(), folder.path().join("a.png"));
        std::fs::write(folder.path().join("a.png"), "").unwrap();
        std::fs::write(folder.path().join("a (2).png"), "").unwrap();
        assert_eq!(free(), folder.path().join("a (3).png"));
        let taken = |path: &Path| path.ends_with("a (3).png");
        assert_eq!(free_path(folder.path(), "a.png", taken), folder.path().join("a (4).png"));
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("a.png");
        let (partial, mut file) = Partial::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(partial);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        let (partial, mut file) = Partial::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        partial.finish(&file).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let (partial, file) = Partial::create(&path).unwrap();
        partial.finish(&file).unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
