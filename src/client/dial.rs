//! The way to an open WebSocket: TCP, TLS where the URL says so, handshake.

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::args::ClientArgs;
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::tls;

/// A byte stream, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens a WebSocket to the edge.
pub(crate) async fn dial(
    args: &ClientArgs,
) -> Result<WebSocketStream<Box<dyn Stream>>, ClientError> {
    let endpoint = Endpoint::parse(&args.url)?;
    let address = format!("{}:{}", endpoint.host, endpoint.port);
    let tcp = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await;
    let tcp = tcp.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
    let tcp = tcp.map_err(|error| ClientError::Unreachable {
        address: address.clone(),
        error,
    })?;
    let stream: Box<dyn Stream> = if endpoint.secure {
        encrypt(args, &endpoint, tcp, address).await?
    } else {
        Box::new(tcp)
    };
    let opened = client_async(&endpoint.url, stream).await;
    let (socket, _response) = opened.map_err(|error| ClientError::Handshake {
        url: endpoint.url,
        error: Box::new(error),
    })?;
    Ok(socket)
}

async fn encrypt(
    args: &ClientArgs,
    endpoint: &Endpoint,
    tcp: TcpStream,
    address: String,
) -> Result<Box<dyn Stream>, ClientError> {
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| ClientError::Address {
        url: endpoint.url.clone(),
        problem: "names no host that a certificate could name".to_owned(),
    })?;
    let connector = tls::connector(args.authority.as_ref())?;
    let stream = connector.connect(name, tcp).await;
    let stream = stream.map_err(|error| tls_error(address, error))?;
    Ok(Box::new(stream))
}

/// What TLS itself objects to would be the same the next time; a broken connection wouldn't.
fn tls_error(address: String, error: std::io::Error) -> ClientError {
    if error.kind() == std::io::ErrorKind::InvalidData {
        ClientError::Tls { address, error }
    } else {
        ClientError::Unreachable { address, error }
    }
}
