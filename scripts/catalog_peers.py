"""Reads the catalogue of an output folder with the tools of others and compares with the item files.

Usage: catalog_peers.py PROBAV_ARD OUT
stac-geoparquet, rustac and DuckDB read the index; pystac walks and validates the pages; sfeos-helpers builds what the
export for Elasticsearch has to equal.
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

TIMES = ("datetime", "start_datetime", "end_datetime")


def normal(value):
    """What the index may change: members that are null go, numbers compare by value, times by instant."""
    if isinstance(value, dict):
        return {k: normal(v) for k, v in value.items() if normal(v) is not None}
    if isinstance(value, (list, tuple)):
        return [normal(v) for v in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return float(value)


def item_of(value, own=("probav:path",)):
    """An item as it is compared, whoever read it."""
    value = json.loads(json.dumps(value, default=str))
    properties = value["properties"]
    for name in own:
        properties.pop(name, None)
    for name in TIMES:
        if properties.get(name):
            # 2018-05-03T10:45:12.000000Z, +00:00 and Z are one instant
            text = properties[name].replace("+00:00", "Z").replace(" ", "T")
            properties[name] = text.rstrip("Z").split(".")[0] + "Z"
    if value.get("bbox") is not None:
        value["bbox"] = list(value["bbox"])
    return normal(value)


def originals(out):
    """The items as the products have them: the screened version where there is one."""
    items = {}
    pattern = os.path.join(out, "tiles/*/*/*/{}/item.json")
    for kind in ("acquisitions/*/*", "stack", "screened/*/*"):
        for path in sorted(glob.glob(pattern.format(kind))):
            item = json.load(open(path))
            if item["id"].endswith("_SCREENED"):
                continue
            ends = {"_100M": "acquisitions-100m", "_300M": "acquisitions-300m", "_P5D": "stacks"}
            for end, name in ends.items():
                if item["id"].endswith(end):
                    item.setdefault("collection", f"probav-ard-{name}")
            items[item["id"]] = item
    return items


def compare(name, read, want):
    read = {i["id"]: i for i in read}
    assert set(read) == set(want), (name, set(read) ^ set(want))
    for key, item in want.items():
        a, b = item_of(read[key]), item_of(item)
        if a != b:
            for member in sorted(set(a) | set(b)):
                if a.get(member) != b.get(member):
                    print(f"{name}: {key}: {member}\n  {str(a.get(member))[:1500]}\n  {str(b.get(member))[:1500]}")
            sys.exit(1)
    print(f"{name}: {len(want)} items equal")


def with_stac_geoparquet(files):
    import pyarrow.parquet as pq
    import stac_geoparquet.arrow

    for file in files:
        yield from stac_geoparquet.arrow.stac_table_to_items(pq.read_table(file))


def with_rustac(files):
    import asyncio

    import rustac

    async def read(file):
        return (await rustac.read(file))["features"]

    for file in files:
        yield from asyncio.run(read(file))


def with_duckdb(root, want):
    import duckdb
    import duckdb_extension_spatial

    base = os.path.dirname(duckdb_extension_spatial.__file__)
    extension = glob.glob(os.path.join(base, "extensions/*/spatial.duckdb_extension"))[0]
    db = duckdb.connect()
    db.execute(f"LOAD '{extension}'")
    table = f"read_parquet('{root}/items/*/*.parquet', union_by_name = true)"
    ids = {r[0] for r in db.execute(f"SELECT id FROM {table}").fetchall()}
    assert ids == set(want), ids ^ set(want)
    # every footprint through DuckDB's own geometry
    rows = db.execute(f"SELECT id, ST_AsGeoJSON(geometry), \"eo:cloud_cover\" FROM {table}").fetchall()
    for key, geometry, cloud in rows:
        a, b = json.loads(geometry), want[key]["geometry"]
        assert a["type"] == b["type"] and normal(a["coordinates"]) == normal(b["coordinates"]), key
        assert cloud == want[key]["properties"].get("eo:cloud_cover"), key
    print(f"DuckDB: {len(rows)} footprints and cloud covers equal")
    return db, table


def run(program, *arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def searches(program, out, db, table, want):
    """Our search against SQL with DuckDB's geometry."""
    middle = next(iter(want.values()))["bbox"]
    w, s = (middle[0] + middle[2]) / 2, (middle[1] + middle[3]) / 2
    box = (w, s, w + 0.05, s + 0.05)
    where = f"ST_Intersects(geometry, ST_MakeEnvelope({','.join(map(str, box))}))"
    time = 'coalesce("datetime", "start_datetime")'
    cases = [
        (["--bbox", ",".join(map(str, box))], where),
        (["--query", "eo:cloud_cover < 20"], '"eo:cloud_cover" < 20'),
        (["--query", "probav:camera = LEFT AND view:incidence_angle > 30"],
         "\"probav:camera\" = 'LEFT' AND \"view:incidence_angle\" > 30"),
        (["--datetime", "2018-07-01/2018-07-10", "--collection", "probav-ard-acquisitions-300m"],
         f"{time} >= '2018-07-01' AND {time} < '2018-07-11' AND collection = 'probav-ard-acquisitions-300m'"),
    ]
    for arguments, condition in cases:
        ours = run(program, "search", out, "--format", "ids", *arguments).split()
        theirs = [r[0] for r in db.execute(f"SELECT id FROM {table} WHERE {condition}").fetchall()]
        assert sorted(ours) == sorted(theirs), (arguments, set(ours) ^ set(theirs))
        print(f"search {' '.join(arguments)}: {len(ours)} as DuckDB")


