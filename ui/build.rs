//! Compiles the views.

fn main() {
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent".into())
        .with_bundled_translations("lang")
        // Tests find controls by their names; what is shipped does not carry them.
        .with_debug_info(std::env::var("PROFILE").is_ok_and(|profile| profile == "debug"))
        // One entry for one sentence, wherever it stands.
        .with_default_translation_context(slint_build::DefaultTranslationContext::None);
    slint_build::compile_with_config("app.slint", config).expect("the views compile");
}
