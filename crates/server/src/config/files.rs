//! The files that a configuration names.

use std::path::{Path, PathBuf};

use super::Config;

impl Config {
    /// Every file that is named, as it is written: certificates, secrets, pages, a program.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        let one = [
            &self.tls.certificate,
            &self.tls.key,
            &self.acme.authority,
            &self.acme.hook,
            &self.calls.secret_file,
            &self.front_door.page,
        ];
        let many = [&self.federation.trust, &self.push.trust];
        let all = one.into_iter().flatten().chain(many.into_iter().flatten());
        all.map(PathBuf::as_path).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reference::chapters;

    #[test]
    fn no_key_with_a_path_is_forgotten() {
        let mut text = "domain = \"a.example\"\n".to_owned();
        let mut expected = Vec::new();
        for chapter in chapters() {
            let paths = chapter.keys.iter().filter(|key| key.allowed.contains("a path in quotes"));
            for (number, key) in paths.enumerate() {
                let name = format!("{}.{}", chapter.name, key.name);
                let is_list = key.allowed.starts_with("a list");
                let (open, close) = if is_list { ("[", "]") } else { ("", "") };
                if number == 0 {
                    text.push_str(&format!("[{}]\n", chapter.name));
                }
                text.push_str(&format!("{} = {open}\"{name}\"{close}\n", key.name));
                expected.push(name);
            }
        }
        let config = Config::parse(&text).unwrap();
        let mut found: Vec<&str> =
            config.files().iter().map(|path| path.to_str().unwrap()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert!(expected.len() > 5, "{expected:?}");
        assert_eq!(found, expected);
    }
}
