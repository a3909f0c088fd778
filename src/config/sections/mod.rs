//! One file for each section of the configuration: its keys, and the code that reads them into the
//! settings of a room.

pub(super) mod dns;
pub(super) mod learner;
pub(super) mod limits;
pub(super) mod listener;
pub(super) mod log;
pub(super) mod model;
pub(super) mod policy;
pub(super) mod records;
pub(super) mod rules;
pub(super) mod server;
pub(super) mod workers;
