//! Messages that are made to hurt a parser: deep, wide, broken or endless. Generated, so that
//! nothing big is stored. Each shape has broken a mail parser somewhere, or is the worst case of one
//! of our loops.

/// How many times a shape repeats its unit, where a megabyte or so comes out of it.
const MANY: usize = 100_000;
/// Bytes of the shapes that are defined by their size.
const BYTES: usize = 10 << 20;

/// All shapes, each with its name: 1 to 10 MB of message.
pub fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let mut shapes = nested();
    shapes.extend(boundaries());
    shapes.extend(encoded_messages());
    shapes.extend(parameters());
    shapes.extend(structured_fields());
    shapes.extend(html());
    shapes.extend(text_with_urls());
    shapes.extend(bodies());
    shapes
}

fn message(content_type: &str, body: &str) -> Vec<u8> {
    format!("From: a@example.com\r\nContent-Type: {content_type}\r\n\r\n{body}").into_bytes()
}

fn field(name: &str, value: &str) -> Vec<u8> {
    format!("From: a@example.com\r\n{name}: {value}\r\n\r\nbody\r\n").into_bytes()
}

/// What `unit` gives for each number below [`MANY`], joined.
fn each(unit: impl Fn(usize) -> String) -> String {
    (0..MANY).map(unit).collect::<Vec<_>>().concat()
}

/// A multipart of a boundary of its own, opened.
fn multipart(i: usize) -> String {
    format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n")
}

fn nested() -> Vec<(&'static str, Vec<u8>)> {
    let rfc822 = "Content-Type: message/rfc822\r\n\r\n";
    let alternating: String = (0..MANY / 2).map(|i| multipart(i) + rfc822).collect();
    let nested: String = (0..MANY).map(multipart).collect();
    let same = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let digest = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n";
    vec![
        (
            "nested rfc822",
            (rfc822.repeat(MANY) + "\r\nend").into_bytes(),
        ),
        ("multipart and rfc822 alternating", alternating.into_bytes()),
        ("nested multipart", nested.into_bytes()),
        (
            "nested multipart of one boundary",
            same.repeat(MANY).into_bytes(),
        ),
        ("nested digest", digest.repeat(MANY).into_bytes()),
    ]
}

fn boundaries() -> Vec<(&'static str, Vec<u8>)> {
    let closers: String =
        (0..60).map(multipart).collect::<String>() + &"\r\n--b0x".repeat(MANY * 10);
    vec![
        (
            "empty parts",
            message("multipart/mixed; boundary=b", &"--b\r\n\r\n".repeat(MANY)),
        ),
        (
            "empty parts without header end",
            message("multipart/mixed; boundary=b", &"--b\r\n".repeat(MANY * 10)),
        ),
        (
            "boundary prefixes under open multiparts",
            closers.into_bytes(),
        ),
        (
            "boundary prefixes",
            message(
                "multipart/mixed; boundary=b",
                &"--bb\r\n--\r\n---\n".repeat(MANY * 5),
            ),
        ),
        (
            "boundary dashes",
            message("multipart/mixed; boundary=b", &"\n--".repeat(BYTES / 3)),
        ),
        (
            "closing boundaries",
            message(
                "multipart/mixed; boundary=b",
                &"--b--\r\n".repeat(MANY * 10),
            ),
        ),
    ]
}

fn encoded_messages() -> Vec<(&'static str, Vec<u8>)> {
    let encoded = |encoding: &str, levels: usize, wrap: fn(&[u8]) -> Vec<u8>| {
        let mut inner = b"Subject: x\r\n\r\nend".to_vec();
        for _ in 0..levels {
            let head = format!(
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
            );
            inner = [head.as_bytes(), &wrap(&inner)].concat();
        }
        inner
    };
    let mut padded = b"Subject: x\r\n\r\n".to_vec();
    padded.resize(3 << 20, b'x');
    vec![
        (
            "base64 rfc822 in base64 rfc822",
            encoded("base64", 36, base64),
        ),
        (
            "quoted-printable rfc822 in itself",
            encoded("quoted-printable", 80, quoted_printable),
        ),
        (
            "many base64 rfc822",
            [
                b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                    .to_vec(),
                base64(&padded),
            ]
            .concat(),
        ),
    ]
}

