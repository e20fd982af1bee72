//! Ragged sequences side by side: where each begins, and which of its tokens are special.

use std::ops::Range;

/// A batch of sequences, concatenated without padding: `[total_tokens, ...]` with start offsets.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    sequences: Vec<Sequence>,
}

/// One sequence of a batch.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Its rows in the batch.
    pub rows: Range<usize>,
    /// Positions of its global tokens, ascending, counted from its own beginning.
    pub global_tokens: Vec<usize>,
    /// Positions that no query sees, ascending. Their own context is 0.
    pub masked: Vec<usize>,
}

impl Batch {
    /// Appends a sequence of `len` tokens. A global flag on a masked token is ignored, as in
    /// Hugging Face (`modeling_longformer.py`, `_merge_to_attention_mask`).
    ///
    /// # Panics
    ///
    /// If the sequence is empty, or one of the lists is not ascending or not inside it.
    pub fn push(&mut self, len: usize, mut global_tokens: Vec<usize>, masked: Vec<usize>) {
        assert!(len > 0, "a sequence must have at least one token");
        for positions in [&global_tokens, &masked] {
            assert!(positions.is_sorted_by(|a, b| a < b), "positions must be ascending");
            assert!(positions.last().is_none_or(|&last| last < len), "a position is too large");
        }
        global_tokens.retain(|token| masked.binary_search(token).is_err());
        let start = self.total_tokens();
        self.sequences.push(Sequence { rows: start..start + len, global_tokens, masked });
    }

    /// The sequences, in order.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// Tokens of all sequences together.
    pub fn total_tokens(&self) -> usize {
        self.sequences.last().map_or(0, |sequence| sequence.rows.end)
    }
}

impl Sequence {
    /// Tokens.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never: a batch refuses empty sequences.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
