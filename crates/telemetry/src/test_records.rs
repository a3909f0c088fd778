//! Records for tests, as lines of a record log.

use gatepost_records::MailRecord;

/// A message that was judged: rules A and B, a shadow rule, the classifier.
pub(crate) fn judged() -> MailRecord {
    read(
        r#"{"version":2,"id":"0000000000001","queue_id":"4bXyz","time":"1970-01-01T00:00:05.000Z",
        "node":"mx1","direction":"inbound","listener":"inbound","stage":"message",
        "generation":"0123456789ab","outcome":"judged","decision":"quarantine","score":8.5,
        "required":5.0,"evidence":[
        {"kind":"rule","rule":"A","points":4.0,"description":"d"},
        {"kind":"rule","rule":"B","points":1.0,"description":"d"},
        {"kind":"classifier","model":"m1","site_sequence":null,"probability":0.97,"points":3.5}],
        "shadow":[],"anomalies":["bare_lf"],"rules_only":false,"action":"quarantine",
        "client":{"host":"mail.example.net","address":"192.0.2.7","port":null},"helo":null,
        "tls":null,"authenticated":null,"from":"<a@example.net>",
        "recipients":[{"address":"b@example.com","decision":"quarantine","action":"quarantine"}],
        "message":{"size":9,"sha256":null,"message_id":null,"subject":null,"from":null},
        "facts":[],"timings":{"total":100}}"#,
    )
}

/// A message that could not be judged.
pub(crate) fn faulted() -> MailRecord {
    read(
        r#"{"version":2,"id":"0000000000002","queue_id":"4bXyz","time":"1970-01-01T00:00:05.000Z",
        "node":"mx1","direction":"inbound","listener":"inbound","stage":"message",
        "generation":"0123456789ab","outcome":"faulted","fault":"overload","policy":"tempfail",
        "action":"defer","client":{"host":"x","address":"192.0.2.7","port":null},"helo":null,
        "tls":null,"authenticated":null,"from":"<>","recipients":[],
        "message":{"size":9,"sha256":null,"message_id":null,"subject":null,"from":null},
        "facts":[],"timings":{"total":100}}"#,
    )
}

fn read(json: &str) -> MailRecord {
    MailRecord::from_line(json.as_bytes()).unwrap()
}