def pages(out, want):
    import pystac

    catalog = pystac.Catalog.from_file(os.path.join(out, "catalog/catalog.json"))
    items = list(catalog.get_items(recursive=True))
    assert {i.id for i in items} == set(want)
    for item in items:
        href = next(iter(item.get_assets().values())).get_absolute_href()
        assert os.path.exists(href), href
    for root, _, _ in catalog.walk():
        if root.STAC_OBJECT_TYPE == "Collection":
            assert root.extent.spatial.bboxes and root.extent.temporal.intervals
    print(f"pystac: {len(items)} items through the pages, assets where they should be")


def elastic(program, out, want):
    from stac_fastapi.sfeos_helpers.database.document import mk_actions
    from stac_fastapi.sfeos_helpers.database.index import index_by_collection_id
    from stac_fastapi.sfeos_helpers.mappings import (
        ES_COLLECTIONS_MAPPINGS,
        ES_ITEMS_MAPPINGS,
        ES_ITEMS_SETTINGS,
    )

    with tempfile.TemporaryDirectory() as folder:
        run(program, "catalog", "export", out, "--elastic", folder, "--base-url", "https://example.org/out")
        load = lambda name: json.load(open(os.path.join(folder, name)))
        assert load("mapping.json") == ES_ITEMS_MAPPINGS
        assert load("settings.json") == ES_ITEMS_SETTINGS
        assert load("collections-mapping.json") == ES_COLLECTIONS_MAPPINGS
        script = open(os.path.join(folder, "load.sh")).read()
        count = 0
        for file in sorted(glob.glob(os.path.join(folder, "bulk-*.ndjson"))):
            assert os.path.getsize(file) <= 10_000_000
            lines = [json.loads(line) for line in open(file)]
            for action, source in zip(lines[::2], lines[1::2]):
                action = action["index"]
                if action["_index"] == "collections":
                    assert action["_id"] == source["id"]
                    continue
                expected = mk_actions(source["collection"], [source], "index")[0]
                assert (action["_index"], action["_id"]) == (expected["_index"], expected["_id"])
                assert index_by_collection_id(source["collection"]) in script
                assert source["properties"] == {
                    k: v for k, v in source["properties"].items()
                } and source["id"] in want
                for asset in source["assets"].values():
                    assert asset["href"].startswith("https://example.org/out/tiles/"), asset["href"]
                count += 1
        assert count == len(want)
    print(f"sfeos-helpers: mapping, settings, names and {count} documents equal")


def main():
    program, out = sys.argv[1:]
    run(program, "catalog", out)
    want = originals(out)
    files = sorted(glob.glob(os.path.join(out, "items/*/*.parquet")))
    compare("stac-geoparquet", with_stac_geoparquet(files), want)
    compare("rustac", with_rustac(files), want)
    db, table = with_duckdb(out, want)
    searches(program, out, db, table, want)
    pages(out, want)
    elastic(program, out, want)


main()
