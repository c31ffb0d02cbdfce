//! Where the values of a shard lie: a hash table that reads one line of memory for a look.
//!
//! It grows by linear hashing (W. Litwin, VLDB 1980): a line more for every eight values, and
//! what belongs there comes out of one other line. So no growth moves more than a line's
//! values while the shard is locked, and a growing table is always as full. It does not get
//! smaller again.

use super::arena::Chunk;
use super::line::{self, Line, LineMut, mark};
use super::place::Place;
use super::pool::fetch;

/// Values for each line, on average: fewer than seats, for they fall as they like, and a line
/// that was not split yet has up to twice as many as one that was.
const SHARE: usize = 8;

/// The places of a shard's values, by their keys' hashes.
#[derive(Debug)]
pub(super) struct Index {
    len: usize,
    lines: Lines,
    /// For those that found no seat where they belong.
    spill: Lines,
    /// The first line of `spill` without use, which the next follows: no allocation for it, for
    /// what a sweep removes may be much.
    spare: u32,
}

/// A line, wherever it is.
#[derive(Clone, Copy, Debug)]
enum At {
    Home(usize),
    Spill(usize),
}

/// A look that has begun: memory was asked for its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'i> {
    index: &'i Index,
    mark: u8,
    home: usize,
    line: Line<'i>,
}

/// One place of a line.
type Seat = (At, usize);

/// Lines that are never moved, for what a growing `Vec` leaves behind is memory too.
#[derive(Debug, Default)]
struct Lines {
    len: usize,
    chunks: Vec<Chunk>,
}

/// Lines that are taken from the arena together: four kilobytes.
const CHUNK: usize = 64;

impl Default for Index {
    fn default() -> Self {
        let mut lines = Lines::default();
        lines.push();
        Self {
            len: 0,
            lines,
            spill: Lines::default(),
            spare: 0,
        }
    }
}

