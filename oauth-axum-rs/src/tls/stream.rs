//! A connection after its handshake.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use oauth_core::mtls::ClientCertificate;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A TLS connection, made by [`TlsListener`](super::TlsListener).
pub struct TlsStream {
    stream: Box<tokio_rustls::server::TlsStream<TcpStream>>,
    certificate: Option<ClientCertificate>,
}

impl TlsStream {
    /// `None` if the service cannot be told of the client's certificate: that
    /// must not look like no certificate. `chain_verified`: the handshake would
    /// have failed without a good chain.
    pub(super) fn new(stream: tokio_rustls::server::TlsStream<TcpStream>, chain_verified: bool) -> Option<Self> {
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|shown| ClientCertificate::from_der(shown.as_ref())).transpose().ok()?;
        let certificate =
            if chain_verified { certificate.map(ClientCertificate::with_verified_chain) } else { certificate };
        Some(Self { stream: Box::new(stream), certificate })
    }

    /// The certificate that the client has shown, and whose private key it has.
    /// It [has a verified chain](ClientCertificate::has_verified_chain) if
    /// authorities were named
    /// ([`ClientCertificates::verified_by`](super::ClientCertificates::verified_by)).
    #[must_use]
    pub const fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.certificate.as_ref()
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").finish_non_exhaustive()
    }
}
