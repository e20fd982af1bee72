//! The rows of ordinary queries: a band of keys and the global keys, under one softmax.
//!
//! Per head and strand, for a few queries at a time that stand next to each other on the strand:
//! scores against all keys that any of them sees, one softmax per row over what that row sees,
//! weights times values. Three passes over a block of scores that stays in the cache; the keys
//! that some rows of the block see and others do not cost a few per cent, and get weight 0.

use super::panels::HeadPanels;
use super::{Heads, Source, Tokens};
use crate::band::Pattern;
use crate::batch::Sequence;
use crate::gemm::{Output, PANEL, Rows, Shape, Start, multiply, padded};
use crate::simd::scale;
use crate::softmax::{exp_and_sum, largest};
use std::ops::Range;

/// Queries that share a block of scores: few, as a block of `q` queries computes `q - 1` scores
/// per row that no softmax looks at; a multiple of both register tiles.
const QUERIES: usize = 24;

/// Buffers of one task, kept from block to block.
#[derive(Default)]
pub(super) struct Scratch {
    query: Vec<f32>,
    scores: Vec<f32>,
    hidden: Vec<usize>,
}

/// Queries `queries` (positions in their sequence) of one head.
pub(super) struct QueryBlock<'a> {
    pub(super) heads: Heads,
    pub(super) head: usize,
    pub(super) pattern: &'a Pattern,
    pub(super) sequence: &'a Sequence,
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
    ) {
        let strands = panels.layout.strands;
        for strand in 0..strands.count() {
            let places = strands.places(strand, self.queries.clone());
            for first in places.clone().step_by(QUERIES) {
                let part = first..(first + QUERIES).min(places.end);
                self.write_part(source, panels, strand, part, scratch, context);
            }
        }
    }

    fn write_part(
        &self,
        source: Source,
        panels: &HeadPanels,
        strand: usize,
        places: Range<usize>,
        scratch: &mut Scratch,
        context: &mut [f32],
    ) {
        let Heads { head_dim, .. } = self.heads;
        let strands = panels.layout.strands;
        let globals = &self.sequence.global_tokens;
        let position = |place: usize| strand + place * strands.count();
        let count = places.len();

        // The columns of a row of scores: the global keys, then the keys that any query of the
        // block sees, from a place where a panel begins.
        let band_start = padded(globals.len());
        let first_key = strands.visible(strand, places.start).start / PANEL * PANEL;
        let end_key = strands.visible(strand, places.end - 1).end;
        let stride = band_start + padded(end_key - first_key);

        let Scratch { query, scores, hidden } = scratch;
        query.resize(QUERIES * head_dim, 0.0);
        if scores.len() < count * stride {
            scores.resize(count * stride, 0.0);
        }
        let scores = &mut scores[..count * stride];

        let first = self.sequence.rows.start + position(places.start);
        let tokens = Tokens { first, step: strands.count(), count };
        let output = Output { data: query, row_stride: head_dim, panel_stride: PANEL };
        source.write_rows(self.heads, self.head, tokens, output);
        scale(&mut query[..count * head_dim], 1.0 / (head_dim as f32).sqrt());

        let a = Rows { data: query, stride: head_dim };
        let mut score = |start: usize, cols, keys| {
            let output =
                Output { data: &mut scores[start..], row_stride: stride, panel_stride: PANEL };
            multiply(Shape { rows: count, depth: head_dim, cols }, a, keys, Start::Zero, output);
        };
        score(0, band_start, panels.global_keys());
        score(band_start, stride - band_start, panels.keys(strand, first_key));

        // Keys that no band shows: global ones, which have columns of their own, and masked ones.
        hidden.clear();
        for positions in [globals, &self.sequence.masked] {
            let start = positions.partition_point(|&p| p < position(first_key));
            let end = positions.partition_point(|&p| p < position(end_key));
            let places = positions[start..end].iter().map(|&p| strands.locate(p));
            hidden
                .extend(places.filter(|at| at.0 == strand).map(|at| band_start + at.1 - first_key));
        }

        let is_masked = |place: usize| self.sequence.masked.binary_search(&position(place)).is_ok();
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
                if !self.pattern.allows(position(place), global) {
                    row[col] = f32::NEG_INFINITY;
                }
            }
            let visible = strands.visible(strand, place);
            let band = band_start + visible.start - first_key..band_start + visible.end - first_key;
            inverse_sums[i] = softmax(row, globals.len(), band);
        }

        // Row stride of `context` under a dilation: from one place of the strand to the next.
        let row_stride = strands.count() * self.heads.hidden_size();
        let at = (position(places.start) - self.queries.start) * self.heads.hidden_size()
            + self.head * head_dim;
        let mut weigh = |start: usize, depth, values, from| {
            let a = Rows { data: &scores[start..], stride };
            let output = Output { data: &mut context[at..], row_stride, panel_stride: PANEL };
            multiply(Shape { rows: count, depth, cols: head_dim }, a, values, from, output);
        };
        let band_keys = end_key - first_key;
        weigh(band_start, band_keys, panels.values(strand, first_key), Start::Zero);
        if !globals.is_empty() {
            weigh(0, globals.len(), panels.global_values(), Start::Accumulate);
        }
        for (i, &inverse_sum) in inverse_sums[..count].iter().enumerate() {
            let row = &mut context[at + i * row_stride..][..head_dim];
            if is_masked(places.start + i) {
                // A masked query gives 0, as in Hugging Face, not the mean of what it sees.
                row.fill(0.0);
            } else {
                scale(row, inverse_sum);
            }
        }
    }
}

/// Turns the scores of the columns `0..globals` and `band` into weights whose sum is the inverse
/// of what is returned, and all other columns into 0. A NaN among the scores, or nothing but
/// infinities, gives NaN.
fn softmax(row: &mut [f32], globals: usize, band: Range<usize>) -> f32 {
    let max = largest(&row[..globals]).max(largest(&row[band.clone()]));
    row[globals..band.start].fill(0.0);
    row[band.end..].fill(0.0);
    1.0 / (exp_and_sum(&mut row[..globals], max) + exp_and_sum(&mut row[band], max))
}
