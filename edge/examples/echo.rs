//! Sends every WebSocket message back: `cargo run -p trunkline-edge --example echo -- 127.0.0.1:9001`.

use tokio::net::TcpListener;
use trunkline_edge::websocket::echo;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:9001")).await?;
    eprintln!("ws://{}/", listener.local_addr()?);
    loop {
        let (tcp, from) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = echo(tcp).await {
                eprintln!("{from}: {error}");
            }
        });
    }
}
