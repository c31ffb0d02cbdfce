//! Which messages wait for their receipts, and the reports that come of them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign::{Clock, DeliveryOutcome, Report, Timestamp};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::message_id::{candidates, kept};
use super::receipt::{DeliveryReceipt, Fate};

/// Parts that are remembered; the oldest is forgotten for a new one.
const MAX_PARTS: usize = 16_384;
/// A session that has ended stays readable for so long; later reports are of no use.
const AFTERMATH_SECS: u64 = 15 * 60;
/// Receipts of messages that are not known yet: some message centres send the receipt
/// before the answer to the submit.
const MAX_EARLY: usize = 64;
const EARLY_SECS: u64 = 60;
/// Reports that wait for their reader. Beyond that the message centre is asked to come
/// again.
const MAX_REPORTS: usize = 1024;

/// One message of one or more parts.
pub(super) struct Tracked {
    token: String,
    until: Timestamp,
    progress: Mutex<Progress>,
}

struct Progress {
    missing: usize,
    told: bool,
}

/// One part of a message.
#[derive(Clone)]
pub(super) struct Part(Arc<Tracked>);

/// The reader of the reports is behind; the receipt is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behind;

/// Matches receipts to messages.
pub(super) struct Tracker {
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
    reports: mpsc::Sender<Report>,
    reader: Mutex<Option<mpsc::Receiver<Report>>>,
    wanted: AtomicBool,
}

#[derive(Default)]
struct Book {
    parts: HashMap<String, (Part, u64)>,
    /// Ids in the order of their arrival, with the number under which they came.
    order: VecDeque<(String, u64)>,
    arrivals: u64,
    early: VecDeque<(Vec<String>, Fate, Timestamp)>,
}

impl Tracker {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let (reports, reader) = mpsc::channel(MAX_REPORTS);
        Self {
            clock,
            book: Mutex::default(),
            reports,
            reader: Mutex::new(Some(reader)),
            wanted: AtomicBool::new(false),
        }
    }

    /// Hands the reports out, once.
    pub(super) fn reports(&self) -> Option<mpsc::Receiver<Report>> {
        let reader = lock(&self.reader).take();
        self.wanted.fetch_or(reader.is_some(), Ordering::SeqCst);
        reader
    }

    /// A message of `parts` parts whose code is good for `expires_in` seconds; none while
    /// nobody reads the reports.
    pub(super) fn message(&self, token: &str, parts: usize, expires_in: u64) -> Option<Part> {
        if !self.wanted.load(Ordering::SeqCst) || self.reports.is_closed() {
            return None;
        }
        let keep = expires_in.saturating_add(AFTERMATH_SECS);
        Some(Part(Arc::new(Tracked {
            token: token.to_owned(),
            until: self.clock.now().plus_secs(keep),
            progress: Mutex::new(Progress {
                missing: parts,
                told: false,
            }),
        })))
    }

    /// Notes the id under which the message centre took a part.
    pub(super) fn taken(&self, id: &str, part: Part) {
        let now = self.clock.now();
        let id = kept(id);
        let mut book = lock(&self.book);
        if let Some(fate) = book.early(&id, now) {
            drop(book);
            // Nobody can be asked to come again here: a report more or less, and the
            // session's state stays what it was.
            if let (Some(report), Ok(permit)) = (part.meets(fate), self.reports.try_reserve()) {
                permit.send(report);
            }
            return;
        }
        book.insert(id, part, now);
    }

    /// Takes a receipt.
    ///
    /// # Errors
    /// [`Behind`] when nothing was noted since too many reports wait for their reader.
    pub(super) fn received(&self, receipt: &DeliveryReceipt) -> Result<(), Behind> {
        let permit = match self.reports.try_reserve() {
            Ok(permit) => permit,
            Err(TrySendError::Full(())) => return Err(Behind),
            Err(TrySendError::Closed(())) => return Ok(()),
        };
        let now = self.clock.now();
        let ids: Vec<_> = receipt.ids.iter().flat_map(|id| candidates(id)).collect();
        let mut book = lock(&self.book);
        if let Some(part) = book.remove(&ids) {
            drop(book);
            let fresh = now <= part.0.until;
            if let Some(report) = part.meets(receipt.fate).filter(|_| fresh) {
                permit.send(report);
            }
        } else if !ids.is_empty() {
            book.keep_early(ids, receipt.fate, now);
        }
        Ok(())
    }
}

impl Part {
    /// The message's report, if this part completes it. It failed with its first part
    /// that failed; it is delivered when all its parts are.
    fn meets(&self, fate: Fate) -> Option<Report> {
        let mut progress = lock(&self.0.progress);
        progress.missing = progress.missing.saturating_sub(1);
        let outcome = match fate {
            Fate::Failed => DeliveryOutcome::Failed,
            Fate::Delivered if progress.missing == 0 => DeliveryOutcome::Delivered,
            Fate::Delivered => return None,
        };
        let told = std::mem::replace(&mut progress.told, true);
        let token = self.0.token.clone();
        (!told).then_some(Report { token, outcome })
    }
}

impl Book {
    fn insert(&mut self, id: String, part: Part, now: Timestamp) {
        self.arrivals += 1;
        self.order.push_back((id.clone(), self.arrivals));
        self.parts.insert(id, (part, self.arrivals));
        while let Some((oldest, arrival)) = self.order.front() {
            // An entry whose receipt came, or whose id was given again, is a shell.
            let known = self.parts.get(oldest).filter(|(_, known)| known == arrival);
            let stays = known.is_some_and(|(part, _)| part.0.until >= now);
            if stays && self.order.len() <= MAX_PARTS {
                return;
            }
            if known.is_some() {
                self.parts.remove(oldest);
            }
            self.order.pop_front();
        }
    }

    fn remove(&mut self, ids: &[String]) -> Option<Part> {
        let found = ids.iter().find_map(|id| self.parts.remove(id));
        found.map(|(part, _)| part)
    }

    fn early(&mut self, id: &String, now: Timestamp) -> Option<Fate> {
        self.early.retain(|(_, _, until)| *until >= now);
        let found = self.early.iter().position(|(ids, ..)| ids.contains(id));
        found
            .and_then(|at| self.early.remove(at))
            .map(|(_, fate, _)| fate)
    }

    fn keep_early(&mut self, ids: Vec<String>, fate: Fate, now: Timestamp) {
        if self.early.len() >= MAX_EARLY {
            self.early.pop_front();
        }
        self.early.push_back((ids, fate, now.plus_secs(EARLY_SECS)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
