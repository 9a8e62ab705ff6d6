//! A client's socket, plain or TLS, as hyper and as the WebSocket side want it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A client's connection.
#[derive(Debug)]
pub(crate) enum ClientStream {
    /// TCP as it is: behind a proxy that ends TLS, or on the same machine.
    Plain(TcpStream),
    /// TLS that ends here.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Something that takes bytes without waiting.
pub(crate) trait TryWrite {
    /// Takes some of the bytes, in order; an error of the kind `WouldBlock` when it takes none now.
    fn try_write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Moves on what it has taken; false while some of it still waits.
    fn try_flush(&mut self) -> io::Result<bool>;
}

impl TryWrite for ClientStream {
    fn try_write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.try_write_vectored(slices),
            Self::Tls(tls) => {
                ready_or_would_block(Pin::new(tls).poll_write_vectored(&mut no_context(), slices))
            }
        }
    }

    fn try_flush(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Tls(tls) => match Pin::new(tls).poll_flush(&mut no_context()) {
                Poll::Ready(result) => result.map(|()| true),
                Poll::Pending => Ok(false),
            },
        }
    }
}

/// For polls whose answer is used at once: the connection's own task is woken when the socket can take more.
fn no_context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn ready_or_would_block<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl ClientStream {
    /// Waits until the socket may take more bytes.
    pub(crate) fn poll_write_ready(&self, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_write_ready(ctx)
    }

    /// Says that nothing follows, as far as the socket takes it at once; plain TCP says it by its end.
    pub(crate) fn say_end(&mut self) {
        if let Self::Tls(tls) = self {
            // A client that takes nothing any more won't miss it.
            let _ = Pin::new(tls).poll_shutdown(&mut no_context());
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(ctx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(ctx, buffer),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(ctx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(ctx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(ctx, slices),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(ctx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(ctx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(ctx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(ctx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(ctx),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use rustls::version::TLS13;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::tls::acceptor;
    use crate::tls::tests::{client, self_signed};

    #[tokio::test]
    async fn tls_carries_bytes_both_ways_through_writes_that_never_wait() {
        let dir = tempfile::tempdir().expect("a directory");
        let (section, root) = self_signed(dir.path());
        let acceptor = acceptor(&section).expect("good files").expect("files");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("bound");
        let connector = TlsConnector::from(Arc::new(client(root, &[&TLS13])));
        let client = tokio::spawn(async move {
            let tcp = TcpStream::connect(address).await.expect("connected");
            let name = ServerName::try_from("localhost").expect("a name");
            let mut tls = connector.connect(name, tcp).await.expect("a handshake");
            tls.write_all(b"up").await.expect("written");
            let mut got = vec![0; 1 << 20];
            tls.read_exact(&mut got).await.expect("all of it");
            got
        });
        let (tcp, _) = listener.accept().await.expect("accepted");
        let tls = acceptor.accept(tcp).await.expect("a handshake");
        let mut stream = ClientStream::Tls(Box::new(tls));
        let mut up = [0; 2];
        stream.read_exact(&mut up).await.expect("read");
        assert_eq!(&up, b"up");
        write_all(&mut stream, &vec![7; 1 << 20]).await;
        assert_eq!(client.await.expect("no panic"), vec![7; 1 << 20]);
    }

    /// Writes as a worker does: at once what goes, the rest when the socket takes more.
    async fn write_all(stream: &mut ClientStream, mut bytes: &[u8]) {
        loop {
            match stream.try_write_vectored(&[IoSlice::new(bytes)]) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            if stream.try_flush().expect("a good socket") && bytes.is_empty() {
                return;
            }
            std::future::poll_fn(|ctx| stream.poll_write_ready(ctx))
                .await
                .expect("a good socket");
        }
    }
}
