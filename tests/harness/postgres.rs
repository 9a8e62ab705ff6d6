//! A PostgreSQL server of a test's own, in a temporary directory; ends with the process, however that ends.
#![allow(dead_code, reason = "each test binary uses its part of the server")]

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Debian puts what isn't on the path.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Runs the server until its standard input ends, then stops it at once and removes its directory, unless it is told to
/// keep it. Says when the server is ready, or why it isn't.
const SCRIPT: &str = r#"
: >"$LOG"
"$@" >>"$LOG" 2>&1 </dev/null &
server=$!
looks=0
until grep -q 'ready to accept' "$LOG"; do
    looks=$((looks + 1))
    if [ $looks -gt 3000 ] || ! kill -0 $server 2>/dev/null; then
        cat "$LOG"
        kill -QUIT $server 2>/dev/null
        exit 1
    fi
    sleep 0.02
done
echo ready
read -r word
kill -QUIT $server
wait $server 2>/dev/null
[ "$word" = keep ] || rm -rf "$DIRECTORY"
"#;

/// A server that listens on an address of its own and on a socket in its directory.
pub(crate) struct Postgres {
    binaries: PathBuf,
    directory: PathBuf,
    settings: Vec<String>,
    ip: IpAddr,
    port: u16,
    running: Option<(Child, ChildStdin)>,
    databases: AtomicU32,
}

impl Postgres {
    /// Makes a cluster and starts it; `None` where PostgreSQL is missing, which fails where `CI=true`.
    pub(crate) fn start(ip: IpAddr, settings: &[&str]) -> Option<Self> {
        let binaries = binaries_or_skip()?;
        let mut server = Self::new(binaries, ip, settings);
        server.make_cluster();
        server.run();
        Some(server)
    }

    fn new(binaries: PathBuf, ip: IpAddr, settings: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory").keep();
        lend(&directory);
        Self {
            binaries,
            directory,
            settings: settings.iter().map(ToString::to_string).collect(),
            ip,
            port: free_port(ip),
            running: None,
            databases: AtomicU32::new(0),
        }
    }

    /// Makes a copy that follows this server under the name `standby`, and starts it.
    pub(crate) fn standby(&self, ip: IpAddr) -> Self {
        let mut standby = Self::new(self.binaries.clone(), ip, &[]);
        let primary = self.dsn("postgres") + " application_name=standby";
        let status = standby
            .command("pg_basebackup")
            .args([
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
                "-D",
            ])
            .arg(standby.data())
            .args(["-d", &primary])
            .status()
            .expect("pg_basebackup runs");
        assert!(status.success(), "pg_basebackup failed");
        standby.run();
        standby
    }

    /// Makes commits wait for the standby from now on.
    pub(crate) fn synchronize(&self) {
        self.set("synchronous_standby_names", "standby");
        self.wait_for(
            "SELECT FROM pg_stat_replication WHERE sync_state = 'sync' HAVING count(*) = 1",
        );
    }

    /// Stops a standby's receiver once it has what this server has committed so far: it stays behind from then on.
    pub(crate) fn leave_behind(&self, standby: &Self) {
        let committed = self.sql("postgres", "SELECT pg_current_wal_flush_lsn()");
        let has = format!("SELECT WHERE pg_last_wal_replay_lsn() >= '{committed}'");
        standby.wait_for(&has);
        standby.set("primary_conninfo", "");
        standby.wait_for("SELECT FROM pg_stat_wal_receiver HAVING count(*) = 0");
    }

