//! The settings view: what it shows, and what a change does at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use parlor_ui::slint::{self, ComponentHandle, SharedString};
use parlor_ui::{
    App, Language, NotifyChoice, SettingsView, Shell, ThemeChoice, TimeFormat as TimeChoice, Words,
};

use super::clipboard::copy;
use super::text::shared;
use super::{Bridge, on};
use crate::autostart::Autostart;
use crate::notify::Notify;
use crate::scheme;
use crate::secret::Secret;
use crate::secrets::Secrets;
use crate::session::Action;
use crate::settings::{Settings, Theme, TimeFormat};

/// The code of the second language.
const CHINESE: &str = "zh_CN";

impl Bridge {
    pub(super) fn listen_to_preferences(self: &Rc<Self>, window: &App) {
        let view = window.global::<SettingsView>();
        on!(self, view, on_changed_now, |this| this.settings_changed());
        on!(self, view, on_show_code, |this| this.show_code(|_| ()));
        on!(self, view, on_hide_code, |this| this.hide_code());
        on!(self, view, on_copy_code, |this| this.copy_code());
        on!(self, view, on_use_code, |this| this.use_code());
        on!(self, view, on_at_login_changed, |this| this.start_at_login());
        on!(self, view, on_take_links, |this| this.open_links_here());
        on!(self, view, on_open_folder, |this| {
            let folder = this.history_folder();
            let made = fs::create_dir_all(&folder);
            let opened = made.and_then(|()| webbrowser::open(&folder.display().to_string()));
            if let Err(error) = opened {
                log::warn!("the folder does not open: {error}");
            }
        });
    }

    pub(super) fn show_settings(self: &Rc<Self>, window: &App) {
        self.show_notify(window);
        self.watch_tray();
        let state = self.state.borrow();
        let (settings, view) = (&state.settings, window.global::<SettingsView>());
        view.set_name(shared(state.me().unwrap_or(&settings.name)));
        for clear in [
            SettingsView::set_code,
            SettingsView::set_other_code,
            SettingsView::set_other_code_error,
            SettingsView::set_other_code_done,
            SettingsView::set_links_done,
        ] {
            clear(&view, SharedString::default());
        }
        view.set_theme(match settings.theme {
            Theme::System => ThemeChoice::System,
            Theme::Light => ThemeChoice::Light,
            Theme::Dark => ThemeChoice::Dark,
        });
        view.set_text_size(settings.text_size as f32 / 100.0);
        view.set_language(language(&settings.language));
        view.set_time_format(match settings.time_format {
            TimeFormat::System => TimeChoice::System,
            TimeFormat::Hours24 => TimeChoice::Hours24,
            TimeFormat::Hours12 => TimeChoice::Hours12,
        });
        view.set_sounds(settings.sounds);
        view.set_nearby(settings.nearby);
        view.set_join_at_start(settings.join_at_start);
        view.set_at_login(Autostart::find().is_ok_and(|entry| entry.is_on()));
        view.set_stay(settings.stay);
        view.set_fold_joins(settings.fold_joins);
        view.set_tell_typing(settings.tell_typing);
        view.set_compact(settings.compact);
        view.set_file_folder(shared(&settings.file_folder));
        view.set_folder_now(shared(&self.folder.downloads("").display().to_string()));
        view.set_calls_out(settings.calls_out);
        view.set_history_folder(shared(&self.history_folder().display().to_string()));
    }

    /// What the desktop is told of: menus of rooms show it, too.
    fn show_notify(&self, window: &App) {
        window.global::<SettingsView>().set_notify(match self.state.borrow().settings.notify {
            Notify::Mentions => NotifyChoice::Mentions,
            Notify::Private => NotifyChoice::Private,
            Notify::All => NotifyChoice::All,
            Notify::Off => NotifyChoice::Off,
        });
    }

    /// Shows the recovery code of one's names, after a change.
    fn show_code(self: &Rc<Self>, change: impl FnOnce(&mut Secrets) + Send + 'static) {
        let (told, weak) = (self.keeper.secrets(change), self.window.clone());
        let show = async move {
            let code = told.recv().await.ok().flatten();
            if let (Some(window), Some(code)) = (weak.upgrade(), code) {
                window.global::<SettingsView>().set_code(shared(&code.to_string()));
            }
        };
        self.tasks.spawn(show).detach();
    }

