"""Compares the answers of STAC APIs with those of `search`. Usage: stac_api_peers.py PROBAV_ARD OUT URL [URL ...]"""

import json
import subprocess
import sys
import time
import urllib.request

import pystac_client


def wait(url):
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.5)
    sys.exit(f"{url} does not answer")


def ours(program, out, arguments):
    answer = subprocess.run(
        [program, "search", out, "--format", "ids", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return sorted(answer.stdout.split())


def main():
    program, out, *urls = sys.argv[1:]
    every = subprocess.run(
        [program, "search", out, "--format", "ndjson"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    items = [json.loads(line) for line in every.splitlines()]
    tile = items[0]["properties"]["grid:code"].removeprefix("MGRS-")
    w, s, e, n = items[0]["bbox"]
    box = [w + (e - w) / 2, s + (n - s) / 2, w + (e - w) / 2 + 0.05, s + (n - s) / 2 + 0.05]
    times = sorted(i["properties"]["datetime"] for i in items if i["properties"].get("datetime"))
    month = times[len(times) // 2][:10]
    acquisitions = sorted({i["collection"] for i in items if i["properties"].get("datetime")})
    collections = [f for c in acquisitions for f in ("--collection", c)]
    like = lambda name, operator, value: {
        "filter": {"op": operator, "args": [{"property": name}, value]}, "filter_lang": "cql2-json"
    }
    cases = [
        ("box", ["--bbox", ",".join(map(str, box))], {"bbox": box}),
        ("day", ["--datetime", month, *collections],
         {"datetime": f"{month}T00:00:00Z/{month}T23:59:59Z", "collections": acquisitions}),
        ("cloud", ["--query", "eo:cloud_cover < 20"], like("eo:cloud_cover", "<", 20)),
        ("tile", ["--tile", tile], like("grid:code", "=", f"MGRS-{tile}")),
        ("all of a collection", ["--collection", acquisitions[0]], {"collections": acquisitions[:1]}),
    ]
    for url in urls:
        wait(url)
        client = pystac_client.Client.open(url)
        for name, arguments, query in cases:
            want = ours(program, out, arguments)
            got = sorted(i["id"] for i in client.search(limit=500, **query).items_as_dicts())
            assert got == want, (url, name, set(got) ^ set(want))
            print(f"{url} {name}: {len(got)} items as `search`")


main()
