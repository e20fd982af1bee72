//! The rows of global tokens: every key, through projections of their own.
//!
//! Keys and values go by in blocks. Each block gives, per head and global query, a partial
//! softmax: the largest score, the sum of weights, and the weighted sum of values, all relative
//! to that largest score. The parts are joined in the order of the blocks. So neither the keys
//! and values of a whole sequence nor a row of its scores ever exists.
//!
//! Only global queries read the global keys and values, so with few of them those need not be
//! computed at all. With `x` the hidden states, `key = W x + b` and `value = V x + c`,
//!
//! ```text
//! query · (W x[j] + b)       = (Wᵀ query) · x[j] + (query · b)     the last term is the same for
//!                                                                  all j: the softmax drops it
//! Σ weight[j] (V x[j] + c)   = V (Σ weight[j] x[j]) + c            the weights add up to 1
//! ```
//!
//! which folds the projections into each query and into each result: per token and head
//! `4 * in_features` operations for every global query, instead of `4 * in_features * head_dim` for
//! all of them together. [`folds`] says which it is.

use super::{Head, Heads, KEYS, Projections, Source, Tokens};
use crate::band::Pattern;
use crate::batch::{Batch, Sequence};
use crate::gemm::{
    Output, PANEL, Panels, Rows, Shape, Start, copy_rows, multiply, pack_column, padded,
};
use crate::linear::Linear;
use crate::memory::{OutOfMemory, try_filled, try_len, try_zeros};
use crate::parallel::{for_each_chunk, map};
use crate::simd::scale;
use crate::softmax::{exp2_and_sum, largest};
use std::ops::Range;

/// Parts that the `len` keys of a sequence are cut into, for threads to take: few, as each holds a
/// context of its own for every global query, and together at most two for every token.
fn parts(len: usize, globals: usize) -> usize {
    (2 * len / globals).clamp(2, 16)
}

/// Whether the projections of `globals` queries are folded. In operations both ways are even at
/// `globals == head_dim`; in time somewhat earlier (`bench/globals.ts`), as the folded products are small ones.
fn folds(globals: usize, heads: Heads) -> bool {
    8 * globals < 7 * heads.head_dim
}

/// The contexts of the global tokens of one sequence.
pub(super) struct Contexts<'a> {
    tokens: &'a [usize],
    hidden_size: usize,
    rows: Vec<f32>, // [tokens, hidden_size]
}

impl Contexts<'_> {
    /// Each global token with its row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&usize, &[f32])> {
        self.tokens.iter().zip(self.rows.chunks_exact(self.hidden_size))
    }
}

/// The contexts of the global tokens of each sequence.
pub(super) fn contexts<'a>(
    heads: Heads,
    pattern: &Pattern,
    batch: &'a Batch,
    projections: Projections,
) -> Result<Vec<Contexts<'a>>, OutOfMemory> {
    let sequences: Vec<GlobalQueries> = batch
        .sequences()
        .iter()
        .map(|sequence| GlobalQueries::new(heads, pattern, sequence, projections))
        .collect::<Result<_, _>>()?;
    let runs: Vec<(usize, Range<usize>)> = sequences
        .iter()
        .enumerate()
        .filter(|(_, queries)| queries.count() > 0)
        .flat_map(|(number, queries)| {
            let len = queries.sequence.len();
            let run = len.div_ceil(parts(len, queries.count())).next_multiple_of(KEYS);
            (0..len).step_by(run).map(move |first| (number, first..(first + run).min(len)))
        })
        .collect();
    let parts = map(runs.len(), |i| {
        let (number, keys) = runs[i].clone();
        let mut part = sequences[number].nothing()?;
        for first in keys.clone().step_by(KEYS) {
            part.join(&sequences[number].attend(first..(first + KEYS).min(keys.end))?);
        }
        Ok(part)
    });

    let mut joined: Vec<Option<Partial>> = sequences.iter().map(|_| None).collect();
    for ((number, _), part) in runs.iter().zip(parts) {
        match &mut joined[*number] {
            Some(joined) => joined.join(&part?),
            nothing => *nothing = Some(part?),
        }
    }
    let rows_of = |(queries, part): (&GlobalQueries<'a, '_>, Option<Partial>)| {
        Ok(Contexts {
            tokens: &queries.sequence.global_tokens,
            hidden_size: heads.hidden_size(),
            rows: part.map_or(Ok(Vec::new()), |part| queries.finish(part))?,
        })
    };
    sequences.iter().zip(joined).map(rows_of).collect()
}

