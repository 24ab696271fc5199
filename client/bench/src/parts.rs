//! What is measured, one module for each part.

pub mod backends;
pub mod batch;
pub mod fleet;
pub mod growth;
pub mod latency;
pub mod own;
