//! Fonts: whether there are any, and one that draws emoji.
//!
//! The software renderer draws outlines only, so the colour emoji that most systems have come
//! out blank. A font of outlines is part of the program (Noto Emoji, OFL; `client/fonts`).

use std::panic;
use std::sync::Arc;

use parlor_ui::slint::fontique_011::{fontique, shared_collection};

/// 1,464 emoji as outlines.
static EMOJI: &[u8] = include_bytes!("../fonts/NotoEmoji-Regular.ttf");

/// Whether the system has any font; without one the toolkit cannot start.
pub fn any() -> bool {
    let look = || {
        let options = fontique::CollectionOptions { shared: false, system_fonts: true };
        fontique::Collection::new(options).family_names().next().is_some()
    };
    // Without any the library panics (fontique 0.11); here that is an answer, not a failure.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let found = panic::catch_unwind(look).unwrap_or(false);
    panic::set_hook(hook);
    found
}

/// Makes emoji visible in text and names. Called once there is a window.
pub fn add_emoji() {
    let mut collection = shared_collection();
    let added = collection.register_fonts(fontique::Blob::new(Arc::new(EMOJI)), None);
    let Some((emoji, _)) = added.first() else { return };
    for generic in [fontique::GenericFamily::SansSerif, fontique::GenericFamily::SystemUi] {
        let mut families: Vec<_> = collection.generic_families(generic).collect();
        // Behind the font of the text, before those that only have colours.
        families.insert(families.len().min(1), *emoji);
        collection.set_generic_families(generic, families.into_iter());
    }
}

/// The font that the system writes code in.
pub fn mono() -> Option<String> {
    let mut collection = shared_collection();
    let family = collection.generic_families(fontique::GenericFamily::Monospace).next()?;
    collection.family_name(family).map(str::to_owned)
}