/// What the queries of the global tokens are compared with.
enum Keys<'a> {
    /// Keys and values of each head, projected or given.
    Vectors { key: Source<'a>, value: Source<'a> },
    /// The hidden states themselves: the key projections are in the queries, and the value
    /// projections come at the end.
    Folded { hidden_states: &'a [f32], key: &'a Linear, value: &'a Linear },
}

/// The queries of the global tokens of one sequence.
struct GlobalQueries<'a, 'b> {
    heads: Heads,
    pattern: &'b Pattern,
    sequence: &'a Sequence,
    keys: Keys<'b>,
    /// Scaled and packed as the right matrix. Vectors: `[num_heads]` times panels of
    /// `[head_dim][8]` over the tokens. Folded: panels of `[in_features][8]` over heads and tokens.
    panels: Vec<f32>,
}

impl<'a, 'b> GlobalQueries<'a, 'b> {
    fn new(
        heads: Heads,
        pattern: &'b Pattern,
        sequence: &'a Sequence,
        projections: Projections<'b>,
    ) -> Result<Self, OutOfMemory> {
        let Heads { num_heads, head_dim } = heads;
        let Projections { query, key, value } = projections;
        let globals = sequence.global_tokens.len();
        let (keys, size) = match (key.projection(), value.projection()) {
            (Some((hidden_states, key)), Some((same, value)))
                if std::ptr::eq(hidden_states, same) && folds(globals, heads) =>
            {
                let size = try_len(padded(num_heads * globals), key.in_features())?;
                (Keys::Folded { hidden_states, key, value }, size)
            }
            _ => (Keys::Vectors { key, value }, try_len(padded(globals), num_heads * head_dim)?),
        };
        let mut queries = Self { heads, pattern, sequence, keys, panels: try_zeros(size)? };
        if globals > 0 {
            queries.pack(query)?;
        }
        Ok(queries)
    }

    fn pack(&mut self, query: Source) -> Result<(), OutOfMemory> {
        let Self { heads, pattern, sequence, .. } = *self;
        let Heads { num_heads, head_dim } = heads;
        let globals = self.count();
        match self.keys {
            Keys::Vectors { .. } => {
                for_each_chunk(&mut self.panels, padded(globals) * head_dim, |head, panels| {
                    Head { heads, head, pattern, sequence }.pack_globals(query, panels);
                    scale(panels, heads.score_scale());
                });
            }
            Keys::Folded { key, .. } => {
                // Neighbouring heads share a panel: threads fold, and one of them packs.
                let width = key.in_features();
                let folded = map(num_heads, |head| {
                    let mut vectors = try_zeros(globals * head_dim)?;
                    let output =
                        Output { data: &mut vectors, row_stride: head_dim, panel_stride: PANEL };
                    Head { heads, head, pattern, sequence }.write_at(
                        query,
                        &sequence.global_tokens,
                        output,
                    );
                    scale(&mut vectors, heads.score_scale());
                    let mut columns = try_zeros(try_len(globals, width)?)?;
                    let vectors = vectors.chunks_exact(head_dim);
                    for (column, vector) in columns.chunks_exact_mut(width).zip(vectors) {
                        column.copy_from_slice(&key.transposed_group(head, vector));
                    }
                    Ok(columns)
                });
                for (head, columns) in folded.into_iter().enumerate() {
                    for (i, column) in columns?.chunks_exact(width).enumerate() {
                        pack_column(&mut self.panels, width, head * globals + i, column);
                    }
                }
            }
        }
        Ok(())
    }

    /// Global tokens.
    fn count(&self) -> usize {
        self.sequence.global_tokens.len()
    }

