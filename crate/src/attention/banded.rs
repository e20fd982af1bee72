//! The rows of ordinary queries: a band of keys and the global keys, under one softmax.
//!
//! Per head and strand, for a group of 8 queries that stand next to each other on the strand, or 16:
//!
//! ```text
//! scores   [keys that any of them sees][8]    keys · queriesᵀ
//! weights  in their place                     a softmax of each column
//! sums     [head_dim][8]                      valuesᵀ · weights
//! ```
//!
//! The other way round than one writes it down: keys and values are read as they lie, and the scores
//! stay in the first-level cache. What one query of a group sees and another does not gets weight 0.

use super::key_values::KeyValues;
use super::{GROUP, Head, Source, Tokens};
use crate::gemm::{
    Output, PANEL, Panels, Rows, Shape, Start, copy_rows, multiply, multiply_transposed,
    pack_columns, padded, panels_at_a_time, write_columns,
};
use crate::memory::{OutOfMemory, try_len, try_lines, try_room};
use crate::simd::{F32x4, load_pair, scale};
use crate::softmax::{HIDDEN, exp2_and_sum_of_columns};
use crate::work::{Stop, Units};
use std::array::from_fn;
use std::ops::Range;

/// Queries of a unit of work.
const QUERIES: usize = 6 * GROUP;

/// Scores up to here are [bounded](exp2_and_sum_of_columns).
const LARGEST: f32 = 60.0;

/// Buffers of a block.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    queries: Vec<f32>,
    query_panels: Vec<f32>,
    globals: Globals,
    group: GroupScratch,
}

/// Keys `[global tokens][head_dim]` and values `[padded(head_dim) / 8][global tokens][8]`.
#[derive(Debug, Default)]
struct Globals {
    keys: Vec<f32>,
    values: Vec<f32>,
}

#[derive(Debug, Default)]
struct GroupScratch {
    scores: Vec<f32>,
    sums: Vec<f32>,
}

/// Queries `queries` (positions in their sequence) of one head.
pub(super) struct QueryBlock<'a> {
    pub(super) head: Head<'a>,
    pub(super) queries: Range<usize>,
    pub(super) source: Source<'a>,
    pub(super) key_values: KeyValues<'a>,
}

