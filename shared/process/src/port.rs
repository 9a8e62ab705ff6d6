//! Why an address can't be listened on, and who has it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

/// Ports below it are the system's.
const PRIVILEGED_BELOW: u16 = 1024;

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
        } else if kind == io::ErrorKind::PermissionDenied && self.address.port() < PRIVILEGED_BELOW
        {
            format!("{error}; ports below {PRIVILEGED_BELOW} need CAP_NET_BIND_SERVICE")
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
        let same = same_port && excludes(parse_host(host)?, address.ip().to_canonical());
        let bound = udp || *columns.get(3)? == LISTEN;
        (same && bound)
            .then(|| columns.get(9).map(ToString::to_string))
            .flatten()
    })
}

/// The kernel writes an address as one or four numbers in the machine's byte order.
fn parse_host(host: &str) -> Option<IpAddr> {
    let number = |digits: &str| u32::from_str_radix(digits, 16).map(u32::to_ne_bytes).ok();
    if host.len() == 8 {
        return number(host).map(|octets| Ipv4Addr::from(octets).into());
    }
    let mut octets = [0; 16];
    for (index, part) in octets.chunks_exact_mut(4).enumerate() {
        part.copy_from_slice(&number(host.get(index * 8..index * 8 + 8)?)?);
    }
    Some(IpAddr::from(Ipv6Addr::from(octets)).to_canonical())
}

/// Whether of two addresses with one port only one can be listened on.
fn excludes(one: IpAddr, other: IpAddr) -> bool {
    one == other || covers(one, other) || covers(other, one)
}

/// Whether an address stands for all, the other among them; `::` stands for those of IPv4 too.
const fn covers(all: IpAddr, one: IpAddr) -> bool {
    all.is_unspecified() && (all.is_ipv6() || one.is_ipv4())
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

    /// An address as the kernel's tables have it.
    fn host(ip: &str) -> String {
        let octets = match ip.parse().expect("an address") {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let number = |part: &[u8]| u32::from_ne_bytes(part.try_into().expect("four octets"));
        let numbers = octets.chunks_exact(4).map(number);
        numbers.map(|number| format!("{number:08X}")).collect()
    }

    /// Whether who holds an address is found by who wants another one.
    fn is_found(held: &str, wanted: &str) -> bool {
        let table = format!(
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             \x20  0: {}:1F40 {}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n",
            host(held),
            host("0.0.0.0"),
        );
        let wanted = SocketAddr::new(wanted.parse().expect("an address"), 8000);
        let found = find_inode(&table, wanted, false);
        assert!(found.as_ref().is_none_or(|inode| inode == "4711"));
        let others = SocketAddr::new(wanted.ip(), 8001);
        assert_eq!(find_inode(&table, others, false), None);
        found.is_some()
    }

    #[test]
    fn an_owner_is_found_where_two_addresses_exclude_each_other() {
        for (held, wanted) in [
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1"),
            ("127.0.0.1", "0.0.0.0"),
            ("127.0.0.1", "::"),
            ("::", "127.0.0.1"),
            ("::1", "::1"),
            ("::1", "::"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "::ffff:127.0.0.1"),
        ] {
            assert!(is_found(held, wanted), "{held} for {wanted}");
        }
    }

    #[test]
    fn a_neighbours_port_is_nobodys() {
        for (held, wanted) in [
            ("127.0.0.1", "127.0.0.2"),
            ("::1", "::2"),
            ("::1", "127.0.0.1"),
            ("0.0.0.0", "::1"),
            ("::1", "0.0.0.0"),
        ] {
            assert!(!is_found(held, wanted), "{held} for {wanted}");
        }
    }

    #[test]
    fn only_the_systems_ports_are_said_to_need_a_capability() {
        for (port, hint) in [(1023, true), (8000, false)] {
            let port = Port::tcp(SocketAddr::from(([127, 0, 0, 1], port)));
            let error = port.explain(io::ErrorKind::PermissionDenied.into());
            assert_eq!(error.to_string().contains("CAP_NET"), hint, "{error}");
        }
    }

    #[test]
    fn an_address_of_another_machine_is_told() {
        let port = Port::tcp(SocketAddr::from(([192, 0, 2, 1], 8000)));
        let error = TcpListener::bind(port.address).expect_err("not ours");
        assert!(port.explain(error).to_string().contains("no such address"));
    }
}
