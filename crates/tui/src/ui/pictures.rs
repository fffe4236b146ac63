//! Pictures in the conversation: which of them are ready, and which are still wanted.

use std::collections::HashMap;

use client::store::{Content, File, Message};
use ratatui::layout::Size;

use super::event::PictureWanted;
use crate::picture::{Picture, Unfit};

/// Pictures by the files they are in.
#[derive(Debug, Default)]
pub struct Pictures {
    /// The terminal can show them, and the person wants it.
    shown: bool,
    /// One of them is being read.
    reading: bool,
    known: HashMap<String, Known>,
    /// Counts what was looked at, to tell what was not for the longest time.
    looks: u64,
}

#[derive(Debug)]
struct Known {
    state: State,
    /// The columns and rows it was made for.
    most: (u16, u16),
    looked: u64,
}

#[derive(Debug)]
enum State {
    Wanted,
    Ready(Picture),
    Unfit(Unfit),
}

impl Pictures {
    /// From now on they are shown, or not. What is ready was for another canvas.
    pub(crate) fn show(&mut self, shown: bool) {
        self.shown = shown;
        self.known.clear();
    }

    /// Whether they are shown.
    #[must_use]
    pub fn are_shown(&self) -> bool {
        self.shown
    }

    /// The picture of a file, once it is ready.
    #[must_use]
    pub fn ready(&self, file: &File) -> Option<&Picture> {
        match &self.known.get(file.local.as_ref()?)?.state {
            State::Ready(picture) => Some(picture),
            _ => None,
        }
    }

    /// Why the picture of a file is not shown.
    #[must_use]
    pub fn unfit(&self, file: &File) -> Option<Unfit> {
        match self.known.get(file.local.as_ref()?)?.state {
            State::Unfit(unfit) => Some(unfit),
            _ => None,
        }
    }

    /// Columns and rows of the picture of a file.
    #[must_use]
    pub fn size(&self, file: &File) -> Option<Size> {
        self.ready(file).map(Picture::size)
    }

    /// Somebody looks at these files. Returns what has to be read next; one after the other, so that
    /// nobody waits for what was scrolled out of sight meanwhile.
    pub(crate) fn look(&mut self, paths: &[String], most: (u16, u16)) -> Option<PictureWanted> {
        if !self.shown {
            return None;
        }
        self.looks += 1;
        let fits = |known: &Known| known.most == most || matches!(known.state, State::Unfit(_));
        for path in paths {
            if let Some(known) = self.known.get_mut(path).filter(|known| fits(known)) {
                known.looked = self.looks;
            }
        }
        if self.reading {
            return None;
        }
        let path = paths.iter().find(|path| self.known.get(*path).is_none_or(|k| !fits(k)))?;
        let known = Known { state: State::Wanted, most, looked: self.looks };
        self.known.insert(path.clone(), known);
        self.reading = true;
        Some(PictureWanted { path: path.clone(), most })
    }

    /// A picture was read. What nobody looked at for the longest time gives it room.
    pub(crate) fn read(&mut self, wanted: &PictureWanted, picture: Result<Picture, Unfit>) {
        self.reading = false;
        let Some(known) = self.known.get_mut(&wanted.path) else { return };
        if known.most != wanted.most {
            return;
        }
        known.state = match picture {
            Ok(picture) => State::Ready(picture),
            Err(unfit) => State::Unfit(unfit),
        };
        while self.bytes() > MOST_BYTES || self.known.len() > MOST_KNOWN {
            let seen = self.looks;
            let oldest = self.known.iter().min_by_key(|(_, known)| known.looked);
            match oldest.filter(|(_, known)| known.looked < seen).map(|(path, _)| path.clone()) {
                Some(path) => drop(self.known.remove(&path)),
                None => return,
            }
        }
    }

    fn bytes(&self) -> usize {
        let ready = self.known.values().filter_map(|known| match &known.state {
            State::Ready(picture) => Some(picture.bytes()),
            _ => None,
        });
        ready.sum()
    }
}

/// The file of a message, if it calls itself a picture.
#[must_use]
pub fn file(message: &Message) -> Option<&File> {
    let Content::File(file, _) = &message.content else { return None };
    let named = file.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let picture = match &file.media_type {
        Some(media_type) => media_type.starts_with("image/"),
        None => matches!(named.as_deref(), Some("png" | "jpg" | "jpeg" | "webp" | "gif")),
    };
    picture.then_some(file)
}

/// Bytes of pictures that are kept ready, beside those in sight.
const MOST_BYTES: usize = 12 * 1024 * 1024;
/// Pictures that are known about.
const MOST_KNOWN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Canvas, Way};

    /// A picture that no format can make small: noise.
    fn picture(folder: &std::path::Path) -> Picture {
        let path = folder.join("noise.png");
        if !path.exists() {
            let mut state = 1_u32;
            let noise = image::RgbImage::from_fn(300, 300, |_, _| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [red, green, blue, _] = state.to_be_bytes();
                image::Rgb([red, green, blue])
            });
            noise.save(&path).unwrap();
        }
        let canvas = Canvas { way: Way::Kitty, cell: (10, 20), tmux: false };
        canvas.load(&path, (30, 15)).unwrap()
    }

    #[test]
    fn what_was_not_looked_at_goes_when_there_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let mut pictures = Pictures::default();
        pictures.show(true);
        for number in 0..60 {
            let path = format!("/pictures/{number}.png");
            let wanted = pictures.look(&[path], (30, 15)).unwrap();
            pictures.read(&wanted, Ok(picture(folder.path())));
            assert!(pictures.bytes() <= MOST_BYTES);
        }
        assert_eq!(pictures.look(&["/pictures/59.png".to_owned()], (30, 15)), None);
        assert!(pictures.look(&["/pictures/0.png".to_owned()], (30, 15)).is_some());
    }

    #[test]
    fn a_picture_is_read_once_for_a_size_and_a_bad_one_once() {
        let mut pictures = Pictures::default();
        let paths = ["/pictures/1.png".to_owned(), "/pictures/2.png".to_owned()];
        assert_eq!(pictures.look(&paths, (30, 15)), None, "none are shown");
        pictures.show(true);
        let first = pictures.look(&paths, (30, 15)).unwrap();
        assert_eq!(pictures.look(&paths, (30, 15)), None, "one after the other");
        pictures.read(&first, Err(Unfit::Damaged));
        let second = pictures.look(&paths, (30, 15)).unwrap();
        assert_eq!(second.path, paths[1]);
        // The terminal has another size now; the answer for the earlier one comes too late.
        assert_eq!(pictures.look(&paths, (20, 10)), None);
        let folder = tempfile::tempdir().unwrap();
        pictures.read(&second, Ok(picture(folder.path())));
        let again = pictures.look(&paths, (20, 10)).unwrap();
        assert_eq!((again.path.as_str(), again.most), (paths[1].as_str(), (20, 10)));
        pictures.read(&again, Ok(picture(folder.path())));
        assert_eq!(pictures.look(&paths, (20, 10)), None);
    }
}
