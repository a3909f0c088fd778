//! The record log of a process that writes it from several threads: what is published after the
//! answer, and what must be durable before it.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{MailRecord, RecordLog};

/// Records that were made durable and are still to be published: so many are remembered.
const COMMITTED_MAX: usize = 10_000;

/// The log, shared by its writers.
#[derive(Debug)]
pub struct SharedLog {
    state: Mutex<State>,
    /// The last append that is on the disk.
    synced: Mutex<u64>,
}

#[derive(Debug)]
struct State {
    log: RecordLog,
    appended: u64,
    /// Ids of records that are in the log already.
    committed: VecDeque<String>,
}

impl SharedLog {
    /// Shares a log.
    pub fn new(log: RecordLog) -> Self {
        Self {
            state: Mutex::new(State {
                log,
                appended: 0,
                committed: VecDeque::new(),
            }),
            synced: Mutex::new(0),
        }
    }

    /// Opens the file if it is not open.
    pub fn open(&self) -> io::Result<()> {
        self.state().log.open()
    }

    /// Appends a record that is published; one that was made durable before is there already.
    pub fn append(&self, record: &MailRecord) -> io::Result<()> {
        let mut state = self.state();
        let place = state.committed.iter().position(|id| *id == record.id);
        if let Some(place) = place {
            state.committed.remove(place);
            return Ok(());
        }
        state.append(record).map(|_| ())
    }

    /// Appends a record and returns once it is on the disk. Threads that wait together share one
    /// write of the disk's cache.
    fn append_durably(&self, record: &MailRecord) -> io::Result<()> {
        let mine = self.state().append(record)?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced < mine {
            let (file, appended) = self.state().current()?;
            file.sync_data()?;
            *synced = appended;
        }
        drop(synced);
        let mut state = self.state();
        if state.committed.len() >= COMMITTED_MAX {
            state.committed.pop_front();
        }
        state.committed.push_back(record.id.clone());
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the number of the append.
    fn append(&mut self, record: &MailRecord) -> io::Result<u64> {
        self.log.append(record)?;
        self.appended += 1;
        Ok(self.appended)
    }

    /// The file with the last append; what was rotated away is on the disk already.
    fn current(&mut self) -> io::Result<(File, u64)> {
        Ok((self.log.file()?, self.appended))
    }
}

/// Writes records so that they survive a loss of power.
#[derive(Clone, Debug)]
pub struct DurableWriter {
    log: Arc<SharedLog>,
    node: String,
}

impl DurableWriter {
    /// Writes to `log`, in the name of `node`.
    pub fn new(log: Arc<SharedLog>, node: String) -> Self {
        Self { log, node }
    }

    /// Appends a record; returns when it is on the disk.
    pub fn commit(&self, record: &MailRecord) -> io::Result<()> {
        let mut record = record.clone();
        record.node.clone_from(&self.node);
        self.log.append_durably(&record)
    }
}
