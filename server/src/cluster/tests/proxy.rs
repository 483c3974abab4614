//! A way to the engine that can be cut and held up.

use std::cell::Cell;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use smol::{Async, LocalExecutor, Task, Timer};

/// See the [module](self).
pub(super) struct Proxy {
    pub(super) port: u16,
    /// Nothing passes.
    pub(super) stopped: Rc<Cell<bool>>,
    /// Nothing passes to whoever reads the log.
    pub(super) deaf: Rc<Cell<bool>>,
    /// The connections of as many appends are to be cut, after the engine has answered and before anybody hears it; or of
    /// another operation.
    pub(super) cuts: Rc<Cell<usize>>,
    pub(super) operation: Rc<Cell<&'static str>>,
    _task: Task<()>,
}

impl Proxy {
    pub(super) fn start(executor: &Rc<LocalExecutor<'static>>, engine: u16) -> Proxy {
        let listener = Async::<std::net::TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
        let port = listener.get_ref().local_addr().unwrap().port();
        let [stopped, deaf] = [(); 2].map(|()| Rc::new(Cell::new(false)));
        let (cuts, operation) = (Rc::new(Cell::new(0)), Rc::new(Cell::new("append")));
        let held = [Rc::clone(&stopped), Rc::clone(&deaf)];
        let (cut, on) = ((Rc::clone(&cuts), Rc::clone(&operation)), Rc::clone(executor));
        let task = executor.spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                on.spawn(pass(client, engine, held.clone(), cut.clone())).detach();
            }
        });
        Proxy { port, stopped, deaf, cuts, operation, _task: task }
    }
}

async fn pass(
    client: Async<TcpStream>,
    engine: u16,
    [stopped, deaf]: [Rc<Cell<bool>>; 2],
    (cuts, operation): (Rc<Cell<usize>>, Rc<Cell<&'static str>>),
) {
    let Ok(engine) = Async::<TcpStream>::connect(([127, 0, 0, 1], engine)).await else { return };
    let (cutting, reading) = (Cell::new(false), Cell::new(false));
    let up = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = (&client).read(&mut bytes).await {
            if was_stopped(&stopped).await {
                return;
            }
            let has = |word: &[u8]| bytes[..count].windows(word.len()).any(|here| here == word);
            reading.set(reading.get() || has(b"\r\nXREAD\r\n"));
            if cuts.get() > 0 && has(format!("\r\n{}\r\n", operation.get()).as_bytes()) {
                cuts.set(cuts.get() - 1);
                cutting.set(true);
            }
            if (&engine).write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = (&engine).read(&mut bytes).await {
            let held = reading.get() && was_stopped(&deaf).await || was_stopped(&stopped).await;
            if held || cutting.get() || (&client).write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    future::or(up, down).await;
}

/// Waits until something may pass; what was held up is lost.
async fn was_stopped(stopped: &Cell<bool>) -> bool {
    let was = stopped.get();
    while stopped.get() {
        Timer::after(Duration::from_millis(5)).await;
    }
    was
}
