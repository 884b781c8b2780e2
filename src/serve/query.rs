//! The query of a data request as a [`Request`].

use super::problem::Problem;
use crate::cube::{Area, Crs, Format, GridChoice, MaskRule, Polygon, Request, Resample, Source};
use chrono::{DateTime, NaiveDate};
use std::collections::BTreeMap;
use wkt::Wkt;
use wkt::types::Coord;

/// Side of a pixel in degrees where a geographic grid is asked for without one; chosen: about 100 m.
const DEGREES: f64 = 0.001;
/// Points of one request; chosen.
const MAX_POINTS: usize = 1000;

/// Formats of answers, texts first: name, format, media type.
const FORMATS: [(&str, Format, &str); 4] = [
    (
        "CoverageJSON",
        Format::CoverageJson,
        "application/prs.coverage+json",
    ),
    ("CSV", Format::Csv, "text/csv; charset=utf-8"),
    ("NetCDF", Format::NetCdf, "application/x-netcdf"),
    (
        "GeoTIFF",
        Format::GeoTiff,
        "image/tiff; application=geotiff",
    ),
];

/// The three kinds of query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Position,
    Area,
    Cube,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Position, Kind::Area, Kind::Cube];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Position => "position",
            Kind::Area => "area",
            Kind::Cube => "cube",
        }
    }

    /// Formats of its answers, the default first.
    pub(super) const fn formats(self) -> &'static [(&'static str, Format, &'static str)] {
        // points are no raster
        match self {
            Kind::Position => FORMATS.split_at(2).0,
            Kind::Area | Kind::Cube => &FORMATS,
        }
    }
}

/// A request with the format of its answer and the media type of that.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) request: Request,
    pub(super) format: Format,
    pub(super) media_type: &'static str,
}

/// Reads the pairs of a query string. Nothing is ignored: what is unknown or comes twice is refused.
pub(super) fn parse(
    source: Source,
    kind: Kind,
    pairs: Vec<(String, String)>,
) -> Result<Query, Problem> {
    let mut given = BTreeMap::new();
    for (key, value) in pairs {
        if given.contains_key(&key) {
            return Err(Problem::bad(format!("{key} is given twice")));
        }
        given.insert(key, value);
    }
    let mut take = |key: &str| given.remove(key).filter(|v| !v.is_empty());
    let area = match kind {
        Kind::Position => points(&needed(take("coords"), "coords=POINT(5.9 50.7)")?)?,
        Kind::Area => polygons(&needed(take("coords"), "coords=POLYGON((...))")?)?,
        Kind::Cube => bbox(&needed(take("bbox"), "bbox=west,south,east,north")?)?,
    };
    let (from, to) = match take("datetime") {
        Some(text) => days(&text)?,
        None => (None, None),
    };
    let names = take("parameter-name").unwrap_or_default();
    let variables = names.split(',').map(str::trim).filter(|n| !n.is_empty());
    let crs = match take("crs") {
        Some(text) if !text.eq_ignore_ascii_case("native") => Some(text.parse::<Crs>()?),
        _ => None,
    };
    let resolution = match take("resolution") {
        Some(text) => Some(number(&text)?),
        None => crs.filter(Crs::is_geographic).map(|_| DEGREES),
    };
    let grid = match kind {
        Kind::Position if crs.is_some_and(|c| c != Crs::LON_LAT) => {
            return Err(Problem::bad("positions are in CRS84"));
        }
        Kind::Position => GridChoice::default(),
        _ => GridChoice {
            crs,
            resolution,
            anchor: None,
        },
    };
    let mask = match take("mask").as_deref() {
        None => None,
        Some("none") => Some(MaskRule::None),
        Some("observed") => Some(MaskRule::Observed),
        Some("usable") => Some(MaskRule::Usable),
        Some(_) => return Err(Problem::bad("mask is none, observed or usable")),
    };
    let resample = match take("resample").as_deref() {
        None | Some("nearest") => Resample::Nearest,
        Some("bilinear") => Resample::Bilinear,
        Some(_) => return Err(Problem::bad("resample is nearest or bilinear")),
    };
    let (format, media_type) = format(kind, take("f"))?;
    let variables: Vec<String> = variables.map(str::to_string).collect();
    if let Some(key) = given.keys().next() {
        return Err(Problem::bad(format!(
            "{} has no parameter {key:?}",
            kind.name()
        )));
    }
    if format == Format::GeoTiff && variables.len() != 1 {
        return Err(Problem::bad(
            "a GeoTIFF holds one variable: give one parameter-name",
        ));
    }
    Ok(Query {
        request: Request {
            area,
            source,
            from,
            to,
            variables,
            mask,
            grid,
            resample,
        },
        format,
        media_type,
    })
}

