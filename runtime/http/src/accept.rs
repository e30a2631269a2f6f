//! Accepting connections and giving each to a worker.
//!
//! Invariant: a connection goes to the worker with the fewest open ones and takes its slot before any byte of
//! it is read; over the limit it is answered with 503 here and never reaches a worker.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::{JoinHandle, spawn_local};

use crate::counters::{Counters, Slot};
use crate::io::register;
use crate::limits::Limits;
use crate::listen::{BACKLOG, Listener};
use crate::request::Peer;
use crate::shutdown::Wish;
use crate::worker::Phase;

/// Accepted in a row before other work gets its turn.
const BURST: usize = 64;
/// Pause after an accept that failed for want of descriptors or memory; doubled up to the last.
const BACK_OFF: Duration = Duration::from_millis(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);
/// Refused connections that may be waited for at once; more are closed at once.
const REFUSALS: usize = 64;
/// How long a refused client may take to read its answer.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 20\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Retry-After: 1\r\nConnection: close\r\n\r\nService Unavailable\n";

/// A connection on its way to its worker.
#[derive(Debug)]
pub struct Accepted {
    /// Non-blocking.
    pub socket: OwnedFd,
    /// Who connected.
    pub peer: Peer,
    /// Its place among the open connections.
    pub slot: Slot,
}

/// What all listeners of a server share.
pub struct Gate<D> {
    /// The server's counters.
    pub counters: Arc<Counters>,
    /// How many connections may be open at once.
    pub limits: Limits,
    /// Takes a connection for the worker of this number.
    pub deliver: D,
}

/// Accepts on all listeners until the server drains; by then everything that had connected was delivered.
/// Runs inside a local runtime.
pub async fn accept_all<D>(listeners: Vec<Listener>, gate: Gate<D>, wish: Wish) -> io::Result<()>
where
    D: Fn(usize, Accepted) + 'static,
{
    let gate = Rc::new(gate);
    let refusals = Rc::new(Cell::new(0));
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    for Listener { socket, address: _, file } in listeners {
        let door = Door {
            listener: register(socket, Interest::READABLE)?,
            gate: Rc::clone(&gate),
            refusals: Rc::clone(&refusals),
        };
        let mut wish = wish.clone();
        tasks.push(spawn_local(async move {
            let _file = file;
            tokio::select! {
                () = wish.reached(Phase::Draining) => door.accept_queue(),
                () = door.accept_forever() => {}
            }
        }));
    }
    for task in tasks {
        task.await.map_err(io::Error::other)?;
    }
    Ok(())
}

/// One listener.
struct Door<D> {
    listener: AsyncFd<OwnedFd>,
    gate: Rc<Gate<D>>,
    /// Refused clients that are being waited for.
    refusals: Rc<Cell<usize>>,
}

impl<D: Fn(usize, Accepted) + 'static> Door<D> {
    async fn accept_forever(&self) {
        let mut back_off = BACK_OFF;
        loop {
            // The reactor lives as long as this task.
            let Ok(mut ready) = self.listener.readable().await else { return };
            for _ in 0..BURST {
                match self.accept() {
                    Ok(true) => back_off = BACK_OFF,
                    Ok(false) => {
                        ready.clear_ready();
                        break;
                    }
                    Err(_) => {
                        tokio::time::sleep(back_off).await;
                        back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                        break;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Accepts what had connected; what connects meanwhile may be too late.
    fn accept_queue(&self) {
        for _ in 0..BACKLOG {
            if !matches!(self.accept(), Ok(true)) {
                break;
            }
        }
    }

    /// Accepts one connection; false when none waits, an error when the system lacks resources.
    fn accept(&self) -> rustix::io::Result<bool> {
        let (socket, peer) = match accept(self.listener.get_ref()) {
            Ok(accepted) => accepted,
            Err(Errno::AGAIN) => return Ok(false),
            Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => return Err(error),
            // The peer was faster than we, or its network failed: its problem only.
            Err(_) => return Ok(true),
        };
        let Gate { counters, limits, deliver } = &*self.gate;
        let worker = counters.least_loaded();
        match Slot::take(counters, worker, peer, limits) {
            Some(slot) => deliver(worker, Accepted { socket, peer, slot }),
            None => self.refuse(socket),
        }
        Ok(true)
    }

    fn refuse(&self, socket: OwnedFd) {
        if self.refusals.get() >= REFUSALS {
            return;
        }
        let held = Refusal::new(&self.refusals);
        spawn_local(async move {
            let _held = held;
            // A client that cannot be told in time is closed all the same.
            let _ = tokio::time::timeout(REFUSAL_TIME, tell_busy(socket)).await;
        });
    }
}

/// One refused client that is being waited for.
struct Refusal(Rc<Cell<usize>>);

impl Refusal {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Refusal(Rc::clone(count))
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Sends the 503 and reads on until the client closes: closing over its request would destroy the answer.
async fn tell_busy(socket: OwnedFd) -> io::Result<()> {
    rustix::net::send(&socket, BUSY, SendFlags::NOSIGNAL)?;
    rustix::net::shutdown(&socket, Shutdown::Write)?;
    let socket = register(socket, Interest::READABLE)?;
    let mut waste = [0_u8; 512];
    loop {
        let mut ready = socket.readable().await?;
        match rustix::net::recv(socket.get_ref(), &mut waste[..], RecvFlags::empty()) {
            Ok((_, 0)) => return Ok(()),
            Ok(_) => {}
            Err(Errno::AGAIN) => ready.clear_ready(),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(not(target_vendor = "apple"))]
fn accept(listener: &OwnedFd) -> rustix::io::Result<(OwnedFd, Peer)> {
    use rustix::net::SocketFlags;
    let (socket, address) =
        rustix::net::acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    Ok((socket, peer(address)))
}

#[cfg(target_vendor = "apple")]
fn accept(listener: &OwnedFd) -> rustix::io::Result<(OwnedFd, Peer)> {
    let (socket, address) = rustix::net::acceptfrom(listener)?;
    rustix::io::ioctl_fioclex(&socket)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok((socket, peer(address)))
}

fn peer(address: Option<rustix::net::SocketAddrAny>) -> Peer {
    address.and_then(|address| SocketAddr::try_from(address).ok()).map_or(Peer::Unix, Peer::Ip)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use rustix::net::sockopt;

    use super::*;
    use crate::listen::{Address, bind};

    #[test]
    fn accepted_sockets_inherit_what_the_listener_set() {
        let listeners = bind(&"127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let Address::Ip(address) = listeners[0].address else { panic!("not a TCP address") };
        let client = TcpStream::connect(address).expect("it listens");
        let (socket, peer) = accept(&listeners[0].socket).expect("connected");
        assert_eq!(peer, Peer::Ip(client.local_addr().expect("connected")));
        assert!(sockopt::tcp_nodelay(&socket).expect("a TCP socket"));
        assert!(sockopt::socket_keepalive(&socket).expect("a TCP socket"));
        #[cfg(target_os = "linux")]
        assert_eq!(sockopt::tcp_user_timeout(&socket), Ok(60_000));
        assert!(matches!(accept(&listeners[0].socket), Err(Errno::AGAIN)), "accepting never blocks");
    }
}