fn parameters() -> Vec<(&'static str, Vec<u8>)> {
    let parameters = each(|i| format!(";\r\n p{i}=v"));
    let continuations = each(|i| format!(";\r\n name*{i}=v"));
    let encoded = each(|i| format!("; name*{i}*=%C3%A4"));
    vec![
        (
            "parameters",
            field("Content-Type", &("text/plain".to_owned() + &parameters)),
        ),
        (
            "continuations",
            field("Content-Type", &("text/plain".to_owned() + &continuations)),
        ),
        (
            "encoded continuations",
            field("Content-Disposition", &("attachment".to_owned() + &encoded)),
        ),
        (
            "one parameter 100k times",
            field(
                "Content-Type",
                &("multipart/x".to_owned() + &"; boundary=b".repeat(MANY)),
            ),
        ),
        (
            "broken words in parameters",
            field(
                "Content-Type",
                &("text/plain; name=".to_owned() + &"=?utf-8?q?".repeat(MANY)),
            ),
        ),
    ]
}

fn structured_fields() -> Vec<(&'static str, Vec<u8>)> {
    let addresses = each(|i| format!("a{i}@example.com, "));
    let headers = each(|i| format!("X-{i}: v\r\n"));
    let words = "=?utf-8?q?=C3=A4?= ";
    vec![
        ("headers", (headers + "\r\n").into_bytes()),
        (
            "lines without colon",
            "x\r\n".repeat(MANY * 10).into_bytes(),
        ),
        (
            "folded lines",
            field("Subject", &"\r\n x".repeat(MANY * 10)),
        ),
        (
            "blank folded lines",
            field("Subject", &"\r\n ".repeat(MANY * 10)),
        ),
        ("addresses", field("To", &addresses)),
        ("groups", field("To", &"g:a@example.com;".repeat(MANY))),
        ("open groups", field("To", &"g:a@b:".repeat(MANY))),
        ("comments", field("To", &"(c) ".repeat(MANY))),
        (
            "nested comments",
            field("To", &("(".repeat(MANY) + &")".repeat(MANY))),
        ),
        ("open angle brackets", field("To", &"<\"(".repeat(MANY))),
        ("encoded words", field("Subject", &words.repeat(MANY))),
        (
            "encoded words in addresses",
            field("To", &words.repeat(MANY)),
        ),
        (
            "broken encoded words",
            field("To", &"=?utf-8?q?".repeat(MANY)),
        ),
        (
            "starts of encoded words",
            field("Subject", &"=?".repeat(MANY * 5)),
        ),
        ("unanswered charsets", field("To", &"=?aaaa ".repeat(MANY))),
        ("overlong field", field("Subject", &"x".repeat(BYTES))),
    ]
}

fn html() -> Vec<(&'static str, Vec<u8>)> {
    let html = |body: String| message("text/html", &body);
    let attributes = each(|i| format!(" a{i}=v"));
    let links = each(|i| format!("<a href=//h{i}.example.com/>x"));
    vec![
        ("deep tags", html("<div>".repeat(MANY * 8))),
        (
            "deep closed tags",
            html("<b>".repeat(MANY) + &"</b>".repeat(MANY)),
        ),
        (
            "ends of no tag",
            html("<b>".repeat(300) + &"</x>".repeat(MANY * 10)),
        ),
        (
            "deep styled tags",
            html("<p style='color:#fff;font-size:0'>".repeat(MANY)),
        ),
        ("open comments", html("<!--".repeat(MANY * 10))),
        (
            "dashes in a comment",
            html("<!--".to_owned() + &"--!-".repeat(MANY * 10)),
        ),
        ("open quotes", html("<a href=\"".repeat(MANY * 5))),
        ("open tags", html("<a ".repeat(MANY * 10))),
        ("angle brackets", html("<".repeat(4 << 20))),
        ("open scripts", html("<script>".repeat(MANY * 5))),
        (
            "script ends that are none",
            html("<script>".to_owned() + &"</scrip".repeat(MANY * 5)),
        ),
        (
            "character references",
            html("&amp;&#65;&#x41;&x".repeat(MANY * 2)),
        ),
        ("ampersands", html("&".repeat(4 << 20))),
        (
            "long character references",
            html("&#".to_owned() + &"1".repeat(4 << 20)),
        ),
        ("attributes", html(format!("<a{attributes}>"))),
        (
            "long style",
            html(format!("<a style='{}'>x", "color:#fff;".repeat(MANY))),
        ),
        ("links", html(links)),
        ("open cdata", html("<![CDATA[".repeat(MANY * 4))),
    ]
}

