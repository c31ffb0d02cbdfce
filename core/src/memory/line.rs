//! One line of the index: places, and a mark of each.

use super::place::Place;

/// Places of one line.
pub(super) const SEATS: usize = 12;

/// As long as a line of a processor's cache, and where one begins.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Line {
    pub(super) places: [Place; SEATS],
    /// Eight bits of each key's hash; where nothing is, zero.
    pub(super) marks: [u8; SEATS],
    /// The line where those are that found no seat, counted from one.
    pub(super) next: u32,
}

impl Line {
    /// The seats with this mark, by all marks at once: adding sets the top bit of each byte
    /// whose other bits are not all zero, and carries into no other byte.
    #[inline]
    pub(super) fn seats_of(&self, mark: u8) -> impl Iterator<Item = usize> + use<> {
        const ONES: u128 = u128::from_le_bytes([1; 16]);
        const TOPS: u128 = (ONES & ((1 << (8 * SEATS)) - 1)) << 7;
        const OTHERS: u128 = ONES * 0x7f;
        let mut all = [0; 16];
        all[..SEATS].copy_from_slice(&self.marks);
        let differ = u128::from_le_bytes(all) ^ (ONES * u128::from(mark));
        let mut same = !(((differ & OTHERS) + OTHERS) | differ) & TOPS;
        std::iter::from_fn(move || {
            let seat = same.trailing_zeros() / 8;
            same &= same.wrapping_sub(1);
            ((seat as usize) < SEATS).then_some(seat as usize)
        })
    }

    pub(super) fn taken(&self) -> impl Iterator<Item = Place> {
        let seats = self.places.iter().zip(self.marks);
        seats
            .filter(|(_, mark)| *mark != 0)
            .map(|(place, _)| *place)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken().next().is_none()
    }
}

/// The mark of a hash, of bits that tell neither shard nor line.
#[inline]
pub(super) fn mark(hash: u64) -> u8 {
    let [mark, ..] = hash.to_be_bytes();
    mark.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_index_is_a_line_of_the_cache() {
        assert_eq!(size_of::<Line>(), 64);
        assert_eq!(align_of::<Line>(), 64);
    }

    #[test]
    fn the_seats_of_a_mark_are_found_whatever_stands_beside_them() {
        for mark in [1u8, 2, 127, 128, 255] {
            for beside in [0, mark ^ 1, mark.wrapping_add(1), !mark] {
                for seats in 0..1 << SEATS {
                    let has = |seat: &usize| seats >> seat & 1 == 1;
                    let mut line = Line::default();
                    let own = (0..SEATS).filter(has).collect::<Vec<_>>();
                    line.marks = [beside; SEATS];
                    for seat in &own {
                        line.marks[*seat] = mark;
                    }
                    let found = line.seats_of(mark).collect::<Vec<_>>();
                    assert_eq!(found, own);
                }
            }
        }
    }
}
