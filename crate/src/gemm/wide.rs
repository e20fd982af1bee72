//! Whether products go over two panels at a time.
//!
//! V8 can fuse neighbouring vectors of 128 bits into one of 256 where a flag tells it to
//! (`--experimental-wasm-revectorize`), and a tile of two panels is what it needs for that. No
//! instruction says whether it does: whoever has set the flag tries it and turns it on
//! (`wasm/wide.rs`).

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the build has the tiles: without fused multiply-add nothing is gained by them.
const EXISTS: bool = cfg!(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")));

static ON: AtomicBool = AtomicBool::new(false);

/// Panels that a product takes at a time, where there are as many: 1 or 2.
#[inline(always)]
pub fn panels_at_a_time() -> usize {
    if EXISTS && ON.load(Ordering::Relaxed) { 2 } else { 1 }
}

/// Products of all threads of this instance go over two panels at a time from now on, or over one.
/// The results are the same bits.
pub fn set(on: bool) {
    ON.store(on, Ordering::Relaxed);
}
