//! Attention: against its definition, and what must hold whatever the numbers are.

#[path = "../reference/mod.rs"]
mod reference;

mod case;
mod definition;
mod identities;
mod weights;
