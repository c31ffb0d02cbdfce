//! A TCP stream that hands out at most one line at a time.
//!
//! The SMTP client buffers what it reads, and keeps that buffer when STARTTLS turns the
//! connection into TLS. Whoever can write into the plain part of a connection could
//! append answers there that would later pass for the server's own, under TLS. Given one
//! line at a time the buffer is empty when TLS begins, and whatever was slipped in
//! reaches the TLS handshake, which fails on it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

const CAPACITY: usize = 4096;

/// See the module.
#[derive(Debug)]
pub(crate) struct LineStream {
    tcp: TcpStream,
    waiting: Vec<u8>,
    taken: usize,
}

impl LineStream {
    pub(crate) const fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            waiting: Vec::new(),
            taken: 0,
        }
    }

    fn rest(&self) -> &[u8] {
        self.waiting.get(self.taken..).unwrap_or_default()
    }
}

impl AsyncRead for LineStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.rest().is_empty() {
            let mut chunk = [0u8; CAPACITY];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut read))?;
            this.waiting.clear();
            this.waiting.extend_from_slice(read.filled());
            this.taken = 0;
        }
        let rest = this.rest();
        let line = rest
            .iter()
            .position(|b| *b == b'\n')
            .map_or(rest.len(), |end| end + 1);
        let given = line.min(out.remaining());
        out.put_slice(rest.get(..given).unwrap_or_default());
        this.taken += given;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::LineStream;

    #[tokio::test]
    async fn nothing_beyond_the_line_is_buffered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        far.write_all(b"220 go ahead\r\n250 slipped in\r\n")
            .await
            .unwrap();
        far.shutdown().await.unwrap();

        let mut reader = BufReader::new(LineStream::new(near));
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        assert_eq!(line, "220 go ahead\r\n");
        assert!(reader.buffer().is_empty());

        let mut next = String::new();
        reader.read_line(&mut next).await.unwrap();
        assert_eq!(next, "250 slipped in\r\n");
        assert_eq!(reader.read_line(&mut next).await.unwrap(), 0);
    }
}
