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
use crate::memory::{OutOfMemory, try_len, try_refill, try_room};
use crate::simd::scale;
use crate::softmax::{exp2_and_sum, largest};
use crate::spare::Spare;
use crate::work::{Stop, Units, Work};
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

/// The rows of global tokens, and what they are made of on the way.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    queries: Vec<Queries>, // of each sequence
    parts: Vec<Partial>,   // of each run of keys
    rows: Vec<Vec<f32>>,   // of each sequence, [global tokens, hidden_size]
    scratch: Spare<Scratch>,
}

impl Contexts {
    /// Each global token of a sequence with its row.
    pub(super) fn of<'a>(
        &'a self,
        number: usize,
        sequence: &'a Sequence,
    ) -> impl Iterator<Item = (usize, &'a [f32])> {
        let (tokens, rows) = (&sequence.global_tokens, &self.rows[number]);
        let hidden_size = rows.len().checked_div(tokens.len()).unwrap_or(0).max(1);
        tokens.iter().copied().zip(rows.chunks_exact(hidden_size))
    }
}

/// The queries of the global tokens of one sequence, scaled.
#[derive(Debug, Default)]
struct Queries {
    /// Packed as the right matrix. Vectors: `[num_heads]` times panels of `[head_dim][8]` over the
    /// tokens. Folded: panels of `[in_features][8]` over heads and tokens.
    panels: Vec<f32>,
    /// Folded, before they are packed: `[num_heads, tokens, in_features]`.
    folded: Vec<f32>,
}

/// Makes `contexts` the contexts of the global tokens of each sequence.
pub(super) fn attend(
    work: &mut Work,
    heads: Heads,
    pattern: &Pattern,
    batch: &Batch,
    projections: Projections,
    contexts: &mut Contexts,
) -> Result<(), Stop> {
    let sequences: Vec<GlobalQueries> = batch
        .sequences()
        .iter()
        .map(|sequence| GlobalQueries::new(heads, pattern, sequence, projections))
        .collect();
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
    work.once(|| {
        let Contexts { queries, parts, rows, .. } = contexts;
        queries.resize_with(sequences.len(), Queries::default);
        rows.resize_with(sequences.len(), Vec::new);
        parts.resize_with(runs.len(), Partial::default);
        for ((sequence, queries), rows) in sequences.iter().zip(queries).zip(rows) {
            sequence.make_room(queries)?;
            try_refill(rows, try_len(sequence.count(), heads.hidden_size())?, 0.0)?;
        }
        for ((number, _), part) in runs.iter().zip(parts) {
            sequences[*number].forget(part, heads.num_heads)?;
        }
        Ok(())
    })?;
    let Contexts { queries, parts, rows, scratch } = contexts;

    let mut tasks = Vec::new();
    for (sequence, Queries { panels, folded }) in sequences.iter().zip(&mut *queries) {
        let vectors = if sequence.folds() { folded } else { panels };
        let of_head = (vectors.len() / heads.num_heads).max(1);
        tasks.extend(
            vectors
                .chunks_exact_mut(of_head)
                .enumerate()
                .map(|(i, vectors)| (sequence, i, vectors)),
        );
    }
    work.for_each_part(&mut tasks, 1, |_, task, units| {
        let (sequence, head, vectors) = &mut task[0];
        scratch.lend(|scratch| {
            sequence.write_queries(projections.query, *head, vectors, scratch, units)
        })
    })?;
    // Neighbouring heads share a panel of folded queries: threads fold, and one of them packs.
    work.in_turn(sequences.len(), |number| {
        sequences[number].pack(&mut queries[number]);
        Ok(())
    })?;

    work.for_each_part(parts, 1, |i, part, units| {
        let (number, keys) = runs[i].clone();
        for first in keys.clone().step_by(KEYS) {
            let keys = first..(first + KEYS).min(keys.end);
            scratch.lend(|scratch| {
                let queries = &queries[number].panels;
                sequences[number].attend(keys, queries, &mut part[0], scratch, units)
            })?;
        }
        Ok(())
    })?;

    let mut parts = parts.as_mut_slice();
    let mut tasks: Vec<(&GlobalQueries, &mut [Partial], &mut [f32])> = Vec::new();
    for (number, rows) in rows.iter_mut().enumerate() {
        let count = runs.iter().filter(|run| run.0 == number).count();
        let parts = parts.split_off_mut(..count).expect("a part for each run");
        tasks.push((&sequences[number], parts, rows));
    }
    work.for_each_chunk(&mut tasks, 1, |_, task| {
        let (sequence, parts, rows) = &mut task[0];
        if let [first, others @ ..] = &mut **parts {
            others.iter().for_each(|part| first.join(part, 0));
            sequence.finish(first, rows);
        }
    })?;
    Ok(())
}

