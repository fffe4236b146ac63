//! What is being written, in another program: `$VISUAL`, `$EDITOR`, or `vi`.
//!
//! The text lies in a file for it meanwhile, in a folder that only this user can open; both are
//! removed before the program goes on.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why a text did not come back.
#[derive(Debug, thiserror::Error)]
pub(super) enum EditError {
    /// No place for the file.
    #[error("there is no place for the text: {0}")]
    Place(io::Error),
    /// It cannot be started.
    #[error("{0} cannot be run: {1}; $VISUAL or $EDITOR names another")]
    Run(String, io::Error),
    /// It says that it failed: what was written before stays.
    #[error("{0} ended without a text")]
    Ended(String),
    /// The file is gone, is no text, or is too long.
    #[error("the text cannot be read back: {0}")]
    Back(io::Error),
}

/// Runs the program with a text, and returns what became of it.
pub(super) fn edit(
    text: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<String, EditError> {
    let program = program(&variable);
    let name = program.to_string_lossy().into_owned();
    let folder = Folder::make(&variable).map_err(EditError::Place)?;
    let file = folder.0.join("message.txt");
    write(&file, text).map_err(EditError::Place)?;
    // As other programs do it: the variable may have arguments, and is a matter for the shell.
    let mut script = program;
    script.push(" \"$1\"");
    let status = Command::new("sh").arg("-c").arg(script).arg("sh").arg(&file).status();
    match status {
        Err(error) => Err(EditError::Run(name, error)),
        Ok(status) if !status.success() => Err(EditError::Ended(name)),
        Ok(_) => read(&file).map_err(EditError::Back),
    }
}

fn program(variable: &impl Fn(&str) -> Option<OsString>) -> OsString {
    let mut named = ["VISUAL", "EDITOR"].into_iter().filter_map(variable);
    named.find(|name| !name.is_empty()).unwrap_or_else(|| "vi".into())
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let most = client::command::MAX_TEXT_BYTES as u64 + 2;
    std::fs::File::open(file)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

/// A folder for this user alone, with everything in it gone when it is dropped: editors leave copies
/// beside the file.
struct Folder(PathBuf);

impl Folder {
    fn make(variable: &impl Fn(&str) -> Option<OsString>) -> io::Result<Folder> {
        // In memory, where there is such a place; it is this user's own.
        let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
        let parent = runtime.unwrap_or_else(std::env::temp_dir);
        let mut number = [0; 8];
        getrandom::fill(&mut number).map_err(|error| io::Error::other(error.to_string()))?;
        let folder = parent.join(format!("clownfish-{:016x}", u64::from_ne_bytes(number)));
        // Not there before: nobody else has made it, and nobody else can look into it.
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Edits with a shell command that finds the file in `$1`, below a folder of its own.
    fn edit_with(command: &str, text: &str) -> (Result<String, EditError>, Vec<PathBuf>) {
        let place = tempfile::tempdir().unwrap();
        let script = place.path().join("my editor");
        std::fs::write(&script, format!("#!/bin/sh\n{command}\n")).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let runtime = place.path().join("run");
        std::fs::create_dir(&runtime).unwrap();
        let done = edit(text, |name| match name {
            "VISUAL" => Some(format!("'{}' --", script.display()).into()),
            "XDG_RUNTIME_DIR" => Some(runtime.clone().into()),
            _ => None,
        });
        let left = std::fs::read_dir(&runtime).unwrap().map(|e| e.unwrap().path()).collect();
        (done, left)
    }

    #[test]
    fn the_text_goes_there_and_comes_back_and_nothing_is_left() {
        let (text, left) = edit_with("echo ' and more' >> \"$2\"; touch \"$2~\"", "some words");
        assert_eq!(text.unwrap(), "some words and more\n");
        assert_eq!(left, Vec::<PathBuf>::new());
    }

    #[test]
    fn only_this_user_can_read_it_meanwhile() {
        let (text, _) = edit_with(
            "stat -c '%a' \"$2\" \"$(dirname \"$2\")\" > \"$2.new\"; mv \"$2.new\" \"$2\"",
            "secret",
        );
        assert_eq!(text.unwrap(), "600\n700\n");
    }

    #[test]
    fn a_program_that_fails_changes_nothing() {
        let (text, left) = edit_with("echo x > \"$2\"; exit 1", "some words");
        assert!(matches!(text, Err(EditError::Ended(_))));
        assert_eq!(left, Vec::<PathBuf>::new());
        let (text, _) = edit_with("rm \"$2\"", "some words");
        assert!(matches!(text, Err(EditError::Back(_))));
        let (text, _) = edit_with("printf '\\377' > \"$2\"", "some words");
        assert!(matches!(text, Err(EditError::Back(_))));
    }
}
