//! Names of metrics. `/metrics` shows no other; documents list the same.

pub mod backbone;
pub mod edge;
pub mod link;
pub mod log;
pub mod store;
pub mod upstream;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_well_formed() {
        let mut names: Vec<&str> = [
            backbone::ALL,
            edge::ALL,
            upstream::ALL,
            link::ALL,
            log::ALL,
            store::ALL,
        ]
        .concat()
        .iter()
        .map(|metric| metric.name)
        .collect();
        let good = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        assert!(
            names.iter().all(|name| name.starts_with("trunkline_")
                && good(name)
                && !name.ends_with("_total"))
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
