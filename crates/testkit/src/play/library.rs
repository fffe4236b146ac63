//! The plays of the repository.

use std::path::{Path, PathBuf};

use super::parse::parse;
use super::script::Play;

/// `tests/plays` of the repository.
pub fn folder() -> PathBuf {
    repository().join("tests/plays")
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path.pop();
    path
}

/// Every play below a folder in the order of names, or the mistakes in it.
pub fn load(folder: &Path) -> Vec<(String, Result<Play, String>)> {
    let mut names = Vec::new();
    collect(folder, folder, &mut names);
    names.sort();
    let read = |name: &String| {
        let path = folder.join(format!("{name}.play"));
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        parse(name, &text).map_err(|mistake| format!("tests/plays/{name}.play: {mistake}"))
    };
    names.iter().map(|name| (name.clone(), read(name))).collect()
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            collect(root, &path, names);
        } else if path.extension().is_some_and(|ending| ending == "play")
            && let Ok(inside) = path.strip_prefix(root)
        {
            names.push(inside.with_extension("").to_string_lossy().into_owned());
        }
    }
}
