//! Finds out who has a port that dev mode needs.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use anyhow::{Result, bail};

use super::plan::Port;

/// Refuses a port that is taken, naming it and the process that has it.
pub(crate) fn check(port: Port) -> Result<()> {
    let taken = if port.udp {
        UdpSocket::bind(port.address).map(drop)
    } else {
        TcpListener::bind(port.address).map(drop)
    };
    let Err(error) = taken else { return Ok(()) };
    let kind = if port.udp { "UDP" } else { "TCP" };
    match owner(port) {
        Some(owner) => bail!("{kind} port {} is taken by {owner}", port.address),
        None => bail!("{kind} port {} can't be had: {error}", port.address),
    }
}

/// The process that has the port, as `NAME (pid N)`; `None` when it is another user's or can't be told.
fn owner(port: Port) -> Option<String> {
    let inode = inode_of(port)?;
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| {
        holds(
            &Path::new("/proc").join(pid.to_string()).join("fd"),
            &wanted,
        )
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (pid {pid})", name.trim()))
}

fn holds(fds: &Path, wanted: &str) -> bool {
    let Ok(entries) = fs::read_dir(fds) else {
        return false;
    };
    let mut targets = entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.any(|target| target.as_os_str() == wanted)
}

/// The socket's inode, from the kernel's table of sockets.
fn inode_of(port: Port) -> Option<String> {
    let tables = if port.udp {
        ["udp", "udp6"]
    } else {
        ["tcp", "tcp6"]
    };
    let read = |table| fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
    tables
        .into_iter()
        .map(read)
        .find_map(|table| find_inode(&table, port.address, port.udp))
}

/// Columns of a line: number, local address, remote address, state, …, inode as the tenth.
fn find_inode(table: &str, address: SocketAddr, udp: bool) -> Option<String> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (host, port) = columns.get(1)?.rsplit_once(':')?;
        let same_port = u16::from_str_radix(port, 16).ok()? == address.port();
        let any = host.bytes().all(|digit| digit == b'0');
        let same = same_port && (any || is_host(host, address));
        let bound = udp || *columns.get(3)? == LISTEN;
        (same && bound)
            .then(|| columns.get(9).map(ToString::to_string))
            .flatten()
    })
}

/// The kernel writes an IPv4 address as one number in the machine's byte order.
fn is_host(host: &str, address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(v4) => {
            let octets = u32::from_str_radix(host, 16).map(u32::to_ne_bytes);
            octets.is_ok_and(|octets| octets == v4.ip().octets())
        }
        SocketAddr::V6(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_owner() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let error = check(Port {
            address,
            udp: false,
        })
        .expect_err("the port is taken");
        let pid = std::process::id();
        assert!(
            error.to_string().contains(&format!("(pid {pid})")),
            "{error}"
        );
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn a_taken_udp_port_names_its_owner() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("an address");
        let error = check(Port { address, udp: true }).expect_err("the port is taken");
        assert!(error.to_string().contains("UDP port"), "{error}");
        assert!(error.to_string().contains("(pid "), "{error}");
    }

    #[test]
    fn a_free_port_is_no_trouble() {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        assert!(
            check(Port {
                address: address.expect("an address"),
                udp: false
            })
            .is_ok()
        );
    }
}
