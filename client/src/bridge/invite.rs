//! The page that invites others to the room on the screen: its link, as text and as a QR code.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{self, ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer};
use parlor_ui::{App, HostView, InviteView, Lock, RoomView};
use qrcodegen::{QrCode, QrCodeEcc};

use super::clipboard::copy;
use super::text::shared;
use super::{Bridge, on};
use crate::place::{Place, is_here};
use crate::session::HostPort;

/// Light modules around a code (ISO/IEC 18004 §6.3.8).
const QUIET: i32 = 4;
/// How long the button says that it has copied.
const COPIED: Duration = Duration::from_secs(2);

impl Bridge {
    pub(super) fn listen_to_invite(self: &Rc<Self>, window: &App) {
        let view = window.global::<InviteView>();
        on!(self, view, on_copy, |this| this.copy_invitation());
    }

    pub(super) fn show_invitation(&self, window: &App) {
        let (Some(place), view) = (self.invited_to(window), window.global::<InviteView>()) else { return };
        let link = place.link();
        view.set_room(place.room.as_deref().map(shared).unwrap_or_default());
        view.set_address(shared(&place.address()));
        view.set_key(place.key.map(|key| shared(&key.short())).unwrap_or_default());
        let is_none = |server: &HostPort| server.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        view.set_here_only(place.servers.iter().all(|server| is_here(server) || is_none(server)));
        view.set_code(code(&link).unwrap_or_default());
        view.set_link(shared(&link));
        view.set_copied(false);
    }

    /// The room on the screen, by an address that others can use, if there is one.
    fn invited_to(&self, window: &App) -> Option<Place> {
        let state = self.state.borrow();
        let (hosted, view) = (window.global::<InviteView>().get_hosted(), window.global::<RoomView>());
        let own = state.hosting.as_ref().filter(|_| hosted).map(|hosting| hosting.place.clone());
        let id = own.or_else(|| state.place().map(|place| place.id.clone()))?;
        let there = state.places.get(&id)?;
        // A person's conversation, and the server's own, is no room.
        let is_room = !view.get_person() && !view.get_strangers() && !view.get_server();
        let is_shown = is_room && state.place().is_some_and(|place| place.id == id);
        let room = Some(view.get_key().to_string()).filter(|room| is_shown && !room.is_empty());
        if let Some(hosting) = state.hosting.as_ref().filter(|hosting| hosting.place == id) {
            let room = room.or_else(|| Some(hosting.room.clone()));
            let told = window.global::<HostView>().get_address_to_tell();
            return Some(Place { room, key: hosting.host.key(), ..Place::parse(&told).ok()? });
        }
        // Other programs go to the one that is connected, and that is the one which has this key.
        let servers = there.server.as_ref().map(|server| id.servers().beginning_with(server));
        let servers = servers.unwrap_or_else(|| id.servers().clone());
        let key = there.whose.key().or(there.key);
        // One that authorities vouch for is asked for by that.
        let secure = there.lock == Lock::Closed && key.is_none();
        Some(Place { servers, room, person: None, secure, key })
    }

    fn copy_invitation(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<InviteView>();
        if !copy(view.get_link().into()) {
            return;
        }
        view.set_copied(true);
        let weak = self.window.clone();
        slint::Timer::single_shot(COPIED, move || {
            if let Some(window) = weak.upgrade() {
                window.global::<InviteView>().set_copied(false);
            }
        });
    }
}

/// A picture with one pixel a module; `None`: the text is too long for one.
fn code(text: &str) -> Option<Image> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let side = code.size() + 2 * QUIET;
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side as u32, side as u32);
    let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    for (pixel, (x, y)) in pixels.make_mut_slice().iter_mut().zip(places) {
        let shade = if code.get_module(x - QUIET, y - QUIET) { 0 } else { 255 };
        *pixel = Rgb8Pixel { r: shade, g: shade, b: shade };
    }
    Some(Image::from_rgb8(pixels))
}