impl Index {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Asks the memory for the line where a look begins, without waiting for it.
    #[inline]
    pub(super) fn look(&self, hash: u64) -> Look<'_> {
        let look = self.begin(hash);
        fetch(look.line.0);
        look
    }

    #[inline]
    fn begin(&self, hash: u64) -> Look<'_> {
        let home = self.home(hash);
        Look {
            index: self,
            mark: mark(hash),
            home,
            line: self.lines.get(home),
        }
    }

    /// The place of this hash that is its `own`.
    pub(super) fn find(&self, hash: u64, own: impl Fn(Place) -> bool) -> Option<Place> {
        let (_, place) = self.begin(hash).seat(own)?;
        Some(place)
    }

    /// Adds a place, which must not be there; and makes the table larger if it is due, for
    /// which it asks for the hashes of a few others.
    pub(super) fn insert(&mut self, hash: u64, place: Place, hash_of: impl Fn(Place) -> u64) {
        self.sit(hash, place);
        self.len += 1;
        if self.len > SHARE * self.lines.len {
            self.split(hash_of);
        }
    }

    pub(super) fn remove(&mut self, hash: u64, place: Place) {
        if let Some(((at, seat), _)) = self.begin(hash).seat(|held| held == place) {
            self.line_mut(at).leave(seat);
            self.len -= 1;
            if matches!(at, At::Spill(_)) {
                self.drop_empty(At::Home(self.home(hash)));
            }
        }
    }

    /// A value that lay at `before` lies at `now`.
    pub(super) fn replace(&mut self, hash: u64, before: Place, now: Place) {
        if let Some(((at, seat), _)) = self.begin(hash).seat(|held| held == before) {
            self.line_mut(at).put(seat, now);
        }
    }

    /// Where what has this hash belongs. One line after the other is split, until there are
    /// twice as many: what belongs to one that is not there yet is in the line to be split.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        let (all, low) = (self.lines.len, (hash & 0xffff_ffff) as usize);
        let most = all.next_power_of_two();
        let wide = low & (most - 1);
        if wide < all { wide } else { wide - most / 2 }
    }

    /// Gives it the first free seat.
    fn sit(&mut self, hash: u64, place: Place) {
        let mut at = At::Home(self.home(hash));
        let seat = loop {
            let line = self.line(at);
            if let Some(seat) = line.seats_of(0).next() {
                break seat;
            }
            at = At::after(line).unwrap_or_else(|| self.lengthen(at));
        };
        self.line_mut(at).sit(seat, place, mark(hash));
    }

    /// Puts an empty line behind the one at `last`.
    fn lengthen(&mut self, last: At) -> At {
        let next = if self.spare == 0 {
            self.spill.push();
            // A shard has fewer values than a word can count.
            u32::try_from(self.spill.len).unwrap_or(u32::MAX)
        } else {
            self.spare
        };
        let added = At::spilled(next);
        self.spare = self.line(added).next();
        self.line_mut(added).set_next(0);
        self.line_mut(last).set_next(next);
        added
    }

    /// Takes what is in the line of `spill` with this number, and leaves it to be used again.
    fn vacate(&mut self, number: u32) -> [u8; line::BYTES] {
        let spare = std::mem::replace(&mut self.spare, number);
        let mut line = self.line_mut(At::spilled(number));
        let was = line.clear();
        line.set_next(spare);
        was
    }

    /// Takes empty lines out that follow the one at `at`.
    fn drop_empty(&mut self, mut at: At) {
        while let Some(after) = At::after(self.line(at)) {
            if self.line(after).is_empty() {
                let dropped = self.vacate(self.line(at).next());
                self.line_mut(at).set_next(Line(&dropped).next());
            } else {
                at = after;
            }
        }
    }

    /// Adds a line, and seats again what is in the one that had stood for it too.
    #[inline(never)]
    fn split(&mut self, hash_of: impl Fn(Place) -> u64) {
        let new = self.lines.len;
        self.lines.push();
        let mut old = self.lines.get_mut(new - (1 << new.ilog2())).clear();
        loop {
            let line = Line(&old);
            for place in line.taken() {
                self.sit(hash_of(place), place);
            }
            if line.next() == 0 {
                break;
            }
            old = self.vacate(line.next());
        }
    }

    #[inline]
    fn line(&self, at: At) -> Line<'_> {
        match at {
            At::Home(n) => self.lines.get(n),
            At::Spill(n) => self.spill.get(n),
        }
    }

    fn line_mut(&mut self, at: At) -> LineMut<'_> {
        match at {
            At::Home(n) => self.lines.get_mut(n),
            At::Spill(n) => self.spill.get_mut(n),
        }
    }
}

impl Look<'_> {
    /// The first place of a hash that looks alike.
    #[inline]
    pub(super) fn first(self) -> Option<Place> {
        let (_, place) = self.seat(|_| true)?;
        Some(place)
    }

    /// The first seat of such a hash whose place is its `own`, and that place.
    #[inline]
    fn seat(self, own: impl Fn(Place) -> bool) -> Option<(Seat, Place)> {
        let (mut at, mut line) = (At::Home(self.home), self.line);
        loop {
            let mut seats = line.seats_of(self.mark);
            if let Some(seat) = seats.find(|seat| own(line.place(*seat))) {
                return Some(((at, seat), line.place(seat)));
            }
            at = At::after(line)?;
            line = self.index.line(at);
        }
    }
}

impl Lines {
    /// Adds an empty line.
    fn push(&mut self) {
        if self.len == CHUNK * self.chunks.len() {
            self.chunks.push(Chunk::new(CHUNK * line::BYTES));
        }
        self.len += 1;
        // A chunk may have been another's before.
        self.get_mut(self.len - 1).clear();
    }

    #[inline]
    fn get(&self, n: usize) -> Line<'_> {
        Line(&self.chunks[n / CHUNK].as_chunks().0[n % CHUNK])
    }

    fn get_mut(&mut self, n: usize) -> LineMut<'_> {
        LineMut(&mut self.chunks[n / CHUNK].as_chunks_mut().0[n % CHUNK])
    }
}