fn text_with_urls() -> Vec<(&'static str, Vec<u8>)> {
    let urls = each(|i| format!("http://h{i}.example.com/ "));
    vec![
        ("urls", message("text/plain", &urls)),
        (
            "url in url",
            message("text/plain", &"http://".repeat(MANY * 10)),
        ),
        (
            "one long url",
            message(
                "text/plain",
                &("http://example.com/".to_owned() + &"a".repeat(BYTES)),
            ),
        ),
        (
            "brackets after a url",
            message(
                "text/plain",
                &("http://example.com/".to_owned() + &")".repeat(BYTES)),
            ),
        ),
        ("dots", message("text/plain", &"a.".repeat(BYTES / 2))),
        (
            "short words with dots",
            message("text/plain", &"a.com ".repeat(BYTES / 6)),
        ),
        ("slashes", message("text/plain", &":/".repeat(BYTES / 2))),
    ]
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let encoded = |encoding: &str, body: String| {
        let head = format!("From: a@example.com\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
        (head + &body).into_bytes()
    };
    let charset = |name: &str, body: &[u8]| {
        let head =
            format!("From: a@example.com\r\nContent-Type: text/plain; charset={name}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    vec![
        ("base64 junk", encoded("base64", "A!=".repeat(BYTES / 3))),
        (
            "base64 in single characters",
            encoded("base64", "A\r\n".repeat(BYTES / 3)),
        ),
        ("base64", encoded("base64", "QUFB".repeat(BYTES / 4))),
        (
            "soft line breaks",
            encoded("quoted-printable", "=\r\n".repeat(BYTES / 3)),
        ),
        (
            "equals signs",
            encoded("quoted-printable", "=".repeat(BYTES)),
        ),
        (
            "equals signs and blanks",
            encoded("quoted-printable", "=  \t".repeat(BYTES / 4)),
        ),
        ("blanks", encoded("quoted-printable", " ".repeat(BYTES))),
        ("overlong line", encoded("7bit", "x".repeat(BYTES))),
        ("line feeds", encoded("7bit", "\n".repeat(BYTES))),
        ("carriage returns", encoded("7bit", "\r".repeat(BYTES))),
        ("nul bytes", encoded("7bit", "\0".repeat(BYTES))),
        ("latin text", charset("iso-8859-1", &[0xe4; 5 << 20])),
        ("unknown charset", charset("x-none", &[0x80; 5 << 20])),
        (
            "utf-7",
            charset("utf-7", "+AOQ".repeat(MANY * 10).as_bytes()),
        ),
        ("utf-16", charset("utf-16", &[0xd8; 5 << 20])),
        (
            "iso-2022-jp",
            charset("iso-2022-jp", "\x1b$B\x1b(B".repeat(MANY * 5).as_bytes()),
        ),
        (
            "bytes of all kinds",
            (0..=255_u8).cycle().take(BYTES).collect(),
        ),
        ("nothing but nul", vec![0; BYTES]),
    ]
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::with_capacity(bytes.len() / 3 * 4 + 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| (word << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (word >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() {
                alphabet[sextet as usize]
            } else {
                b'='
            });
        }
    }
    text
}

/// Encodes only what must be, so that it can be nested often.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes)
        .replace('=', "=3D")
        .into_bytes()
}