/// What the queries of the global tokens are compared with.
enum Keys<'a> {
    /// Keys and values of each head, projected or given.
    Vectors { key: Source<'a>, value: Source<'a> },
    /// The hidden states themselves: the key projections are in the queries, and the value
    /// projections come at the end.
    Folded { hidden_states: &'a [f32], key: &'a Linear, value: &'a Linear },
}

/// The global tokens of one sequence and what they see.
struct GlobalQueries<'a> {
    heads: Heads,
    pattern: &'a Pattern,
    sequence: &'a Sequence,
    keys: Keys<'a>,
}

impl<'a> GlobalQueries<'a> {
    fn new(
        heads: Heads,
        pattern: &'a Pattern,
        sequence: &'a Sequence,
        Projections { key, value, .. }: Projections<'a>,
    ) -> Self {
        let keys = match (key.projection(), value.projection()) {
            (Some((hidden_states, key)), Some((same, value)))
                if std::ptr::eq(hidden_states, same)
                    && folds(sequence.global_tokens.len(), heads) =>
            {
                Keys::Folded { hidden_states, key, value }
            }
            _ => Keys::Vectors { key, value },
        };
        Self { heads, pattern, sequence, keys }
    }

    /// Global tokens.
    fn count(&self) -> usize {
        self.sequence.global_tokens.len()
    }

    fn folds(&self) -> bool {
        matches!(self.keys, Keys::Folded { .. })
    }

    fn make_room(&self, Queries { panels, folded }: &mut Queries) -> Result<(), OutOfMemory> {
        let Heads { num_heads, head_dim } = self.heads;
        let rows = num_heads * self.count();
        match self.keys {
            Keys::Vectors { .. } => {
                try_refill(panels, try_len(padded(self.count()), num_heads * head_dim)?, 0.0)
            }
            Keys::Folded { key, .. } => {
                try_refill(panels, try_len(padded(rows), key.in_features())?, 0.0)?;
                try_refill(folded, try_len(rows, key.in_features())?, 0.0)
            }
        }
    }

    /// Writes the queries of one head: into its panels, or folded, `[tokens, in_features]`.
    fn write_queries(
        &self,
        query: Source,
        head: usize,
        output: &mut [f32],
        scratch: &mut Scratch,
        units: &mut Units,
    ) -> Result<(), Stop> {
        let Self { heads, pattern, sequence, .. } = *self;
        let head_dim = heads.head_dim;
        let one = Head { heads, head, pattern, sequence };
        match self.keys {
            Keys::Vectors { .. } => {
                one.pack_globals(query, output, &mut scratch.vectors, units)?;
                if units.due()? {
                    scale(output, heads.score_scale());
                }
            }
            Keys::Folded { key, .. } => {
                if units.due()? {
                    let Scratch { projected, vectors, .. } = scratch;
                    let vectors = try_room(vectors, self.count() * head_dim)?;
                    let rows = Output { data: vectors, row_stride: head_dim, panel_stride: PANEL };
                    one.write_at(query, &sequence.global_tokens, rows);
                    scale(vectors, heads.score_scale());
                    let columns = output.chunks_exact_mut(key.in_features());
                    for (column, vector) in columns.zip(vectors.chunks_exact(head_dim)) {
                        key.transposed_group(head, vector, column, projected);
                    }
                }
            }
        }
        Ok(())
    }

    /// Packs folded queries.
    fn pack(&self, Queries { panels, folded }: &mut Queries) {
        if let Keys::Folded { key, .. } = self.keys {
            let width = key.in_features();
            for (i, column) in folded.chunks_exact(width).enumerate() {
                pack_column(panels, width, i, column);
            }
        }
    }