impl QueryBlock<'_> {
    /// Writes the block's columns of `context`, whose first row is the first query's.
    ///
    /// Rows of global tokens are written too, as if they were ordinary ones.
    pub(super) fn write_context(
        &self,
        scratch: &mut Scratch,
        context: &mut [f32],
        units: &mut Units,
    ) -> Result<(), Stop> {
        let strands = self.head.strands();
        self.gather(&mut scratch.globals)?;
        for strand in 0..strands.count() {
            let places = strands.places(strand, self.queries.clone());
            for first in places.clone().step_by(QUERIES) {
                if units.due()? {
                    let part = first..(first + QUERIES).min(places.end);
                    self.write_part(strand, part, scratch, context)?;
                }
            }
        }
        Ok(())
    }

    /// Copies the keys and values of the global tokens next to each other.
    fn gather(&self, globals: &mut Globals) -> Result<(), OutOfMemory> {
        let Head { heads, sequence, .. } = self.head;
        let head_dim = heads.head_dim;
        let tokens = &sequence.global_tokens;
        let keys = try_room(&mut globals.keys, try_len(tokens.len(), head_dim)?)?;
        let len = try_len(tokens.len(), padded(head_dim))?;
        let values = try_room(&mut globals.values, len)?;
        let strands = self.head.strands();
        for (i, &token) in tokens.iter().enumerate() {
            let (strand, place) = strands.locate(token);
            let number = sequence.rows.start + strands.number(strand, place);
            let to = Output {
                data: &mut keys[i * head_dim..],
                row_stride: head_dim,
                panel_stride: PANEL,
            };
            copy_rows(1, head_dim, self.key_values.keys(number), PANEL, to);
            let Panels { data, stride } = self.key_values.values(number);
            let panel_stride = tokens.len() * PANEL;
            let to = Output { data: &mut values[i * PANEL..], row_stride: PANEL, panel_stride };
            copy_rows(1, head_dim, Rows { data, stride: PANEL }, stride, to);
        }
        Ok(())
    }

    fn write_part(
        &self,
        strand: usize,
        places: Range<usize>,
        scratch: &mut Scratch,
        context: &mut [f32],
    ) -> Result<(), OutOfMemory> {
        let head_dim = self.head.heads.head_dim;
        let strands = self.head.strands();
        let Scratch { queries, query_panels, globals, group } = scratch;
        let count = places.len();
        let tokens =
            Tokens { first: strands.position(strand, places.start), step: strands.count(), count };
        let panels = try_lines(query_panels, padded(count) * head_dim)?;
        // What a column past the last holds goes nowhere; 0 is no reason to look for large scores.
        panels[count / PANEL * PANEL * head_dim..].fill(0.0);
        let rows = self.head.rows(self.source, tokens, queries);
        pack_columns(panels, head_dim, 0, count, rows);
        scale(panels, self.head.heads.score_scale());

        let together = panels_at_a_time() * PANEL;
        for first in (0..count).step_by(together) {
            let queries = Panels { data: &panels[first * head_dim..], stride: head_dim * PANEL };
            let places = places.start + first..(places.start + first + together).min(places.end);
            self.write_group(strand, places, queries, globals, group, context)?;
        }
        Ok(())
    }

    /// Writes the contexts of the queries at `places`, one panel of them or two.
    fn write_group(
        &self,
        strand: usize,
        places: Range<usize>,
        queries: Panels,
        globals: &Globals,
        scratch: &mut GroupScratch,
        context: &mut [f32],
    ) -> Result<(), OutOfMemory> {
        let Head { heads, head, sequence, .. } = self.head;
        let (head_dim, width) = (heads.head_dim, padded(heads.head_dim));
        let strands = self.head.strands();

        // A column of scores: the global keys, then those that any query of the group sees.
        let before = sequence.global_tokens.len();
        let band = strands.strand(strand);
        let keys = band.visible(places.start).start..band.visible(places.end - 1).end;
        let number = sequence.rows.start + strands.number(strand, keys.start);
        let panels = places.len().div_ceil(PANEL);
        let panel_stride = try_len(before + keys.len(), PANEL)?;
        let scores = try_lines(&mut scratch.scores, try_len(panels, panel_stride)?)?;
        let behind = before * PANEL;

        let shape = Shape { rows: before, depth: head_dim, cols: panels * PANEL };
        let rows = Rows { data: &globals.keys, stride: head_dim };
        let to = Output { data: scores, row_stride: PANEL, panel_stride };
        multiply(shape, rows, queries, Start::Zero, to);
        let shape = Shape { rows: keys.len(), ..shape };
        let rows = self.key_values.keys(number);
        let to = Output { data: &mut scores[behind..], row_stride: PANEL, panel_stride };
        multiply(shape, rows, queries, Start::Zero, to);

        // No score is larger than the lengths of its vectors allow.
        let square = largest_square(&queries.data[..panels * head_dim * PANEL], head_dim);
        let bounded = square * self.key_values.largest_square <= LARGEST * LARGEST;
        let mut totals = [[0.0; PANEL]; GROUP / PANEL];
        for (panel, scores) in scores.chunks_exact_mut(panel_stride).enumerate() {
            let first = places.start + panel * PANEL;
            let places = first..(first + PANEL).min(places.end);
            let hidden = if bounded { HIDDEN } else { f32::NEG_INFINITY };
            self.hide(strand, places, &keys, scores, hidden);
            let (before, scores) = scores.split_at_mut(behind);
            totals[panel] = exp2_and_sum_of_columns(before, scores, keys.start, bounded);
        }

        let sums = try_lines(&mut scratch.sums, panels * PANEL * width)?;
        let shape = Shape { rows: width, depth: keys.len(), cols: panels * PANEL };
        let weights = Panels { data: &scores[behind..], stride: panel_stride };
        let sum_stride = width * PANEL;
        let to = Output { data: sums, row_stride: PANEL, panel_stride: sum_stride };
        multiply_transposed(shape, self.key_values.values(number), weights, Start::Zero, to);
        if before > 0 {
            let shape = Shape { depth: before, ..shape };
            let values = Panels { data: &globals.values, stride: behind };
            let weights = Panels { data: scores, stride: panel_stride };
            let to = Output { data: sums, row_stride: PANEL, panel_stride: sum_stride };
            multiply_transposed(shape, values, weights, Start::Accumulate, to);
        }

        // Under a dilation the rows of `context` go from one place of the strand to the next.
        let row_stride = strands.count() * heads.hidden_size();
        for (panel, sums) in sums.chunks_exact(sum_stride).enumerate() {
            let first = places.start + panel * PANEL;
            let places = first..(first + PANEL).min(places.end);
            let row = strands.position(strand, first) - self.queries.start;
            let context = &mut context[row * heads.hidden_size() + head * head_dim..];
            let factors = totals[panel].map(|total| 1.0 / total);
            write_columns(sums, factors, head_dim, places.len(), context, row_stride);
            for (i, place) in places.enumerate() {
                if self.is_masked(strands.position(strand, place)) {
                    // A masked query gives 0, as in Hugging Face, not the mean of what it sees.
                    context[i * row_stride..][..head_dim].fill(0.0);
                }
            }
        }
        Ok(())
    }

    fn is_masked(&self, position: usize) -> bool {
        self.head.sequence.masked.binary_search(&position).is_ok()
    }

    /// Writes `hidden` over what the queries at `places` do not see of their columns of scores.
    fn hide(
        &self,
        strand: usize,
        places: Range<usize>,
        keys: &Range<usize>,
        scores: &mut [f32],
        hidden: f32,
    ) {
        let Head { pattern, sequence, .. } = self.head;
        let strands = self.head.strands();
        let band = strands.strand(strand);
        let globals = &sequence.global_tokens;
        let (rows, _) = scores.as_chunks_mut::<PANEL>();
        let (before, rows) = rows.split_at_mut(globals.len());

        for (i, place) in places.enumerate() {
            let seen = band.visible(place);
            for row in &mut rows[..seen.start - keys.start] {
                row[i] = hidden;
            }
            for row in &mut rows[seen.end - keys.start..] {
                row[i] = hidden;
            }
            let position = strands.position(strand, place);
            for (row, &global) in before.iter_mut().zip(globals) {
                if !pattern.allows(position, global) {
                    row[i] = hidden;
                }
            }
        }
        // Keys that no band shows: global ones, which have rows of their own, and masked ones.
        let ends = [keys.start, keys.end].map(|place| strands.position(strand, place));
        for positions in [globals, &sequence.masked] {
            let [start, end] = ends.map(|end| positions.partition_point(|&p| p < end));
            for &position in &positions[start..end] {
                let (of_strand, place) = strands.locate(position);
                if of_strand == strand {
                    rows[place - keys.start].fill(hidden);
                }
            }
        }
    }
}

/// The largest square of the columns of panels `[depth][8]`.
fn largest_square(panels: &[f32], depth: usize) -> f32 {
    let mut largest = F32x4::splat(0.0);
    for panel in panels.chunks_exact(depth * PANEL) {
        let mut squares = [F32x4::splat(0.0); 2];
        for row in panel.as_chunks::<PANEL>().0 {
            let row = load_pair(row);
            squares = from_fn(|half| row[half].mul_add(row[half], squares[half]));
        }
        largest = largest.max(squares[0]).max(squares[1]);
    }
    largest.largest()
}
