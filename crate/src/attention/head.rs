//! One head of one sequence, as the kernels take them.

use super::{Heads, ROWS, Source, Tokens};
use crate::band::{Pattern, Strands};
use crate::batch::Sequence;
use crate::gemm::{Output, PANEL, Rows, pack_columns};
use crate::memory::{OutOfMemory, try_room};
use crate::simd::scale;
use crate::work::{Stop, Units};

/// One head of one sequence.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The heads of the layer.
    pub heads: Heads,
    /// Which of them.
    pub head: usize,
    /// What they look at.
    pub pattern: &'a Pattern,
    #[allow(missing_docs, reason = "of a batch")]
    pub sequence: &'a Sequence,
}

impl Head<'_> {
    /// What its band makes of the sequence.
    pub(super) fn strands(&self) -> Strands {
        self.pattern.bands[self.head].strands(self.sequence.len())
    }

    /// Writes its vectors of some tokens, counted from the sequence's beginning, to where `output`
    /// wants them.
    pub(super) fn write(&self, source: Source, tokens: Tokens, output: Output) {
        let first = self.sequence.rows.start + tokens.first;
        source.write_rows(self.heads, self.head, Tokens { first, ..tokens }, output);
    }

    /// Writes its vectors of some tokens to `rows`, `[tokens, head_dim]`.
    pub(super) fn write_rows(&self, source: Source, tokens: Tokens, rows: &mut [f32]) {
        let output = Output { data: rows, row_stride: self.heads.head_dim, panel_stride: PANEL };
        self.write(source, tokens, output);
    }

    /// Its vectors of some tokens: where they lie, or written into `buffer`.
    pub(super) fn rows<'b>(
        &self,
        source: Source<'b>,
        tokens: Tokens,
        buffer: &'b mut Vec<f32>,
    ) -> Result<Rows<'b>, OutOfMemory> {
        let first = self.sequence.rows.start + tokens.first;
        source.rows(self.heads, self.head, Tokens { first, ..tokens }, buffer)
    }

    /// Queries as they go into scores, times `score_scale`.
    pub(super) fn write_queries(&self, source: Source, tokens: Tokens, rows: &mut [f32]) {
        self.write_rows(source, tokens, rows);
        scale(&mut rows[..tokens.count * self.heads.head_dim], self.heads.score_scale());
    }

    /// Writes its vectors of the tokens at `positions`, ascending, in products of all that are
    /// neighbours: global tokens mostly come in runs.
    pub(super) fn write_at(&self, source: Source, positions: &[usize], output: Output) {
        let Output { data, row_stride, panel_stride } = output;
        let mut done = 0;
        for run in positions.chunk_by(|a, b| a + 1 == *b) {
            let tokens = Tokens { first: run[0], step: 1, count: run.len() };
            let data = &mut data[done * row_stride..];
            self.write(source, tokens, Output { data, row_stride, panel_stride });
            done += run.len();
        }
    }

    /// Packs its vectors of the global tokens as a right matrix, panels of `[head_dim][8]`.
    pub(super) fn pack_globals(
        &self,
        source: Source,
        panels: &mut [f32],
        buffer: &mut Vec<f32>,
        units: &mut Units,
    ) -> Result<(), Stop> {
        let Heads { head_dim, .. } = self.heads;
        let globals = &self.sequence.global_tokens;
        let rows = try_room(buffer, globals.len().min(ROWS) * head_dim)?;
        for (block, tokens) in globals.chunks(ROWS).enumerate() {
            if !units.due()? {
                continue;
            }
            let output = Output { data: rows, row_stride: head_dim, panel_stride: PANEL };
            self.write_at(source, tokens, output);
            let columns = Rows { data: rows, stride: head_dim };
            pack_columns(panels, head_dim, block * ROWS, tokens.len(), columns);
        }
        Ok(())
    }
}
