//! What has changed is painted, however much else was painted before.
#![expect(clippy::expect_used, reason = "a test may fail")]

use std::rc::Rc;

use parlor_ui::slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use parlor_ui::slint::platform::{Platform, WindowAdapter, set_platform};
use parlor_ui::slint::{
    ComponentHandle, ModelRc, PhysicalSize, PlatformError, Rgb8Pixel, StyledText, VecModel,
};
use parlor_ui::{App, LineKind, LineRow, PeopleView, Screen, Shell, TimelineView};

const SIZE: (usize, usize) = (1000, 700);

struct Display(Rc<MinimalSoftwareWindow>);

impl Platform for Display {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.0.clone())
    }
}

fn paint(window: &MinimalSoftwareWindow, picture: &mut [Rgb8Pixel]) {
    parlor_ui::slint::platform::update_timers_and_animations();
    window.draw_if_needed(|renderer| {
        renderer.render(picture, SIZE.0);
    });
}

#[test]
fn a_number_that_changes_is_painted_after_a_thousand_lines() {
    let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
    set_platform(Box::new(Display(Rc::clone(&window)))).expect("the first platform");
    let app = App::new().expect("a window");
    app.global::<Shell<'_>>().set_screen(Screen::Room);
    app.global::<PeopleView<'_>>().set_people_count(5);
    let lines = Rc::new(VecModel::<LineRow>::default());
    app.global::<TimelineView<'_>>().set_lines(ModelRc::from(Rc::clone(&lines)));
    app.show().expect("the window shows");
    window.set_size(PhysicalSize::new(SIZE.0 as u32, SIZE.1 as u32));
    let mut picture = vec![Rgb8Pixel::default(); SIZE.0 * SIZE.1];
    for n in 0..1_200 {
        let text = format!("line {n}");
        lines.push(LineRow {
            kind: LineKind::Message,
            heading: true,
            name: "bob".into(),
            time: "09:12".into(),
            text: StyledText::from_plain_text(&text),
            plain: text.into(),
            ..Default::default()
        });
        if n % 10 == 0 {
            paint(&window, &mut picture);
        }
    }
    app.global::<PeopleView<'_>>().set_people_count(1);
    paint(&window, &mut picture);

    let mut whole = vec![Rgb8Pixel::default(); SIZE.0 * SIZE.1];
    window.request_redraw();
    window.draw_if_needed(|renderer| {
        renderer.set_repaint_buffer_type(RepaintBufferType::NewBuffer);
        renderer.render(&mut whole, SIZE.0);
    });
    let stale: Vec<(usize, usize)> = (0..picture.len())
        .filter(|at| picture.get(*at) != whole.get(*at))
        .map(|at| (at % SIZE.0, at / SIZE.0))
        .collect();
    assert!(stale.is_empty(), "{} pixels from {:?} to {:?}", stale.len(), stale.first(), stale.last());
}
