"""Resampling beside peers: swaths with exact answers through this program, gdalwarp -geoloc, pyresample and rwarp.

    RAYON_NUM_THREADS=1 scripts/bench-peers geometry SHARED [--swaths FOLDER] [--cases ABCDE] [--repeat 3] [--bilinear] [--rwarp BIN]

SHARED/data/swath holds the generator of the swaths; FOLDER keeps what it makes (1.8 GB) for the next run. Needs Python with
numpy, scipy, pyproj, pyresample, dask and xarray, `gdalwarp` on the path, and
`cargo build --release --example resample_benchmark`. rwarp is a library; the program that calls it is built by
`cargo build --release --manifest-path scripts/rwarp-peer/Cargo.toml --target-dir target/rwarp-peer` (BIN is then
target/rwarp-peer/release/rwarp-peer). BIN is called as

    BIN DIR LINES PIXELS BANDS EPSG ULX ULY PIXEL SIZE nearest|cubic REPEAT

reads DIR/lon.f64, lat.f64 and val.f32 (raw, band by band), writes DIR/out.f32 and prints {"cpu_s": [...], "peak_bytes": ...}.
"""
import argparse
import array
import ctypes
import importlib.util
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time

import report_section

HERE = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- bench-peers geometry -->", "<!-- /bench-peers geometry -->"
PATTERNS = ("E", "N", "S", "M", "T")
PEERS = {
    "gdalwarp near -et 0": ("gdalwarp", "near"),
    "gdalwarp cubic -et 0, XSCALE=YSCALE=1": ("gdalwarp", "cubic"),
    "pyresample nearest": ("nearest",),
    "pyresample gradient bilinear": ("gradient",),
    "pyresample EWA": ("ewa",),
}
# peers whose position is good to 0.01 px: the ratio counts against the fastest of them
ACCURATE_PX = 0.01


# ---- a peer in a process of its own

