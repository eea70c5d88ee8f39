"""Paints the demo photos: `python assets/make_photos.py [FOLDER]`. The same pictures every time, with Pillow alone."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

from daylight import balloon, dunes, forest, haze, lavender
from night import aurora, city, night_sea
from PIL import ExifTags, Image

FOLDER = Path(__file__).parent / "photos"


def photo_data(taken: str, lens: str, exposure: tuple[float, float, int, float], **more: object) -> Image.Exif:
    """EXIF of a camera that does not exist."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Jobdesk"
    exif[ExifTags.Base.Model] = "Painter 1"
    exif[ExifTags.Base.Software] = "assets/make_photos.py"
    exif[ExifTags.Base.DateTime] = taken
    if "orientation" in more:
        exif[ExifTags.Base.Orientation] = more["orientation"]
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = taken
    inner[ExifTags.Base.OffsetTimeOriginal] = "+02:00"
    inner[ExifTags.Base.LensModel] = lens
    time_s, aperture, iso, focal = exposure
    inner[ExifTags.Base.ExposureTime] = time_s
    inner[ExifTags.Base.FNumber] = aperture
    inner[ExifTags.Base.ISOSpeedRatings] = iso
    inner[ExifTags.Base.FocalLength] = focal
    if "gps" in more:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps.update(more["gps"])  # type: ignore[call-overload]
    return exif


def jpeg(image: Image.Image, exif: Image.Exif, quality: int = 82) -> bytes:
    output = io.BytesIO()
    image.convert("RGB").save(output, "JPEG", quality=quality, optimize=True, progressive=True, exif=exif)
    return output.getvalue()


def _dunes() -> bytes:
    gps = {1: "N", 2: (31.0, 4.0, 48.0), 3: "W", 4: (4.0, 0.0, 36.0), 5: b"\0", 6: 742.0}
    return jpeg(dunes(), photo_data("2026:04:18 19:12:40", "Painter 35mm f/2", (1 / 250, 8.0, 100, 35.0), gps=gps))


def _forest() -> bytes:
    """Stored lying on its side with orientation 6, as phones do."""
    turned = forest().transpose(Image.Transpose.ROTATE_90)
    return jpeg(
        turned, photo_data("2026:09:27 07:41:05", "Painter 26mm f/1.8", (1 / 60, 1.8, 200, 26.0), orientation=6)
    )


def _balloon() -> bytes:
    output = io.BytesIO()
    balloon().quantize(200, method=Image.Quantize.FASTOCTREE).save(output, "PNG", optimize=True)
    return output.getvalue()


def _lavender() -> bytes:
    output = io.BytesIO()
    exif = photo_data("2026:07:03 20:31:09", "Painter 35mm f/2", (1 / 125, 5.6, 100, 35.0))
    lavender().save(output, "WEBP", quality=80, method=6, exif=exif)
    return output.getvalue()


PHOTOS: dict[str, Callable[[], bytes]] = {
    "dunes-at-dusk.jpg": _dunes,
    "mountain-haze.jpg": lambda: jpeg(
        haze(), photo_data("2026:10:11 18:05:51", "Painter 85mm f/2", (1 / 200, 5.6, 100, 85.0))
    ),
    "sea-at-night.jpg": lambda: jpeg(
        night_sea(), photo_data("2026:08:28 23:47:13", "Painter 35mm f/2", (4.0, 2.8, 800, 35.0))
    ),
    "forest-in-mist.jpg": _forest,
    "aurora-lake.jpg": lambda: jpeg(
        aurora(), photo_data("2026:02:09 22:16:30", "Painter 20mm f/1.8", (8.0, 1.8, 1600, 20.0))
    ),
    "city-after-sunset.jpg": lambda: jpeg(
        city(), photo_data("2026:06:21 21:58:02", "Painter 50mm f/1.4", (1 / 30, 2.0, 400, 50.0))
    ),
    "balloon.png": _balloon,
    "lavender-rows.webp": _lavender,
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for name, make in PHOTOS.items():
        content = make()
        (folder / name).write_bytes(content)
        total += len(content)
        print(f"{name:24} {len(content):>9,} bytes")
    print(f"{'':24} {total:>9,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
