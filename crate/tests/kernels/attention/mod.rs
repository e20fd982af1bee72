//! Attention: against its definition, and what must hold whatever the numbers are.

mod attentions;
mod case;
mod definition;
mod identities;
mod weights;