    /// The softmax over no keys at all.
    fn nothing(&self) -> Result<Partial, OutOfMemory> {
        let rows = self.heads.num_heads * self.count();
        let width = match self.keys {
            Keys::Vectors { .. } => self.heads.head_dim,
            Keys::Folded { value, .. } => value.in_features(),
        };
        Ok(Partial {
            max: try_filled(rows, f32::NEG_INFINITY)?,
            sum: try_zeros(rows)?,
            context: try_zeros(try_len(rows, width)?)?,
            width,
        })
    }

    /// The softmax over the keys at positions `keys`.
    fn attend(&self, keys: Range<usize>) -> Result<Partial, OutOfMemory> {
        match self.keys {
            Keys::Vectors { key, value } => self.attend_to_vectors(keys, key, value),
            Keys::Folded { hidden_states, .. } => self.attend_to_hidden_states(keys, hidden_states),
        }
    }

    fn attend_to_vectors(
        &self,
        keys: Range<usize>,
        key: Source,
        value: Source,
    ) -> Result<Partial, OutOfMemory> {
        let Heads { num_heads, head_dim } = self.heads;
        let (globals, count) = (self.count(), keys.len());
        let first = self.sequence.rows.start + keys.start;
        let tokens = Tokens { first, step: 1, count };
        let cols = padded(globals);

        let mut part = self.nothing()?;
        let mut projected = Vec::new();
        let mut vectors = try_zeros(try_len(count, padded(head_dim))?)?; // the values as a right matrix
        let mut scores = try_zeros(try_len(count, cols)?)?; // [keys, global queries]
        let mut weights = try_zeros(try_len(globals, count)?)?; // [global queries, keys]
        for head in 0..num_heads {
            let keys_of_head = key.rows(self.heads, head, tokens, &mut projected);
            let queries = &self.panels[head * cols * head_dim..][..cols * head_dim];
            multiply(
                Shape { rows: count, depth: head_dim, cols },
                keys_of_head,
                Panels { data: queries, stride: head_dim * PANEL },
                Start::Zero,
                Output { data: &mut scores, row_stride: cols, panel_stride: PANEL },
            );
            self.weigh(
                &keys,
                head,
                Scores { data: &scores, cols, first: 0 },
                &mut weights,
                &mut part,
            );

            let panel_stride = count * PANEL;
            let output = Output { data: &mut vectors, row_stride: PANEL, panel_stride };
            value.write_rows(self.heads, head, tokens, output);
            multiply(
                Shape { rows: globals, depth: count, cols: head_dim },
                Rows { data: &weights, stride: count },
                Panels { data: &vectors, stride: panel_stride },
                Start::Zero,
                Output {
                    data: &mut part.context[head * globals * head_dim..],
                    row_stride: head_dim,
                    panel_stride: PANEL,
                },
            );
        }
        Ok(part)
    }

    fn attend_to_hidden_states(
        &self,
        keys: Range<usize>,
        hidden_states: &[f32],
    ) -> Result<Partial, OutOfMemory> {
        let num_heads = self.heads.num_heads;
        let (globals, count) = (self.count(), keys.len());
        let rows = num_heads * globals;
        let cols = padded(rows);
        let mut part = self.nothing()?;
        let width = part.width;
        let first = self.sequence.rows.start + keys.start;
        let block = &hidden_states[first * width..][..count * width];

        let mut scores = try_zeros(try_len(count, cols)?)?; // [keys, heads and global queries]
        multiply(
            Shape { rows: count, depth: width, cols },
            Rows { data: block, stride: width },
            Panels { data: &self.panels, stride: width * PANEL },
            Start::Zero,
            Output { data: &mut scores, row_stride: cols, panel_stride: PANEL },
        );
        let mut weights = try_zeros(try_len(rows, count)?)?; // [heads and global queries, keys]
        for (head, weights) in weights.chunks_exact_mut(globals * count).enumerate() {
            let scores = Scores { data: &scores, cols, first: head * globals };
            self.weigh(&keys, head, scores, weights, &mut part);
        }

        let panel_stride = count * PANEL;
        let mut panels = try_zeros(try_len(count, padded(width))?)?; // the hidden states as a right matrix
        let hidden = Rows { data: block, stride: width };
        copy_rows(
            count,
            width,
            hidden,
            Output { data: &mut panels, row_stride: PANEL, panel_stride },
        );
        multiply(
            Shape { rows, depth: count, cols: width },
            Rows { data: &weights, stride: count },
            Panels { data: &panels, stride: panel_stride },
            Start::Zero,
            Output { data: &mut part.context, row_stride: width, panel_stride: PANEL },
        );
        Ok(part)
    }

