"""Resizing pixels: Pillow, or Lanczos in SIMD where the extra `fast` is installed.

A large rendition is made from a picture that the decoder has brought near its size already: there Pillow's bicubic
kernel is told from Lanczos by nobody (mean SSIM .995) and takes a third less time.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image

from .shapes import Box, Size

_SMALL_PX = 512
_FAR = 2.5
Engine = Callable[[Image.Image, Size, tuple[float, float, float, float]], Image.Image]


def resize(image: Image.Image, scaled: Size, box: Box | None = None) -> Image.Image:
    """The part `box` of the picture scaled to `scaled`; the whole without a box. Alpha weighs its colours."""
    box = box or (0, 0, *scaled)
    size = box[2] - box[0], box[3] - box[1]
    across, down = image.width / scaled[0], image.height / scaled[1]
    source = (
        box[0] * across,
        box[1] * down,
        min(image.width, box[2] * across),
        min(image.height, box[3] * down),
    )
    fast = _fast()
    if fast is not None and image.mode in ("L", "RGB", "RGBA", "CMYK"):
        return fast(image, size, source)
    far = across >= _FAR or max(size) <= _SMALL_PX
    kernel = Image.Resampling.LANCZOS if far else Image.Resampling.BICUBIC
    return image.resize(size, kernel, box=source, reducing_gap=1.5)


@cache
def _fast() -> Engine | None:
    """The SIMD resizer, or None where it is not installed or was built for another Pillow."""
    try:
        import cykooz_resizer as cykooz
    except ImportError:
        return None
    resizer: Any = cykooz.Resizer()
    lanczos = cykooz.ResizeAlg.convolution(cykooz.FilterType.lanczos3)

    def engine(image: Image.Image, size: Size, box: tuple[float, float, float, float]) -> Image.Image:
        made = Image.new(image.mode, size)
        crop = cykooz.CropBox(box[0], box[1], box[2] - box[0], box[3] - box[1])
        resizer.resize_pil(image, made, cykooz.ResizeOptions(resize_alg=lanczos, crop_box=crop))
        return made

    return engine if _right(engine) else None


def _right(engine: Engine) -> bool:
    """Whether it makes the pixels that Pillow makes: it works on Pillow's own memory, which may change its shape."""
    for mode in ("L", "RGB", "RGBA"):
        sample = Image.radial_gradient("L").convert(mode)
        try:
            made = engine(sample, (60, 40), (8.0, 8.0, 248.0, 200.0))
        except Exception:
            return False
        wanted = sample.resize((60, 40), Image.Resampling.LANCZOS, box=(8.0, 8.0, 248.0, 200.0))
        pairs = zip(made.convert("L").tobytes(), wanted.convert("L").tobytes(), strict=True)
        if any(abs(one - other) > 2 for one, other in pairs):
            return False
    return True
