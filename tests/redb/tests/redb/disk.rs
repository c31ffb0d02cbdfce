//! A disk with a cache: it can be pulled out, and it can lose power.

use std::io::{Error, Result};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// A disk. Its clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What was synced.
    safe: Vec<u8>,
    /// What a reader sees.
    seen: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<Change>,
    pulled: bool,
}

#[derive(Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

impl Disk {
    /// Every access fails until [`plug`](Self::plug).
    pub(crate) fn pull(&self) {
        self.0.lock().unwrap().pulled = true;
    }

    pub(crate) fn plug(&self) {
        self.0.lock().unwrap().pulled = false;
    }

    /// The disk that is found after the power was cut now. Of what was not synced every
    /// second change got through: a cache is written in no order.
    pub(crate) fn after_power_cut(&self) -> Self {
        let state = self.0.lock().unwrap();
        let mut safe = state.safe.clone();
        for change in state.unsynced.iter().skip(1).step_by(2) {
            change.make(&mut safe);
        }
        Self(Arc::new(Mutex::new(State {
            seen: safe.clone(),
            safe,
            ..State::default()
        })))
    }

    fn state<T>(&self, access: impl FnOnce(&mut State) -> T) -> Result<T> {
        let mut state = self.0.lock().unwrap();
        if state.pulled {
            return Err(Error::other("the disk is gone"));
        }
        Ok(access(&mut state))
    }

    fn change(&self, change: Change) -> Result<()> {
        self.state(|state| {
            change.make(&mut state.seen);
            state.unsynced.push(change);
        })
    }
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(len) => bytes.resize(*len, 0),
            Self::Bytes(at, data) => {
                let end = at + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(data);
            }
        }
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        self.state(|state| state.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let from = index(offset);
        let read = self.state(|state| {
            let bytes = state.seen.get(from..from + out.len());
            bytes.map(|bytes| out.copy_from_slice(bytes))
        })?;
        read.ok_or_else(|| Error::other("beyond the end of the disk"))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.change(Change::Length(index(len)))
    }

    fn sync_data(&self) -> Result<()> {
        self.state(|state| {
            state.safe.clone_from(&state.seen);
            state.unsynced.clear();
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.change(Change::Bytes(index(offset), data.to_vec()))
    }
}
