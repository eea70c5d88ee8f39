"""How near renditions come to a full decoding and full Lanczos: structural similarity (SSIM) of their brightness.

Gaussian windows of 11 pixels, as in the paper of Wang and others (2004).
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from jobdesk_processors import colours, headers, pictures
from jobdesk_processors.darkroom import Darkroom
from jobdesk_processors.shapes import NamedShape, plan

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(one: Image.Image, other: Image.Image) -> float:
    """1 is the same; both pictures have one size."""
    x, y = (np.asarray(image.convert("L"), dtype=float) for image in (one, other))
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()

    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        high, wide = values.shape[0] - 10, values.shape[1] - 10
        rows = np.sum([weights[at] * values[at : at + high] for at in range(11)], axis=0)
        done: NDArray[np.float64] = np.sum([weights[at] * rows[:, at : at + wide] for at in range(11)], axis=0)
        return done

    mx, my = blurred(x), blurred(y)
    xx, yy, xy = blurred(x * x) - mx * mx, blurred(y * y) - my * my, blurred(x * y) - mx * my
    found = ((2 * mx * my + _C1) * (2 * xy + _C2)) / ((mx * mx + my * my + _C1) * (xx + yy + _C2))
    return float(found.mean())


def of_photo(photo: Path, shapes: list[NamedShape]) -> dict[str, float]:
    """SSIM of each rendition before it is encoded, by its name; one that would be enlarged is left out."""
    content = photo.read_bytes()
    header = headers.inspect(content, photo.name, 200_000_000)
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened)
        full = colours.to_srgb(upright, opened.info.get("icc_profile"))[0].convert("RGB")
    bound = (
        min(full.width, max(plan(full.size, shape).scaled[0] for shape in shapes)),
        min(full.height, max(plan(full.size, shape).scaled[1] for shape in shapes)),
    )
    picture = pictures.decode(content, header, lambda size: bound)
    room = Darkroom(picture, bound)
    found: dict[str, float] = {}
    plans = [(shape.name, plan(full.size, shape)) for shape in shapes]
    for name, planned in sorted(plans, key=lambda one: (-one[1].scaled[0] * one[1].scaled[1], not one[1].whole)):
        made = room.make(planned).convert("RGB")
        wanted = full.resize(planned.scaled, Image.Resampling.LANCZOS).crop(planned.box)
        found[name] = ssim(made, wanted)
    return found
