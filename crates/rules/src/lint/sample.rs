//! A small sample of mail: for `rules bench` where no mail is named, and to tell slow rules.

/// Messages of the common shapes: a letter, a newsletter, a form, a bounce, one without sense.
pub fn sample_messages() -> Vec<Vec<u8>> {
    let prose = "The meeting on Thursday moves to the small room on the second floor. Please bring the figures of the last \
        quarter, and tell me by Wednesday noon if you cannot come.\n\n";
    let offer = "<p>Dear customer, our spring catalogue is here. <a href=\"https://shop.example.com/spring?id=42&amp;u=7\">\
        See the offers</a> or <a href=\"https://www.example.com/leave\">leave this list</a>.</p>\n";
    let form = "Name: ______ Address: ______ City: ______ Phone: ______ Email: ______\n";
    let noise: String = (0..4_000_u32)
        .map(|n| char::from(b'a' + u8::try_from(n * n % 26).unwrap_or(0)))
        .collect();
    let mail = |kind: &str, subject: &str, body: &str| {
        format!(
            "Received: from mx.example.net (mx.example.net [192.0.2.7]) by mail.example.com; Tue, 6 Jan 2026 10:00:00 +0000\n\
             From: \"A Person\" <person@example.net>\nTo: someone@example.com\nSubject: {subject}\n\
             Date: Tue, 6 Jan 2026 10:00:00 +0000\nMessage-ID: <1@example.net>\nMIME-Version: 1.0\n\
             Content-Type: {kind}; charset=utf-8\n\n{body}"
        )
        .into_bytes()
    };
    vec![
        mail("text/plain", "The meeting moves", &prose.repeat(12)),
        mail(
            "text/html",
            "Spring catalogue",
            &format!("<html><body>{}</body></html>", offer.repeat(40)),
        ),
        mail("text/plain", "Please fill in", &form.repeat(10)),
        mail(
            "text/plain",
            "Undelivered mail returned to sender",
            &prose.repeat(2),
        ),
        mail("text/plain", "xqzt", &noise),
    ]
}
