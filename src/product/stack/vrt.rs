//! A VRT for each variable: all steps as bands with their dates, for GDAL and QGIS. It points at the shards, which are GeoTIFFs.

use super::metadata::Shape;
use super::{Fill, Variable};
use crate::product::palette::colour;
use crate::types::calendar::window_start;
use std::fmt::Write;

/// Name of the VRT of a variable.
pub(in crate::product) fn file_name(stack: &str, variable: &Variable) -> String {
    format!("{stack}_{}.vrt", variable.name)
}

/// The text of the VRT of a variable of the stack `stack`.
pub(super) fn text(stack: &str, variable: &Variable, shape: &Shape) -> String {
    let grid = &shape.grid;
    let data_type = match variable.fill {
        Fill::I16(_) => "Int16",
        Fill::U16(_) => "UInt16",
        Fill::U8(_) => "Byte",
    };
    let transform = grid.geotransform().map(|v| v.to_string()).join(", ");
    let mut text = format!(
        "<VRTDataset rasterXSize=\"{}\" rasterYSize=\"{}\">\n  <SRS dataAxisToSRSAxisMapping=\"1,2\">EPSG:{}</SRS>\n  <GeoTransform>{transform}</GeoTransform>\n  <Metadata>\n",
        grid.width, grid.height, grid.epsg
    );
    let mut metadata = |key: &str, value: &str| {
        let _ = writeln!(text, "    <MDI key=\"{key}\">{value}</MDI>");
    };
    metadata("AREA_OR_POINT", "Area");
    metadata("PRODUCT", stack);
    metadata("LAYER", variable.long_name);
    for (value, name, words) in variable.classes {
        metadata(&format!("VALUE_{value}"), &format!("{name}: {words}"));
    }
    text.push_str("  </Metadata>\n");
    for (k, step) in shape.steps.clone().enumerate() {
        let (year, sample) = (k / shape.chunk_steps, k % shape.chunk_steps + 1);
        let _ = writeln!(
            text,
            "  <VRTRasterBand dataType=\"{data_type}\" band=\"{}\">",
            k + 1
        );
        let _ = writeln!(
            text,
            "    <Description>{}</Description>",
            window_start(step)
        );
        if variable.has_nodata {
            let _ = writeln!(
                text,
                "    <NoDataValue>{}</NoDataValue>",
                variable.fill.value()
            );
        }
        if let Some(scale) = variable.scale {
            let _ = writeln!(text, "    <Scale>{scale}</Scale>\n    <Offset>0</Offset>");
        }
        let _ = writeln!(text, "    <UnitType>{}</UnitType>", variable.units);
        classes(&mut text, variable);
        let (w, h) = (grid.width, grid.height);
        let whole = format!("xOff=\"0\" yOff=\"0\" xSize=\"{w}\" ySize=\"{h}\"");
        let _ = writeln!(
            text,
            "    <SimpleSource>\n      <SourceFilename relativeToVRT=\"1\">{stack}.zarr/{}/c/{year}/0/0</SourceFilename>\n      \
             <SourceBand>{sample}</SourceBand>\n      <SourceProperties RasterXSize=\"{w}\" RasterYSize=\"{h}\" DataType=\"{data_type}\" \
             BlockXSize=\"{}\" BlockYSize=\"{}\"/>\n      <SrcRect {whole}/>\n      <DstRect {whole}/>\n    </SimpleSource>\n  </VRTRasterBand>",
            variable.name, shape.chunk_side.1, shape.chunk_side.0
        );
    }
    text.push_str("</VRTDataset>\n");
    text
}

/// Palette and names of classes.
fn classes(text: &mut String, variable: &Variable) {
    if variable.classes.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "    <ColorInterp>Palette</ColorInterp>\n    <ColorTable>"
    );
    for (value, name, _) in variable.classes {
        let [r, g, b] = colour(name).unwrap_or_default();
        let opaque = if *value == 0 { 0 } else { 255 };
        let _ = writeln!(
            text,
            "      <Entry c1=\"{r}\" c2=\"{g}\" c3=\"{b}\" c4=\"{opaque}\"/>"
        );
    }
    let _ = writeln!(text, "    </ColorTable>\n    <CategoryNames>");
    for (_, _, words) in variable.classes {
        let _ = writeln!(text, "      <Category>{words}</Category>");
    }
    let _ = writeln!(text, "    </CategoryNames>");
}
