//! Finds out whether a port that dev mode needs is free.

use anyhow::{Result, bail};
use trunkline_process::Port;

/// Refuses a port that is taken, naming it and the process that has it.
pub(crate) fn check(port: Port) -> Result<()> {
    let Err(error) = port.try_bind() else {
        return Ok(());
    };
    let kind = if port.udp { "UDP" } else { "TCP" };
    bail!(
        "{kind} port {} is {error}; stop that, or let --base-port 0 choose free ports",
        port.address
    )
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_taken_port_names_its_owner() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let error = check(Port::tcp(address)).expect_err("the port is taken");
        let (pid, text) = (std::process::id(), error.to_string());
        assert!(text.contains(&format!("(pid {pid})")), "{text}");
        assert!(text.contains(&address.to_string()), "{text}");
    }

    #[test]
    fn a_taken_udp_port_names_its_owner() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("an address");
        let error = check(Port::udp(address)).expect_err("the port is taken");
        assert!(error.to_string().contains("UDP port"), "{error}");
        assert!(error.to_string().contains("(pid "), "{error}");
    }

    #[test]
    fn a_free_port_is_no_trouble() {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        assert!(check(Port::tcp(address.expect("an address"))).is_ok());
    }
}