fn needed(value: Option<String>, example: &str) -> Result<String, Problem> {
    value.ok_or_else(|| Problem::bad(format!("the query needs {example}")))
}

fn format(kind: Kind, name: Option<String>) -> Result<(Format, &'static str), Problem> {
    let all = kind.formats();
    let found = match &name {
        None => all.first(),
        Some(name) => all.iter().find(|f| f.0.eq_ignore_ascii_case(name)),
    };
    found.map(|f| (f.1, f.2)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|f| f.0).collect();
        Problem::bad(format!("f is one of {}", names.join(", ")))
    })
}

fn number(text: &str) -> Result<f64, Problem> {
    let value: Option<f64> = text.trim().parse().ok();
    value
        .filter(|v| v.is_finite())
        .ok_or_else(|| Problem::bad(format!("{text:?} is not a number")))
}

fn bbox(text: &str) -> Result<Area, Problem> {
    let each: Vec<f64> = text.split(',').map(number).collect::<Result<_, _>>()?;
    match <[f64; 4]>::try_from(each) {
        Ok(bbox) => Ok(Area::Bbox(bbox, Crs::LON_LAT)),
        Err(_) => Err(Problem::bad("bbox is west,south,east,north")),
    }
}

fn geometry(text: &str) -> Result<Wkt<f64>, Problem> {
    // collections nest, and nothing here needs them
    let upper = text.trim_start().to_ascii_uppercase();
    if !["POINT", "MULTIPOINT", "POLYGON", "MULTIPOLYGON"]
        .iter()
        .any(|kind| upper.starts_with(kind))
    {
        return Err(Problem::bad(
            "coords is well-known text, as POINT(5.9 50.7)",
        ));
    }
    text.parse()
        .map_err(|why| Problem::bad(format!("coords is no well-known text: {why}")))
}

/// Longitude and latitude of a place without height.
fn place(at: &Coord<f64>) -> Result<(f64, f64), Problem> {
    let within = at.x.abs() <= 360.0 && at.y.abs() <= 90.0;
    match at.z.is_none() && at.m.is_none() && within {
        true => Ok((at.x, at.y)),
        false => Err(Problem::bad(format!(
            "{} {} is no longitude and latitude",
            at.x, at.y
        ))),
    }
}

fn points(text: &str) -> Result<Area, Problem> {
    let found: Vec<_> = match geometry(text)? {
        Wkt::Point(point) => point.coord().map(place).into_iter().collect(),
        Wkt::MultiPoint(all) => all
            .points()
            .iter()
            .filter_map(|p| p.coord().map(place))
            .collect(),
        _ => return Err(Problem::bad("coords is POINT or MULTIPOINT here")),
    };
    let points = found.into_iter().collect::<Result<Vec<_>, _>>()?;
    match points.len() {
        0 => Err(Problem::bad("coords is empty")),
        1..=MAX_POINTS => Ok(Area::Points(points)),
        _ => Err(Problem::bad(format!("more than {MAX_POINTS} points"))),
    }
}

