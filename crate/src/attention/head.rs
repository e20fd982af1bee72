//! One head of one sequence, as the kernels take them.

use super::{Heads, Source, Tokens};
use crate::band::Pattern;
use crate::batch::Sequence;
use crate::gemm::{Output, PANEL};
use crate::simd::scale;

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

    /// Queries as they go into scores, times `score_scale`.
    pub(super) fn write_queries(&self, source: Source, tokens: Tokens, rows: &mut [f32]) {
        self.write_rows(source, tokens, rows);
        scale(&mut rows[..tokens.count * self.heads.head_dim], self.heads.score_scale());
    }
}
