//! What a rule set and a scan may cost at most.

/// Bytes of one rule file.
pub const FILE_LIMIT: usize = 4 << 20;
/// Bytes of one line of a rule file.
pub const LINE_LIMIT: usize = 65_536;
/// Rules of a set.
pub const RULES_LIMIT: usize = 20_000;
/// Characters of a rule's name.
pub const NAME_LIMIT: usize = 100;
/// How deep files may include each other.
pub const INCLUDE_DEPTH: usize = 8;
/// Files that are read because others include them.
pub const INCLUDES_LIMIT: usize = 256;
/// How deep `if` blocks may be nested.
pub const CONDITION_DEPTH: usize = 64;
/// Tokens of one meta expression or condition.
pub const TOKENS_LIMIT: usize = 4_096;
/// How deep the parentheses of a meta expression or condition may be nested.
pub const PARENTHESES_LIMIT: usize = 64;
/// Bytes of each text part that `body` rules see (SpamAssassin's `body_part_scan_size`).
pub const BODY_PART_LIMIT: usize = 50_000;
/// Bytes of each part that `rawbody` rules see (`rawbody_part_scan_size`).
pub const RAWBODY_PART_LIMIT: usize = 500_000;
/// Bytes of the message that `full` rules see.
pub const FULL_LIMIT: usize = 4 << 20;
/// Bytes of one value of a header request, such as `ALL`.
pub const HEADER_VALUE_LIMIT: usize = 256 << 10;
/// Hits that a rule with `tflags multiple` counts at most when it names no `maxhits`.
pub const MULTIPLE_LIMIT: u32 = 1_000;
