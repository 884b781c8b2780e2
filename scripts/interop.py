"""Checks that other people's software reads every product below an output folder.

python scripts/interop.py OUT_DIR

Prints one line per product and check. Exit code 0: all pass; 1: something fails, or there is nothing to check.
Schemas come from fixtures/stac-schemas (no network); STAC_SCHEMAS=FOLDER adds or replaces schemas by their $id.
"""
import collections
import glob
import json
import logging
import os
import subprocess
import sys
import traceback
import warnings

import numpy as np

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BANDS = ("BLUE", "RED", "NIR", "SWIR")
LAYERS = {  # name -> (bands, type, scale, no data, has overviews at 100 m)
    **{b: (1, "int16", 1e-4, -32768, True) for b in BANDS},
    "UNC": (4, "uint16", 1e-4, 65535, False),
    "TOA": (4, "int16", 1e-4, -32768, False),
    "GEOMETRY": (6, "uint16", 1e-2, 65535, False),
    "SM": (1, "uint16", None, 2, False),
    "QX": (1, "uint16", None, None, False),
    "SAT": (1, "uint8", None, None, False),
    "USABLE": (1, "uint8", None, 0, True),
}


class Table:
    """Results: (check, product) -> passed or the reason."""

    def __init__(self):
        self.failed = 0
        self.counts = collections.Counter()
        self.reasons = []

    def run(self, check, product, function, *arguments):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(*arguments)
            self.counts[check, "ok"] += 1
        except Exception as error:  # any exception of a foreign reader is a finding
            self.counts[check, "fail"] += 1
            self.failed += 1
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.reasons.append("%s: %s: %s: %s (%s:%d)" % (
                check, product, type(error).__name__, str(error).strip().split("\n")[0][:300], os.path.basename(last.filename), last.lineno))

    def print(self):
        checks = list(dict.fromkeys(c for c, _ in self.counts))
        print("%-44s %6s %6s" % ("check", "pass", "fail"))
        for c in checks:
            print("%-44s %6d %6d" % (c, self.counts[c, "ok"], self.counts[c, "fail"]))
        for r in self.reasons:
            print("FAIL", r)


def expect(what, found, wanted):
    if found != wanted:
        raise AssertionError("%s is %r, expected %r" % (what, found, wanted))


# --- schemas -----------------------------------------------------------------------------------------------------------------------

def schemas():
    """Schemas by identifier."""
    found = {}
    folders = [os.path.join(REPOSITORY, "fixtures", "stac-schemas", f) for f in ("core", "geojson", "extensions", "rules")]
    if os.environ.get("STAC_SCHEMAS"):
        folders.append(os.environ["STAC_SCHEMAS"])
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
            with open(path, encoding="utf-8") as f:
                schema = json.load(f)
            # STAC 1.1.0's common.json misspells its own name
            schema["$id"] = schema["$id"].rstrip("#").replace("commonjson", "common.json")
            found[schema["$id"]] = schema
    for path in ("/usr/share/proj/projjson.schema.json",):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                found["https://proj.org/schemas/v0.7/projjson.schema.json"] = json.load(f)
    return found


def offline_pystac():
    """pystac with its schema cache filled: it asks the network for nothing."""
    import pystac.validation
    from pystac.validation.stac_validator import JsonSchemaSTACValidator
    validator = JsonSchemaSTACValidator()
    validator.schema_cache.update(schemas())
    pystac.validation.RegisteredValidator.set_validator(validator)


# --- acquisitions and screened masks -----------------------------------------------------------------------------------------------

def tile_size(resolution):
    return 109800 // resolution


def gdalinfo(path):
    text = subprocess.run(["gdalinfo", "-json", path], check=True, capture_output=True, text=True)
    expect("gdalinfo stderr", text.stderr, "")
    return json.loads(text.stdout)


