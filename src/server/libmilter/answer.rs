//! Answers through the library, with the limits and the sanitizing of `milter::sanitize`, as in the
//! native front-end.

use ::milter::{ContextApi, Status};

use gatepost_milter::sanitize::{
    INDEX_MAX, REASON_MAX, codes_fit, field_value, is_field_name, is_path, line, reply_lines,
};
use gatepost_milter::{Action, Negotiated, Reply};

/// Says a reply. What cannot be said becomes a deferral.
pub(super) fn reply(api: &ContextApi, reply: &Reply, may_skip: bool) -> Status {
    match reply {
        Reply::Skip if may_skip => Status::Skip,
        Reply::Continue | Reply::Skip => Status::Continue,
        Reply::Accept => Status::Accept,
        Reply::Reject => Status::Reject,
        Reply::Tempfail | Reply::Pending => Status::Tempfail,
        Reply::Code {
            code,
            enhanced,
            lines,
        } => {
            if !codes_fit(*code, enhanced) {
                return Status::Tempfail;
            }
            let status = if *code < 500 {
                Status::Tempfail
            } else {
                Status::Reject
            };
            let lines = reply_lines(enhanced, lines);
            let text = lines.iter().map(String::as_str).collect();
            match api.set_error_reply(&code.to_string(), Some(enhanced), text) {
                Ok(()) => status,
                Err(_) => Status::Tempfail,
            }
        }
    }
}

/// Makes those changes that can be said; one that the MTA did not offer to make is refused by the
/// library and left out.
pub(super) fn actions(api: &ContextApi, actions: &[Action], negotiated: &Negotiated) {
    for action in actions {
        if let Err(error) = make(api, action, negotiated) {
            log::debug!("libmilter did not take a change: {error}");
        }
    }
}

fn make(api: &ContextApi, action: &Action, negotiated: &Negotiated) -> ::milter::Result<()> {
    match action {
        Action::AddHeader { name, value } if is_field_name(name) => {
            api.add_header(name, &field_value(value, negotiated.leading_space))
        }
        Action::InsertHeader { index, name, value } if is_field_name(name) => api.insert_header(
            position(*index),
            name,
            &field_value(value, negotiated.leading_space),
        ),
        Action::ChangeHeader { index, name, value }
            if is_field_name(name)
                && *index > 0
                && position(*index) as u64 == u64::from(*index) =>
        {
            api.replace_header(
                name,
                position(*index),
                Some(&field_value(value, negotiated.leading_space)),
            )
        }
        Action::ChangeFrom { path, parameters } if is_path(path, parameters) => api.replace_sender(
            path,
            Some(&**parameters).filter(|parameters| !parameters.is_empty()),
        ),
        Action::AddRecipient { path, parameters } if is_path(path, parameters) => {
            // Without parameters, or where the MTA does not take any, the recipient still counts.
            match Some(&**parameters).filter(|parameters| !parameters.is_empty()) {
                Some(parameters) => api
                    .add_recipient(path, Some(parameters))
                    .or_else(|_| api.add_recipient(path, None)),
                None => api
                    .add_recipient(path, None)
                    .or_else(|_| api.add_recipient(path, Some(""))),
            }
        }
        Action::DeleteRecipient { path } if is_path(path, "") => api.remove_recipient(path),
        Action::Quarantine { reason } => api.quarantine(&line(reason, REASON_MAX, false)),
        _ => Ok(()),
    }
}

fn position(index: u32) -> usize {
    usize::try_from(index.min(INDEX_MAX)).unwrap_or(0)
}
