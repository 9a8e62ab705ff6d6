//! The file that tells whoever started the process where it listens.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a ready file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// The process's name in the mesh.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// Where clients connect; a node has none.
    pub listen: Option<SocketAddr>,
    /// Where the admin pages are.
    pub admin: SocketAddr,
    /// Where links are accepted; an edge accepts none.
    pub link: Option<SocketAddr>,
}

impl Ready {
    /// Writes it so that a reader sees the whole file or none.
    ///
    /// # Errors
    /// When the file can't be written beside its place and moved there.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = beside(path);
        let mut file = std::fs::File::create(&beside)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_file_has_the_agreed_fields_and_nothing_stays_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("edge.json");
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let ready = Ready {
            name: "e1".into(),
            pid: 7,
            listen: Some(address(1)),
            admin: address(2),
            link: None,
        };
        ready.write(&path).expect("a written file");
        let text = std::fs::read_to_string(&path).expect("the file");
        let expected =
            r#"{"name":"e1","pid":7,"listen":"127.0.0.1:1","admin":"127.0.0.1:2","link":null}"#;
        assert_eq!(text.trim_end(), expected);
        assert_eq!(
            std::fs::read_dir(directory.path())
                .expect("the directory")
                .count(),
            1
        );
    }

    #[test]
    fn a_directory_that_does_not_exist_is_an_error() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let ready = Ready {
            name: "e1".into(),
            pid: 7,
            listen: Some(address),
            admin: address,
            link: None,
        };
        assert!(ready.write(Path::new("/nonexistent/ready.json")).is_err());
    }
}
