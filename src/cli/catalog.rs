//! `probav-ard catalog`: the index of items, the static tree, exports for servers.

use super::{Failure, print};
use probav_ard::catalog::{self, Skipped, Update};
use probav_ard::types::text::plain;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Index the products of an output folder: stac-geoparquet for `search`, static STAC pages, exports
///
/// Only new and changed products are read; those of removed products go.
///
/// Examples:
///   probav-ard catalog OUT
///   probav-ard catalog OUT --base-url https://data.example.org/proba-v
///   probav-ard catalog OUT --from-ndjson items.ndjson
///   probav-ard catalog export OUT --pgstac FOLDER --base-url https://data.example.org/proba-v
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    export: Option<Verb>,
    /// Folder that `run` wrote to
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT", required = true)]
    out: Option<PathBuf>,
    /// Take in the items of a file, one a line (- for standard input), beside the folder's own products
    #[arg(long, value_name = "FILE")]
    from_ndjson: Option<PathBuf>,
    /// Write absolute links into the pages, below this URL [default: relative links]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Write no pages, the index only
    #[arg(long, conflicts_with = "base_url")]
    no_pages: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Export(Export),
}

/// Write the whole catalogue for other servers
#[derive(Debug, clap::Args)]
#[group(id = "target", required = true, multiple = true, args = ["ndjson", "pgstac", "elastic"])]
struct Export {
    /// Folder that `catalog` has indexed
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// One file of items for each collection
    #[arg(long, value_name = "DIR")]
    ndjson: Option<PathBuf>,
    /// collections.ndjson and items.ndjson for `pypgstac load`
    #[arg(long, value_name = "DIR")]
    pgstac: Option<PathBuf>,
    /// Mapping, bulk actions and a script for Elasticsearch or OpenSearch
    #[arg(long, value_name = "DIR")]
    elastic: Option<PathBuf>,
    /// Write absolute links below this URL [default: paths below OUT]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

/// Runs `catalog`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    if let Some(Verb::Export(args)) = &args.export {
        return export(args);
    }
    let out = args.out.as_deref().unwrap_or(Path::new("."));
    if !out.is_dir() {
        return Err(Failure::usage(format!(
            "{}: no such folder; name the folder that `run` wrote to",
            out.display()
        )));
    }
    let done = match &args.from_ndjson {
        None => catalog::update(out)?,
        Some(file) => {
            let source: Box<dyn Read> = match file.to_str() {
                Some("-") => Box::new(std::io::stdin()),
                _ => Box::new(File::open(file).map_err(|e| {
                    Failure::usage(format!("{}: {e}; name a file of items", file.display()))
                })?),
            };
            catalog::import(out, file, source)?
        }
    };
    tell(&done);
    if !args.no_pages {
        let tree = catalog::tree(out, args.base_url.as_deref())?;
        if tree.unlinked > 0 {
            tracing::warn!(
                "{} imported items have no file here: they are found by search, the pages do not link to them",
                tree.unlinked
            );
        }
        super::values::list(&[tree.root]);
    }
    Ok(u8::from(!done.skipped.is_empty()))
}

/// Says what an update did.
fn tell(done: &Update) {
    for (collection, items) in &done.items {
        print(&format!("{items:>9}  {}\n", plain(collection)));
    }
    tracing::info!("{} items read, {} gone", done.read, done.gone);
    if done.own > 0 {
        tracing::warn!(
            "{} items of the file are products of this folder: the products stand",
            done.own
        );
    }
    for skipped in &done.skipped {
        tracing::error!("left out {}", plain(&words(skipped)));
    }
    if !done.skipped.is_empty() {
        tracing::error!(
            "{} items are damaged and not in the catalogue; make these products again",
            done.skipped.len()
        );
    }
}

fn words(skipped: &Skipped) -> String {
    skipped.to_string()
}

fn export(args: &Export) -> Result<u8, Failure> {
    let base = args.base_url.as_deref();
    let mut files = Vec::new();
    if let Some(folder) = &args.ndjson {
        files.extend(catalog::export::ndjson(&args.out, folder, base)?.files);
    }
    if let Some(folder) = &args.pgstac {
        files.extend(catalog::export::pgstac(&args.out, folder, base)?.files);
    }
    if let Some(folder) = &args.elastic {
        files.extend(catalog::export::elastic(&args.out, folder, base)?.files);
    }
    super::values::list(&files);
    Ok(0)
}
