//! Why an address can't be listened on, and who has it.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The address.
    pub address: SocketAddr,
    /// UDP, else TCP.
    pub udp: bool,
}

impl Port {
    /// A TCP listener's.
    pub const fn tcp(address: SocketAddr) -> Self {
        Self {
            address,
            udp: false,
        }
    }

    /// A UDP socket's.
    pub const fn udp(address: SocketAddr) -> Self {
        Self { address, udp: true }
    }

    /// Listens on it for a moment, to know whether it can be had.
    ///
    /// # Errors
    /// When it can't, as [`Self::explain`] says it.
    pub fn try_bind(self) -> io::Result<()> {
        let bound = if self.udp {
            UdpSocket::bind(self.address).map(drop)
        } else {
            TcpListener::bind(self.address).map(drop)
        };
        bound.map_err(|error| self.explain(error))
    }

    /// Says why it couldn't be had, in words that tell what to do; what the system says where there are none.
    pub fn explain(self, error: io::Error) -> io::Error {
        let kind = error.kind();
        let text = if kind == io::ErrorKind::AddrInUse {
            let owner = port_owner(self);
            owner.map_or_else(
                || "taken by a process that can't be told, maybe another user's".to_owned(),
                |owner| format!("taken by {owner}"),
            )
        } else if kind == io::ErrorKind::AddrNotAvailable {
            "this machine has no such address; 0.0.0.0 stands for all that it has".to_owned()
        } else if kind == io::ErrorKind::PermissionDenied {
            format!("{error}; ports below 1024 need CAP_NET_BIND_SERVICE")
        } else {
            return error;
        };
        io::Error::new(kind, text)
    }
}

/// The process that has the port, as `NAME (pid N)`; `None` when it is another user's or can't be told.
pub fn port_owner(port: Port) -> Option<String> {
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

    #[track_caller]
    fn check(port: Port) {
        let said = port.explain(io::ErrorKind::AddrInUse.into()).to_string();
        let pid = std::process::id();
        assert!(
            said.starts_with("taken by ") && said.ends_with(&format!("(pid {pid})")),
            "{said}"
        );
    }

    #[test]
    fn a_taken_port_names_its_owner() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        check(Port::tcp(listener.local_addr().expect("an address")));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        check(Port::udp(socket.local_addr().expect("an address")));
    }

    #[test]
    fn a_port_that_nobody_has_is_nobodys() {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        assert_eq!(port_owner(Port::tcp(address.expect("an address"))), None);
    }

    #[test]
    fn an_address_of_another_machine_is_told() {
        let port = Port::tcp(SocketAddr::from(([192, 0, 2, 1], 8000)));
        let error = TcpListener::bind(port.address).expect_err("not ours");
        assert!(port.explain(error).to_string().contains("no such address"));
    }
}
