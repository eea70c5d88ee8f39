"""Pages of a PDF as pictures and as text, by PDFium (extra `pdf`), in the process of the job.

The document was looked through by `documents` before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobdesk import Reject

from .documents import MISSING

if TYPE_CHECKING:
    from PIL.Image import Image

_POINTS_AN_INCH = 72


def drawn(content: bytes, number: int, scale: Callable[[float, float], float], max_pixels: int) -> "Image":
    """One page as a picture.

    Args:
        number: of the page, from 0.
        scale: pixels a point, from width and height of the page in points.

    Raises:
        Reject: `corrupt`, `too-many-pixels`, `not-installed`.
    """
    with _page(content, number) as page:
        wide, high = page.get_size()
        if wide <= 0 or high <= 0:
            raise Reject(f"page {number + 1} has no size", "corrupt")
        factor = scale(wide, high)
        size = max(1, round(wide * factor)), max(1, round(high * factor))
        if size[0] * size[1] > max_pixels:
            raise Reject(
                f"page {number + 1} would have {size[0]}×{size[1]} pixels, more than the {max_pixels:,} allowed "
                f"(images.max_pixels): give a smaller dpi",
                "too-many-pixels",
            )
        return page.render(scale=factor, may_draw_forms=False).to_pil().convert("RGB")  # type: ignore[no-any-return]


def by_edge(longest_px: int) -> Callable[[float, float], float]:
    """So that neither edge is longer."""
    return lambda wide, high: longest_px / max(wide, high)


def by_dpi(dpi: int) -> Callable[[float, float], float]:
    """So many pixels an inch."""
    return lambda wide, high: dpi / _POINTS_AN_INCH


def text(content: bytes, number: int) -> str:
    """What is written on one page.

    Raises:
        Reject: `corrupt`, `not-installed`.
    """
    with _page(content, number) as page:
        words = page.get_textpage()
        try:
            return str(words.get_text_range()).replace("\r\n", "\n").replace("\ufffe", "-")
        finally:
            words.close()


@contextmanager
def _page(content: bytes, number: int) -> Iterator[Any]:
    try:
        import pypdfium2
    except ImportError:
        raise Reject(MISSING, "not-installed") from None
    try:
        with pypdfium2.PdfDocument(content) as document:
            page = document[number]
            try:
                yield page
            finally:
                page.close()
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise Reject(f"page {number + 1} cannot be read: {error}", "corrupt") from None
