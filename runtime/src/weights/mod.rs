// SPDX-License-Identifier: Apache-2.0

//! Weights measured for this runtime, one module per pallet.
//!
//! Pallets of the framework use the weights that they ship; what is measured here replaces them.

pub mod balances;
pub mod extensions;
pub mod mandate;
pub mod membership;
pub mod multisig;
pub mod proxy;
pub mod session;
