//! `gatepost model train|eval|replay|robustness|explain|info`

mod arguments;
mod command;
mod explain;
mod info;
mod measure;
mod source;
mod train;
mod training_progress;

pub(super) use arguments::ModelCommand;
pub(super) use command::model;