    fn hide_code(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<SettingsView>().set_code(SharedString::default());
        }
    }

    fn copy_code(&self) {
        if let Some(window) = self.window.upgrade() {
            copy(window.global::<SettingsView>().get_code().into());
        }
    }

    /// The code of another computer: names there and here are the same person's from now on.
    fn use_code(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, words) = (window.global::<SettingsView>(), window.global::<Words>());
        view.set_other_code_done(SharedString::default());
        let Ok(secret) = view.get_other_code().parse::<Secret>() else {
            return view.set_other_code_error(words.invoke_code_wrong());
        };
        view.set_other_code(SharedString::default());
        view.set_other_code_error(SharedString::default());
        view.set_other_code_done(words.invoke_code_used());
        self.show_code(move |secrets| secrets.adopt(secret));
    }

    /// The folder of all rooms that were hosted.
    fn history_folder(&self) -> PathBuf {
        let port = self.state.borrow().settings.host_port;
        let one = self.folder.history(&format!("127.0.0.1:{port}"));
        let all = one.and_then(|one| one.parent().map(Path::to_owned));
        all.or_else(|| self.folder.path().map(Path::to_owned)).unwrap_or_default()
    }

    fn settings_changed(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, words) = (window.global::<SettingsView>(), window.global::<Words>());
        let name = view.get_name().trim().to_owned();
        let possible = parlor_server::protocol::Nick::parse(&name).is_ok();
        view.set_name_error(if possible { "".into() } else { words.invoke_name_not_possible(shared(&name)) });
        let renamed = {
            let mut state = self.state.borrow_mut();
            let renamed = possible && state.me().is_some_and(|me| me != name);
            let settings = &mut state.settings;
            if possible {
                settings.name = name.clone();
            }
            settings.theme = match view.get_theme() {
                ThemeChoice::System => Theme::System,
                ThemeChoice::Light => Theme::Light,
                ThemeChoice::Dark => Theme::Dark,
            };
            settings.text_size = (view.get_text_size() * 100.0).round().clamp(75.0, 200.0) as u32;
            settings.language = match view.get_language() {
                Language::Chinese => CHINESE.into(),
                Language::English => "en".into(),
            };
            settings.time_format = match view.get_time_format() {
                TimeChoice::Hours12 => TimeFormat::Hours12,
                TimeChoice::Hours24 => TimeFormat::Hours24,
                TimeChoice::System => TimeFormat::System,
            };
            settings.sounds = view.get_sounds();
            settings.notify = match view.get_notify() {
                NotifyChoice::All => Notify::All,
                NotifyChoice::Off => Notify::Off,
                NotifyChoice::Mentions => Notify::Mentions,
                NotifyChoice::Private => Notify::Private,
            };
            settings.nearby = view.get_nearby();
            settings.join_at_start = view.get_join_at_start();
            settings.stay = view.get_stay();
            settings.fold_joins = view.get_fold_joins();
            settings.tell_typing = view.get_tell_typing();
            settings.file_folder = view.get_file_folder().trim().to_owned();
            settings.calls_out = view.get_calls_out();
            settings.compact = view.get_compact();
            renamed
        };
        if renamed {
            self.act_at_place(Action::Rename { nick: name });
        }
        self.keep_settings();
        self.apply_settings(&window);
        self.show_tray();
        self.look_or_not();
    }

    /// The desktop's tool may take seconds.
    fn open_links_here(self: &Rc<Self>) {
        let (config, weak) = (self.folder.asked().map(Path::to_owned), self.window.clone());
        let register = async move {
            let done = smol::unblock(move || scheme::register(config.as_deref())).await;
            let Some(window) = weak.upgrade() else { return };
            let words = window.global::<Words>();
            window.global::<SettingsView>().set_links_done(match done {
                Ok(()) => words.invoke_links_taken(),
                Err(error) => words.invoke_links_not_taken(shared(&error.to_string())),
            });
        };
        self.tasks.spawn(register).detach();
    }

    fn start_at_login(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<SettingsView>();
        let on = view.get_at_login();
        let done = Autostart::find().and_then(|entry| entry.set(on, self.folder.asked()));
        if let Err(error) = done {
            view.set_at_login(!on);
            self.notice(&window, window.global::<Words>().invoke_not_at_login(shared(&error.to_string())));
        }
    }

    /// Makes the window look as the settings say.
    pub(super) fn apply_settings(&self, window: &App) {
        let shell = window.global::<Shell>();
        {
            let state = self.state.borrow();
            let settings = &state.settings;
            shell.set_theme(match settings.theme {
                Theme::System => ThemeChoice::System,
                Theme::Light => ThemeChoice::Light,
                Theme::Dark => ThemeChoice::Dark,
            });
            shell.set_scale(settings.text_size as f32 / 100.0);
            shell.set_compact(settings.compact);
            let code = language_code(settings);
            shell.set_language(language(&code));
            // English is what the views are written in.
            let code = if language(&code) == Language::Chinese { CHINESE } else { "" };
            if let Err(error) = slint::select_bundled_translation(code) {
                log::warn!("no translation: {error}");
            }
            for conversation in state.conversations.iter() {
                conversation.view.show_anew(settings.time_format);
            }
        }
        self.show_notify(window);
        self.show_status(window);
        self.show_rooms(window);
        self.show_found_anew(window);
    }
}

fn language(code: &str) -> Language {
    if code.starts_with("zh") { Language::Chinese } else { Language::English }
}

/// Whether the system's language writes 9 pm, not 21.
pub(super) fn has_half_days() -> bool {
    let asked = asked_for("LC_TIME");
    ["en_US", "en_CA", "en_AU", "en_NZ", "en_PH", "en_IN"].iter().any(|place| asked.starts_with(place))
}

/// The language of the views.
pub(super) fn language_code(settings: &Settings) -> String {
    if settings.language.is_empty() { system_language() } else { settings.language.clone() }
}

/// What the environment asks for.
fn system_language() -> String {
    asked_for("LC_MESSAGES")
}

/// The environment's locale for one purpose (POSIX, XBD 8.2).
fn asked_for(purpose: &str) -> String {
    let names = ["LC_ALL", purpose, "LANG"];
    names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default()
}