def status(key):
    for line in open("/proc/self/status"):
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def gdalwarp(folder, meta, kernel):
    """Raw rasters behind a VRT; CPU and peak are of the whole process, files (page cache) included."""
    lines, pixels, bands = meta["lines"], meta["pixels"], meta["bands"]

    def raw(name, size, dtype, band):
        return (f'<VRTRasterBand dataType="{dtype}" band="{band + 1}" subClass="VRTRawRasterBand">'
                f'<SourceFilename relativeToVRT="1">{name}</SourceFilename><ImageOffset>{band * size * lines * pixels}</ImageOffset>'
                f'<PixelOffset>{size}</PixelOffset><LineOffset>{size * pixels}</LineOffset><ByteOrder>LSB</ByteOrder></VRTRasterBand>')

    def vrt(name, body):
        (folder / name).write_text(f'<VRTDataset rasterXSize="{pixels}" rasterYSize="{lines}">{body}</VRTDataset>')

    longitudes = array.array("d", (folder / "lon.f64").read_bytes())
    srs = "EPSG:4326"
    if max(longitudes) - min(longitudes) > 180:                      # across the antimeridian it needs them without a jump
        srs = "+proj=longlat +datum=WGS84 +lon_wrap=180 +no_defs"
        (folder / "lon.f64").write_bytes(array.array("d", (v % 360 for v in longitudes)).tobytes())
    vrt("lon.vrt", raw("lon.f64", 8, "Float64", 0))
    vrt("lat.vrt", raw("lat.f64", 8, "Float64", 0))
    items = {"X_DATASET": folder / "lon.vrt", "X_BAND": 1, "Y_DATASET": folder / "lat.vrt", "Y_BAND": 1, "PIXEL_OFFSET": 0, "LINE_OFFSET": 0,
             "PIXEL_STEP": 1, "LINE_STEP": 1, "SRS": srs, "GEOREFERENCING_CONVENTION": "PIXEL_CENTER"}
    geolocation = "".join(f'<MDI key="{k}">{v}</MDI>' for k, v in items.items())
    vrt("src.vrt", f'<Metadata domain="GEOLOCATION">{geolocation}</Metadata>' + "".join(raw("val.f32", 4, "Float32", b) for b in range(bands)))
    side = meta["pixel"] * meta["size"]
    extent = (meta["ulx"], meta["uly"] - side, meta["ulx"] + side, meta["uly"])
    command = ["gdalwarp", "-q", "-overwrite", "-geoloc", "-t_srs", f"EPSG:{meta['epsg']}", "-te", *map(str, extent), "-ts", str(meta["size"]),
               str(meta["size"]), "-r", kernel, "-et", "0", "-srcnodata", "nan", "-dstnodata", "nan", "-of", "ENVI"]
    if kernel != "near":
        command += ["-wo", "XSCALE=1", "-wo", "YSCALE=1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command + [str(folder / "src.vrt"), str(folder / "out.f32")], check=True, env={**os.environ, "GDAL_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss * 1024


def pyresample(folder, meta, method, repeat):
    import numpy as np
    from pyresample import AreaDefinition, SwathDefinition
    shape = meta["lines"], meta["pixels"]
    lon, lat = (np.fromfile(folder / f"{k}.f64").reshape(shape) for k in ("lon", "lat"))
    values = np.fromfile(folder / "val.f32", np.float32).reshape(-1, *shape)
    size, side = meta["size"], meta["pixel"] * meta["size"]
    extent = (meta["ulx"], meta["uly"] - side, meta["ulx"] + side, meta["uly"])
    area = AreaDefinition("tile", "", "", f"EPSG:{meta['epsg']}", size, size, extent)
    radius = 2 * meta["native"]
    if method == "nearest":
        from pyresample.kd_tree import resample_nearest
        layers = np.ascontiguousarray(np.moveaxis(values, 0, -1))

        def run():
            out = resample_nearest(SwathDefinition(lon, lat), layers, area, radius, fill_value=np.nan, nprocs=1)
            return np.moveaxis(out, -1, 0)
    elif method == "bilinear":
        from pyresample.bilinear import NumpyBilinearResampler

        def run():
            resampler = NumpyBilinearResampler(SwathDefinition(lon, lat), area, radius, neighbours=32)
            return np.stack([resampler.resample(v, fill_value=np.nan) for v in values])
    elif method == "gradient":
        import dask
        import dask.array as da
        import xarray as xr
        from pyresample.gradient import create_gradient_search_resampler
        dask.config.set(scheduler="synchronous")

        def run():
            swath = SwathDefinition(*(xr.DataArray(da.from_array(a, chunks=a.shape), dims=("y", "x")) for a in (lon, lat)))
            resampler = create_gradient_search_resampler(swath, area)
            resampler.precompute()
            data = xr.DataArray(da.from_array(values, chunks=values.shape), dims=("bands", "y", "x"))
            return resampler.compute(data, method="bilinear").compute().values
    else:
        from pyresample.ewa import fornav, ll2cr

        def run():
            _, cols, rows = ll2cr(SwathDefinition(lon, lat), area)
            _, out = fornav(cols, rows, area, tuple(values), rows_per_scan=shape[0], fill=np.nan)
            return np.stack(out if isinstance(out, (list, tuple)) else [out])
    seconds, peak = [], 0
    ctypes.CDLL(None).malloc_trim(0)
    for _ in range(repeat):
        before = status("VmRSS:")
        pathlib.Path("/proc/self/clear_refs").write_text("5")
        start = time.process_time()
        out = run()
        seconds.append(time.process_time() - start)
        peak = peak or status("VmHWM:") - before
    np.ascontiguousarray(out, np.float32).tofile(folder / "out.f32")
    return seconds, peak


def peer(folder, repeat, method):
    """In the child: one peer on what lies in a folder."""
    meta = json.loads((folder / "meta.json").read_text())
    if method[0] == "gdalwarp":
        runs = [gdalwarp(folder, meta, method[1]) for _ in range(repeat)]
        seconds, peak = [r[0] for r in runs], max(r[1] for r in runs)
    else:
        seconds, peak = pyresample(folder, meta, method[0], repeat)
    print(json.dumps({"cpu_s": seconds, "peak_bytes": peak}))


def run_peer(name, method, folder, meta, repeat):
    """Output (band, row, column), least CPU seconds, peak bytes."""
    import numpy as np
    (folder / "out.f32").unlink(missing_ok=True)
    if method[0] == "rwarp":
        keys = ("lines", "pixels", "bands", "epsg", "ulx", "uly", "pixel", "size")
        command = [method[1], str(folder), *(str(meta[k]) for k in keys), "cubic", str(repeat)]
    else:
        command = [sys.executable, str(pathlib.Path(__file__)), "--peer", str(folder), str(repeat), *method]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr[-2000:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    out = np.fromfile(folder / "out.f32", np.float32).reshape(meta["bands"], meta["size"], meta["size"])
    return out, min(told["cpu_s"]), told["peak_bytes"]


# ---- the swaths

def load_generator(path):
    spec = importlib.util.spec_from_file_location("gen_swath", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Case:
    """A swath, its grid, and where every pixel of the grid lies in the RED raster."""

    def __init__(self, generator, path, folder):
        import numpy as np
        self.z, self.generator, self.folder = np.load(path), generator, folder
        self.name, self.k = str(self.z["case"]), float(self.z["k"])
        self.strips = [k[4:] for k in self.z.files if k.startswith("tie_")]
        self.red = next(s for s in self.strips if s.startswith("RED"))
        self.pixel = 100.0 * self.k
        self.grid = {"epsg": int(self.z["epsg"]), "ulx": float(self.z["ulx"]), "uly": float(self.z["uly"]), "pixel": self.pixel,
                     "size": int(109800 / self.pixel)}
        c = (np.arange(self.grid["size"]) + 0.5) * self.pixel
        self.x, self.y = np.meshgrid(c, c)
        folder.mkdir(parents=True, exist_ok=True)
        self.native = {}
        self.crops = {s: self.crop(s) for s in self.strips}
        self.locate()

    def crop(self, strip):
        """The window of a strip that peers get: the tile and 8 samples around it; and metres right of and below the corner."""
        import numpy as np
        from pyproj import Transformer
        lat, lon = self.z["lat_" + strip], self.z["lon_" + strip]
        e, n = Transformer.from_crs(4326, self.grid["epsg"], always_xy=True).transform(lon, lat)
        x, y = e - self.grid["ulx"], self.grid["uly"] - n
        side = self.pixel * self.grid["size"]
        inside = (x > 0) & (x < side) & (y > 0) & (y < side)
        rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        window = np.s_[max(rows[0] - 8, 0):rows[-1] + 9, max(cols[0] - 8, 0):cols[-1] + 9]
        middle = tuple(s // 2 for s in inside.shape)
        self.native[strip] = max(float(np.hypot(np.diff(x, axis=a)[middle[0] - 1, middle[1] - 1], np.diff(y, axis=a)[middle[0] - 1, middle[1] - 1]))
                                 for a in (0, 1)) if not self.name == "E" else self.pixel
        return window, lon[window], lat[window], x[window], y[window]

    def locate(self):
        """Masks of the grid from its fractional position among the RED samples."""
        import numpy as np
        from scipy.ndimage import minimum_filter
        from scipy.spatial import cKDTree
        _, _, _, x, y = self.crops[self.red]
        _, nearest = cKDTree(np.column_stack([x.ravel(), y.ravel()])).query(np.column_stack([self.x.ravel(), self.y.ravel()]))
        i, j = np.unravel_index(nearest, x.shape)
        (xl, xp), (yl, yp) = np.gradient(x), np.gradient(y)
        xl, xp, yl, yp = (d[i, j] for d in (xl, xp, yl, yp))
        dx, dy = self.x.ravel() - x[i, j], self.y.ravel() - y[i, j]
        det = xl * yp - xp * yl
        line, pixel = i + (dx * yp - dy * xp) / det, j + (dy * xl - dx * yl) / det
        n, m = x.shape
        shape = self.x.shape
        inside = (line > -0.5) & (line < n - 0.5) & (pixel > -0.5) & (pixel < m - 0.5)
        margin = np.maximum(np.maximum(-0.5 - line, line - n + 0.5), np.maximum(-0.5 - pixel, pixel - m + 0.5))
        valid = ~np.isnan(self.samples(self.red, "E"))
        whole = minimum_filter(np.pad(valid, 3), 7)[3:-3, 3:-3]           # every sample within 3 is there
        for a in range(3):                                                   # the padding itself counts as missing
            whole[a] = whole[-1 - a] = whole[:, a] = whole[:, -1 - a] = False
        r, c = np.clip(np.rint(line).astype(int), 0, n - 1), np.clip(np.rint(pixel).astype(int), 0, m - 1)
        sure = np.maximum(abs(line - np.rint(line)), abs(pixel - np.rint(pixel))) < 0.49
        self.clean = (inside & whole[r, c]).reshape(shape)
        self.beyond = (margin > 0.01).reshape(shape)
        self.hole = (inside & sure & ~valid[r, c]).reshape(shape)
        self.touching = (inside & sure & valid[r, c] & ~whole[r, c]).reshape(shape)

    def samples(self, strip, pattern):
        return self.z[f"val_{strip}_{pattern}"][self.crops[strip][0]]

    def truth(self, pattern):
        return self.generator.scene(pattern, self.x, self.y, self.k)

    def score(self, out):
        """`out` by pattern, of RED."""
        import numpy as np
        rmse = lambda p: float(np.sqrt(np.nanmean((out[p] - self.truth(p))[self.clean] ** 2)))                             # noqa: E731
        off = np.hypot(out["E"] - self.x, out["N"] - self.y)[self.clean] / self.pixel
        there = np.isfinite(out["T"])
        return {"rms": float(np.sqrt(np.nanmean(off**2))), "max": float(np.nanmax(off)), "lost": int(np.isnan(off).sum()), "M": rmse("M"), "T": rmse("T"),
                "beyond": int((there & self.beyond).sum()), "hole": int((there & self.hole).sum()), "holes": int(self.hole.sum()),
                "touching": float(there[self.touching].mean()) if self.touching.any() else None}

    def export_peer(self, strip, patterns):
        """Window of a strip for a peer; returns its description."""
        import numpy as np
        folder = self.folder / "peer"
        folder.mkdir(exist_ok=True)
        _, lon, lat, _, _ = self.crops[strip]
        np.ascontiguousarray(lon, np.float64).tofile(folder / "lon.f64")
        np.ascontiguousarray(lat, np.float64).tofile(folder / "lat.f64")
        np.stack([self.samples(strip, p) for p in patterns]).tofile(folder / "val.f32")
        meta = {**self.grid, "lines": lon.shape[0], "pixels": lon.shape[1], "bands": len(patterns), "native": self.native[strip]}
        (folder / "meta.json").write_text(json.dumps(meta))
        return folder, meta

    def export_program(self):
        """The whole swath as the example reads it: single-precision tie points every 8 samples at two levels."""
        import numpy as np
        strips = []
        for s in self.strips:
            self.z["tie_" + s].tofile(self.folder / f"{s}_tie.f32")
            for p in PATTERNS:
                if f"val_{s}_{p}" in self.z.files:
                    self.z[f"val_{s}_{p}"].tofile(self.folder / f"{s}_{p}.f32")
            lines, pixels = self.z["lat_" + s].shape
            strips.append({"name": s, "strip": "RED" if s == self.red else s, "lines": lines, "pixels": pixels})
        heights = self.generator.terrain(self.x, self.y) if self.name == "C" else np.zeros_like(self.x)
        heights.astype(np.float32).tofile(self.folder / "heights.f32")
        (self.folder / "case.json").write_text(json.dumps({**self.grid, "camera": "LEFT" if self.name == "E" else "CENTER", "strips": strips}))


# as `probav-ard run` starts its workers (src/pipeline/execute/pool.rs): freed memory serves the next array
KEPT = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "1073741824"}


def run_means(binary, case, kernel, repeat):
    """CPU seconds of four bands as means over 300 m cells: the side camera's strip as VNIR three times and as SWIR once."""
    import numpy as np
    described = json.loads((case.folder / "case.json").read_text())
    strip = described["strips"][0]
    described |= {"pixel": case.pixel / 3, "size": 3 * case.grid["size"], "strips": [{**strip, "strip": k} for k in ("RED", "NIR", "BLUE", "SWIR2")]}
    folder = case.folder / "means"
    folder.mkdir(exist_ok=True)
    for path in case.folder.glob(f"{strip['name']}_*.f32"):
        (folder / path.name).symlink_to(path.resolve())
    np.zeros(described["size"] ** 2, np.float32).tofile(folder / "heights.f32")
    (folder / "case.json").write_text(json.dumps(described))
    command = [binary, folder / "case.json", "T", folder / "out.f32", "--kernel", kernel, "--repeat", str(repeat), "--mean", "3"]
    return min(json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | KEPT).stdout)["cpu_s"])


def run_program(binary, case, kernel, repeat):
    """Patterns of RED, and for T the seconds and peak with all bands; for M those of one band."""
    import numpy as np
    out, told = {}, {}
    size = case.grid["size"]
    for p in PATTERNS:
        result = case.folder / "out.f32"
        done = subprocess.run([binary, case.folder / "case.json", p, result, "--kernel", kernel, "--repeat", str(repeat if p in "MT" else 1)],
                              capture_output=True, text=True, env=os.environ | KEPT)
        if done.returncode:
            sys.exit(f"{binary} failed on case {case.name}: {done.stderr[-2000:]}")
        told[p] = json.loads(done.stdout)
        out[p] = np.fromfile(result, np.float32).reshape(4, size, size)[1].astype(float)
    return out, told


# ---- the table

def versions(peers):
    import importlib.metadata as metadata
    gdal = re.search(r"GDAL ([\d.]+)", subprocess.run(["gdalwarp", "--version"], capture_output=True, text=True).stdout)
    found = [f"GDAL {gdal[1] if gdal else '?'}"]
    found += [f"{p} {metadata.version(p)}" for p in ("pyresample", "pykdtree", "numpy", "scipy", "pyproj", "dask", "xarray")]
    if any(m[0] == "rwarp" for m in peers.values()):
        pin = re.search(r'rwarp = \{ version = "=([\d.]+)"', (HERE / "scripts" / "rwarp-peer" / "Cargo.toml").read_text())
        found.append(f"rwarp {pin[1] if pin else '?'}")
    return ", ".join(found) + f", Python {platform.python_version()}"


def number(v):
    return f"{v:.0e}".replace("e-0", "e-") if 0 < v < 0.00095 else f"{v:.4f}".rstrip("0") if v < 0.0995 else f"{v:.2f}"


def report(scores, costs, first, means, run_rwarp, note):
    cases = sorted({c for s in scores.values() for c in s})
    ours = "this program, cubic6"
    fast = min((v["cpu"] for m, v in costs.items() if m not in (ours, "this program, cubic") and scores[m]["A"]["rms"] < ACCURATE_PX), default=None)
    lines = [BEGIN, "## Geometry: the same swaths through peers", "", *note, "",
             "| method | " + " | ".join(f"{c} position rms / max, px" for c in cases) + " |", "|---|" + "---|" * len(cases)]
    for m, s in scores.items():
        lines.append(f"| {m} | " + " | ".join(f"{number(s[c]['rms'])} / {number(s[c]['max'])}" + (f" ({s[c]['lost']} lost)" if s[c]["lost"] else "") if c in s else "–" for c in cases) + " |")
    if not run_rwarp:
        lines.append("| rwarp | " + " | ".join("not run" for _ in cases) + " |")
    lines += ["", "| method | " + " | ".join(f"{c} T / M rmse × 10⁴" for c in cases) + " |", "|---|" + "---|" * len(cases)]
    for m, s in scores.items():
        lines.append(f"| {m} | " + " | ".join(f"{1e4 * s[c]['T']:.2f} / {1e4 * s[c]['M']:.2f}" if c in s else "–" for c in cases) + " |")
    if "B" in cases:
        holes = scores[ours]["B"]["holes"]
        lines += ["", f"| case B | pixels filled beyond the swath | of {holes} hole pixels filled | pixels beside an edge or hole present |", "|---|---|---|---|"]
        lines += [f"| {m} | {s['B']['beyond']} | {s['B']['hole']} | {100 * s['B']['touching']:.2f} % |" for m, s in scores.items() if "B" in s]
    lines += ["", "| case A, four bands, each with its geolocation | CPU s | ratio to this program | one band, CPU s | peak MB |", "|---|---|---|---|---|"]
    for m, v in costs.items():
        ratio = "1" if m == ours else f"{v['cpu'] / costs[ours]['cpu']:.1f}"
        lines.append(f"| {m} | {v['cpu']:.3f} | {ratio} | {v['one']:.3f} | {v['peak'] / 1e6:.0f} |")
    lines += ["", "Targets, measured:", ""]
    a = [scores[ours][c] for c in cases]
    verdict = lambda ok: "met" if ok else "**not met**"                                                                     # noqa: E731
    worst = max(s["rms"] for s in a), max(s["max"] for s in a)
    lines.append(f"- position ≤ 0.01 px rms and ≤ 0.05 px largest in every case: {worst[0]:.4f} and {worst[1]:.4f} px: {verdict(worst[0] <= 0.01 and worst[1] <= 0.05)}.")
    for p in "TM":
        lost = [c for c in cases if scores[ours][c][p] >= min(s[c][p] for m, s in scores.items() if not m.startswith("this program") and c in s)]
        lines.append(f"- {p} rmse below the best peer's in every case: {verdict(not lost)}{' (' + ', '.join(lost) + ')' if lost else ''}.")
    if "B" in cases:
        b = scores[ours]["B"]
        ok = b["beyond"] == 0 and b["hole"] == 0 and b["touching"] == 1
        lines.append(f"- case B: {b['beyond']} pixels beyond the swath, {b['hole']} hole pixels filled, {100 * b['touching']:.2f} % beside an edge or hole present: {verdict(ok)}.")
    if fast:
        own = costs[ours]
        lines.append(f"- four bands and angles ≤ 120 ms: {1e3 * own['cpu']:.0f} ms: {verdict(own['cpu'] <= 0.12)}; in the first run of a process, whose memory is not "
                     f"yet mapped, {1e3 * first:.0f} ms: {verdict(first <= 0.12)}.")
    if means:
        lines.append(f"- a 300 m tile ≤ 25 ms: {1e3 * means:.1f} ms (four bands and angles of the side camera's swath E, means over the cells): {verdict(means <= 0.025)}.")
    if fast:
        lines.append(f"- ≥ 10 × faster than the fastest peer good to {ACCURATE_PX} px: {fast / own['cpu']:.1f} ×: {verdict(fast >= 10 * own['cpu'])}.")
        beyond = (own["peak"] - own["result"]) / 1e6
        lines.append(f"- memory beyond input and output ≤ 100 MB: {beyond:.0f} MB: {verdict(beyond <= 100)}.")
    return lines + ["", END]


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["--peer"]:
        return peer(pathlib.Path(argv[1]), int(argv[2]), tuple(argv[3:]))
    ap = argparse.ArgumentParser(prog="bench-peers geometry", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("shared", type=pathlib.Path)
    ap.add_argument("--swaths", type=pathlib.Path, help="folder of case_X.npz, made there where missing")
    ap.add_argument("--cases", default="ABCDE")
    ap.add_argument("--repeat", type=int, default=3)
    ap.add_argument("--bin", type=pathlib.Path, default=HERE / "target" / "release" / "examples" / "resample_benchmark")
    ap.add_argument("--bilinear", action="store_true", help="pyresample bilinear too: minutes of CPU")
    ap.add_argument("--rwarp", help="a program that calls rwarp (see above)")
    ap.add_argument("--report", type=pathlib.Path, default=HERE / "docs" / "benchmarks.md")
    a = ap.parse_args(argv)
    if "A" not in a.cases:
        ap.error("times are those of case A: it must be among the cases")
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    sys.dont_write_bytecode = True
    generator = load_generator(a.shared / "data" / "swath" / "gen_swath.py")
    peers = dict(PEERS)
    if a.bilinear:
        peers["pyresample bilinear"] = ("bilinear",)
    if a.rwarp:
        peers["rwarp cubic"] = ("rwarp", a.rwarp)
    names = {"this program, cubic6": "cubic6", "this program, cubic": "cubic"}
    scores, costs, first, means = {m: {} for m in (*names, *peers)}, {}, 0.0, None
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        swaths = a.swaths or work
        for letter in a.cases:
            path = swaths / f"case_{letter}.npz"
            if not path.exists():
                import numpy as np
                swaths.mkdir(parents=True, exist_ok=True)
                np.savez(path, **generator.make(letter))
            case = Case(generator, path, work / letter)
            case.export_program()
            for name, kernel in names.items():
                out, told = run_program(a.bin, case, kernel, 5 * a.repeat if letter == "A" else 1)
                scores[name][letter] = case.score(out)
                if letter == "A":
                    t = told["T"]
                    costs[name] = {"cpu": min(t["cpu_s"]), "one": min(told["M"]["cpu_s"]), "peak": t["peak_bytes"], "result": t["result_bytes"]}
                    first = first or t["cpu_s"][0]
                if letter == "E" and name == next(iter(names)):
                    means = run_means(a.bin, case, kernel, 10 * a.repeat)
            for name, method in peers.items():
                folder, meta = case.export_peer(case.red, PATTERNS)
                out, _, _ = run_peer(name, method, folder, meta, 1)
                scores[name][letter] = case.score(dict(zip(PATTERNS, out.astype(float))))
                if letter == "A":
                    costs[name] = {"cpu": 0.0, "peak": 0}
                    for strip in case.strips:
                        folder, meta = case.export_peer(strip, ("T",))
                        _, seconds, peak = run_peer(name, method, folder, meta, 1 if method[0] == "bilinear" else a.repeat)
                        costs[name]["cpu"] += seconds
                        costs[name]["peak"] = max(costs[name]["peak"], peak)
                        if strip == case.red:
                            costs[name]["one"] = seconds
                print(letter, name, scores[name][letter], costs.get(name), file=sys.stderr)
            print(letter, {n: scores[n][letter] for n in names}, file=sys.stderr)
            for f in case.folder.glob("*.f32"):
                f.unlink()
    note = ["`scripts/bench-peers geometry SHARED`: swaths whose samples are an exact function of UTM position (`SHARED/data/swath`), so that what is",
            "left is the resampler's error, over pixels with every sample within 3 present. A centre camera, B swath edge and holes, C terrain,",
            "D antimeridian, E side camera onto 300 m (a point, not a mean). This program gets what an L1C file has: the whole segment, tie points every",
            "8 samples in single precision at 0 and 5000 m, and heights (C); it finds its window and makes angles and flags besides, in memory",
            "that its allocator keeps from run to run, as in a worker. Peers get the window",
            "around the tile and the position of every sample on the ground in double precision. One thread each, CPU of the least of several runs;",
            "gdalwarp's with the start of the process and its files, the others' without. Peak: rise of resident memory while resampling, results",
            "included (gdalwarp: the whole process). pyresample nearest and bilinear look within two samples. In D gdalwarp gets longitudes",
            "from 0 to 360° (across ±180° as in a file it loses pixels and misplaces others); the truth of E and N is single precision, 1e-4 px.", "",
            versions(peers) + ("." if a.bilinear else "; pyresample bilinear not run (`--bilinear`).")]
    lines = report(scores, costs, first, means, bool(a.rwarp), note)
    print("\n".join(lines[1:-1]))
    report_section.replace(a.report, lines, "Benchmarks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
