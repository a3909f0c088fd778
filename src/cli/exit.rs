//! The exit statuses: those of sysexits.h, which mail systems speak, and 1 for a finding.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done; nothing to report.
    Done,
    /// Done, and there is a finding: a mail was not accepted, a check found problems, a test line
    /// failed.
    Finding,
    /// The command line cannot be understood.
    Usage,
    /// The input is not readable as what it should be.
    BadInput,
    /// Something needed is not there: a socket in use, no daemon, an unknown id.
    Unavailable,
    /// Our bug.
    Bug,
    /// Try again later.
    TryLater,
    /// Not permitted.
    NotPermitted,
    /// The configuration, the rules or the model do not load.
    BadConfig,
}

impl Exit {
    /// Every status, with its meaning: for the manual.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Done, "done; nothing to report"),
        (
            Self::Finding,
            "done, and there is a finding: a mail was not accepted, a check found problems",
        ),
        (Self::Usage, "the command line cannot be understood"),
        (
            Self::BadInput,
            "the input is not readable as what it should be",
        ),
        (Self::Unavailable, "something needed is missing"),
        (Self::Bug, "a bug of Gatepost"),
        (Self::TryLater, "try again later"),
        (Self::NotPermitted, "not permitted"),
        (Self::BadConfig, "configuration, rules or model do not load"),
    ];

    /// The number.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Finding => 1,
            Self::Usage => 64,
            Self::BadInput => 65,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::TryLater => 75,
            Self::NotPermitted => 77,
            Self::BadConfig => 78,
        }
    }

    /// What an error of the operating system means to the caller.
    pub fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Self::NotPermitted,
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Self::TryLater,
            _ => Self::Unavailable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn statuses_are_those_of_the_manual() {
        let statuses: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.status()).collect();
        assert_eq!(statuses, [0, 1, 64, 65, 69, 70, 75, 77, 78]);
    }
}
