// SPDX-License-Identifier: Apache-2.0

//! Configuration of every pallet, one file per concern.

pub mod accounts;
pub mod consensus;
pub mod economy;
pub mod governance;
pub mod pki;
pub mod system;
