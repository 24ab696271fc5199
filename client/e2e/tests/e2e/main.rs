//! The whole of it, on real nodes, agents, servers and clients. One program, so that it is linked once and its tests share
//! the processors: each has a folder, ports and processes of its own, and most of the time it waits for blocks. What hurts a
//! consortium has a program to itself, as it needs the processors to itself: `tests/chaos.rs`.
//!
//! ```sh
//! cargo test -p dpki-e2e --test e2e access::    # only those of one module
//! ```

mod access;
mod accounts;
mod appliers;
mod approvals;
mod bare;
mod blobs;
mod bonds;
#[path = "../../../sdk/tests/carriers/broker.rs"]
mod broker;
mod carriers;
mod certificates;
mod deliveries;
mod eclipse;
mod enrolment;
mod envelopes;
mod every_call;
mod exports;
mod fleet_watch;
mod fleets;
mod governance;
mod grants;
mod holds;
mod javascript;
mod levels;
#[path = "../../../sdk/tests/carriers/liar.rs"]
#[allow(dead_code)]
mod liar;
mod liars;
mod light;
mod many;
mod metrics;
mod network;
mod operations;
mod pool;
mod registry;
mod renewal;
mod requests;
mod rotation;
mod rpc;
mod service;
mod ssh_keys;
mod stall;
mod temporary;
mod together;
mod upgrade;
mod validators;
