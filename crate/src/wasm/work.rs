//! Operations that are interrupted and taken up again.
//!
//! An operation that may take long gets a `Work` of its own and says whether it is through. If not,
//! it is called again with the same arguments, and goes on where it stopped. It stops where the
//! `Interruption` of its thread says so; without one it never does.

use super::Result;
use crate::work::{Place, Stop, Work};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const INTERRUPTION: &str = "
/** Asked before every unit of work, each of a millisecond or a few. */
export interface Interruption {
  isWanted(): boolean;
}
";

#[wasm_bindgen]
extern "C" {
    /// Asked by every thread before each unit of its work.
    #[wasm_bindgen(typescript_type = "Interruption")]
    pub type Interruption;

    #[wasm_bindgen(method, structural, js_name = isWanted)]
    fn is_wanted(this: &Interruption) -> bool;
}

thread_local! {
    static ASKED: RefCell<Option<Interruption>> = const { RefCell::new(None) };
}

/// Has this thread ask `interruption`.
#[wasm_bindgen(js_name = askBetweenUnits)]
pub fn ask_between_units(interruption: Interruption) {
    ASKED.set(Some(interruption));
}

/// How far an operation has come.
#[wasm_bindgen(js_name = Work)]
#[derive(Default)]
pub struct WorkHandle(Place);

#[wasm_bindgen(js_class = Work)]
impl WorkHandle {
    #[allow(missing_docs, reason = "an operation that is yet to begin")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> WorkHandle {
        Self::default()
    }
}

impl WorkHandle {
    /// Whether the work is through now.
    pub(super) fn go_on(
        &mut self,
        work: impl FnOnce(&mut Work) -> std::result::Result<(), Stop>,
    ) -> Result<bool> {
        let ask = || ASKED.with_borrow(|asked| asked.as_ref().is_some_and(Interruption::is_wanted));
        match work(&mut Work::new(&ask, &mut self.0)) {
            Ok(()) => Ok(true),
            Err(Stop::Interrupted) => Ok(false),
            Err(Stop::OutOfMemory(lack)) => Err(lack.into()),
        }
    }
}
