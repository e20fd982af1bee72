//! The kernels of a Longformer: what one layer does to the hidden states of long sequences.
//!
//! ```text
//! window = 2 keys per side, dilation 1, token 0 global       rows are queries, columns keys
//!
//!   ■ ■ ■ ■ ■ ■ ■ ■ ■       a global query sees every key, through projections of its own
//!   ■ ■ ■ ■ · · · · ·
//!   ■ ■ ■ ■ ■ · · · ·       every other query sees the window around itself
//!   ■ ■ ■ ■ ■ ■ · · ·       and the global keys
//!   ■ · ■ ■ ■ ■ ■ · ·
//! ```
//!
//! The crate does numbers and knows no names: which tensor of a checkpoint is a key projection
//! and which token is global is decided by its caller. Sequences are ragged, a batch is their
//! concatenation, and nothing is ever padded to the window.
//!
//! Arrows of dependency: `wasm` -> `attention`, `feed_forward`, `embedding`, `pooling`,
//! `transform`, `unit_vectors` -> `columns` -> `linear`, `layer_norm` -> `gemm`, `gelu`, `softmax` ->
//! `half` -> `simd`, `work` -> `parallel`.
//! `memory` and `spare` are for all; `band` alone turns a window and a dilation into keys.

pub mod attention;
pub mod band;
pub mod batch;
pub mod columns;
pub mod dtype;
pub mod embedding;
pub mod feed_forward;
pub mod gelu;
pub mod gemm;
pub mod half;
pub mod layer_norm;
pub mod linear;
pub mod memory;
pub mod parallel;
pub mod pooling;
pub mod softmax;
pub mod transform;
pub mod unit_vectors;
pub mod work;

mod simd;
mod spare;

#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use band::Band;
pub use batch::Batch;
pub use layer_norm::LayerNorm;
pub use linear::{Linear, Storage};
pub use memory::OutOfMemory;