    /// Makes `part` the softmax over no keys at all, of some heads.
    fn forget(&self, part: &mut Partial, heads: usize) -> Result<(), OutOfMemory> {
        let rows = heads * self.count();
        part.width = match self.keys {
            Keys::Vectors { .. } => self.heads.head_dim,
            Keys::Folded { value, .. } => value.in_features(),
        };
        try_refill(&mut part.max, rows, f32::NEG_INFINITY)?;
        try_refill(&mut part.sum, rows, 0.0)?;
        try_refill(&mut part.context, try_len(rows, part.width)?, 0.0)
    }

    /// Joins the softmax over the keys at positions `keys` to `part`.
    fn attend(
        &self,
        keys: Range<usize>,
        queries: &[f32],
        part: &mut Partial,
        scratch: &mut Scratch,
        units: &mut Units,
    ) -> Result<(), Stop> {
        match self.keys {
            Keys::Vectors { key, value } => {
                for head in 0..self.heads.num_heads {
                    if units.due()? {
                        let keys = keys.clone();
                        self.attend_to_vectors(head, keys, [key, value], queries, scratch)?;
                        part.join(&scratch.part, head * self.count());
                    }
                }
            }
            Keys::Folded { hidden_states, .. } => {
                if units.due()? {
                    self.attend_to_hidden_states(keys, hidden_states, queries, scratch)?;
                    part.join(&scratch.part, 0);
                }
            }
        }
        Ok(())
    }

    /// Of one head.
    fn attend_to_vectors(
        &self,
        head: usize,
        keys: Range<usize>,
        [key, value]: [Source; 2],
        queries: &[f32],
        Scratch { projected, vectors, scores, weights, part }: &mut Scratch,
    ) -> Result<(), OutOfMemory> {
        let Heads { head_dim, .. } = self.heads;
        let (globals, count) = (self.count(), keys.len());
        let first = self.sequence.rows.start + keys.start;
        let tokens = Tokens { first, step: 1, count };
        let cols = padded(globals);

        self.forget(part, 1)?;
        let vectors = try_room(vectors, try_len(count, padded(head_dim))?)?;
        let scores = try_room(scores, try_len(count, cols)?)?;
        let weights = try_room(weights, try_len(globals, count)?)?;
        let keys_of_head = key.rows(self.heads, head, tokens, projected)?;
        let queries = &queries[head * cols * head_dim..][..cols * head_dim];
        multiply(
            Shape { rows: count, depth: head_dim, cols },
            keys_of_head,
            Panels { data: queries, stride: head_dim * PANEL },
            Start::Zero,
            Output { data: scores, row_stride: cols, panel_stride: PANEL },
        );
        let [max, sum] = [&mut part.max, &mut part.sum];
        self.weigh(&keys, Scores { data: scores, cols, first: 0 }, weights, max, sum);

        let panel_stride = count * PANEL;
        let output = Output { data: vectors, row_stride: PANEL, panel_stride };
        value.write_rows(self.heads, head, tokens, output);
        multiply(
            Shape { rows: globals, depth: count, cols: head_dim },
            Rows { data: weights, stride: count },
            Panels { data: vectors, stride: panel_stride },
            Start::Zero,
            Output { data: &mut part.context, row_stride: head_dim, panel_stride: PANEL },
        );
        Ok(())
    }

    fn attend_to_hidden_states(
        &self,
        keys: Range<usize>,
        hidden_states: &[f32],
        queries: &[f32],
        Scratch { vectors, scores, weights, part, .. }: &mut Scratch,
    ) -> Result<(), OutOfMemory> {
        let num_heads = self.heads.num_heads;
        let (globals, count) = (self.count(), keys.len());
        let rows = num_heads * globals;
        let cols = padded(rows);
        self.forget(part, num_heads)?;
        let width = part.width;
        let first = self.sequence.rows.start + keys.start;
        let block = &hidden_states[first * width..][..count * width];

        let scores = try_room(scores, try_len(count, cols)?)?; // [keys, heads and global queries]
        multiply(
            Shape { rows: count, depth: width, cols },
            Rows { data: block, stride: width },
            Panels { data: queries, stride: width * PANEL },
            Start::Zero,
            Output { data: scores, row_stride: cols, panel_stride: PANEL },
        );
        let weights = try_room(weights, try_len(rows, count)?)?; // [heads and global queries, keys]
        for (head, weights) in weights.chunks_exact_mut(globals * count).enumerate() {
            let first = head * globals;
            let [max, sum] = [&mut part.max, &mut part.sum].map(|all| &mut all[first..][..globals]);
            self.weigh(&keys, Scores { data: scores, cols, first }, weights, max, sum);
        }

        let panel_stride = count * PANEL;
        let panels = try_room(vectors, try_len(count, padded(width))?)?; // the hidden states as a right matrix
        let hidden = Rows { data: block, stride: width };
        let output = Output { data: panels, row_stride: PANEL, panel_stride };
        copy_rows(count, width, hidden, PANEL, output);
        multiply(
            Shape { rows, depth: count, cols: width },
            Rows { data: weights, stride: count },
            Panels { data: panels, stride: panel_stride },
            Start::Zero,
            Output { data: &mut part.context, row_stride: width, panel_stride: PANEL },
        );
        Ok(())
    }

