//! Every export: handles that Rust owns go out, checked arguments come in.
//!
//! JavaScript never sees an address. It holds handles to weights and activations, whose `free()`
//! gives their memory back, and calls operations on them. Everything a caller can get wrong is
//! checked here and thrown as an `Error` with a `code` (the codes of `ts/errors.ts`); a panic
//! behind these checks is a bug and ends the instance. What this file holds is how errors leave.

pub mod hidden_states;
pub mod product;
pub mod sequences;
pub mod threads;
pub mod unit_vectors;
pub mod vectors;
pub mod weights;
pub mod wide;
pub mod work;

use crate::half::TooLarge;
use crate::memory::OutOfMemory;
use js_sys::{Error, JsString, Reflect};
use wasm_bindgen::prelude::*;

type Result<T> = std::result::Result<T, JsValue>;

fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    Reflect::set(&error, &JsString::from("code"), &JsString::from(code)).expect("a plain object");
    error.into()
}

fn bad_input<T>(message: String) -> Result<T> {
    Err(error("BAD_INPUT", &message))
}

impl From<OutOfMemory> for JsValue {
    fn from(OutOfMemory { bytes }: OutOfMemory) -> Self {
        error("OUT_OF_MEMORY", &format!("the engine's memory must hold {bytes} more bytes"))
    }
}

/// Continues a sentence about the tensor (`ts/models/weights.ts`).
impl From<TooLarge> for JsValue {
    fn from(TooLarge(x): TooLarge) -> Self {
        let message = format!("must hold magnitudes below 65520 to be kept as halves, holds {x}");
        error("BAD_INPUT", &message)
    }
}

fn check(holds: bool, message: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { bad_input(message()) }
}
