//! From the configuration to what the server needs to know.

use std::sync::Arc;

use crate::config::{self, Config};
use crate::server;
use gatepost_words::SocketAddress;

/// What the server needs to know of the configuration.
pub fn server_settings(config: &Config) -> server::Settings {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        listeners.push(server::Listener {
            name: Arc::clone(&listener.name),
            address: address(listener),
            front_end: match listener.front_end {
                config::FrontEnd::Native => server::FrontEnd::Native,
                config::FrontEnd::Libmilter => server::FrontEnd::Libmilter,
            },
        });
    }
    server::Settings {
        listeners,
        connections_max: config.connections,
        idle_timeout: config.server.idle_timeout,
        drain_timeout: config.server.drain_timeout,
        control: config.server.control.clone(),
        ..server::Settings::default()
    }
}

/// A listener's socket in the server's words.
fn address(listener: &config::Listener) -> server::Address {
    match &listener.socket {
        SocketAddress::Unix(path) => server::Address::Unix {
            path: path.clone(),
            mode: listener.mode,
            group: listener.group.clone(),
        },
        SocketAddress::Inet(address) => server::Address::Inet(*address),
    }
}
