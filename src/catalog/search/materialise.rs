//! Whole items of what was found.

use super::Found;
use crate::catalog::{CatalogError, href, part, row};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use serde_json::Value;
use std::collections::BTreeMap;

/// Items read at once. Chosen: some tens of MB.
const AT_ONCE: usize = 1000;

/// A whole item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// As the product has it; its links are relative to `path`.
    pub value: Value,
    /// Path of its `item.json` below the output folder; `None` for imported items.
    pub path: Option<String>,
}

impl Item {
    /// The item with links that are paths below the output folder, or absolute below a URL.
    pub fn below_output(self, base: Option<&str>) -> Value {
        let mut value = self.value;
        if let Some(path) = &self.path {
            href::rewrite(&mut value, path, base);
        }
        value
    }
}

impl Found {
    /// Hands the items to `each`, in order, some thousand in memory at a time. False from `each` ends it.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub fn items(&self, mut each: impl FnMut(Item) -> bool) -> Result<(), CatalogError> {
        for some in self.hits.chunks(AT_ONCE) {
            // a file at a time, its rows in one pass
            let mut by_part: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
            for (place, hit) in some.iter().enumerate() {
                by_part.entry(hit.part).or_default().push((hit.row, place));
            }
            let mut items: Vec<Option<Item>> = vec![None; some.len()];
            for (part, mut rows) in by_part {
                rows.sort_unstable();
                self.of_part(part, &rows, &mut items)?;
            }
            for item in items.into_iter().flatten() {
                if !each(item) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads the rows of a file into their places.
    fn of_part(
        &self,
        part: usize,
        rows: &[(usize, usize)],
        items: &mut [Option<Item>],
    ) -> Result<(), CatalogError> {
        let file = self.store.part(&self.parts[part])?;
        let shape = file.shape();
        let mut places = rows.iter().map(|r| r.1);
        for batch in file.read(None, None, Some(selection(rows)))? {
            let batch = batch.map_err(CatalogError::damaged(file.path()))?;
            let lines = part::lines(&batch).map_err(CatalogError::damaged(file.path()))?;
            for (line, place) in lines
                .split(|b| *b == b'\n')
                .take(batch.num_rows())
                .zip(&mut places)
            {
                let columns: Value =
                    serde_json::from_slice(line).map_err(CatalogError::damaged(file.path()))?;
                let (value, path) = row::to_item(columns, &shape);
                items[place] = Some(Item { value, path });
            }
        }
        Ok(())
    }
}

fn selection(rows: &[(usize, usize)]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut next = 0;
    for (row, _) in rows {
        selectors.push(RowSelector::skip(row - next));
        selectors.push(RowSelector::select(1));
        next = row + 1;
    }
    RowSelection::from(selectors)
}
