//! The softmax that attention makes of scores, in powers of two: of a row, or of 8 columns at once.
//!
//! Scores come multiplied by `log2 e` (`Heads::score_scale`): `exp(x) = 2^(x log2 e)`, and a factor
//! that goes into the queries costs nothing here. `2^x = 2^n * 2^r` with `n = round(x)` and
//! `r = x - n` in `-0.5..0.5`, where a polynomial of degree 5 is exact to 2e-7 (the coefficients of
//! XNNPACK's `raddstoreexpminusmax rr2-p5`, whose argument is `r ln 2`). Adding `1.5 * 2^23 + 127`
//! to `x` leaves `n + 127` in the low bits, which shifted left by 23 are the float `2^n`; at -127
//! that float is exactly 0.

use crate::gemm::PANEL;
use crate::simd::{F32x4, LANES, load_pair, store_pair};
use std::array::from_fn;
use std::hint::black_box;

/// Weights of a column that are summed by themselves.
const PART: usize = 64;

/// Constants of the power of two, in registers.
///
/// They come through `black_box`: otherwise V8 builds each of them again in every round of a loop,
/// which doubles its time.
#[derive(Clone, Copy)]
struct Exp2 {
    magic: F32x4,
    c: [F32x4; 5],
    lowest: F32x4,
}

impl Exp2 {
    #[inline(always)]
    #[allow(clippy::excessive_precision, reason = "the coefficients as they are published")]
    fn new() -> Self {
        const LN_2: f32 = std::f32::consts::LN_2;
        let constants = black_box([
            12_583_039.0, // 1.5 * 2^23 + 127
            0.999_999_7 * LN_2,
            0.499_991_5 * LN_2 * LN_2,
            0.166_676_52 * LN_2 * LN_2 * LN_2,
            0.041_897_822 * LN_2 * LN_2 * LN_2 * LN_2,
            0.008_289_29 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2,
            -127.0, // the power is 0 from here on
        ]);
        let [magic, c1, c2, c3, c4, c5, lowest] = constants.map(F32x4::splat);
        Self { magic, c: [c1, c2, c3, c4, c5], lowest }
    }

    /// `2^x` for `x <= 0`; exactly 0 for `x` below -126.5, `-inf` included.
    #[inline(always)]
    fn of(&self, x: F32x4) -> F32x4 {
        self.by_magic(x.max(self.lowest), self.magic)
    }

    /// `2^(x - m)` by `magic - m`, for `x - m` from -127 to 127 and a whole `m`.
    #[inline(always)]
    fn by_magic(&self, x: F32x4, magic: F32x4) -> F32x4 {
        let shifted = x + magic;
        let power = shifted.shl_bits(23);
        let r = x - (shifted - magic);
        let [c1, c2, c3, c4, c5] = self.c;
        let p = c5.mul_add(r, c4).mul_add(r, c3).mul_add(r, c2).mul_add(r, c1);
        (r * power).mul_add(p, power)
    }

    /// As [`exp2_and_sum`].
    #[inline(always)]
    fn and_sum(&self, row: &mut [f32], max: f32) -> f32 {
        let max = F32x4::splat(max);
        let (pairs, rest) = row.as_chunks_mut::<{ 2 * LANES }>();
        let mut sums = [F32x4::splat(0.0); 2];
        for pair in pairs {
            let (halves, _) = pair.as_chunks_mut::<LANES>();
            for (half, sum) in halves.iter_mut().zip(&mut sums) {
                let weight = self.of(F32x4::load(half) - max);
                weight.store(half);
                *sum = *sum + weight;
            }
        }
        let mut total = (sums[0] + sums[1]).sum();
        for x in rest {
            *x = self.of(F32x4::splat(*x) - max).first();
            total += *x;
        }
        total
    }

    /// Replaces every score by `2^(score - reference)`, exactly 0 for what lies 127 below or is
    /// `-inf`, and returns the sums of the columns. Row `first` is the first of them.
    ///
    /// References are whole and even: they go into exponents alone, so that weights have the same
    /// digits whatever they are. `CLAMPS` is for scores that may lie below -127.
    #[inline(always)]
    fn columns_and_sum<const CLAMPS: bool>(
        &self,
        rows: &mut [[f32; PANEL]],
        first: usize,
        reference: [F32x4; 2],
    ) -> [F32x4; 2] {
        let magic = reference.map(|reference| self.magic - reference);
        let lowest = reference.map(|reference| reference + self.lowest);
        // Parts of a long sum are summed by themselves: what is small does not drown in it.
        let mut sums = [F32x4::splat(0.0); 2];
        let (head, rest) = rows.split_at_mut(rows.len().min(PART - first % PART));
        for part in std::iter::once(head).chain(rest.chunks_mut(PART)) {
            let mut part_sums = [F32x4::splat(0.0); 2];
            for row in part {
                let scores = load_pair(row);
                let weights = from_fn(|half| {
                    let score = scores[half];
                    let score = if CLAMPS { score.max(lowest[half]) } else { score };
                    self.by_magic(score, magic[half])
                });
                store_pair(weights, row);
                part_sums = from_fn(|half| part_sums[half] + weights[half]);
            }
            sums = from_fn(|half| sums[half] + part_sums[half]);
        }
        sums
    }
}

