"""What a photo says of itself: camera, exposure, time and place, as plain JSON values.

The fields were written by strangers: text is cut and cleaned, numbers must be finite and within reason.
"""

import math
import re
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

_EXIF, _GPS = 0x8769, 0x8825
_TEXT_LIMIT = 200
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_TAG = ExifTags.Base
_PLACE = ExifTags.GPS


def describe(exif: Image.Exif) -> dict[str, Any]:
    """Camera, exposure, taken_at and gps, each only as far as the file says; unreadable parts are left out."""
    inner = _ifd(exif, _EXIF)
    found = {
        "camera": _without_none(
            make=text(exif.get(_TAG.Make)),
            model=text(exif.get(_TAG.Model)),
            lens=text(inner.get(_TAG.LensModel)),
            software=text(exif.get(_TAG.Software)),
        ),
        "exposure": _without_none(
            time_s=number(inner.get(_TAG.ExposureTime), 0, 1e6),
            aperture=number(inner.get(_TAG.FNumber), 0, 1e3),
            iso=number(inner.get(_TAG.ISOSpeedRatings), 0, 1e8),
            focal_mm=number(inner.get(_TAG.FocalLength), 0, 1e5),
            focal_35mm=number(inner.get(_TAG.FocalLengthIn35mmFilm), 0, 1e5),
            bias=number(inner.get(_TAG.ExposureBiasValue), -100, 100),
            program=number(inner.get(_TAG.ExposureProgram), 0, 100),
            metering=number(inner.get(_TAG.MeteringMode), 0, 255),
            flash=_fired(inner.get(_TAG.Flash)),
        ),
        "taken_at": _instant(inner, exif),
        "gps": _place(_ifd(exif, _GPS)),
        "description": text(exif.get(_TAG.ImageDescription)),
        "artist": text(exif.get(_TAG.Artist)),
        "copyright": text(exif.get(_TAG.Copyright)),
    }
    return {name: value for name, value in found.items() if value not in (None, {})}


def _ifd(exif: Image.Exif, tag: int) -> dict[int, Any]:
    try:
        return dict(exif.get_ifd(tag))
    except Exception:  # Pillow's EXIF reader raises a dozen classes on hostile data; all mean: not readable
        return {}


def text(value: object) -> str | None:
    """Text of a stranger, cleaned and cut; None if there is none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    return _UNSEEN.sub(" ", value.partition("\0")[0]).strip()[:_TEXT_LIMIT] or None


def number(value: Any, low: float, high: float) -> float | int | None:
    """A finite number between two bounds, or None."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if not math.isfinite(found) or not low <= found <= high:
        return None
    return int(found) if found.is_integer() else round(found, 8)


def _instant(inner: dict[int, Any], exif: Image.Exif) -> str | None:
    """ISO 8601; local time of the camera, with its offset where the file has one."""
    raw = text(inner.get(_TAG.DateTimeOriginal)) or text(exif.get(_TAG.DateTime))
    if raw is None:
        return None
    try:
        taken = datetime.strptime(raw[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    offset = text(inner.get(_TAG.OffsetTimeOriginal)) or ""
    return taken.isoformat() + (offset if re.fullmatch(r"[+-]\d\d:\d\d", offset) else "")


def _place(gps: dict[int, Any]) -> dict[str, float | int] | None:
    latitude = _degrees(gps.get(_PLACE.GPSLatitude), gps.get(_PLACE.GPSLatitudeRef), "S", 90)
    longitude = _degrees(gps.get(_PLACE.GPSLongitude), gps.get(_PLACE.GPSLongitudeRef), "W", 180)
    if latitude is None or longitude is None:
        return None
    place: dict[str, float | int] = {"latitude": latitude, "longitude": longitude}
    altitude = number(gps.get(_PLACE.GPSAltitude), 0, 100_000)
    if altitude is not None:
        place["altitude_m"] = -altitude if gps.get(_PLACE.GPSAltitudeRef) in (b"\x01", 1) else altitude
    return place


def _degrees(value: Any, side: object, negative: str, limit: int) -> float | None:
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    parts = [number(part, 0, 1e6) for part in value]
    if any(part is None for part in parts):
        return None
    degrees = float(sum((part or 0) / 60**power for power, part in enumerate(parts)))
    if degrees > limit:
        return None
    signed = -degrees if text(side) == negative else degrees
    return round(signed, 7)


def _fired(value: object) -> bool | None:
    return bool(value & 1) if isinstance(value, int) else None


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
