//! Which keys a query looks at: the only place that turns window and dilation into positions.
//!
//! ```text
//! left = right = 2, dilation = 1      · · ■ ■ ■ ■ ■ · ·
//! left = right = 2, dilation = 2      ■ · ■ · ■ · ■ · ■
//! left = 2, right = 0 (causal)        · · ■ ■ ■ · · · ·
//!                                             ^ query
//! ```
//!
//! A window dilated by `d` never mixes positions that differ modulo `d`. So the positions
//! `c, c + d, c + 2d, ...` form a sequence of their own, a *strand*, on which the same window is
//! plain: neighbours `d` apart become neighbours 1 apart, and the ends of the sequence cut both
//! alike. Kernels work on strands and know nothing of dilation.

use std::ops::Range;

/// A dilated sliding window, the same for every query.
///
/// Query `i` sees the keys `i + m * dilation` with `-left <= m <= right` that lie inside the
/// sequence: cut off at its ends, never wrapped, never shifted (AI2's `diagonaled_mm_tvm.py:74-81`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Keys before the query.
    pub left: usize,
    /// Keys after the query; 0 is causal attention.
    pub right: usize,
    /// Distance between neighbouring keys; 1 means no gaps.
    pub dilation: usize,
}

impl Band {
    /// The band of a Longformer layer: as many keys on either side, or none after the query.
    ///
    /// # Panics
    ///
    /// If `dilation` is 0.
    pub fn new(one_sided_window: usize, dilation: usize, causal: bool) -> Self {
        assert!(dilation > 0, "dilation must be at least 1");
        Self { left: one_sided_window, right: if causal { 0 } else { one_sided_window }, dilation }
    }

    /// The strands that a sequence of `seq_len` positions falls into.
    pub fn strands(self, seq_len: usize) -> Strands {
        // From a dilation of `seq_len` on a query sees itself only, which needs no strands.
        if self.dilation >= seq_len {
            return Strands { seq_len, count: 1, left: 0, right: 0 };
        }
        Strands { seq_len, count: self.dilation, left: self.left, right: self.right }
    }
}

/// The strands of one sequence under one band: strand `c` holds the positions
/// `c, c + count, c + 2 * count, ...`, and a query sees a plain window of its strand.
#[derive(Clone, Copy, Debug)]
pub struct Strands {
    seq_len: usize,
    count: usize,
    left: usize,
    right: usize,
}

impl Strands {
    /// How many strands there are, which is also the distance of neighbours in the sequence.
    pub fn count(self) -> usize {
        self.count
    }

    /// Positions in strand `strand`.
    pub fn len(self, strand: usize) -> usize {
        (self.seq_len - strand).div_ceil(self.count)
    }

    /// How many positions stand before a place where strand stands behind strand.
    pub fn number(self, strand: usize, place: usize) -> usize {
        // The first strands have one position more where the others are not as long.
        strand * (self.seq_len / self.count) + strand.min(self.seq_len % self.count) + place
    }

    /// The position in the sequence of a place of a strand.
    pub fn position(self, strand: usize, place: usize) -> usize {
        strand + place * self.count
    }

    /// Where position `position` of the sequence lies: its strand, and its place there.
    pub fn locate(self, position: usize) -> (usize, usize) {
        (position % self.count, position / self.count)
    }

    /// The places of strand `strand` whose positions lie in `positions`.
    pub fn places(self, strand: usize, positions: Range<usize>) -> Range<usize> {
        let first_at_or_after =
            |position: usize| position.saturating_sub(strand).div_ceil(self.count);
        let end = first_at_or_after(positions.end).min(self.len(strand));
        first_at_or_after(positions.start).min(end)..end
    }

    /// The window on strand `strand`.
    pub fn strand(self, strand: usize) -> Strand {
        Strand { len: self.len(strand), left: self.left, right: self.right }
    }
}

/// One strand, on which the window is a plain one.
#[derive(Clone, Copy, Debug)]
pub struct Strand {
    len: usize,
    left: usize,
    right: usize,
}

impl Strand {
    /// Places that any of `count` queries next to each other see, at most.
    pub fn most_visible(self, count: usize) -> usize {
        self.left.saturating_add(self.right).saturating_add(count).min(self.len)
    }

    /// The places that the query at `place` sees.
    pub fn visible(self, place: usize) -> Range<usize> {
        let last = place.saturating_add(self.right).min(self.len - 1);
        place.saturating_sub(self.left)..last + 1
    }
}

/// What the heads of one layer look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The band of each head.
    pub bands: Vec<Band>,
    /// Whether a global key is seen only by queries at or after it, and a global query sees only
    /// keys at or before itself.
    pub causal: bool,
}

impl Pattern {
    /// The same one-sided window for every head, with one dilation each.
    pub fn new(one_sided_window: usize, dilations: &[usize], causal: bool) -> Self {
        let band = |&dilation: &usize| Band::new(one_sided_window, dilation, causal);
        Self { bands: dilations.iter().map(band).collect(), causal }
    }

    /// Whether a query at `query` may see a global key at `key`, or the other way round: a global
    /// query at `query` a key at `key`.
    pub fn allows(&self, query: usize, key: usize) -> bool {
        !self.causal || key <= query
    }
}