def check_gdal(path, layer, item):
    bands, dtype, scale, nodata, overviews = LAYERS[layer]
    info = gdalinfo(path)
    p = item["properties"]
    resolution = int(p["gsd"])
    n = tile_size(resolution)
    expect("size", info["size"], [n, n])
    t = p["proj:transform"]
    expect("geotransform", info["geoTransform"], [t[2], t[0], t[1], t[5], t[3], t[4]])
    expect("pixel size", t[0], resolution)
    if '"EPSG",%s]' % p["proj:code"].split(":")[1] not in info["coordinateSystem"]["wkt"]:
        raise AssertionError("the CRS is not " + p["proj:code"])
    expect("bands", len(info["bands"]), bands)
    for band in info["bands"]:
        expect("type", band["type"].lower().replace("byte", "uint8"), dtype)
        expect("scale", band.get("scale"), scale)
        expect("offset", band.get("offset"), None if scale is None else 0.0)
        expect("no data", band.get("noDataValue"), nodata)
        if not band.get("description"):
            raise AssertionError("a band has no description")
        expect("overviews", bool(band.get("overviews")), overviews and resolution == 100)
    for key in ("TIME", "CAMERA", "TILE", "TIFFTAG_DATETIME", "TIFFTAG_SOFTWARE"):
        if not info["metadata"][""].get(key):
            raise AssertionError("no tag " + key)
    if scale is not None and not info["bands"][0].get("unit"):
        raise AssertionError("no unit")
    if layer == "USABLE":
        expect("colours", len(info["bands"][0]["colorTable"]["entries"]) >= 10, True)
    if layer in ("SM", "QX", "SAT"):
        if not any(k.startswith("BIT") for k in info["metadata"].get("", {})):
            raise AssertionError("no bit legend")


def check_cogeo(path):
    from rio_cogeo import cog_validate
    valid, errors, _ = cog_validate(path, quiet=True)
    if not valid:
        raise AssertionError("; ".join(errors))


def check_scaled(path):
    """rioxarray's mask_and_scale gives reflectance with NaN outside the swath."""
    import rioxarray
    raw = rioxarray.open_rasterio(path)
    scaled = rioxarray.open_rasterio(path, mask_and_scale=True)
    fill, scale = raw.rio.nodata, float(raw.attrs["scale_factor"])
    wanted = np.where(raw.values == fill, np.nan, raw.values * scale)
    if not np.allclose(scaled.values, wanted, rtol=1e-6, atol=1e-9, equal_nan=True):
        raise AssertionError("scaled values differ from count x scale")
    expect("CRS", scaled.rio.crs is not None, True)


def read_item(path):
    import pystac
    with open(path, encoding="utf-8") as f:
        pystac.validation.validate_dict(json.load(f))           # as written
    item = pystac.Item.from_file(path)
    item.validate()                                             # as pystac migrates it
    for key, asset in item.assets.items():
        href = asset.get_absolute_href()
        if not os.path.exists(href):
            raise AssertionError("asset %s: no such file %s" % (key, href))
        if "file:size" in asset.extra_fields:
            expect("size of " + key, os.path.getsize(href), asset.extra_fields["file:size"])
    for link in item.links:
        if link.rel == "derived_from" and not link.href.startswith("nih:") and not os.path.exists(link.get_absolute_href()):
            raise AssertionError("derived_from leads nowhere: " + link.get_absolute_href())


def check_projection(path):
    """pystac's projection extension understands the item and every asset that has a grid."""
    import pystac
    from pystac.extensions.projection import ProjectionExtension
    item = pystac.Item.from_file(path)
    whole = ProjectionExtension.ext(item)
    expect("shape", len(whole.shape), 2)
    expect("code", whole.code.split(":")[0], "EPSG")
    for asset in item.assets.values():
        if "data" in asset.roles:
            own = ProjectionExtension.ext(asset)
            expect("asset code", own.code, whole.code)
            expect("asset transform", own.transform, whole.transform)


