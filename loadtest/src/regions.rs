//! The edges of a mesh by region: where they are, how far from the backbone, and how to cut one off.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{RegionsArgs, Rtt};
use crate::http;
use crate::target::Target;

/// An edge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region {
    pub(crate) name: String,
    /// Its WebSocket endpoint.
    pub(crate) url: Target,
    /// The emulated round trip between it and the backbone.
    pub(crate) rtt: Duration,
}

/// Finds the edges, in the order of their names or as given.
///
/// # Errors
/// When the file isn't there or names no edge, or a round trip names no edge.
pub(crate) async fn find(args: &RegionsArgs) -> Result<Vec<Region>> {
    if !args.edges.is_empty() {
        return given(args);
    }
    let mut regions = from_file(&args.dev_json)?;
    let known = mesh(&regions).await?;
    for region in &mut regions {
        let edge = known.iter().find(|edge| edge.region == region.name);
        let rtt = edge.and_then(|edge| edge.rtt_ms).unwrap_or(0.0);
        region.rtt = Duration::try_from_secs_f64(rtt / 1000.0)
            .with_context(|| format!("{}: rtt_ms is {rtt}", region.name))?;
    }
    Ok(regions)
}

/// The region of this name.
///
/// # Errors
/// When there is none; the error names those that there are.
pub(crate) fn named<'a>(regions: &'a [Region], name: &str) -> Result<&'a Region> {
    let found = regions.iter().find(|region| region.name == name);
    found.with_context(|| {
        let names: Vec<_> = regions.iter().map(|region| &*region.name).collect();
        format!("no region {name}; there are {}", names.join(", "))
    })
}

/// Cuts a region off, or heals it, through any edge of the mesh in dev mode.
///
/// # Errors
/// When the edge refuses: it isn't in dev mode, or emulates no distances.
pub(crate) async fn set_cut(through: &Region, region: &str, cut: bool) -> Result<()> {
    let body = json!({ "region": region, "cut": cut }).to_string();
    let header = "X-Trunkline-Dev: 1\r\n";
    let answer = http::post(&through.url, "/dev/wan", header, &body).await?;
    let answer = answer.ok().context("POST /dev/wan")?;
    let said: Value = serde_json::from_slice(&answer).context("POST /dev/wan")?;
    if said["cut"] != cut {
        bail!("POST /dev/wan {body}: answered with {said}");
    }
    Ok(())
}

fn given(args: &RegionsArgs) -> Result<Vec<Region>> {
    let mut regions: Vec<Region> = args
        .edges
        .iter()
        .map(|(name, url)| Region {
            name: name.clone(),
            url: url.clone(),
            rtt: Duration::ZERO,
        })
        .collect();
    for (name, Rtt(rtt)) in &args.rtts {
        named(&regions, name).context("--rtt")?;
        for region in regions.iter_mut().filter(|region| region.name == *name) {
            region.rtt = *rtt;
        }
    }
    Ok(regions)
}

fn from_file(path: &Path) -> Result<Vec<Region>> {
    let text = fs::read_to_string(path).with_context(|| {
        let path = path.display();
        format!("{path}: is `trunkline dev` running? Else give --dev-json or --edge")
    })?;
    let processes: Value =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let edges = processes
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, process)| region_of(process).transpose());
    let regions = edges.collect::<Result<Vec<_>>>()?;
    if regions.is_empty() {
        bail!("{} names no edge with a region", path.display());
    }
    Ok(regions)
}

/// The edge that an entry of `dev.json` describes; nothing when it isn't one.
fn region_of(process: &Value) -> Result<Option<Region>> {
    let text = |key: &str| process[key].as_str();
    let (Some(name), Some(listen)) = (text("region"), text("listen")) else {
        return Ok(None);
    };
    if process["tls"] == true {
        bail!(
            "{name} is served over TLS, which this driver doesn't speak: start dev without --tls"
        );
    }
    let url = format!("ws://{listen}/connection/websocket").parse();
    Ok(Some(Region {
        name: name.to_owned(),
        url: url.map_err(|error: String| anyhow::anyhow!("{name}: {error}"))?,
        rtt: Duration::ZERO,
    }))
}

/// An edge in the answer of `/dev/mesh`, as much of it as is needed here.
#[derive(Debug, Deserialize)]
struct MeshEdge {
    region: String,
    rtt_ms: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Mesh {
    edges: Vec<MeshEdge>,
}

async fn mesh(regions: &[Region]) -> Result<Vec<MeshEdge>> {
    let Some(first) = regions.first() else {
        return Ok(Vec::new());
    };
    let answer = http::get(&first.url, "/dev/mesh").await?;
    let mesh: Mesh = serde_json::from_slice(&answer.ok().context("GET /dev/mesh")?)?;
    Ok(mesh.edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Vec<Region>> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("dev.json");
        fs::write(&path, text).expect("it can be written");
        from_file(&path)
    }

    #[test]
    fn edges_are_the_processes_with_a_region() {
        let regions = found(
            r#"{"backbone-1": {"name": "backbone-1", "link": "127.0.0.1:7443"}, "control": "127.0.0.1:9",
                "edge-eu-west": {"name": "edge-eu-west", "region": "eu-west", "listen": "127.0.0.1:8000"}}"#,
        );
        let regions = regions.expect("one edge");
        assert_eq!(regions.len(), 1);
        assert_eq!(
            named(&regions, "eu-west").expect("it is there").url.host,
            "127.0.0.1:8000"
        );
        let error = named(&regions, "mars").expect_err("it isn't there");
        assert_eq!(error.to_string(), "no region mars; there are eu-west");
    }

    #[test]
    fn a_file_without_edges_is_refused() {
        assert!(found("{}").is_err());
        assert!(found(r#"{"e": {"region": "a", "listen": "127.0.0.1:1", "tls": true}}"#).is_err());
        assert!(from_file(Path::new("/nowhere/dev.json")).is_err());
    }
}
