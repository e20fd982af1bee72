//! What queries pay to each key, in the layouts in which Hugging Face gives them.
//!
//! ```text
//! attentions         [queries, G + window + 1]   the G global keys, then the band: of query i the
//!                                                key i + m * dilation in column G + window / 2 + m
//! global_attentions  [len, G]                    what each global query pays to each key
//! ```
//!
//! For people to look at: kernels never keep any weights. One head of one sequence at a time, so
//! that nothing larger than the result exists: keys are projected once per head and lie in rows,
//! the queries of a block in panels.

use super::{Head, Heads, KEYS, Projections, Source, Tokens};
use crate::band::Strands;
use crate::batch::Sequence;
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, multiply, pack_column, padded};
use crate::memory::{OutOfMemory, try_filled, try_len, try_with_capacity, try_zeros};
use crate::simd::scale;
use crate::softmax::{exp2_and_sum, exp2_and_sum_of_two};
use crate::work::{Stop, Work};

/// Places of a strand whose queries share a block of scores.
const QUERIES: usize = 24;

/// Weights for people to look at, and what they are made of on the way.
#[derive(Debug, Default)]
pub struct AttentionWeights {
    /// In the layout of what they were made by.
    pub values: Vec<f32>,
    keys: Vec<f32>,    // [len, head_dim]
    queries: Vec<f32>, // of global tokens, packed
    max: Vec<f32>,     // of each global query
    sums: Vec<f64>,    // likewise
}

impl AttentionWeights {
    /// Makes room for `len` weights of 0.
    pub(super) fn begin(&mut self, work: &mut Work, len: usize) -> Result<(), Stop> {
        let values = &mut self.values;
        work.once(|| {
            values.clear();
            Ok(())
        })?;
        work.grow(values, len)
    }
}

/// Makes `weights` those that the queries at `queries`, ascending positions, give to the global
/// keys and to their bands, `[queries, globals + 2 * left + 1]`. 0 where a band ends, and for keys
/// in it that are masked, global or, in causal attention, later; rows of 0 for global and for
/// masked queries.
///
/// # Panics
///
/// If a query lies outside of the sequence, or the shapes do not fit.
pub fn attentions(
    work: &mut Work,
    head: Head,
    queries: &[usize],
    local: Projections,
    weights: &mut AttentionWeights,
) -> Result<(), Stop> {
    let Sequence { global_tokens, masked, .. } = head.sequence;
    let Heads { head_dim, .. } = head.heads;
    assert!(queries.is_sorted_by(|a, b| a < b), "queries must be ascending");
    let band = head.pattern.bands[head.head];
    let strands = band.strands(head.sequence.len());
    let globals = global_tokens.len();
    let cols = globals + 2 * band.left + 1;
    weights.begin(work, try_len(queries.len(), cols)?)?;
    let AttentionWeights { values, keys, .. } = weights;
    project(work, head, local.key, keys)?;
    let mut global_keys = try_zeros(try_len(globals, head_dim)?)?;
    for (&token, key) in global_tokens.iter().zip(global_keys.chunks_exact_mut(head_dim)) {
        key.copy_from_slice(&keys[token * head_dim..][..head_dim]);
    }
    let mut is_hidden = try_filled(head.sequence.len(), false)?;
    global_tokens.iter().chain(masked).for_each(|&key| is_hidden[key] = true);

    let mut rows = try_with_capacity(queries.len())?;
    for (&query, weights) in queries.iter().zip(values.chunks_exact_mut(cols)) {
        // The rows of the others stay 0.
        if !is_hidden[query] {
            let (strand, place) = strands.locate(query);
            rows.push(Row { strand, place, weights });
        }
    }
    rows.sort_unstable_by_key(|row: &Row| (row.strand, row.place));
    let mut blocks: Vec<&mut [Row]> = rows
        .chunk_by_mut(|a, b| a.strand == b.strand && a.place / QUERIES == b.place / QUERIES)
        .collect();
    let one = Band { head, strands, keys, global_keys: &global_keys, is_hidden: &is_hidden };
    work.for_each_part(&mut blocks, 1, |_, block, units| {
        if units.due()? {
            one.weigh(local.query, block[0])?;
        }
        Ok(())
    })
}

