//! The rows of ordinary queries: a band of keys and the global keys, under one softmax.
//!
//! Per head and strand, for some queries at a time that stand next to each other on the strand:
//! scores against the keys that they see, one softmax per row, weights times values. Three passes
//! over a block of scores that stays in the cache. Both products leave out the corners of the block
//! that no row of a register tile sees; what one row of a tile sees and another does not gets
//! weight 0.

use super::panels::HeadPanels;
use super::{Head, Source, Tokens};
use crate::gemm::{Output, PANEL, Rows, Shape, Start, TILE_ROWS, multiply, multiply_part, padded};
use crate::memory::{OutOfMemory, try_len, try_resize};
use crate::simd::{clear, copy_scaled};
use crate::softmax::exp2_and_sum_of_two;
use crate::work::{Stop, Units};
use std::ops::Range;

/// Queries that share a block of scores, a multiple of both register tiles.
const QUERIES: usize = 48;

/// Buffers of a block.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    query: Vec<f32>,
    scores: Vec<f32>,
    hidden: Vec<usize>,
}

/// Queries `queries` (positions in their sequence) of one head.
pub(super) struct QueryBlock<'a> {
    pub(super) head: Head<'a>,
    pub(super) queries: Range<usize>,
}

impl QueryBlock<'_> {
    /// Writes the block's columns of `context`, whose first row is the first query's.
    ///
    /// Rows of global tokens are written too, as if they were ordinary ones.
    pub(super) fn write_context(
        &self,
        source: Source,
        panels: &HeadPanels,
        scratch: &mut Scratch,
        context: &mut [f32],
        units: &mut Units,
    ) -> Result<(), Stop> {
        let strands = panels.layout.strands;
        for strand in 0..strands.count() {
            let places = strands.places(strand, self.queries.clone());
            for first in places.clone().step_by(QUERIES) {
                if !units.due()? {
                    continue;
                }
                let part = first..(first + QUERIES).min(places.end);
                self.write_part(source, panels, strand, part, scratch, context)?;
            }
        }
        Ok(())
    }

    fn write_part(
        &self,
        source: Source,
        panels: &HeadPanels,
        strand: usize,
        places: Range<usize>,
        scratch: &mut Scratch,
        context: &mut [f32],
    ) -> Result<(), OutOfMemory> {
        let Head { heads, head, pattern, sequence } = self.head;
        let head_dim = heads.head_dim;
        let strands = panels.layout.strands;
        let strand_band = strands.strand(strand);
        let globals = &sequence.global_tokens;
        let position = |place: usize| strand + place * strands.count();
        let count = places.len();

        // The columns of a row of scores: the global keys, then the keys that any query of the
        // block sees, from a place where a panel begins.
        let band_start = padded(globals.len());
        let first_key = strand_band.visible(places.start).start / PANEL * PANEL;
        let end_key = strand_band.visible(places.end - 1).end;
        let stride = band_start + padded(end_key - first_key);

        let Scratch { query, scores, hidden } = scratch;
        if scores.len() < count * stride {
            try_resize(scores, try_len(count, stride)?)?;
        }
        let scores = &mut scores[..count * stride];

        let tokens = Tokens { first: position(places.start), step: strands.count(), count };
        // Copied even where they are given: they are scaled, and their memory takes the sums later.
        query.resize(QUERIES * head_dim, 0.0);
        self.head.write_queries(source, tokens, query);
        let a = Rows { data: query, stride: head_dim };
        let shape = Shape { rows: count, depth: head_dim, cols: band_start };
        let output = Output { data: scores, row_stride: stride, panel_stride: PANEL };
        multiply(shape, a, panels.global_keys(), Start::Zero, output);

        // Rows of the block that see some of the band's columns, and the other way round.
        let seeing = |cols: Range<usize>| {
            let rows = strand_band.seeing(first_key + cols.start..first_key + cols.end);
            let start = rows.start.clamp(places.start, places.end) - places.start;
            start..rows.end.clamp(places.start, places.end) - places.start
        };
        let seen = |rows: Range<usize>| {
            let first = strand_band.visible(places.start + rows.start).start;
            first - first_key..strand_band.visible(places.start + rows.end - 1).end - first_key
        };
        let shape = Shape { cols: stride - band_start, ..shape };
        let band_scores = &mut scores[band_start..];
        let output = Output { data: band_scores, row_stride: stride, panel_stride: PANEL };
        let keys = panels.keys(strand, first_key);
        multiply_part(shape, a, keys, Start::Zero, output, seeing, |_| 0..head_dim);

        // Keys that no band shows: global ones, which have columns of their own, and masked ones.
        hidden.clear();
        for positions in [globals, &sequence.masked] {
            let start = positions.partition_point(|&p| p < position(first_key));
            let end = positions.partition_point(|&p| p < position(end_key));
            let places = positions[start..end].iter().map(|&p| strands.locate(p));
            hidden
                .extend(places.filter(|at| at.0 == strand).map(|at| band_start + at.1 - first_key));
        }

        let is_masked = |place: usize| sequence.masked.binary_search(&position(place)).is_ok();
        let mut inverse_sums = [0.0; QUERIES];
        for (i, row) in scores.chunks_exact_mut(stride).enumerate() {
            let place = places.start + i;
            if is_masked(place) {
                row.fill(0.0);
                continue;
            }
            for &col in hidden.iter() {
                row[col] = f32::NEG_INFINITY;
            }
            for (col, &global) in globals.iter().enumerate() {
                if !pattern.allows(position(place), global) {
                    row[col] = f32::NEG_INFINITY;
                }
            }
            let tile = i / TILE_ROWS * TILE_ROWS;
            let tile = seen(tile..(tile + TILE_ROWS).min(count));
            let seen = seen(i..i + 1);
            let (row, band) = row.split_at_mut(band_start);
            clear(&mut band[tile.start..seen.start]);
            clear(&mut band[seen.end..tile.end]);
            let sum = exp2_and_sum_of_two(&mut row[..globals.len()], &mut band[seen]);
            inverse_sums[i] = 1.0 / sum;
        }

        // Into the memory of the queries, whose rows lie closer together than those of `context`.
        let sums = query.as_mut_slice();
        let a = Rows { data: &scores[band_start..], stride };
        let shape = Shape { rows: count, depth: end_key - first_key, cols: head_dim };
        let output = Output { data: sums, row_stride: head_dim, panel_stride: PANEL };
        let values = panels.values(strand, first_key);
        multiply_part(shape, a, values, Start::Zero, output, |_| 0..count, seen);
        if !globals.is_empty() {
            let a = Rows { data: scores, stride };
            let shape = Shape { depth: globals.len(), ..shape };
            let output = Output { data: sums, row_stride: head_dim, panel_stride: PANEL };
            multiply(shape, a, panels.global_values(), Start::Accumulate, output);
        }

        // Under a dilation the rows of `context` go from one place of the strand to the next.
        let row_stride = strands.count() * heads.hidden_size();
        let at =
            (position(places.start) - self.queries.start) * heads.hidden_size() + head * head_dim;
        for (i, sums) in sums.chunks_exact(head_dim).take(count).enumerate() {
            let row = &mut context[at + i * row_stride..][..head_dim];
            if is_masked(places.start + i) {
                // A masked query gives 0, as in Hugging Face, not the mean of what it sees.
                row.fill(0.0);
            } else {
                copy_scaled(sums, inverse_sums[i], row);
            }
        }
        Ok(())
    }
}
