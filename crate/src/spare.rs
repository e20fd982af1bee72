//! Buffers that tasks borrow and give back: as many as there ever were tasks at one time, and made
//! once.

use std::sync::{Mutex, PoisonError};

/// Those that nobody has at the moment.
#[derive(Debug, Default)]
pub(crate) struct Spare<T>(Mutex<Vec<T>>);

impl<T> Spare<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Default> Spare<T> {
    /// Calls `f` with one of them, which holds what its last borrower left there.
    pub(crate) fn lend<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut one = lock().pop().unwrap_or_default();
        let result = f(&mut one);
        lock().push(one);
        result
    }
}
