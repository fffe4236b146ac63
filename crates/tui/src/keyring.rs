//! Whether there is a keyring.

use std::ffi::OsString;
use std::path::PathBuf;

/// Whether the keyring of the system can be used: its program is here, and there is a desktop to ask.
///
/// # Errors
/// What is missing, in words.
pub fn present(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    let paths = variable("PATH").unwrap_or_default();
    if !std::env::split_paths(&paths).any(|folder| folder.join("secret-tool").is_file()) {
        return Err("the program secret-tool is missing (package libsecret-tools)".to_owned());
    }
    let bus = || variable("XDG_RUNTIME_DIR").is_some_and(|f| PathBuf::from(f).join("bus").exists());
    let named = variable("DBUS_SESSION_BUS_ADDRESS").is_some_and(|name| !name.is_empty());
    match named || bus() {
        true => Ok(()),
        false => Err("there is no desktop session to ask, as over SSH".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_needs_its_program_and_a_desktop() {
        let folder = tempfile::tempdir().unwrap();
        let path = OsString::from(folder.path());
        let with = |bus: Option<&str>| {
            let bus = bus.map(OsString::from);
            present(|name| match name {
                "PATH" => Some(path.clone()),
                "DBUS_SESSION_BUS_ADDRESS" => bus.clone(),
                _ => None,
            })
        };
        assert!(with(Some("unix:path=/bus")).unwrap_err().contains("libsecret-tools"));
        std::fs::write(folder.path().join("secret-tool"), "").unwrap();
        assert!(with(None).unwrap_err().contains("desktop"));
        assert_eq!(with(Some("unix:path=/bus")), Ok(()));
    }
}