def check_odc(path, names):
    """odc-stac finds grid, type and no data without being told, and loads what the file holds."""
    import odc.stac
    import pystac
    import rasterio
    item = pystac.Item.from_file(path)
    cube = odc.stac.load([item], bands=names)
    p = item.properties
    n = tile_size(int(p["gsd"]))
    for name in names:
        a = cube[name]
        expect("shape of " + name, a.shape, (1, n, n))
        expect("CRS", "EPSG:%s" % a.odc.crs.to_epsg(), p["proj:code"])
        expect("transform", list(a.odc.transform)[:6], p["proj:transform"])
        expect("type of " + name, str(a.dtype), LAYERS[name][1])
        with rasterio.open(item.assets[name].get_absolute_href()) as f:
            if not np.array_equal(a.values[0], f.read(1)):
                raise AssertionError(name + ": loaded values differ from the file")
            nodata = LAYERS[name][3]
            if nodata is not None:
                expect("no data of " + name, a.attrs.get("nodata"), nodata)


def check_odc_names(path):
    """odc-stac knows bands by their common names and those of sigma by their own, on the grid of the files."""
    import odc.stac
    import pystac
    import rasterio
    item = pystac.Item.from_file(path)
    cube = odc.stac.load([item], bands=["red", "swir16", "RED_UNC"])
    expect("transform", list(cube.odc.transform)[:6], item.properties["proj:transform"])
    scale = item.assets["RED"].extra_fields["raster:bands"][0]["scale"]
    with rasterio.open(item.assets["RED"].get_absolute_href()) as f:
        expect("scale", f.scales[0], scale)
        if not np.array_equal(cube["red"].values[0], f.read(1)):
            raise AssertionError("red is not RED")
    with rasterio.open(item.assets["UNC"].get_absolute_href()) as f:
        if not np.array_equal(cube["RED_UNC"].values[0], f.read(2)):
            raise AssertionError("RED_UNC is not the second band of UNC")


def check_stackstac(path):
    """stackstac finds zone and scale in the item."""
    import rasterio
    import stackstac
    with open(path, encoding="utf-8") as f:
        item = json.load(f)
    for asset in item["assets"].values():
        asset["href"] = os.path.normpath(os.path.join(os.path.dirname(path), asset["href"]))
    cube = stackstac.stack([item], assets=["RED"], snap_bounds=False)
    n = tile_size(int(item["properties"]["gsd"]))
    expect("shape", cube.shape, (1, 1, n, n))
    expect("zone", cube.attrs["crs"].lower(), item["properties"]["proj:code"].lower())
    values = cube.values[0, 0]
    with rasterio.open(item["assets"]["RED"]["href"]) as f:
        counts = f.read(1)
    wanted = np.where(counts == -32768, np.nan, counts * 1e-4)
    if not np.allclose(values, wanted, atol=1e-9, equal_nan=True):
        raise AssertionError("stackstac's values are not count x scale")


def acquisition(table, folder):
    name = os.path.basename(folder)
    with open(os.path.join(folder, "item.json"), encoding="utf-8") as f:
        item = json.load(f)
    layers = [k for k in item["assets"] if k in LAYERS and item["assets"][k]["href"].startswith("./PROBAV")]
    for layer in layers:
        path = os.path.join(folder, "%s_%s.tif" % (name, layer))
        table.run("gdalinfo: grid, scale, no data, legend", name + " " + layer, check_gdal, path, layer, item)
        table.run("rio cogeo validate", name + " " + layer, check_cogeo, path)
        if LAYERS[layer][2]:
            table.run("rioxarray mask_and_scale", name + " " + layer, check_scaled, path)
    path = os.path.join(folder, "item.json")
    table.run("pystac validate, assets exist", name, read_item, path)
    table.run("pystac projection extension", name, check_projection, path)
    single = [k for k in layers if LAYERS[k][0] == 1]
    style = os.path.join(folder, name + "_SM.qml")
    table.run("styles", name, lambda: open(style, encoding="utf-8").read().index("paletteEntry"))
    table.run("odc-stac load", name, check_odc, path, single)
    if "RED" in item["assets"]:
        table.run("odc-stac: red, RED_UNC, own grid", name, check_odc_names, path)
        table.run("stackstac: zone and scale from the item", name, check_stackstac, path)


# --- stacks ----------------------------------------------------------------------------------------------------------------------------

