//! Where links lead: from a file of one folder to another, and under a URL.

use serde_json::Value;

/// The path from a folder to a file, both below the output folder with `/`.
pub(super) fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|w| !w.is_empty()).collect();
    let to: Vec<&str> = to.split('/').collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = "../".repeat(from.len() - shared);
    let down = to[shared..].join("/");
    if up.is_empty() {
        format!("./{down}")
    } else {
        format!("{up}{down}")
    }
}

/// A link relative to `folder` as a path below the output folder, or below a URL; what leads elsewhere stays.
pub(super) fn resolve(href: &str, folder: &str, base: Option<&str>) -> String {
    if href.starts_with('/') || href.contains("://") || href.starts_with("data:") {
        return href.to_string();
    }
    let mut words: Vec<&str> = folder.split('/').filter(|w| !w.is_empty()).collect();
    for word in href.split('/') {
        match word {
            "" | "." => {}
            ".." if words.last().is_some_and(|w| *w != "..") => {
                words.pop();
            }
            word => words.push(word),
        }
    }
    below(&words.join("/"), base)
}

/// A path below the output folder as it is, or below a URL.
pub(super) fn below(path: &str, base: Option<&str>) -> String {
    match base {
        None => path.to_string(),
        Some(base) => format!("{}/{path}", base.trim_end_matches('/')),
    }
}

/// Rewrites the links of an item whose file lies at `path` below the output folder.
pub(super) fn rewrite(item: &mut Value, path: &str, base: Option<&str>) {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut each = |holder: &mut Value| {
        if let Some(Value::String(href)) = holder.get_mut("href") {
            *href = resolve(href, folder, base);
        }
    };
    if let Some(Value::Array(links)) = item.get_mut("links") {
        links.iter_mut().for_each(&mut each);
    }
    if let Some(Value::Object(assets)) = item.get_mut("assets") {
        assets.values_mut().for_each(&mut each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_there() {
        assert_eq!(
            relative("catalog/c/31/2018", "tiles/31/x/item.json"),
            "../../../../tiles/31/x/item.json"
        );
        assert_eq!(
            relative("catalog", "catalog/c/collection.json"),
            "./c/collection.json"
        );
        assert_eq!(
            relative("catalog/c/31", "catalog/catalog.json"),
            "../../catalog.json"
        );
        let folder = "tiles/31/U/FS/screened/2018/ID";
        let tif = "../../../acquisitions/2018/ID/ID_RED.tif";
        assert_eq!(
            resolve(tif, folder, None),
            "tiles/31/U/FS/acquisitions/2018/ID/ID_RED.tif"
        );
        assert_eq!(
            resolve("./ID_SM.tif", folder, Some("https://x.org/out/")),
            "https://x.org/out/tiles/31/U/FS/screened/2018/ID/ID_SM.tif"
        );
        assert_eq!(
            resolve("s3://bucket/a.tif", folder, Some("https://x.org")),
            "s3://bucket/a.tif"
        );
    }
}