impl At {
    /// Where those are that found no seat in this line.
    #[inline]
    fn after(line: Line<'_>) -> Option<Self> {
        let next = line.next();
        (next != 0).then(|| Self::spilled(next))
    }

    const fn spilled(next: u32) -> Self {
        Self::Spill(next as usize - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// As keys are spread in a shard.
    fn hash_of(place: Place) -> u64 {
        let n = u64::from(place.0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        n ^ n >> 32
    }

    fn find(index: &Index, place: Place) -> Option<Place> {
        index.find(hash_of(place), |held| held == place)
    }

    fn spare(index: &Index) -> usize {
        let first = (index.spare != 0).then(|| At::spilled(index.spare));
        std::iter::successors(first, |at| At::after(index.line(*at))).count()
    }

    /// A hundred thousand changes: grows to ten thousand, and is emptied again.
    #[test]
    fn what_is_in_the_index_is_what_a_set_of_the_library_has() {
        let (mut index, mut all) = (Index::default(), HashSet::new());
        let mut random = 1_u32;
        for n in 0..100_000_u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = Place(random >> 8 & 0x7fff);
            let grows = n < 50_000 || n % 4 == 0;
            match (all.contains(&place), grows) {
                (false, true) => {
                    index.insert(hash_of(place), place, hash_of);
                    all.insert(place);
                }
                (true, false) => {
                    index.remove(hash_of(place), place);
                    all.remove(&place);
                }
                (there, _) => assert_eq!(find(&index, place).is_some(), there),
            }
            assert_eq!(index.len(), all.len());
        }
        assert!(all.len() > 1_000);
        for word in 0..=0x7fff {
            let found = find(&index, Place(word)).is_some();
            assert_eq!(found, all.contains(&Place(word)), "{word}");
        }
        for place in all {
            index.remove(hash_of(place), place);
        }
        assert_eq!(index.len(), 0);
        assert_eq!(spare(&index), index.spill.len, "no line is lost");
        let mut lines = (0..index.lines.len).map(|n| index.lines.get(n));
        assert!(lines.all(|line| line.is_empty() && line.next() == 0));
    }

    #[test]
    fn it_grows_by_a_line_for_eight_values_and_few_spill() {
        let mut index = Index::default();
        for n in 1..=20_000 {
            let before = index.lines.len;
            let place = Place(n);
            index.insert(hash_of(place), place, hash_of);
            let lines = index.lines.len;
            assert!(lines - before <= 1 && lines == (n as usize).div_ceil(SHARE));
            let spilled = index.spill.len - spare(&index);
            assert!(n < 1_000 || spilled * 5 < lines, "{n}: {spilled}");
        }
    }

    #[test]
    fn an_index_in_the_memory_of_another_has_nothing_of_it() {
        for n in 0..10 {
            let (before, own) = (Place(n), Place(n + 1));
            let of = |place: Place| (1..1_000).map(move |k| Place(place.0 << 16 | k));
            let mut index = Index::default();
            of(own).for_each(|place| index.insert(hash_of(place), place, hash_of));
            assert!(of(own).all(|place| find(&index, place).is_some()));
            assert!(of(before).all(|place| find(&index, place).is_none()));
        }
    }

    /// All of one hash: then it is a list, and still right.
    #[test]
    fn places_whose_hashes_are_alike_are_told_apart() {
        let mut index = Index::default();
        let all = |range: std::ops::Range<u32>| range.map(Place);
        all(0..200).for_each(|place| index.insert(7, place, |_| 7));
        index.replace(7, Place(50), Place(1_000));
        all(100..200).for_each(|place| index.remove(7, place));
        for n in 0..=1_000 {
            let held = index.find(7, |held| held == Place(n));
            assert_eq!(held.is_some(), (n < 100 && n != 50) || n == 1_000, "{n}");
        }
        assert_eq!(index.len(), 100);
    }
}
