//! Everything that turns a message and labels into a probability: features, content model, site
//! learner, stacker, and the labels that a site gives. The only crate that links tract.

pub mod classifier;
pub mod features;
pub mod learning;

/// The ONNX runtime, re-exported so that no other crate links it.
pub use tract_onnx as onnx;
