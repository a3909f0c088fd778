//! The part of `gatepost check` about `[dns]`: what leaves the machine, and where it goes.

use serde_json::json;

use super::check_report::CheckReport;
use crate::config::Config;
use gatepost_gather::system_servers;
use gatepost_words::diagnostic::Diagnostic;

/// Notes what is asked of whom. A warning where it is asked and the servers cannot be read.
pub(super) fn dns(config: &Config, report: &mut CheckReport) -> Vec<Diagnostic> {
    if !config.dns.gather.wanted.client_names {
        let field = json!({ "asks": [], "servers": [] });
        report.note("dns", "nothing is asked", field);
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut servers = config.dns.servers.clone();
    if servers.is_empty() {
        servers = system_servers().unwrap_or_else(|error| {
            let text = format!("cannot read /etc/resolv.conf: {error}; every look-up fails");
            problems.push(Diagnostic::warning("C0106", text).help("set `dns.servers`"));
            Vec::new()
        });
    }
    let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
    let text = format!(
        "asks {} for the names of each client address, and for the addresses of these names",
        names.join(", ")
    );
    let field = json!({ "asks": ["client_names"], "servers": names });
    report.note("dns", text, field);
    problems
}