    /// Turns the scores of one head into weights, `[global queries, keys]`, and notes their sums.
    fn weigh(
        &self,
        keys: &Range<usize>,
        head: usize,
        scores: Scores,
        weights: &mut [f32],
        part: &mut Partial,
    ) {
        let masked = &self.sequence.masked;
        let start = masked.partition_point(|&position| position < keys.start);
        let end = masked.partition_point(|&position| position < keys.end);
        for (i, row) in weights.chunks_exact_mut(keys.len()).enumerate() {
            let global = self.sequence.global_tokens[i];
            for (j, weight) in row.iter_mut().enumerate() {
                *weight = if self.pattern.allows(global, keys.start + j) {
                    scores.data[j * scores.cols + scores.first + i]
                } else {
                    f32::NEG_INFINITY
                };
            }
            for position in &masked[start..end] {
                row[position - keys.start] = f32::NEG_INFINITY;
            }
            let max = largest(row);
            let at = head * self.count() + i;
            if max > f32::NEG_INFINITY {
                part.sum[at] = exp2_and_sum(row, max);
                part.max[at] = max;
            } else if row.iter().any(|score| score.is_nan()) {
                part.sum[at] = f32::NAN;
                part.max[at] = 0.0;
            } else {
                row.fill(0.0); // none of the block's keys is visible
            }
        }
    }

    /// The contexts, `[globals, hidden_size]`. A global token is not masked, so it sees itself.
    fn finish(&self, part: Partial) -> Result<Vec<f32>, OutOfMemory> {
        let Partial { sum, mut context, width, .. } = part;
        let Heads { num_heads, head_dim } = self.heads;
        let globals = self.count();
        let mut rows = try_zeros(try_len(globals, self.heads.hidden_size())?)?;
        for (weighted, sum) in context.chunks_exact_mut(width).zip(&sum) {
            scale(weighted, 1.0 / sum);
        }
        for head in 0..num_heads {
            let weighted = Rows { data: &context[head * globals * width..], stride: width };
            let data = &mut rows[head * head_dim..];
            let output = Output { data, row_stride: self.heads.hidden_size(), panel_stride: PANEL };
            match self.keys {
                Keys::Vectors { .. } => copy_rows(globals, width, weighted, output),
                Keys::Folded { value, .. } => {
                    value.apply_group(head, globals, weighted, false, output);
                }
            }
        }
        Ok(rows)
    }
}

/// Scores `[keys, cols]`, of which one head's begin at column `first`.
struct Scores<'a> {
    data: &'a [f32],
    cols: usize,
    first: usize,
}

/// A softmax over some of the keys, per head and global query: `2^(score - max)` summed up, and
/// times the values, or times the hidden states.
struct Partial {
    max: Vec<f32>,     // [num_heads, globals]
    sum: Vec<f32>,     // [num_heads, globals]
    context: Vec<f32>, // [num_heads, globals, width]
    width: usize,
}

impl Partial {
    /// Makes this the softmax over its own keys and those of `other`.
    fn join(&mut self, other: &Partial) {
        for row in 0..self.max.len() {
            let max = self.max[row].max(other.max[row]);
            if max == f32::NEG_INFINITY {
                continue;
            }
            let (mine, theirs) = ((self.max[row] - max).exp2(), (other.max[row] - max).exp2());
            self.max[row] = max;
            self.sum[row] = self.sum[row] * mine + other.sum[row] * theirs;
            let columns = row * self.width..(row + 1) * self.width;
            for (x, y) in self.context[columns.clone()].iter_mut().zip(&other.context[columns]) {
                *x = *x * mine + y * theirs;
            }
        }
    }
}
