//! Vectors of length one: what texts are compared by. The dot product of two is the cosine of the
//! angle between them.

use crate::simd::{F32x4, LANES, add_assign, scale};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// How much longer than one a vector may be by rounding.
const MOST_LENGTH: f32 = 1.001;

/// Divides every row of `rows`, `[count, cols]`, by its length. A row of zeros stays what it is.
pub fn normalize(rows: &mut [f32], cols: usize) {
    for row in rows.chunks_exact_mut(cols) {
        let length = dot(row, row).sqrt();
        scale(row, 1.0 / length.max(1e-12));
    }
}

/// Adds `others` to `rows`, both `[count, cols]`, and normalizes the sums.
pub fn add_and_normalize(rows: &mut [f32], others: &[f32], cols: usize) {
    add_assign(rows, others);
    normalize(rows, cols);
}

/// The first row of `rows`, `[count, cols]`, that [`normalize`] cannot have left: one that is
/// longer than one, or holds what is no number.
pub fn first_longer(rows: &[f32], cols: usize) -> Option<usize> {
    let is_unit = |row: &[f32]| dot(row, row).sqrt() <= MOST_LENGTH; // NaN is not
    rows.chunks_exact(cols).position(|row| !is_unit(row))
}

/// A row that was looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbor {
    /// Its dot product with the vector that is looked for.
    pub score: f32,
    /// How many rows were looked at before it.
    pub place: u32,
}

/// The better one is greater; of equals it is the earlier one.
impl Ord for Neighbor {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Neighbor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Neighbor {}

/// Of all rows that it looks at, the few whose dot products with a vector are largest.
pub struct Nearest {
    vector: Vec<f32>,
    count: usize,
    looked_at: u32,
    worst_on_top: BinaryHeap<Reverse<Neighbor>>,
}

impl Nearest {
    /// Will keep the best `count` rows.
    pub fn new(vector: Vec<f32>, count: usize) -> Self {
        Self { vector, count, looked_at: 0, worst_on_top: BinaryHeap::new() }
    }

    /// Looks at `rows`, `[any, cols]`, besides those that it has seen.
    pub fn look(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(self.vector.len()) {
            let neighbor = Neighbor { score: dot(row, &self.vector), place: self.looked_at };
            self.looked_at += 1;
            if self.worst_on_top.len() < self.count {
                self.worst_on_top.push(Reverse(neighbor));
            } else if let Some(mut worst) = self.worst_on_top.peek_mut()
                && neighbor > worst.0
            {
                worst.0 = neighbor;
            }
        }
    }

    /// Best first.
    pub fn best(&self) -> Vec<Neighbor> {
        let mut best: Vec<_> =
            self.worst_on_top.iter().map(|&Reverse(neighbor)| neighbor).collect();
        best.sort_by(|a, b| b.cmp(a));
        best
    }

    /// Elements of the vector, and so of the rows.
    pub fn cols(&self) -> usize {
        self.vector.len()
    }
}

/// Four sums side by side: one would wait for itself.
fn dot(x: &[f32], y: &[f32]) -> f32 {
    const SUMS: usize = 4;
    let (x_blocks, x_rest) = x.as_chunks::<{ SUMS * LANES }>();
    let (y_blocks, y_rest) = y.as_chunks::<{ SUMS * LANES }>();
    let mut sums = [F32x4::splat(0.0); SUMS];
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        let ((x, _), (y, _)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = F32x4::load(&x[i]).mul_add(F32x4::load(&y[i]), *sum);
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum() + rest
}