/// Makes `weights` those that each global query gives to each key, `[len, globals]`; 0 for masked
/// keys and, in causal attention, later ones.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn global_attentions(
    work: &mut Work,
    head: Head,
    global: Projections,
    weights: &mut AttentionWeights,
) -> Result<(), Stop> {
    let Sequence { global_tokens, masked, .. } = head.sequence;
    let Heads { head_dim, .. } = head.heads;
    let globals = global_tokens.len();
    weights.begin(work, try_len(head.sequence.len(), globals)?)?;
    if globals == 0 {
        return Ok(());
    }
    let AttentionWeights { values, keys, queries, max, sums } = weights;
    project(work, head, global.key, keys)?;
    let len = try_len(padded(globals), head_dim)?;
    work.once(|| {
        *queries = try_zeros(len)?;
        Ok(())
    })?;
    work.for_each_part(queries, len, |_, queries, units| {
        head.pack_globals(global.query, queries, &mut Vec::new(), units)?;
        if units.due()? {
            scale(queries, head.heads.score_scale());
        }
        Ok(())
    })?;

    work.for_each_chunk(values, KEYS * globals, |block, scores| {
        let first = block * KEYS;
        let count = scores.len() / globals;
        multiply(
            Shape { rows: count, depth: head_dim, cols: globals },
            Rows { data: &keys[first * head_dim..], stride: head_dim },
            Panels { data: queries, stride: head_dim * PANEL },
            Start::Zero,
            Output { data: scores, row_stride: globals, panel_stride: PANEL },
        );
        for (key, row) in (first..).zip(scores.chunks_exact_mut(globals)) {
            let is_masked = masked.binary_search(&key).is_ok();
            for (score, &query) in row.iter_mut().zip(global_tokens) {
                if is_masked || !head.pattern.allows(query, key) {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
    })?;

    // A softmax down each column.
    work.once(|| {
        *max = try_filled(globals, f32::NEG_INFINITY)?;
        for row in values.chunks_exact(globals) {
            max.iter_mut().zip(row).for_each(|(max, score)| *max = max.max(*score));
        }
        Ok(())
    })?;
    work.for_each_chunk(values, KEYS * globals, |_, scores| {
        for row in scores.chunks_exact_mut(globals) {
            row.iter_mut().zip(&*max).for_each(|(score, max)| *score -= max);
            exp2_and_sum(row, 0.0);
        }
    })?;
    work.once(|| {
        *sums = try_filled(globals, 0.0)?;
        for row in values.chunks_exact(globals) {
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += f64::from(*weight));
        }
        Ok(())
    })?;
    work.for_each_chunk(values, KEYS * globals, |_, rows| {
        for row in rows.chunks_exact_mut(globals) {
            row.iter_mut().zip(&*sums).for_each(|(weight, sum)| *weight /= *sum as f32);
        }
    })?;
    Ok(())
}

/// Writes the head's vectors of all tokens to `vectors`, `[len, head_dim]`.
fn project(
    work: &mut Work,
    head: Head,
    source: Source,
    vectors: &mut Vec<f32>,
) -> Result<(), Stop> {
    let Heads { head_dim, .. } = head.heads;
    let len = try_len(head.sequence.len(), head_dim)?;
    work.grow(vectors, len)?;
    work.for_each_chunk(&mut vectors[..len], KEYS * head_dim, |block, rows| {
        let count = rows.len() / head_dim;
        head.write_rows(source, Tokens { first: block * KEYS, step: 1, count }, rows);
    })?;
    Ok(())
}

/// The row of one query.
struct Row<'a> {
    strand: usize,
    place: usize,
    weights: &'a mut [f32],
}

/// What the bands of a head run over.
struct Band<'a> {
    head: Head<'a>,
    strands: Strands,
    keys: &'a [f32],        // [len, head_dim]
    global_keys: &'a [f32], // [globals, head_dim]
    is_hidden: &'a [bool],  // [len]: global or masked, thus in no band
}

impl Band<'_> {
    /// Fills rows of one strand whose places lie less than [`QUERIES`] apart.
    fn weigh(&self, query: Source, block: &mut [Row]) -> Result<(), OutOfMemory> {
        let Heads { head_dim, .. } = self.head.heads;
        let (strand, step) = (block[0].strand, self.strands.count());
        let (first, last) = (block[0].place, block[block.len() - 1].place);
        let position = |place: usize| strand + place * step;

        let tokens = Tokens { first: position(first), step, count: last - first + 1 };
        let mut vectors = vec![0.0; tokens.count * head_dim];
        self.head.write_queries(query, tokens, &mut vectors);
        let cols = padded(block.len());
        let mut queries = vec![0.0; cols * head_dim];
        for (i, row) in block.iter().enumerate() {
            let vector = &vectors[(row.place - first) * head_dim..][..head_dim];
            pack_column(&mut queries, head_dim, i, vector);
        }

        // A row of scores for each key: the global ones, then all that any of the queries sees.
        let globals = &self.head.sequence.global_tokens;
        let first_key = self.strands.strand(strand).visible(first).start;
        let count = self.strands.strand(strand).visible(last).end - first_key;
        let mut scores = try_zeros(try_len(globals.len() + count, cols)?)?;
        let (global_scores, band_scores) = scores.split_at_mut(globals.len() * cols);
        let score = |rows, keys, scores| {
            let queries = Panels { data: &queries, stride: head_dim * PANEL };
            let shape = Shape { rows, depth: head_dim, cols };
            let output = Output { data: scores, row_stride: cols, panel_stride: PANEL };
            multiply(shape, keys, queries, Start::Zero, output);
        };
        score(
            globals.len(),
            Rows { data: self.global_keys, stride: head_dim },
            &mut *global_scores,
        );
        let band_keys = &self.keys[position(first_key) * head_dim..];
        score(count, Rows { data: band_keys, stride: step * head_dim }, &mut *band_scores);

        for (i, row) in block.iter_mut().enumerate() {
            let (to_globals, to_band) = row.weights.split_at_mut(globals.len());
            for (g, &global) in globals.iter().enumerate() {
                let allowed = self.head.pattern.allows(position(row.place), global);
                to_globals[g] =
                    if allowed { global_scores[g * cols + i] } else { f32::NEG_INFINITY };
            }
            let visible = self.strands.strand(strand).visible(row.place);
            let own = to_band.len() / 2; // the column of the query itself
            let to_band =
                &mut to_band[own + visible.start - row.place..own + visible.end - row.place];
            for (place, weight) in visible.zip(to_band.iter_mut()) {
                let hidden = self.is_hidden[position(place)];
                let score = band_scores[(place - first_key) * cols + i];
                *weight = if hidden { f32::NEG_INFINITY } else { score };
            }
            let inverse_sum = 1.0 / exp2_and_sum_of_two(to_globals, to_band);
            scale(to_globals, inverse_sum);
            scale(to_band, inverse_sum);
        }
        Ok(())
    }
}
