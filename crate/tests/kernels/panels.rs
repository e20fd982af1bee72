//! Products over one panel at a time, or over two: a switch of the whole process, which tests in other
//! threads turn, too.

use longformer::gemm::wide;
use std::sync::{Mutex, PoisonError};

static SWITCH: Mutex<()> = Mutex::new(());

/// What `f` gives while products go over two panels at a time, or over one.
pub(crate) fn with_two_panels<T>(two: bool, f: impl FnOnce() -> T) -> T {
    let _turned = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
    wide::set(two);
    let result = f();
    wide::set(false);
    result
}
