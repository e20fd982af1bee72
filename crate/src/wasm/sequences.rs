//! Which tokens there are, and which keys their queries see.

use super::{Result, check};
use crate::band::Pattern;
use crate::batch::Batch;
use wasm_bindgen::prelude::*;

/// Sequences side by side.
#[wasm_bindgen(js_name = Batch)]
#[derive(Default)]
pub struct BatchHandle(pub(super) Batch);

#[wasm_bindgen(js_class = Batch)]
impl BatchHandle {
    #[allow(missing_docs, reason = "an empty batch")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> BatchHandle {
        Self::default()
    }

    /// Appends a sequence of `len` tokens. Both lists: positions in it, ascending.
    pub fn push(&mut self, len: usize, global_tokens: &[u32], masked: &[u32]) -> Result<()> {
        check(len > 0, || "a sequence must have at least one token".to_owned())?;
        let list = |name: &str, positions: &[u32]| -> Result<Vec<usize>> {
            check(positions.is_sorted_by(|a, b| a < b), || {
                format!("{name} must be ascending, without repeats")
            })?;
            let largest = positions.last().map_or(0, |&last| last as usize);
            check(largest < len, || {
                format!("{name} must lie below the sequence's {len} tokens, got {largest}")
            })?;
            Ok(positions.iter().map(|&position| position as usize).collect())
        };
        self.0.push(len, list("global tokens", global_tokens)?, list("masked tokens", masked)?);
        Ok(())
    }
}

/// What the heads of a layer look at.
#[wasm_bindgen(js_name = Pattern)]
pub struct PatternHandle(pub(super) Pattern);

#[wasm_bindgen(js_class = Pattern)]
impl PatternHandle {
    /// Keys per side, and a dilation for each head.
    #[wasm_bindgen(constructor)]
    pub fn new(one_sided_window: usize, dilations: &[u32], causal: bool) -> Result<PatternHandle> {
        check(dilations.iter().all(|&dilation| dilation > 0), || {
            "dilations must be at least 1".to_owned()
        })?;
        let dilations: Vec<usize> = dilations.iter().map(|&dilation| dilation as usize).collect();
        Ok(Self(Pattern::new(one_sided_window, &dilations, causal)))
    }
}
