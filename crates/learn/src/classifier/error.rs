//! Why a model file is refused.

use thiserror::Error;

/// Why a model was refused, or could not judge. Every message says the cause and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The file is longer than [`super::Model::FILE_LIMIT`].
    #[error(
        "the model file has {size} bytes, more than the {limit} that a model may have; check that it is a Gatepost model"
    )]
    TooLarge {
        /// Bytes of the file.
        size: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// It is no ONNX file, or not whole.
    #[error(
        "the model file is damaged or no ONNX file ({cause}); copy it again or train it with `gatepost model train`"
    )]
    Damaged {
        /// What was seen.
        cause: String,
    },
    /// An ONNX file, but not one that `gatepost model train` wrote.
    #[error(
        "the model file lacks {what}, so it was not written by `gatepost model train`; train one with that command"
    )]
    Foreign {
        /// What is missing or wrong.
        what: String,
    },
    /// Trained for another version of the features.
    #[error(
        "the model was trained for feature schema {found}, this program has schema {expected}; train it again with `gatepost model train`"
    )]
    Schema {
        /// What the file says.
        found: String,
        /// What this program has.
        expected: String,
    },
    /// Weights or shapes that cannot be.
    #[error("the model file is not usable: {cause}; train it again with `gatepost model train`")]
    Unusable {
        /// What was seen.
        cause: String,
    },
    /// It does not give the stored answer to the stored example.
    #[error(
        "the model answers {found} to its own example instead of {expected}; the file or this machine is faulty: copy it again or train it with `gatepost model train`"
    )]
    SelfTest {
        /// The logit that came out.
        found: String,
        /// The logit that is stored.
        expected: String,
    },
    /// The engine failed while judging one mail.
    #[error(
        "the model could not judge this mail ({cause}); the rules go on without it, please report this with the model id"
    )]
    Run {
        /// What the engine said.
        cause: String,
    },
}
