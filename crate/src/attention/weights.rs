//! What one query pays to each key: the weights that elsewhere exist for a block of scores only.
//!
//! ```text
//! weight[j] = exp(score[j]) / Σ exp(score)      j visible from the query, 0 elsewhere
//! ```
//!
//! For people to look at: a row for every head, `seq_len` floats, while keys go by in blocks. Of
//! the keys only those that the query sees are projected.

use super::{AttentionWeights, Head, Heads, KEYS, Projections, Tokens};
use crate::band::Pattern;
use crate::batch::Sequence;
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, multiply, pack_column};
use crate::memory::try_len;
use crate::simd::scale;
use crate::softmax::{exp2_and_sum, largest};
use crate::work::{Stop, Units, Work};

/// Makes `weights` those with which the query at position `query` of `sequence` sees each of its
/// keys, `[num_heads, seq_len]`. Every row has the sum 1, but for a masked query, which sees nothing.
///
/// As in [`attention`](super::attention()), `local` serves every query but the global ones, which
/// `global` serves.
///
/// # Panics
///
/// If the query lies outside of the sequence, or the shapes do not fit.
pub fn attention_weights(
    work: &mut Work,
    heads: Heads,
    pattern: &Pattern,
    sequence: &Sequence,
    query: usize,
    [local, global]: [Projections; 2],
    weights: &mut AttentionWeights,
) -> Result<(), Stop> {
    let len = sequence.len();
    assert!(query < len, "the query must lie inside its sequence");
    assert_eq!(pattern.bands.len(), heads.num_heads, "one band per head");
    weights.begin(work, try_len(heads.num_heads, len)?)?;
    if sequence.masked.binary_search(&query).is_ok() {
        return Ok(());
    }
    let is_global = sequence.global_tokens.binary_search(&query).is_ok();
    let projections = if is_global { global } else { local };
    work.for_each_part(&mut weights.values, len, |head, row, units| {
        let head = Head { heads, head, pattern, sequence };
        let one = Query { head, position: query, projections };
        if units.due()? {
            row.fill(f32::NEG_INFINITY);
        }
        if is_global {
            one.score([0, 1, len], row, units)?;
        } else {
            one.score_band(row, units)?;
            // A global key inside of the band gets the same score again, and counts once.
            for &key in &sequence.global_tokens {
                one.score([key, 1, 1], row, units)?;
            }
        }
        for (key, score) in row.iter_mut().enumerate() {
            if !pattern.allows(query, key) {
                *score = f32::NEG_INFINITY;
            }
        }
        sequence.masked.iter().for_each(|&key| row[key] = f32::NEG_INFINITY);
        let max = largest(row);
        let sum = exp2_and_sum(row, max);
        scale(row, 1.0 / sum);
        Ok(())
    })
}

/// One head of the query.
struct Query<'a> {
    head: Head<'a>,
    position: usize,
    projections: Projections<'a>,
}

impl Query<'_> {
    /// Writes the scores of the keys in the band to `row`, `[seq_len]`.
    fn score_band(&self, row: &mut [f32], units: &mut Units) -> Result<(), Stop> {
        let band = self.head.pattern.bands[self.head.head];
        let strands = band.strands(self.head.sequence.len());
        let (strand, place) = strands.locate(self.position);
        let visible = strands.strand(strand).visible(place);
        let step = strands.count();
        self.score([strand + visible.start * step, step, visible.len()], row, units)
    }

    /// Writes the scores of the `count` keys `first, first + step, ...` to `row`, `[seq_len]`.
    fn score(
        &self,
        [first, step, count]: [usize; 3],
        row: &mut [f32],
        units: &mut Units,
    ) -> Result<(), Stop> {
        let head_dim = self.head.heads.head_dim;
        let Projections { query, key, .. } = self.projections;

        let mut vector = vec![0.0; head_dim];
        let token = Tokens { first: self.position, step: 1, count: 1 };
        self.head.write_queries(query, token, &mut vector);
        let mut panel = vec![0.0; head_dim * PANEL]; // the query in its first column
        pack_column(&mut panel, head_dim, 0, &vector);

        let most = count.min(KEYS);
        let mut keys = vec![0.0; most * head_dim];
        let mut scores = vec![0.0; most * PANEL];
        for done in (0..count).step_by(KEYS) {
            if !units.due()? {
                continue;
            }
            let count = (count - done).min(KEYS);
            let position = first + done * step;
            self.head.write_rows(key, Tokens { first: position, step, count }, &mut keys);
            multiply(
                Shape { rows: count, depth: head_dim, cols: PANEL },
                Rows { data: &keys, stride: head_dim },
                Panels { data: &panel, stride: head_dim * PANEL },
                Start::Zero,
                Output { data: &mut scores, row_stride: PANEL, panel_stride: PANEL },
            );
            for (i, scores) in scores.chunks_exact(PANEL).take(count).enumerate() {
                row[position + i * step] = scores[0];
            }
        }
        Ok(())
    }
}
