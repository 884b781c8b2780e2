"""openEO's local client on our products: load_stac, ndvi, reduce.

python scripts/interop_openeo.py OUT_DIR PROGRAM      (an environment with openeo and openeo-processes-dask)

Values are compared with those that xarray and rasterio read. The client validates items with schemas from the network first; that
one function is replaced, since items are validated against the official schemas elsewhere. Exit code 0: all pass.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import xarray

warnings.simplefilter("ignore")


def offline():
    from openeo_processes_dask.process_implementations.cubes import load

    def kind(url):
        with open(url, encoding="utf-8") as f:
            return {"Feature": "ITEM", "Collection": "COLLECTION"}[json.load(f)["type"]]

    load._validate_stac = kind


def check_stack(out, program, folder):
    from openeo.local import LocalConnection
    zarr = sorted(glob.glob(os.path.join(out, "tiles/*/*/*/stack/*_P5D.zarr")))[0]
    tile = os.path.basename(zarr).split("_")[2]
    item = os.path.join(folder, "stack.json")
    subprocess.run([program, "export", "--tile", tile, "--out", out, item], check=True, stdout=subprocess.DEVNULL)
    cube = LocalConnection("./").load_stac(item, bands=["RED", "NIR"])
    loaded = cube.execute()
    truth = xarray.open_zarr(zarr)
    assert loaded.sizes["time"] == truth.sizes["time"] and list(loaded.bands.values) == ["RED", "NIR"]
    area = dict(x=slice(500, 540), y=slice(600, 640))
    ndvi = cube.ndvi(red="RED", nir="NIR").reduce_dimension(dimension="time", reducer="mean").execute()
    red, nir = truth.RED.isel(area), truth.NIR.isel(area)
    expected = ((nir - red) / (nir + red)).mean("time").values
    found = ndvi.isel(area).values
    assert np.allclose(found, expected, atol=1e-6, equal_nan=True), np.nanmax(np.abs(found - expected))


def check_acquisition(out, folder):
    import rasterio
    from openeo.local import LocalConnection
    path = sorted(glob.glob(os.path.join(out, "tiles/*/*/*/screened/*/*_100M/item.json")))[0]
    with open(path, encoding="utf-8") as f:
        item = json.load(f)
    for asset in item["assets"].values():
        asset["href"] = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(path)), asset["href"]))
    item["links"] = []                                          # relative ones lead nowhere from the copy
    absolute = os.path.join(folder, "acquisition.json")
    with open(absolute, "w", encoding="utf-8") as f:
        json.dump(item, f)
    loaded = LocalConnection("./").load_stac(absolute, bands=["RED", "NIR"]).execute()
    with rasterio.open(item["assets"]["NIR"]["href"]) as f:
        assert np.array_equal(loaded.isel(time=0).sel(bands="NIR").values, f.read(1)), "NIR differs"
    x0, y0 = item["properties"]["proj:transform"][2], item["properties"]["proj:transform"][5]
    assert (float(loaded.x[0]), float(loaded.y[0])) == (x0 + 50, y0 - 50), "the grid moved"


def main():
    out, program = sys.argv[1:]
    offline()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, check in (("stack: load_stac, ndvi, reduce", lambda: check_stack(out, program, folder)),
                            ("acquisition: load_stac", lambda: check_acquisition(out, folder))):
            try:
                check()
                print("openEO local %-40s pass" % name)
            except Exception as error:  # any exception of a foreign client is a finding
                failed = 1
                print("openEO local %-40s FAIL %s: %s" % (name, type(error).__name__, str(error)[:300]))
    sys.exit(failed)


main()
