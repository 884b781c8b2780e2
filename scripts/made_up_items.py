"""Writes made-up items of acquisitions, one a line, as large as real ones. Usage: made_up_items.py NUMBER [--after SEED]

Tiles lie between 60° S and 72° N; times in seven years from 2013-10-16; every number of an item is of its own.
"""

import argparse
import datetime
import json
import random
import sys

LAYERS = ["BLUE", "RED", "NIR", "SWIR", "UNC", "SM", "QX", "SAT", "USABLE", "GEOMETRY"]
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
BANDS = "EFGHJKLMNPQRSTUVW"
START = datetime.datetime(2013, 10, 16)


def tiles():
    """Names with the middle of a place that may be theirs, 31UFS among them."""
    yield "31UFS", 4.8, 51.0
    rng = random.Random(1)
    seen = {"31UFS"}
    while len(seen) < 4000:
        zone, band = rng.randrange(60), rng.randrange(len(BANDS))
        name = f"{zone + 1:02}{BANDS[band]}{rng.choice(LETTERS)}{rng.choice(LETTERS[:20])}"
        if name not in seen:
            seen.add(name)
            yield name, -177 + 6 * zone + rng.uniform(-2, 2), -60 + 8 * band + rng.uniform(1, 7)


def item(rng, tile, lon, lat, number):
    centre = number % 3 == 0
    metres, camera = (100, "CENTER") if centre else (300, rng.choice(["LEFT", "RIGHT"]))
    size = 1098 if centre else 366
    time = START + datetime.timedelta(seconds=rng.randrange(7 * 365 * 86400))
    name = f"PROBAV_ARD_{tile}_{time:%Y%m%dT%H%M%S}_{camera[0]}_{metres}M"
    ring = [[-0.7, -0.5], [0.7, -0.5], [0.72, 0.1], [0.7, 0.5], [-0.7, 0.5], [-0.71, 0.2], [-0.7, -0.5]]
    ring = [[round(lon + x, 6), round(lat + y, 6)] for x, y in ring]
    projection = {
        "proj:code": f"EPSG:326{int(tile[:2]):02}",
        "proj:shape": [size, size],
        "proj:transform": [float(metres), 0.0, 600000.0, 0.0, -float(metres), 5700000.0],
        "proj:bbox": [600000.0, 5590200.0, 709800.0, 5700000.0],
    }
    assets = {
        layer: {
            "href": f"./{name}_{layer}.tif",
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "roles": ["data"],
            **projection,
            "file:size": rng.randrange(10**5, 10**6),
            "file:checksum": f"1220{rng.getrandbits(256):064x}",
        }
        for layer in LAYERS
    }
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"],
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [round(lon - 0.71, 6), round(lat - 0.5, 6), round(lon + 0.72, 6), round(lat + 0.5, 6)],
        "properties": {
            "title": f"PROBA-V surface reflectance, tile {tile}",
            "datetime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            "platform": "proba-v",
            "instruments": ["vegetation"],
            "gsd": float(metres),
            "probav:camera": camera,
            "processing:level": "L2A",
            "processing:software": {"probav-ard": "0.1.0"},
            **projection,
            "grid:code": f"MGRS-{tile}",
            "mgrs:utm_zone": int(tile[:2]),
            "mgrs:latitude_band": tile[2],
            "mgrs:grid_square": tile[3:],
            "probav:observed_percent": round(rng.uniform(1, 100), 2),
            "probav:usable_percent": round(rng.uniform(0, 100), 2),
            "eo:cloud_cover": round(rng.uniform(0, 100), 2),
            "eo:snow_cover": round(rng.uniform(0, 100), 2),
            "view:sun_elevation": round(rng.uniform(20, 70), 2),
        },
        "links": [{"rel": "collection", "href": "../../../../../../../catalog/c/collection.json", "type": "application/json"}],
        "assets": assets,
        "collection": f"probav-ard-acquisitions-{metres}m",
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("number", type=int)
    parser.add_argument("--after", type=int, default=0)
    args = parser.parse_args()
    places = list(tiles())
    rng = random.Random(args.after)
    write = sys.stdout.write
    for number in range(args.number):
        write(json.dumps(item(rng, *places[number % len(places)], number + args.after)))
        write("\n")


main()
