// SPDX-License-Identifier: Apache-2.0

//! What the composition promises, beyond what each pallet tests for itself.

mod api;
mod common;
mod consensus;
mod genesis;
mod governance;
mod metadata;
mod transactions;
