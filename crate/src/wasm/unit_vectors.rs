//! Vectors that are compared by their products.

use super::{Result, check};
use crate::unit_vectors;
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

/// Vectors of length one, `[count, cols]`.
#[wasm_bindgen(js_name = UnitVectors)]
pub struct UnitVectorsHandle {
    cols: usize,
    data: Vec<f32>,
}

#[wasm_bindgen(js_class = UnitVectors)]
impl UnitVectorsHandle {
    /// Takes vectors of any length, and normalizes them.
    #[wasm_bindgen(constructor)]
    pub fn new(cols: usize, mut data: Vec<f32>) -> Result<UnitVectorsHandle> {
        check(cols > 0 && data.len().is_multiple_of(cols), || {
            format!("vectors must have {cols} elements each, {} are no multiple", data.len())
        })?;
        unit_vectors::normalize(&mut data, cols);
        Ok(Self { cols, data })
    }

    /// Replaces each vector by the normalized sum of it and its counterpart.
    pub fn add(&mut self, others: &UnitVectorsHandle) -> Result<()> {
        check(others.cols == self.cols && others.data.len() == self.data.len(), || {
            "there must be as many vectors, of the same size".to_owned()
        })?;
        unit_vectors::add_and_normalize(&mut self.data, &others.data, self.cols);
        Ok(())
    }

    /// The dot product of each vector with the only one of `query`, `[count]`.
    pub fn scores(&self, query: &UnitVectorsHandle) -> Result<Float32Array> {
        check(query.data.len() == self.cols, || {
            format!("the query must be one vector of {} elements", self.cols)
        })?;
        let scores = unit_vectors::dot_products(&self.data, &query.data);
        Ok(Float32Array::from(scores.as_slice()))
    }
}
