//! Pictures are read and decoded on a thread of their own, one after the other.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

use super::Incoming;
use crate::failure::Failure;
use crate::picture::Canvas;
use crate::ui::event::PictureWanted;

/// The thread that decodes.
pub(super) struct Decoder {
    sender: SyncSender<(Canvas, PictureWanted)>,
}

impl Decoder {
    pub(super) fn start(ready: SyncSender<Incoming>) -> Result<Decoder, Failure> {
        let (sender, wanted) = sync_channel::<(Canvas, PictureWanted)>(1);
        let decode = move || {
            while let Ok((canvas, wanted)) = wanted.recv() {
                let picture = canvas.load(Path::new(&wanted.path), wanted.most);
                if ready.send(Incoming::Picture(wanted, picture)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("pictures".to_owned())
            .spawn(decode)
            .map(|_| Decoder { sender })
            .map_err(|error| Failure::Other(format!("no thread for pictures: {error}")))
    }

    /// Asks for a picture. There is only ever one that is being read.
    pub(super) fn ask(&self, canvas: Canvas, wanted: PictureWanted) {
        let _ = self.sender.try_send((canvas, wanted));
    }
}