def check_stack(path):
    import rioxarray  # noqa: F401 (registers .rio)
    import xarray
    raw = xarray.open_zarr(path, mask_and_scale=False)
    cube = xarray.open_zarr(path)
    epsg = int(cube.attrs["proj:code"].split(":")[1])
    steps = cube.sizes["time"]
    expect("dimensions", dict(cube.sizes), {"time": steps, "y": 1098, "x": 1098, "bounds": 2})
    expect("CRS", cube["RED"].rio.crs.to_epsg(), epsg)
    expect("resolution", cube["RED"].rio.resolution(), (100.0, -100.0))
    left, bottom, right, top = cube["RED"].rio.bounds()
    expect("bounds", (right - left, top - bottom), (109800.0, 109800.0))
    t = cube["time"].values
    centre = np.datetime64("2014-01-01") + np.timedelta64(12 * 5, "h") + 5 * np.timedelta64(1, "D") * cube.attrs["first_step"]
    expect("first time", t[0], centre.astype("datetime64[ns]"))
    expect("steps of five days", bool(np.all(np.diff(t) == np.timedelta64(5, "D"))), True)
    some = dict(time=slice(0, 2), y=slice(500, 640), x=slice(500, 640))
    for band in BANDS:
        for name, dtype, fill in ((band, "int16", -32768), (band + "_UNC", "uint16", 65535)):
            counts, values = raw[name].isel(some).values, cube[name].isel(some).values
            expect("type of " + name, str(raw[name].dtype), dtype)
            wanted = np.where(counts == fill, np.nan, counts * 1e-4)
            if not np.allclose(values, wanted, rtol=1e-5, atol=1e-8, equal_nan=True):
                raise AssertionError(name + ": scaled values differ from count x scale")
    for name in ("PROVENANCE", "DAYS", "N100", "N300"):
        expect("type of " + name, str(raw[name].dtype), "uint8")
    expect("consolidated", bool(xarray.open_zarr(path, consolidated=True)), True)
    expect("time_bnds is a coordinate", "time_bnds" in cube.coords and "spatial_ref" in cube.coords, True)


def check_stack_gdal(path):
    """GDAL reads a variable by its VRT, each step a band with its date, and what it reads is what Zarr says."""
    import rasterio
    import xarray
    raw = xarray.open_zarr(path, mask_and_scale=False)
    stem = path[:-len(".zarr")]
    for name in ("NIR", "NIR_UNC", "PROVENANCE"):
        info = gdalinfo("%s_%s.vrt" % (stem, name))
        expect("bands", len(info["bands"]), raw.sizes["time"])
        np.datetime64(info["bands"][0]["description"])
        last = raw.sizes["time"]
        target = "/vsimem/x.tif"
        subprocess.run(["gdal_translate", "-q", "-b", str(last), "%s_%s.vrt" % (stem, name), target], check=True)
        with rasterio.open("%s_%s.vrt" % (stem, name)) as f:
            for band in (1, last):
                if not np.array_equal(f.read(band), raw[name].isel(time=band - 1).values):
                    raise AssertionError("%s: band %d differs between GDAL and Zarr" % (name, band))


def check_stack_odc(path):
    """odc-stac opens the stack's item on the right grid."""
    import odc.stac
    import pystac
    item = pystac.Item.from_file(path)
    cube = odc.stac.load([item], bands=["RED"])
    expect("transform", list(cube.odc.transform)[:6], item.properties["proj:transform"])
    expect("CRS", "EPSG:%s" % cube.odc.crs.to_epsg(), item.properties["proj:code"])


def check_zarr(path):
    import zarr
    group = zarr.open_group(path, mode="r")
    for name in BANDS:
        a = group[name]
        expect("chunks of " + name, a.chunks[1:], (64, 64))
        expect("fill value of " + name, int(a.fill_value), -32768)
        expect("fill attribute of " + name, a.attrs["_FillValue"], -32768)


def check_cube_item(path):
    read_item(path)
    with open(path, encoding="utf-8") as f:
        p = json.load(f)["properties"]
    expect("dimensions", sorted(p["cube:dimensions"]), ["time", "x", "y"])


# --- exports and catalogue ---------------------------------------------------------------------------------------------------------------

