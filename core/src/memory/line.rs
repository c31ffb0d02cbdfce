//! One line of the index: places, and a mark of each.

use super::place::Place;

/// Places of one line.
pub(super) const SEATS: usize = 12;
/// A line's bytes: as many as a line of a processor's cache has, and where one begins.
pub(super) const BYTES: usize = 64;

/// Where its parts are: the places, a mark of each, and a number.
const PLACE: usize = size_of::<u32>();
const MARKS: usize = SEATS * PLACE;
const NEXT: usize = MARKS + SEATS;

/// A line, as it stands in its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'b>(pub(super) &'b [u8; BYTES]);

/// A line to be changed.
#[derive(Debug)]
pub(super) struct LineMut<'b>(pub(super) &'b mut [u8; BYTES]);

impl Line<'_> {
    /// The seats with this mark, by all marks at once: adding sets the top bit of each byte
    /// whose other bits are not all zero, and carries into no other byte.
    #[inline]
    pub(super) fn seats_of(self, mark: u8) -> impl Iterator<Item = usize> + use<> {
        const ONES: u128 = u128::from_le_bytes([1; 16]);
        const TOPS: u128 = (ONES & ((1 << (8 * SEATS)) - 1)) << 7;
        const OTHERS: u128 = ONES * 0x7f;
        // The number behind the marks is no mark: `TOPS` leaves it out.
        let all = *self.0.last_chunk().unwrap_or(&[0; 16]);
        let differ = u128::from_le_bytes(all) ^ (ONES * u128::from(mark));
        let mut same = !(((differ & OTHERS) + OTHERS) | differ) & TOPS;
        std::iter::from_fn(move || {
            let seat = same.trailing_zeros() / 8;
            same &= same.wrapping_sub(1);
            ((seat as usize) < SEATS).then_some(seat as usize)
        })
    }

    #[inline]
    pub(super) fn place(self, seat: usize) -> Place {
        let word = self.0[..MARKS].as_chunks().0[seat];
        Place(u32::from_le_bytes(word))
    }

    pub(super) fn taken(self) -> impl Iterator<Item = Place> {
        (0..SEATS)
            .filter(move |seat| self.0[MARKS + seat] != 0)
            .map(move |seat| self.place(seat))
    }

    pub(super) fn is_empty(self) -> bool {
        self.taken().next().is_none()
    }

    /// The line where those are that found no seat, counted from one.
    #[inline]
    pub(super) fn next(self) -> u32 {
        u32::from_le_bytes(*self.0.last_chunk().unwrap_or(&[0; 4]))
    }
}

impl LineMut<'_> {
    pub(super) fn sit(&mut self, seat: usize, place: Place, mark: u8) {
        self.put(seat, place);
        self.0[MARKS + seat] = mark;
    }

    pub(super) fn put(&mut self, seat: usize, place: Place) {
        self.0[..MARKS].as_chunks_mut().0[seat] = place.0.to_le_bytes();
    }

    pub(super) fn leave(&mut self, seat: usize) {
        self.0[MARKS + seat] = 0;
    }

    /// Leaves it empty, and gives what was in it.
    pub(super) fn clear(&mut self) -> [u8; BYTES] {
        std::mem::replace(self.0, [0; BYTES])
    }

    pub(super) fn set_next(&mut self, next: u32) {
        self.0[NEXT..].copy_from_slice(&next.to_le_bytes());
    }
}

/// The mark of a hash, of bits that tell neither shard nor line; where nothing is, zero.
#[inline]
pub(super) fn mark(hash: u64) -> u8 {
    let [mark, ..] = hash.to_be_bytes();
    mark.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_a_line_is_read_from_it_and_nothing_else_is_moved() {
        assert_eq!(NEXT + size_of::<u32>(), BYTES);
        let mut bytes = [0; BYTES];
        let places = || (7..).map(Place).take(SEATS);
        for (seat, place) in places().enumerate() {
            let mut line = LineMut(&mut bytes);
            line.sit(seat, place, 1);
            line.set_next(u32::MAX - place.0);
        }
        let line = Line(&bytes);
        assert!(line.taken().eq(places()));
        assert_eq!(line.next(), u32::MAX - 18);
        LineMut(&mut bytes).put(3, Place(u32::MAX));
        (0..SEATS).for_each(|seat| LineMut(&mut bytes).leave(seat));
        let line = Line(&bytes);
        assert_eq!((line.place(3), line.place(4)), (Place(u32::MAX), Place(11)));
        assert_eq!(line.next(), u32::MAX - 18);
        assert!(line.is_empty());
    }

    #[test]
    fn the_seats_of_a_mark_are_found_whatever_stands_beside_them() {
        for mark in [1u8, 2, 127, 128, 255] {
            for beside in [0, mark ^ 1, mark.wrapping_add(1), !mark] {
                for seats in 0..1 << SEATS {
                    let has = |seat: &usize| seats >> seat & 1 == 1;
                    let mut line = [!0; BYTES];
                    let own = (0..SEATS).filter(has).collect::<Vec<_>>();
                    line[MARKS..NEXT].fill(beside);
                    for seat in &own {
                        line[MARKS + seat] = mark;
                    }
                    let found = Line(&line).seats_of(mark).collect::<Vec<_>>();
                    assert_eq!(found, own);
                }
            }
        }
    }
}
