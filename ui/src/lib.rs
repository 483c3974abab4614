//! Parlor's window, compiled from the `.slint` files beside this folder.
//!
//! Rust talks to it through one adapter global a view; no layout here, no logic there.

#[expect(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "generated")]
mod generated {
    slint::include_modules!();
}

pub use generated::*;
pub use slint;
