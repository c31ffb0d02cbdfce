//! Free loopback ports.

use std::collections::VecDeque;
use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many claims are held, the newest: each is a file handle.
const CLAIMS: usize = 200;

/// A free loopback port below those that the system gives to others, which no other suite is
/// given while a server is started on it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() * 40 % 12_000).unwrap_or(0);
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % 12_000;
        let port = 20_000 + (begin + offset) % 12_000;
        if claim(port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Nobody else gets the port of UDP with this number, which no server here wants, as long as it
/// is held; and the system gives it back if this process dies.
fn claim(port: u16) -> bool {
    static HELD: Mutex<VecDeque<UdpSocket>> = Mutex::new(VecDeque::new());
    let Ok(claim) = UdpSocket::bind(("127.0.0.1", port)) else {
        return false;
    };
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.push_back(claim);
    if held.len() > CLAIMS {
        held.pop_front();
    }
    true
}
