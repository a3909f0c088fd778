//! What is known of an HTML text once it was rendered.

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    /// `a href`.
    Anchor,
    /// `area href`.
    Area,
    /// `img src`, `input src` and `background` attributes.
    Image,
    /// `form action` and `formaction`.
    Form,
    /// `iframe src`, `frame src`, `embed src`, `object data`.
    Frame,
    /// `script src`.
    Script,
    /// `link href`.
    Link,
    /// `meta http-equiv=refresh`.
    Refresh,
    /// `base href`.
    Base,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The value of the attribute, character references decoded, at most 4 KiB.
    pub href: String,
    /// The text between `<a>` and `</a>`, at most 4 KiB; empty for other links.
    pub text: String,
    /// What it is for.
    pub kind: LinkKind,
}

/// What is known of one HTML text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own; they are no state"
)]
pub struct HtmlFacts {
    /// How often each tag opens, sorted by name (lower case); at most 256 names.
    pub tags: Vec<(String, u32)>,
    /// The links, in order; at most 10,000.
    pub links: Vec<Link>,
    /// Bytes of text that is not seen: `display:none`, size nought, the colour of its background
    /// and the like.
    pub hidden_bytes: usize,
    /// Bytes of text that is seen; white space not counted in either.
    pub visible_bytes: usize,
    /// Pictures.
    pub image_count: usize,
    /// There is a form.
    pub has_form: bool,
    /// A field asks for a password.
    pub has_password_input: bool,
    /// There is a script, or an attribute such as `onload`.
    pub has_script: bool,
    /// There is a frame.
    pub has_iframe: bool,
    /// The page leads on by itself.
    pub has_meta_refresh: bool,
    /// Bytes in comments and declarations.
    pub comments_bytes: usize,
    /// The title.
    pub title: String,
    /// Calls in scripts that unpack something: the mark of HTML smuggling.
    pub javascript_decoders: usize,
    /// The source was longer than the budget and was cut.
    pub is_cut: bool,
}
