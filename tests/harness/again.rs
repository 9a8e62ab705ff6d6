//! A process of a mesh that is killed and started again where it was.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use toml::Table;

use super::process::Process;
use super::{Mesh, wait_until};

impl Mesh {
    /// Kills a process as a crash does and starts it again on its addresses, its configuration changed.
    pub(crate) fn again(&self, name: &str, change: impl FnOnce(&mut Table)) -> Process {
        let (command, listen) = if name.starts_with("backbone") {
            ("backbone", self.address(name, "link"))
        } else {
            ("edge", self.address(name, "listen"))
        };
        self.kill(name);
        let file = self.dir().join("config").join(format!("{name}.toml"));
        let text = std::fs::read_to_string(file).expect("dev writes it");
        let mut config: Table = text.parse().expect("TOML");
        section(&mut config, command).insert("listen".to_owned(), listen.into());
        change(&mut config);
        Process::start(self.dir(), command, name, &config.to_string())
    }

    fn kill(&self, name: &str) {
        let pid = self.pid(name);
        kill_process(pid, Signal::KILL).expect("it runs");
        // `trunkline dev` is its parent and buries it.
        wait_until("the end of a process", || test_kill_process(pid).err());
    }

    fn pid(&self, name: &str) -> Pid {
        let file = self.dir().join("pids").join(name);
        let text = std::fs::read_to_string(file).expect("dev writes it");
        Pid::from_raw(text.trim().parse().expect("a number")).expect("not 0")
    }
}

/// A section of a configuration.
pub(crate) fn section<'a>(config: &'a mut Table, name: &str) -> &'a mut Table {
    config
        .get_mut(name)
        .and_then(|section| section.as_table_mut())
        .expect("dev mode has that section")
}
