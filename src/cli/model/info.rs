//! `gatepost model info`.

use std::path::Path;

use super::source::model_of;
use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::loading::{load, load_site};
use crate::cli::site_report::{site_json, site_lines, site_unknown};
use crate::cli::terminal::Output;
use crate::config::Paths;

/// Describes a model.
pub(super) fn info(paths: &Paths, path: Option<&Path>, format: Format) -> Result<Exit, Failure> {
    let model = model_of(paths, path)?;
    let manifest = model.manifest();
    // A file that is named is described on its own; the configured one together with the site.
    let site = if path.is_none() {
        load_site(&load(paths)?.config)
    } else {
        None
    };
    let mut out = Output::new();
    if format == Format::Json {
        let mut line = serde_json::to_value(manifest).unwrap_or_default();
        if let (Some(fields), Some(site)) = (line.as_object_mut(), &site) {
            fields.insert("site".to_owned(), site_json(site));
        }
        out.line(line)?;
    } else {
        out.line(format_args!("model        {}", manifest.id))?;
        out.line(format_args!(
            "trained on   {} ({} ham, {} spam)",
            manifest.data, manifest.ham, manifest.spam
        ))?;
        out.line(format_args!("date         {}", manifest.date))?;
        out.line(format_args!("command      {}", manifest.command))?;
        out.line(format_args!(
            "schema       {}, {} buckets, {} dense, {} columns",
            manifest.schema_version, manifest.buckets, manifest.dense, manifest.bag
        ))?;
        out.line(format_args!("precision    {}", manifest.precision.name()))?;
        let calibration = &manifest.calibration;
        out.line(format_args!(
            "calibration  slope {:.4}, offset {:.4}",
            calibration.slope, calibration.offset
        ))?;
        out.line(format_args!("data digest  {}", manifest.data_digest))?;
        for line in site.as_deref().map_or_else(site_unknown, site_lines) {
            out.line(line)?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}
