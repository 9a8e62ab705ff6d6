//! Where a run's messages are kept.

use anyhow::{Result, bail};

use crate::args::{Fault, StoreKind, word};

/// As asked for, if the fault is possible there.
///
/// # Errors
/// When it isn't.
pub(super) fn store_kind(fault: Fault, asked: Option<StoreKind>) -> Result<StoreKind> {
    let needed = match fault {
        Fault::Postgres => Some(StoreKind::Postgres),
        Fault::DiskFull => Some(StoreKind::Embedded),
        Fault::Edge | Fault::Backbone | Fault::All | Fault::Link => None,
    };
    match (asked, needed) {
        (Some(asked), Some(needed)) if asked != needed => {
            let (fault, needed) = (word(&fault), word(&needed));
            bail!("--fault {fault} needs --store {needed}")
        }
        (asked, needed) => Ok(asked.or(needed).unwrap_or(StoreKind::Embedded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_one_store_is_refused_for_the_other() {
        let kind = |fault, asked| store_kind(fault, asked).map_err(|error| error.to_string());
        assert_eq!(kind(Fault::Postgres, None), Ok(StoreKind::Postgres));
        assert_eq!(
            kind(Fault::Postgres, Some(StoreKind::Embedded)),
            Err("--fault postgres needs --store postgres".to_owned())
        );
        assert_eq!(
            kind(Fault::DiskFull, Some(StoreKind::Postgres)),
            Err("--fault disk-full needs --store embedded".to_owned())
        );
    }

    #[test]
    fn other_faults_are_for_both_stores_and_embedded_unless_asked() {
        for fault in [Fault::Edge, Fault::Backbone, Fault::All, Fault::Link] {
            let kind = |asked| store_kind(fault, asked).expect("it is possible");
            assert_eq!(kind(None), StoreKind::Embedded);
            assert_eq!(kind(Some(StoreKind::Postgres)), StoreKind::Postgres);
        }
    }
}
