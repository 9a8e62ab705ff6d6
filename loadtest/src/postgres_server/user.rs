//! Whom the server runs as: PostgreSQL refuses to run as root.

use std::os::unix::fs::chown;
use std::path::Path;

use anyhow::{Context, Result};

/// Another user than root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUser {
    /// What it is called.
    pub name: String,
    user: u32,
    group: u32,
}

impl ServerUser {
    /// Whom root lends to the server: its own user where it is installed, else nobody. Anybody else runs it himself.
    ///
    /// # Errors
    /// When there is neither.
    pub fn needed() -> Result<Option<Self>> {
        if !rustix::process::getuid().is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        let user = Self::among(&users, "postgres").or_else(|| Self::among(&users, "nobody"));
        let missing = "PostgreSQL doesn't run as root, and there is no user postgres or nobody";
        Ok(Some(user.context(missing)?))
    }

    fn among(users: &str, name: &str) -> Option<Self> {
        let fields = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let found = fields.filter(|fields| fields.first() == Some(&name));
        let number = |field: Option<&&str>| field?.parse().ok();
        let mut found = found.filter_map(|fields| {
            Some(Self {
                name: name.to_owned(),
                user: number(fields.get(2))?,
                group: number(fields.get(3))?,
            })
        });
        found.next()
    }

    /// Flags of `setpriv` that make what it runs this user's.
    pub fn flags(&self) -> [String; 3] {
        [
            format!("--reuid={}", self.user),
            format!("--regid={}", self.group),
            "--clear-groups".to_owned(),
        ]
    }

    /// Makes a directory this user's.
    ///
    /// # Errors
    /// When it isn't there, or one isn't root.
    pub fn take_over(&self, dir: &Path) -> Result<()> {
        chown(dir, Some(self.user), Some(self.group)).with_context(|| dir.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\npostgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        let user = ServerUser::among(users, "postgres").expect("it is there");
        assert_eq!((user.user, user.group), (101, 104));
        assert_eq!(user.flags()[0], "--reuid=101");
        assert_eq!(ServerUser::among(users, "nobody"), None);
    }
}