fn polygons(text: &str) -> Result<Area, Problem> {
    let all = match geometry(text)? {
        Wkt::Polygon(polygon) => vec![polygon],
        Wkt::MultiPolygon(all) => all.into_inner().0,
        _ => return Err(Problem::bad("coords is POLYGON or MULTIPOLYGON here")),
    };
    let mut polygons = Vec::new();
    for polygon in all {
        let mut rings = Vec::new();
        for ring in polygon.rings() {
            let ring: Vec<_> = ring.coords().iter().map(place).collect::<Result<_, _>>()?;
            if ring.len() < 4 || ring.first() != ring.last() {
                return Err(Problem::bad("a ring is not closed or has no area"));
            }
            rings.push(ring);
        }
        if rings.is_empty() {
            return Err(Problem::bad("a polygon is empty"));
        }
        polygons.push(Polygon { rings });
    }
    match polygons.is_empty() {
        false => Ok(Area::Polygons(polygons)),
        true => Err(Problem::bad("coords is empty")),
    }
}

/// First and last day of an instant or an interval; `..` is open.
fn days(text: &str) -> Result<(Option<NaiveDate>, Option<NaiveDate>), Problem> {
    let day = |text: &str| -> Result<Option<NaiveDate>, Problem> {
        if text.is_empty() || text == ".." {
            return Ok(None);
        }
        let time = DateTime::parse_from_rfc3339(text).map(|t| t.to_utc().date_naive());
        time.or_else(|_| text.parse()).map(Some).map_err(|_| {
            Problem::bad(format!(
                "{text:?} is no date: datetime is as 2018-01-01/2018-12-31"
            ))
        })
    };
    match text.split_once('/') {
        Some((from, to)) => Ok((day(from)?, day(to)?)),
        None => {
            let only = day(text)?;
            Ok((only, only))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |p: &(&str, &str)| (p.0.to_string(), p.1.to_string());
        text.iter().map(own).collect()
    }

    #[test]
    fn a_query_is_understood_or_refused_whole() {
        let good = pairs(&[
            ("coords", "POINT(5.9 50.7)"),
            ("datetime", "2018-01-01T00:00:00Z/.."),
            ("parameter-name", "RED, nir"),
            ("f", "csv"),
        ]);
        let query = parse(Source::Stack, Kind::Position, good).unwrap();
        assert_eq!(query.format, Format::Csv);
        assert_eq!(query.request.variables, ["RED", "nir"]);
        assert_eq!(query.request.from, NaiveDate::from_ymd_opt(2018, 1, 1));
        assert_eq!(query.request.to, None);
        for (kind, bad) in [
            (Kind::Position, pairs(&[])),
            (Kind::Position, pairs(&[("coords", "POINT(5.9)")])),
            (Kind::Position, pairs(&[("coords", "POINT(5.9 99)")])),
            (Kind::Position, pairs(&[("coords", "POINT Z (5.9 50 1)")])),
            (Kind::Position, pairs(&[("coords", "POINT EMPTY")])),
            (
                Kind::Position,
                pairs(&[("coords", "POLYGON((0 0,1 0,1 1,0 0))")]),
            ),
            (
                Kind::Position,
                pairs(&[("coords", "POINT(5 5)"), ("coords", "POINT(5 5)")]),
            ),
            (
                Kind::Position,
                pairs(&[("coords", "POINT(5 5)"), ("file", "x")]),
            ),
            (
                Kind::Position,
                pairs(&[("coords", "POINT(5 5)"), ("f", "NetCDF")]),
            ),
            (Kind::Area, pairs(&[("coords", "POLYGON((0 0,1 0,1 1))")])),
            (
                Kind::Area,
                pairs(&[("coords", "GEOMETRYCOLLECTION(POINT(1 1))")]),
            ),
            (Kind::Cube, pairs(&[("bbox", "1,2,3")])),
            (Kind::Cube, pairs(&[("bbox", "1,2,3,inf")])),
            (
                Kind::Cube,
                pairs(&[("bbox", "1,2,3,4"), ("datetime", "2018-13-01")]),
            ),
            (Kind::Cube, pairs(&[("bbox", "1,2,3,4"), ("f", "GeoTIFF")])),
            (Kind::Cube, pairs(&[("bbox", "1,2,3,4"), ("crs", "EPSG:0")])),
        ] {
            assert!(parse(Source::Stack, kind, bad.clone()).is_err(), "{bad:?}");
        }
    }
}
