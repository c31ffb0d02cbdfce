//! What a disk may hold when the power fails.
//!
//! Modelled: bytes and lengths of a file are certain once a sync of that file has
//! succeeded that began after they were written; names of files once a sync of their
//! folder has. Of all else any part may be there: each write or none, a write up to a
//! sector's end, later ones without earlier ones. Not modelled: sectors that were damaged
//! without being written, and a disk that says it has synced and has not, but for
//! [`Platter::goes_deaf`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::trace::{Call, Event};
use crate::dice::Dice;

const SECTOR: usize = 512;

/// Files that no trace shows whole, since they are written through memory: of them noise
/// remains, which SQLite must not believe.
const MAPPED: &str = "-shm";

/// How much of what was not synced got through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// Each change by the toss of a coin.
    Some,
    /// All up to a change that is torn at a sector's end.
    Torn,
}

impl Left {
    pub(crate) const ALL: [Self; 3] = [Self::Nothing, Self::Some, Self::Torn];
}

/// A folder's disk.
#[derive(Debug, Default)]
pub(crate) struct Platter {
    /// Files by number, so that a name may be given to a new one.
    files: Vec<File>,
    /// What programs see.
    names: BTreeMap<String, usize>,
    /// What a sync of the folder has made certain.
    certain: BTreeMap<String, usize>,
    under_way: HashMap<usize, UnderWay>,
    deaf: bool,
}

#[derive(Debug, Default)]
struct File {
    certain: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
struct Change {
    /// The call that made it.
    call: usize,
    what: What,
    done: bool,
}

#[derive(Clone, Debug)]
enum What {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug)]
enum UnderWay {
    Change(usize),
    /// A file, and the calls whose changes a sync makes certain.
    Sync(usize, BTreeSet<usize>),
    Names(BTreeMap<String, usize>),
}

impl Platter {
    /// From now on no sync has an effect: the disk only says so.
    pub(crate) fn goes_deaf(&mut self) {
        self.deaf = true;
    }

    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::Begun(number, call) => self.begin(*number, call),
            Event::Done(number) => self.end(*number),
            Event::Said(_) => {}
        }
    }

    fn begin(&mut self, number: usize, call: &Call) {
        let under_way = match call {
            Call::Create(path) => {
                if !self.names.contains_key(path) {
                    self.names.insert(path.clone(), self.files.len());
                    self.files.push(File::default());
                }
                return;
            }
            Call::Remove(path) => {
                self.names.remove(path);
                return;
            }
            Call::Write { path, at, bytes } => {
                self.change(number, path, What::Bytes(*at, bytes.clone()))
            }
            Call::Resize { path, length } => self.change(number, path, What::Length(*length)),
            Call::Sync(path) => match self.names.get(path) {
                Some(file) => {
                    let done = self.files[*file]
                        .changes
                        .iter()
                        .filter(|change| change.done);
                    UnderWay::Sync(*file, done.map(|change| change.call).collect())
                }
                None => UnderWay::Names(self.names.clone()),
            },
        };
        self.under_way.insert(number, under_way);
    }

    fn change(&mut self, call: usize, path: &str, what: What) -> UnderWay {
        let file = self.names[path];
        let done = false;
        self.files[file].changes.push(Change { call, what, done });
        UnderWay::Change(file)
    }

    fn end(&mut self, number: usize) {
        match self.under_way.remove(&number) {
            Some(UnderWay::Change(file)) => {
                let mut changes = self.files[file].changes.iter_mut();
                if let Some(change) = changes.find(|change| change.call == number) {
                    change.done = true;
                }
            }
            Some(UnderWay::Sync(file, calls)) if !self.deaf => self.files[file].sync(&calls),
            Some(UnderWay::Names(names)) if !self.deaf => self.certain = names,
            _ => {}
        }
    }

    /// Writes what may be left into `to`, and gives how many bytes were dropped.
    pub(crate) fn after_power_cut(&self, left: Left, dice: &mut Dice, to: &Path) -> usize {
        let mut dropped = 0;
        let known: BTreeSet<_> = self.names.keys().chain(self.certain.keys()).collect();
        for name in known {
            let (now, before) = (self.names.get(name), self.certain.get(name));
            let is_new = left != Left::Nothing && dice.coin();
            let Some(file) = (if is_new { now } else { before }) else {
                continue;
            };
            let (bytes, lost) = if name.ends_with(MAPPED) {
                (dice.noise(64 * SECTOR), 0)
            } else {
                self.files[*file].after_power_cut(left, dice)
            };
            dropped += lost;
            let own = Path::new(name).file_name().expect("it is a file");
            fs::write(to.join(own), bytes).expect("it is written");
        }
        dropped
    }
}

impl File {
    fn sync(&mut self, calls: &BTreeSet<usize>) {
        let (synced, open) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition(|change| calls.contains(&change.call));
        self.changes = open;
        for change in synced {
            change.what.make(&mut self.certain);
        }
    }

    fn after_power_cut(&self, left: Left, dice: &mut Dice) -> (Vec<u8>, usize) {
        let (mut bytes, mut dropped) = (self.certain.clone(), 0);
        let torn = dice.below(self.changes.len().max(1));
        for (n, Change { what, .. }) in self.changes.iter().enumerate() {
            let through = match left {
                Left::Some => dice.coin().then(|| what.clone()),
                Left::Torn if n < torn => Some(what.clone()),
                Left::Torn if n == torn => what.torn(dice),
                Left::Nothing | Left::Torn => None,
            };
            dropped += what.bytes() - through.as_ref().map_or(0, What::bytes);
            if let Some(through) = through {
                through.make(&mut bytes);
            }
        }
        (bytes, dropped)
    }
}

impl What {
    fn make(&self, file: &mut Vec<u8>) {
        match self {
            Self::Length(length) => file.resize(*length, 0),
            Self::Bytes(at, bytes) => {
                let end = at + bytes.len();
                file.resize(file.len().max(end), 0);
                file[*at..end].copy_from_slice(bytes);
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Length(_) => 0,
            Self::Bytes(_, bytes) => bytes.len(),
        }
    }

    /// What comes before one of the ends of sectors within it, if there is one.
    fn torn(&self, dice: &mut Dice) -> Option<Self> {
        let Self::Bytes(at, bytes) = self else {
            return None;
        };
        let (first, last) = (at / SECTOR + 1, (at + bytes.len() - 1) / SECTOR);
        let ends = (last + 1).checked_sub(first).filter(|ends| *ends > 0)?;
        let end = (first + dice.below(ends)) * SECTOR;
        Some(Self::Bytes(*at, bytes[..end - at].to_vec()))
    }
}
