// SPDX-License-Identifier: Apache-2.0

//! The runtime of the next version, to which chains are upgraded in rehearsals: `dpki-runtime` with its feature
//! `rehearsal`, so with a `spec_version` that is higher by one and a migration in steps that visits every device.

// The constants that the build script writes have none.
#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/rehearsal"));

use dpki_runtime as _;
