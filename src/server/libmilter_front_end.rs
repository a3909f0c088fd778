//! The front-end over Sendmail's libmilter, as the event loop sees it; without the cargo feature, its
//! absence.

use std::sync::Arc;

use super::loop_requests::LoopRequests;
use super::serve_error::ServeError;
use super::service::Service;
use super::settings::{FrontEnd, Settings};

/// The libmilter front-end, if there is one.
#[derive(Debug, Default)]
pub(super) struct LibmilterFrontEnd {
    #[cfg(feature = "libmilter")]
    front: Option<super::libmilter::Front>,
}

#[cfg(not(feature = "libmilter"))]
#[expect(clippy::unused_self, reason = "the same shape as with libmilter")]
impl LibmilterFrontEnd {
    /// Refuses where a listener asks for libmilter.
    pub(super) fn open<S: Service>(
        settings: &Settings,
        _: &Arc<S>,
        _: &Arc<LoopRequests>,
    ) -> Result<Self, ServeError> {
        match settings
            .listeners
            .iter()
            .find(|listener| listener.front_end == FrontEnd::Libmilter)
        {
            Some(listener) => Err(ServeError::NoLibmilter(Arc::clone(&listener.name))),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn drain(&self) {}

    pub(super) fn is_busy(&self) -> bool {
        false
    }
}

#[cfg(feature = "libmilter")]
impl LibmilterFrontEnd {
    /// Starts it where a listener asks for it.
    pub(super) fn open<S: Service>(
        settings: &Settings,
        service: &Arc<S>,
        requests: &Arc<LoopRequests>,
    ) -> Result<Self, ServeError> {
        let mut found = settings
            .listeners
            .iter()
            .enumerate()
            .filter(|(_, listener)| listener.front_end == FrontEnd::Libmilter);
        let Some((index, listener)) = found.next() else {
            return Ok(Self::default());
        };
        if found.next().is_some() {
            return Err(ServeError::LibmilterTwice);
        }
        let (opening, observing) = (Arc::clone(service), Arc::clone(service));
        let open = move |notify| -> Box<dyn crate::session::Connection> {
            Box::new(opening.open(index, notify))
        };
        let observe = move |observation| observing.observe(observation);
        let hooks = (index, Box::new(open) as _, Box::new(observe) as _);
        let front = super::libmilter::Front::start(listener, settings, hooks, requests)?;
        log::info!(
            "listener {}: {} (libmilter)",
            listener.name,
            listener.address
        );
        Ok(Self { front: Some(front) })
    }

    /// No new mail from here on.
    pub(super) fn drain(&self) {
        if let Some(front) = &self.front {
            front.drain();
        }
    }

    /// Whether messages are in progress there.
    pub(super) fn is_busy(&self) -> bool {
        self.front
            .as_ref()
            .is_some_and(super::libmilter::Front::is_busy)
    }
}
