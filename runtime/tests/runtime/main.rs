// SPDX-License-Identifier: Apache-2.0

//! What the composition promises, beyond what each pallet tests for itself.

mod api;
mod blobs;
mod certificates;
mod common;
mod compromise;
mod consensus;
mod delegation;
mod economy;
mod events;
mod feeless;
mod fleets;
mod genesis;
mod governance;
mod lists;
mod metadata;
mod organisations;
mod privacy;
mod proxies;
mod requests;
mod statuses;
mod ten_thousand;
mod transactions;
mod validators;
mod x509;