    /// Turns the scores of one head into weights, `[global queries, keys]`, and notes the largest
    /// score and the sum of weights of each query.
    fn weigh(
        &self,
        keys: &Range<usize>,
        scores: Scores,
        weights: &mut [f32],
        maxima: &mut [f32],
        sums: &mut [f32],
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
            if max > f32::NEG_INFINITY {
                sums[i] = exp2_and_sum(row, max);
                maxima[i] = max;
            } else if row.iter().any(|score| score.is_nan()) {
                sums[i] = f32::NAN;
                maxima[i] = 0.0;
            } else {
                row.fill(0.0); // none of the block's keys is visible
            }
        }
    }

    /// Writes the contexts, `[globals, hidden_size]`. A global token is not masked, so it sees itself.
    fn finish(&self, part: &mut Partial, rows: &mut [f32]) {
        let Partial { sum, context, width, .. } = part;
        let (Heads { num_heads, head_dim }, width) = (self.heads, *width);
        let globals = self.count();
        for (weighted, sum) in context.chunks_exact_mut(width).zip(sum) {
            scale(weighted, 1.0 / *sum);
        }
        for head in 0..num_heads {
            let weighted = Rows { data: &context[head * globals * width..], stride: width };
            let data = &mut rows[head * head_dim..];
            let output = Output { data, row_stride: self.heads.hidden_size(), panel_stride: PANEL };
            match self.keys {
                Keys::Vectors { .. } => copy_rows(globals, width, weighted, PANEL, output),
                Keys::Folded { value, .. } => {
                    value.apply_group(head, globals, weighted, output);
                }
            }
        }
    }
}

/// Buffers of a block of keys.
#[derive(Debug, Default)]
struct Scratch {
    projected: Vec<f32>,
    vectors: Vec<f32>, // the values as a right matrix, or the hidden states
    scores: Vec<f32>,  // [keys, global queries]
    weights: Vec<f32>, // [global queries, keys]
    part: Partial,     // the softmax over the block
}

/// Scores `[keys, cols]`, of which one head's begin at column `first`.
struct Scores<'a> {
    data: &'a [f32],
    cols: usize,
    first: usize,
}

/// A softmax over some of the keys, per head and global query: `2^(score - max)` summed up, and
/// times the values, or times the hidden states.
#[derive(Debug, Default)]
struct Partial {
    max: Vec<f32>,     // [num_heads, globals]
    sum: Vec<f32>,     // [num_heads, globals]
    context: Vec<f32>, // [num_heads, globals, width]
    width: usize,
}

impl Partial {
    /// Makes its rows from `first` on the softmax over their own keys and those of `other`.
    fn join(&mut self, other: &Partial, first: usize) {
        let contexts = self.context[first * self.width..].chunks_exact_mut(self.width);
        let mine = self.max[first..].iter_mut().zip(&mut self.sum[first..]).zip(contexts);
        let theirs = other.max.iter().zip(&other.sum).zip(other.context.chunks_exact(self.width));
        for (((max, sum), context), ((other_max, other_sum), other_context)) in mine.zip(theirs) {
            let largest = max.max(*other_max);
            if largest == f32::NEG_INFINITY {
                continue;
            }
            let [mine, theirs] = [*max, *other_max].map(|max| (max - largest).exp2());
            *max = largest;
            *sum = *sum * mine + other_sum * theirs;
            for (x, y) in context.iter_mut().zip(other_context) {
                *x = *x * mine + y * theirs;
            }
        }
    }
}
