//! One connected socket with its buffers: reading, writing and noticing that the peer is gone.
//!
//! System calls are made directly; tokio is asked for readiness only when the kernel said "not now". That
//! keeps two things possible that tokio's own streams do not offer together: bytes stay unread in the socket
//! while its FIN is watched for, and no second read is spent on learning that the socket is empty.
//! Invariant: no poll function spins; each clears the readiness it has looked at before it returns Pending.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, sockopt};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::buffers::{MAX_SLICES, Pool, ReadBuf, WriteBuf};

/// Registers a socket with the reactor of the current runtime; it is deregistered before it is closed.
pub fn register(socket: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open until it is dropped and always names the same descriptor; the AsyncFd owns it
    // from here, and no code of this crate duplicates over it.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}

/// A socket and the bytes on their way in and out.
pub struct Io {
    fd: AsyncFd<OwnedFd>,
    /// Read and not yet used.
    pub read: ReadBuf,
    /// Not yet written.
    pub write: WriteBuf,
    /// A read may find bytes although no readiness is noted.
    unread: bool,
    /// The last write was refused; wait for readiness before the next.
    blocked: bool,
    /// Bytes were written since [`Io::take_progress`].
    progress: bool,
    /// A FIN was seen and is tolerated; only a broken connection counts from here.
    half_closed: bool,
    /// Bytes that the kernel held for the peer when [`Io::peer_took`] last looked.
    backlog: u32,
}

impl Io {
    /// Takes over a connected, non-blocking socket. Fails when it cannot be registered with the reactor.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let fd = register(socket, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Io {
            fd,
            read: ReadBuf::default(),
            write: WriteBuf::default(),
            unread: true,
            blocked: false,
            progress: false,
            half_closed: false,
            backlog: 0,
        })
    }

    /// Reads once into the read buffer: the number of bytes, 0 at the end.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, pool: &Pool) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = None;
            if !self.unread {
                match self.fd.poll_read_ready(cx) {
                    Poll::Ready(ready) => guard = Some(ready?),
                    Poll::Pending => {
                        self.read.release(pool);
                        return Poll::Pending;
                    }
                }
            }
            let result = receive(self.fd.get_ref(), self.read.room(pool));
            match result {
                Ok((count, drained)) => {
                    self.unread = !drained && count > 0;
                    if let Some(guard) = guard.as_mut().filter(|_| drained) {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    self.unread = false;
                    if let Some(guard) = &mut guard {
                        guard.clear_ready();
                    }
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Writes until everything is out.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.write.is_empty() {
            if self.blocked {
                let _ready = ready!(self.fd.poll_write_ready(cx))?;
                self.blocked = false;
            }
            match send(self.fd.get_ref(), &self.write) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.write.advance(count);
                    self.progress = true;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    self.blocked = true;
                    if let Poll::Ready(Ok(mut stale)) = self.fd.poll_write_ready(cx) {
                        stale.clear_ready();
                    }
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether bytes went out since the last call.
    pub fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    /// Whether the peer took some of what the kernel holds for it since the last call. The kernel tells of room only
    /// when a good part of its buffer is free, which a slow peer may need minutes for.
    pub fn peer_took(&mut self) -> bool {
        let before = std::mem::replace(&mut self.backlog, backlog(self.fd.get_ref()));
        self.backlog < before
    }

    /// Ready once the peer has closed (or, when half-closed peers are served, broken) the connection, without
    /// reading what it sent before.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>, serve_half_closed: bool) -> Poll<()> {
        while !self.half_closed {
            let Ok(mut guard) = ready!(self.fd.poll_read_ready(cx)) else { return Poll::Ready(()) };
            if guard.ready().is_read_closed() {
                if !serve_half_closed {
                    return Poll::Ready(());
                }
                // From now on the read side is ready for ever; only the write side still tells something.
                self.half_closed = true;
                self.unread = true;
            } else {
                guard.clear_ready();
                self.unread = true;
            }
        }
        loop {
            let Ok(mut guard) = ready!(self.fd.poll_write_ready(cx)) else { return Poll::Ready(()) };
            if guard.ready().is_write_closed() {
                return Poll::Ready(());
            }
            guard.clear_ready();
        }
    }

    /// Sends a FIN after what was written.
    pub fn shut_write(&self) {
        // A peer that is gone needs none.
        let _ = rustix::net::shutdown(self.fd.get_ref(), Shutdown::Write);
    }

    /// Makes closing send an RST and drop what was not taken, so that a cut body never looks whole.
    pub fn reset_on_close(&self) {
        // Unix sockets do not know it.
        let _ = sockopt::set_socket_linger(self.fd.get_ref(), Some(Duration::ZERO));
    }

    /// Gives back the storage of buffers without content.
    pub fn release(&mut self, pool: &Pool) {
        self.read.release(pool);
        self.write.release(pool);
    }
}

/// Bytes written to the socket that its peer has not taken.
#[cfg(target_os = "linux")]
fn backlog(fd: &OwnedFd) -> u32 {
    use rustix::ioctl::{Getter, Opcode, ioctl};
    /// Named TIOCOUTQ, too.
    const SIOCOUTQ: Opcode = 0x5411;
    // SAFETY: on every kind of socket the request stores one int, and does nothing else.
    let held = unsafe { ioctl(fd, Getter::<SIOCOUTQ, i32>::new()) };
    held.map_or(0, i32::unsigned_abs)
}

/// Unknown: only room in the buffer counts as progress.
#[cfg(not(target_os = "linux"))]
fn backlog(_: &OwnedFd) -> u32 {
    0
}

/// One read: how many bytes came, and whether the socket is known to be empty now.
#[cfg(not(feature = "stress"))]
fn receive(fd: &OwnedFd, into: &mut Vec<u8>) -> rustix::io::Result<(usize, bool)> {
    let room = into.capacity() - into.len();
    let (count, _) = rustix::net::recv(fd, rustix::buffer::spare_capacity(into), RecvFlags::empty())?;
    Ok((count, count < room))
}

#[cfg(feature = "stress")]
fn receive(fd: &OwnedFd, into: &mut Vec<u8>) -> rustix::io::Result<(usize, bool)> {
    let mut byte = [0_u8; 1];
    let (_, count) = rustix::net::recv(fd, &mut byte[..], RecvFlags::empty())?;
    into.extend_from_slice(&byte[..count]);
    Ok((count, false))
}

/// One write of what comes next.
#[cfg(not(feature = "stress"))]
fn send(fd: &OwnedFd, from: &WriteBuf) -> rustix::io::Result<usize> {
    if let Some(bytes) = from.contiguous() {
        return rustix::net::send(fd, bytes, SendFlags::NOSIGNAL);
    }
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let count = from.slices(&mut slices);
    rustix::net::sendmsg(fd, &slices[..count], &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL)
}

#[cfg(feature = "stress")]
fn send(fd: &OwnedFd, from: &WriteBuf) -> rustix::io::Result<usize> {
    if let Some(bytes) = from.contiguous() {
        return rustix::net::send(fd, &bytes[..1], SendFlags::NOSIGNAL);
    }
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let count = from.slices(&mut slices);
    let first = slices[..count].iter().find(|slice| !slice.is_empty()).expect("not empty");
    let byte = [IoSlice::new(&first[..1])];
    rustix::net::sendmsg(fd, &byte, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL)
}
