//! The table of this pass's diagnostic codes.

use weir_syntax::codes::Code;

/// All of them, in order.
pub const CODES: &[Code] = &[];
