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
//! stay in the first-level cache, unless a window is very wide. What one query of a group sees and
//! another does not gets weight 0.

use super::bound::{self, largest_square_of_columns};
use super::key_values::KeyValues;
use super::{GROUP, Head, Source, Tokens};
use crate::gemm::{
    Output, PANEL, Panels, Rows, Shape, Start, copy_rows, multiply, multiply_transposed,
    pack_columns, padded, panels_at_a_time, write_columns,
};
use crate::memory::{OutOfMemory, try_len, try_lines, try_room};
use crate::simd::scale;
use crate::softmax::{Scores, exp2_and_sum_of_columns};
use crate::work::{Stop, Units};
use std::ops::Range;

/// Queries of a unit of work at most, and scores of one, unless those of a group are more.
const QUERIES: usize = 6 * GROUP;
const SCORES: usize = 1 << 17;

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

/// Queries that are computed together: those at `places` of `strand`, and the keys there that any of
/// them sees.
struct Group {
    strand: usize,
    places: Range<usize>,
    keys: Range<usize>,
}

impl Group {
    /// The places of each panel of queries.
    fn panels(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Range { start, end } = self.places;
        (start..end).step_by(PANEL).map(move |first| first..(first + PANEL).min(end))
    }
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
        let keys = self.most_keys();
        let unit = (SCORES / keys / GROUP * GROUP).clamp(GROUP, QUERIES);
        // Once, not a little more from group to group as their windows grow into the text.
        try_lines(&mut scratch.group.scores, try_len(keys, GROUP)?)?;
        let mut has_globals = false;
        for strand in 0..strands.count() {
            let places = strands.places(strand, self.queries.clone());
            for first in places.clone().step_by(unit) {
                if !units.due()? {
                    continue;
                }
                if !has_globals {
                    self.gather(&mut scratch.globals)?;
                    has_globals = true;
                }
                let part = first..(first + unit).min(places.end);
                self.write_part(strand, part, scratch, context)?;
            }
        }
        Ok(())
    }

    /// Keys that a group sees, at most.
    fn most_keys(&self) -> usize {
        // The first strand is the longest.
        self.head.strands().strand(0).most_visible(GROUP) + self.head.sequence.global_tokens.len()
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
        let rows = self.head.rows(self.source, tokens, queries)?;
        pack_columns(panels, head_dim, 0, count, rows);
        scale(panels, self.head.heads.score_scale());

        let band = strands.strand(strand);
        let together = panels_at_a_time() * PANEL;
        for first in (0..count).step_by(together) {
            let queries = Panels { data: &panels[first * head_dim..], stride: head_dim * PANEL };
            let places = places.start + first..(places.start + first + together).min(places.end);
            let keys = band.visible(places.start).start..band.visible(places.end - 1).end;
            self.write_group(&Group { strand, places, keys }, queries, globals, group, context)?;
        }
        Ok(())
    }

    /// Writes the contexts of a group, one panel of queries or two.
    fn write_group(
        &self,
        group: &Group,
        queries: Panels,
        globals: &Globals,
        scratch: &mut GroupScratch,
        context: &mut [f32],
    ) -> Result<(), OutOfMemory> {
        let Head { heads, sequence, .. } = self.head;
        let (head_dim, width) = (heads.head_dim, padded(heads.head_dim));
        let global_count = sequence.global_tokens.len();
        let first_key =
            sequence.rows.start + self.head.strands().number(group.strand, group.keys.start);
        let cols = group.places.len().next_multiple_of(PANEL);

        // A column of scores: the global keys, then those of the band.
        let panel_stride = (global_count + group.keys.len()) * PANEL;
        let scores = try_lines(&mut scratch.scores, cols / PANEL * panel_stride)?;
        let band = global_count * PANEL;
        let shape = Shape { rows: global_count, depth: head_dim, cols };
        let keys = Rows { data: &globals.keys, stride: head_dim };
        let to = Output { data: scores, row_stride: PANEL, panel_stride };
        multiply(shape, keys, queries, Start::Zero, to);
        let shape = Shape { rows: group.keys.len(), ..shape };
        let keys = self.key_values.keys(first_key);
        let to = Output { data: &mut scores[band..], row_stride: PANEL, panel_stride };
        multiply(shape, keys, queries, Start::Zero, to);

        let square = largest_square_of_columns(&queries.data[..cols * head_dim], head_dim);
        let is_bounded = bound::holds(square, self.key_values.largest_square);
        let known = if is_bounded { Scores::Bounded } else { Scores::Any };
        let mut totals = [[0.0; PANEL]; GROUP / PANEL];
        for ((places, scores), total) in
            group.panels().zip(scores.chunks_exact_mut(panel_stride)).zip(&mut totals)
        {
            self.hide(group, places, scores, known.hidden());
            let (global, band) = scores.split_at_mut(band);
            *total = exp2_and_sum_of_columns(global, band, group.keys.start, known);
        }

        let sums = try_lines(&mut scratch.sums, cols * width)?;
        let shape = Shape { rows: width, depth: group.keys.len(), cols };
        let weights = Panels { data: &scores[band..], stride: panel_stride };
        let to = Output { data: sums, row_stride: PANEL, panel_stride: width * PANEL };
        multiply_transposed(shape, self.key_values.values(first_key), weights, Start::Zero, to);
        if global_count > 0 {
            let shape = Shape { depth: global_count, ..shape };
            let values = Panels { data: &globals.values, stride: band };
            let weights = Panels { data: scores, stride: panel_stride };
            let to = Output { data: sums, row_stride: PANEL, panel_stride: width * PANEL };
            multiply_transposed(shape, values, weights, Start::Accumulate, to);
        }
        for ((places, sums), total) in
            group.panels().zip(sums.chunks_exact(width * PANEL)).zip(totals)
        {
            self.write_rows(group.strand, places, sums, total, context);
        }
        Ok(())
    }

    /// Writes the contexts of the queries at `places`: sums of weighted values over sums of weights.
    fn write_rows(
        &self,
        strand: usize,
        places: Range<usize>,
        sums: &[f32],
        totals: [f32; PANEL],
        context: &mut [f32],
    ) {
        let Head { heads, head, sequence, .. } = self.head;
        let strands = self.head.strands();
        let row = strands.position(strand, places.start) - self.queries.start;
        let context = &mut context[row * heads.hidden_size() + head * heads.head_dim..];
        // Under a dilation they go from one place of the strand to the next.
        let stride = strands.count() * heads.hidden_size();
        let factors = totals.map(|total| 1.0 / total);
        write_columns(sums, factors, heads.head_dim, places.len(), context, stride);
        for (i, place) in places.enumerate() {
            if sequence.masked.binary_search(&strands.position(strand, place)).is_ok() {
                // A masked query gives 0, as in Hugging Face, not the mean of what it sees.
                context[i * stride..][..heads.head_dim].fill(0.0);
            }
        }
    }

    /// Writes `hidden` over what the queries at `places` of a group do not see of their columns.
    fn hide(&self, group: &Group, places: Range<usize>, scores: &mut [f32], hidden: f32) {
        let Head { pattern, sequence, .. } = self.head;
        let Group { strand, ref keys, .. } = *group;
        let strands = self.head.strands();
        let band = strands.strand(strand);
        let globals = &sequence.global_tokens;
        let (rows, _) = scores.as_chunks_mut::<PANEL>();
        let (global_rows, rows) = rows.split_at_mut(globals.len());

        for (i, place) in places.enumerate() {
            let seen = band.visible(place);
            let (before, behind) = (seen.start - keys.start, seen.end - keys.start);
            rows[..before].iter_mut().for_each(|row| row[i] = hidden);
            rows[behind..].iter_mut().for_each(|row| row[i] = hidden);
            let position = strands.position(strand, place);
            for (row, &global) in global_rows.iter_mut().zip(globals) {
                if !pattern.allows(position, global) {
                    row[i] = hidden;
                }
            }
        }
        // Keys that no band shows: global ones, which have rows of their own, and masked ones.
        let ends = [keys.start, keys.end].map(|place| strands.position(strand, place));
        for positions in [globals, &sequence.masked] {
            let [start, end] = ends.map(|end| positions.partition_point(|&p| p < end));
            let between = &positions[start..end];
            if between.len() <= rows.len() {
                for (of_strand, place) in between.iter().map(|&position| strands.locate(position)) {
                    if of_strand == strand {
                        rows[place - keys.start].fill(hidden);
                    }
                }
            } else {
                // Most are of other strands.
                for (row, place) in rows.iter_mut().zip(keys.clone()) {
                    if between.binary_search(&strands.position(strand, place)).is_ok() {
                        row.fill(hidden);
                    }
                }
            }
        }
    }
}