/// The largest element, or `-inf` of none.
pub fn largest(row: &[f32]) -> f32 {
    // Four at once: one maximum takes four cycles until the next can use it.
    let (groups, rest) = row.as_chunks::<{ 4 * LANES }>();
    let mut maxima = [F32x4::splat(f32::NEG_INFINITY); 4];
    for group in groups {
        let (vectors, _) = group.as_chunks::<LANES>();
        for (max, vector) in maxima.iter_mut().zip(vectors) {
            *max = max.max(F32x4::load(vector));
        }
    }
    let (vectors, tail) = rest.as_chunks::<LANES>();
    let [a, b, c, d] = maxima;
    let max = vectors.iter().fold(a.max(b).max(c.max(d)), |max, x| max.max(F32x4::load(x)));
    tail.iter().fold(max.largest(), |max, &x| if x > max { x } else { max })
}

/// The largest element of each column, or `-inf` of none.
#[inline(always)]
fn largest_of_columns(rows: &[[f32; PANEL]]) -> [F32x4; 2] {
    let (pairs, rest) = rows.as_chunks::<2>();
    let mut maxima = [[F32x4::splat(f32::NEG_INFINITY); 2]; 2]; // four at once, as in `largest`
    for pair in pairs {
        for (maxima, row) in maxima.iter_mut().zip(pair) {
            let row = load_pair(row);
            *maxima = from_fn(|half| maxima[half].max(row[half]));
        }
    }
    for row in rest {
        let row = load_pair(row);
        maxima[0] = from_fn(|half| maxima[0][half].max(row[half]));
    }
    from_fn(|half| maxima[0][half].max(maxima[1][half]))
}

/// Replaces every score by `2^(score - max)` and returns the sum of the results.
///
/// `max` must be at least the largest score: nothing can overflow then.
pub fn exp2_and_sum(row: &mut [f32], max: f32) -> f32 {
    Exp2::new().and_sum(row, max)
}

/// Turns scores that lie in two places into weights, each by the largest of both, and returns the
/// sum of all. A NaN among the scores, or nothing but infinities, gives NaN.
///
/// Out of line: inside of its caller the constants would be spilled.
#[inline(never)]
pub fn exp2_and_sum_of_two(first: &mut [f32], second: &mut [f32]) -> f32 {
    let max = largest(first).max(largest(second));
    let exp2 = Exp2::new();
    exp2.and_sum(first, max) + exp2.and_sum(second, max)
}

/// How far from 0 bounded scores may be: so near that values up to 1e24 keep within floats when they
/// are weighted by powers of two as they are.
pub const BOUND: f32 = 30.0;

/// What is known of scores before softmax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scores {
    /// None is farther from 0 than [`BOUND`]. So nobody needs to look for the largest.
    Bounded,
    /// Nothing.
    Any,
}

impl Scores {
    /// What is written in the place of a score that is hidden: its weight is 0.
    pub fn hidden(self) -> f32 {
        match self {
            Scores::Bounded => -127.0,
            Scores::Any => f32::NEG_INFINITY,
        }
    }
}

/// Turns the scores of 8 queries, which lie as columns in two places, into weights, and returns the
/// sum of each column. A NaN among the scores of a column, or nothing but infinities, gives NaN.
///
/// The weights have the same digits whatever is known of the scores. `first` is the number of the
/// first of the second scores: sums of a column are the same bits wherever it begins, as long as what
/// stands before is hidden.
///
/// Out of line, as [`exp2_and_sum_of_two`] is.
#[inline(never)]
pub fn exp2_and_sum_of_columns(
    before: &mut [f32],
    scores: &mut [f32],
    first: usize,
    known: Scores,
) -> [f32; PANEL] {
    let [before, scores] = [before, scores].map(|scores| scores.as_chunks_mut::<PANEL>().0);
    let exp2 = Exp2::new();
    let sums = match known {
        Scores::Bounded => {
            let none = [F32x4::splat(0.0); 2];
            [
                exp2.columns_and_sum::<false>(before, 0, none),
                exp2.columns_and_sum::<false>(scores, first, none),
            ]
        }
        Scores::Any => {
            let reference = reference_of(before, scores);
            [
                exp2.columns_and_sum::<true>(before, 0, reference),
                exp2.columns_and_sum::<true>(scores, first, reference),
            ]
        }
    };
    let mut totals = [0.0; PANEL];
    store_pair(from_fn(|half| sums[0][half] + sums[1][half]), &mut totals);
    totals
}

/// The even number next above the largest score of each column, or above the next. Where that is too
/// large for scores to keep their digits beside it, they are made relative to the largest first.
#[inline(always)]
fn reference_of(before: &mut [[f32; PANEL]], scores: &mut [[f32; PANEL]]) -> [F32x4; 2] {
    const LARGE: f32 = (1 << 20) as f32;
    /// Added to a number below `LARGE` and taken away again, it leaves the nearest even one.
    const EVEN: f32 = (3 << 23) as f32;
    let max = [largest_of_columns(before), largest_of_columns(scores)];
    let mut max = from_fn(|half| max[0][half].max(max[1][half]));
    let mut larger = [0.0; PANEL];
    store_pair(max, &mut larger);
    let larger = larger.map(|max| if (-LARGE..LARGE).contains(&max) { 0.0 } else { max });
    if larger != [0.0; PANEL] {
        let larger = load_pair(&larger);
        for row in before.iter_mut().chain(scores) {
            let scores = load_pair(row);
            store_pair(from_fn(|half| scores[half] - larger[half]), row);
        }
        max = from_fn(|half| max[half] - larger[half]);
    }
    let [one, even] = [1.0, EVEN].map(F32x4::splat);
    max.map(|max| (max + one + even) - even)
}