    /// Makes a standby take over; returns when it takes writes.
    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t");
    }

    /// Changes a setting of the server while it runs.
    pub(crate) fn set(&self, setting: &str, value: &str) {
        let set = format!("ALTER SYSTEM SET {setting} = '{value}'");
        self.sql("postgres", &set);
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Asks until a query has a row: a server tells nobody when it has got somewhere.
    fn wait_for(&self, query: &str) {
        let count = format!("SELECT count(*) FROM ({query}) AS found");
        let looks = (0..3000).find(|_| {
            let found = self.sql("postgres", &count) != "0";
            if !found {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            found
        });
        assert!(looks.is_some(), "never: {query}");
    }

    fn make_cluster(&self) {
        let status = self
            .command("initdb")
            .args([
                "--username=trunkline",
                "--auth=trust",
                "--no-sync",
                "--no-instructions",
                "-D",
            ])
            .arg(self.data())
            .stdout(Stdio::null())
            .status()
            .expect("initdb runs");
        assert!(status.success(), "initdb failed");
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).expect("the log can be read")
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// Starts the server on the same data and address.
    pub(crate) fn run(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).args(as_other_user());
        command
            .arg(self.binaries.join("postgres"))
            .arg("-D")
            .arg(self.data());
        let socket = self.directory.display();
        let fixed = [
            format!("listen_addresses={}", self.ip),
            format!("port={}", self.port),
            format!("unix_socket_directories={socket}"),
        ];
        for setting in fixed.iter().chain(&self.settings) {
            command.args(["-c", setting]);
        }
        let mut child = command
            .env("LOG", self.log_path())
            .env("DIRECTORY", &self.directory)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut lines = BufReader::new(output.expect("piped")).lines();
        let first = lines.next().and_then(Result::ok);
        if first.as_deref() != Some("ready") {
            let rest: Vec<_> = lines.map_while(Result::ok).collect();
            panic!("PostgreSQL didn't start: {first:?} {}", rest.join("\n"));
        }
        self.running = Some((child, input.expect("piped")));
    }

    /// Stops the server at once, as a crash would: nothing is finished, connections are cut.
    pub(crate) fn crash(&mut self) {
        self.stop("keep\n");
    }

    fn stop(&mut self, word: &str) {
        if let Some((mut child, mut input)) = self.running.take() {
            input.write_all(word.as_bytes()).expect("the shell reads");
            drop(input);
            child.wait().expect("the shell ends");
        }
    }

    /// A new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Writes a database out, as somebody who makes backups would: whoever uses it goes on.
    pub(crate) fn back_up(&self, database: &str) -> PathBuf {
        let file = self.directory.join(format!("{database}.dump"));
        let mut dump = self.command("pg_dump");
        dump.arg("--format=custom").arg("--file").arg(&file);
        run("pg_dump", dump.args(["-d", &self.dsn(database)]));
        file
    }

    /// Puts what was written out in the database's place; who uses it loses its connections.
    pub(crate) fn put_back(&self, database: &str, file: &Path) {
        let made = self.database();
        let mut restore = self.command("pg_restore");
        restore.args(["--exit-on-error", "-d", &self.dsn(&made)]);
        run("pg_restore", restore.arg(file));
        let drop = format!("DROP DATABASE {database} WITH (FORCE)");
        self.sql("postgres", &drop);
        let rename = format!("ALTER DATABASE {made} RENAME TO {database}");
        self.sql("postgres", &rename);
    }

    /// The connection string of a database, over TCP.
    pub(crate) fn dsn(&self, database: &str) -> String {
        dsn(&[self], database)
    }

    /// Runs a statement as an administrator would; returns its rows, columns apart by `|`.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        sql(&self.binaries, &self.dsn(database), statement)
    }

    /// Runs a statement in a transaction that is held open.
    pub(crate) fn hold(&self, database: &str, statement: &str) -> Transaction {
        let mut child = Command::new(self.binaries.join("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(self.dsn(database))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql runs");
        let mut input = child.stdin.take().expect("a pipe");
        writeln!(input, "BEGIN; {statement};\n\\echo done").expect("psql reads");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("a pipe");
        let read = BufReader::new(output).read_line(&mut line);
        read.expect("psql writes");
        assert_eq!(line, "done\n", "{statement}");
        Transaction {
            child,
            input: Some(input),
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut words = as_other_user();
        words.push(self.binaries.join(program).into_os_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.directory);
        command
    }
}

/// A transaction that is open; rolled back when dropped.
pub(crate) struct Transaction {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for Transaction {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop("");
        // After a crash nobody else has removed it.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Runs a program to its end, which must be a good one.
fn run(name: &str, command: &mut Command) {
    let status = command.status().expect("PostgreSQL's programs run");
    assert!(status.success(), "{name} failed");
}

/// The connection string of a database on one of several servers.
pub(crate) fn dsn(servers: &[&Postgres], database: &str) -> String {
    let join = |field: fn(&Postgres) -> String| {
        let fields: Vec<_> = servers.iter().map(|server| field(server)).collect();
        fields.join(",")
    };
    let (hosts, ports) = (
        join(|server| server.ip.to_string()),
        join(|server| server.port.to_string()),
    );
    format!("host={hosts} port={ports} user=trunkline dbname={database}")
}

/// Runs a statement as an administrator would; returns its rows, columns apart by `|`.
pub(crate) fn sql(binaries: &Path, dsn: &str, statement: &str) -> String {
    let output = Command::new(binaries.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", dsn])
        .args(["-c", statement])
        .output()
        .expect("psql runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The directory of the newest version's programs; `None` where they are missing, which fails where `CI=true`.
pub(crate) fn binaries_or_skip() -> Option<PathBuf> {
    let found = binaries();
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "PostgreSQL is missing: apt-get install postgresql"
        );
        eprintln!("SKIPPED postgresql: apt-get install postgresql");
    }
    found
}

/// The directory of the newest version's programs.
fn binaries() -> Option<PathBuf> {
    let has = |directory: &Path| directory.join("initdb").is_file();
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = versions
        .map(|version| version.path().join("bin"))
        .filter(|directory| has(directory))
        .max_by_key(|directory| version(directory));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.or_else(|| std::env::split_paths(&path).find(|directory| has(directory)))
}

fn version(directory: &Path) -> u32 {
    let number = directory.parent().and_then(Path::file_name);
    number
        .and_then(|number| number.to_str()?.parse().ok())
        .unwrap_or(0)
}

/// PostgreSQL doesn't run as root: what runs it as somebody else then.
fn as_other_user() -> Vec<std::ffi::OsString> {
    match other_user() {
        Some((user, group)) => [
            "setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
        ]
        .map(Into::into)
        .to_vec(),
        None => vec!["env".into()],
    }
}

/// User and group that a test run by root lends to the server: its own where it is installed, else nobody.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").expect("users are listed");
    let find = |name: &str| {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

/// Lets the server's user own a file or directory.
pub(crate) fn lend(path: &Path) {
    if let Some((user, group)) = other_user() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root may");
    }
}

fn free_port(ip: IpAddr) -> u16 {
    let listener = TcpListener::bind((ip, 0)).expect("an address of 127.0.0.0/8");
    listener.local_addr().expect("bound").port()
}