def check_compliance(path):
    """IOOS's compliance checker finds no error against CF (its table of names is inside the package)."""
    report = subprocess.run([os.path.join(os.path.dirname(sys.executable), "compliance-checker"), "--test=cf:1.11", "--format=json", "--output=-", path],
                            capture_output=True, text=True)
    if not report.stdout.strip():
        raise AssertionError(report.stderr.strip()[-300:])
    found = json.loads(report.stdout)["cf:1.11"]["high_priorities"]
    errors = [m for check in found for m in check["msgs"] if check["value"][0] < check["value"][1]]
    expect("errors", errors, [])


def check_snippets(out):
    """The Python of docs/products.md runs as it stands there."""
    with open(os.path.join(REPOSITORY, "docs", "products.md"), encoding="utf-8") as f:
        page = f.read()
    tile = os.path.basename(sorted(glob.glob(os.path.join(out, "tiles/*/*/*/stack/*_P5D.zarr")))[0]).split("_")[2]
    snippets = [part.split("```")[0] for part in page.split("```python\n")[1:]]
    expect("snippets", len(snippets) >= 4, True)
    for snippet in snippets:
        exec(snippet, {"out": out, "tile": tile})


def check_netcdf(path):
    import netCDF4
    import xarray
    with netCDF4.Dataset(path) as d:
        expect("format", d.data_model, "NETCDF4")
        expect("conventions", d.Conventions, "CF-1.10")
    with xarray.open_dataset(path, engine="netcdf4", decode_coords="all") as d:
        import rioxarray  # noqa: F401
        expect("grid mapping", d["RED"].rio.crs is not None, True)
        expect("time axis", str(d["time"].dtype).startswith("datetime64"), True)
        expect("scaled", str(d["RED"].dtype), "float32")


def check_export_cog(path):
    check_cogeo(path)
    info = gdalinfo(path)
    for band in info["bands"]:
        np.datetime64(band["description"])


def check_catalog(path):
    import pystac
    catalog = pystac.Catalog.from_file(path)
    catalog.validate()
    for collection in catalog.get_children():
        collection.validate()
        expect("items", len(list(collection.get_items(recursive=True))) > 0, True)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = sys.argv[1]
    os.environ.setdefault("GDAL_PAM_ENABLED", "NO")             # readers leave no .aux.xml behind
    logging.getLogger("pystac").setLevel(logging.CRITICAL)      # its errors come as exceptions too
    offline_pystac()
    table = Table()

    def below(pattern):
        found = glob.glob(os.path.join(out, "**", pattern), recursive=True)
        return sorted(p for p in found if "/.tmp-" not in p)

    for kind in ("acquisitions", "screened"):
        for item in below(os.path.join(kind, "*", "PROBAV_ARD_*", "item.json")):
            acquisition(table, os.path.dirname(item))
    for path in below("PROBAV_ARD_*_P5D.zarr"):
        name = os.path.basename(path)
        table.run("xarray.open_zarr, rioxarray", name, check_stack, path)
        table.run("zarr-python", name, check_zarr, path)
        table.run("stack: gdalinfo, gdal_translate, rasterio", name, check_stack_gdal, path)
        table.run("stack: odc-stac", name, check_stack_odc, os.path.join(os.path.dirname(path), "item.json"))
        table.run("pystac validate, data cube", name, check_cube_item, os.path.join(os.path.dirname(path), "item.json"))
    for path in below("*.nc"):
        table.run("NetCDF-4 CF: netCDF4, xarray", os.path.basename(path), check_netcdf, path)
        table.run("NetCDF-4 CF: compliance-checker", os.path.basename(path), check_compliance, path)
    for path in below("*.tif"):
        if "/tiles/" not in path:
            table.run("exported COG", os.path.basename(path), check_export_cog, path)
    for path in below(os.path.join("catalog", "catalog.json")):
        table.run("pystac catalogue", "catalog.json", check_catalog, path)

    if below("PROBAV_ARD_*_P5D.zarr") and below(os.path.join("screened", "*", "*_100M", "item.json")):
        table.run("snippets of docs/products.md", "docs/products.md", check_snippets, out)
    table.print()
    if not table.counts:
        print("nothing to check below", out)
        sys.exit(1)
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
