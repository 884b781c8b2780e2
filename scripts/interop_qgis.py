"""Opens products with QGIS's own library, without a window, and draws them.

python3 scripts/interop_qgis.py OUT_DIR PICTURE_DIR     (Debian's python3-qgis)

Exit code 0: every layer is valid, the masks have colours and words, nothing that was observed is drawn black.
"""
import glob
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from qgis.core import (QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer)  # noqa: E402
from qgis.PyQt.QtCore import QSize  # noqa: E402
from qgis.PyQt.QtGui import QColor  # noqa: E402


def layer(path):
    made = QgsRasterLayer(path, os.path.basename(path))
    if not made.isValid():
        raise AssertionError(path + ": QGIS cannot open it")
    made.loadDefaultStyle()
    return made


def draw(made, path):
    """A picture on a white ground; returns the share of pixels that are black."""
    settings = QgsMapSettings()
    settings.setLayers([made])
    settings.setDestinationCrs(made.crs())
    settings.setExtent(made.extent())
    settings.setOutputSize(QSize(400, 400))
    settings.setBackgroundColor(QColor(255, 255, 255))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(path)
    colours = [QColor(image.pixel(x, y)).getRgb()[:3] for x in range(0, 400, 4) for y in range(0, 400, 4)]
    return colours


def main():
    out, pictures = sys.argv[1:]
    os.makedirs(pictures, exist_ok=True)
    application = QgsApplication([], False)  # lives as long as this name
    application.initQgis()
    failed = checked = 0
    for pattern, coded in (("**/*_SM.tif", True), ("**/*_USABLE.tif", True), ("**/*_RED.tif", False), ("**/*_P5D_NIR.vrt", False), ("**/*_P5D_PROVENANCE.vrt", True)):
        for path in sorted(glob.glob(os.path.join(out, pattern), recursive=True)):
            if "/.tmp-" in path or "/tiles/" not in path:
                continue
            checked += 1
            try:
                made = layer(path)
                picture = os.path.join(pictures, os.path.basename(path).rsplit(".", 1)[0] + ".png")
                colours = draw(made, picture)
                if coded:
                    renderer = made.renderer()
                    if renderer.type() != "paletted":
                        raise AssertionError("drawn as " + renderer.type())
                    words = [c.label for c in renderer.classes()]
                    if not any(any(ch.isalpha() for ch in w) for w in words):
                        raise AssertionError("no words: %s" % words[:3])
                    black = sum(c == (0, 0, 0) for c in colours)
                    if black > len(colours) // 100:
                        raise AssertionError("%d of %d pixels are black" % (black, len(colours)))
                elif path.endswith(".vrt") and made.bandCount() < 1:
                    raise AssertionError("no bands")
            except AssertionError as error:
                failed += 1
                print("FAIL", os.path.basename(path), error)
    print("QGIS: %d layers, %d fail" % (checked, failed), flush=True)
    # without the library's own end, which crashes in Debian 12 once a picture was drawn
    os._exit(1 if failed or not checked else 0)


main()
