"""PDF documents: what is in one, whether all of it can be read, and the same document in fewer bytes (extra `pdf`).

Everything in a document is inflated once, within limits, before anything is drawn or written from it.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobdesk import Reject

from .archives import Count, Limits

if TYPE_CHECKING:
    import pikepdf

MISSING = 'PDFs need a library that is not installed: pip install "jobdesk[pdf]", then retry'
STREAM_BYTES = 256_000_000
"""What one part of a document may unpack to."""
_OBJECTS = 1_000_000
_LZW_BYTES = 200_000
"""The one packing that no limit holds: longer than this, it is not unpacked."""
_PICTURES = frozenset({"/DCTDecode", "/JPXDecode", "/JBIG2Decode", "/CCITTFaxDecode"})
_ACTIVE = {
    "/JavaScript": "javascript", "/JS": "javascript", "/Launch": "launches programs", "/RichMedia": "media",
    "/EmbeddedFiles": "attachments", "/EmbeddedFile": "attachments", "/XFA": "xfa form",
    "/SubmitForm": "sends forms", "/ImportData": "imports data",
}  # fmt: skip
_RECOMPRESSED = 256
"""Pictures in a document that are shorter or narrower than this, in pixels, are left as they are."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was opened and whose every part can be unpacked."""

    pdf: "pikepdf.Pdf"
    signed: bool
    """Somebody signed it: writing it anew would break that."""
    told: dict[str, Any]
    """What is said of it in a result."""


@contextmanager
def opened(content: bytes, name: str, limits: Limits, checkpoint: Callable[[], None]) -> Iterator[Document]:
    """Open a document and look at all of it.

    Raises:
        Reject: `truncated`, `corrupt`, `encrypted`, `too-large` (it unpacks to too much), `not-installed`.
    """
    try:
        import pikepdf
    except ImportError:
        raise Reject(MISSING, "not-installed") from None
    most = min(STREAM_BYTES, limits.unpacked_bytes)
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=most, run_length_max_memory=most, png_max_memory=most, tiff_max_memory=most,
        dct_max_memory=most, dct_max_progressive_scans=64, max_stream_filters=8, doc_max_warnings=1000,
    )  # fmt: skip
    pdf, mended = _open(content, name)
    with pdf:
        try:
            document = _looked_through(pdf, mended, name, Count(name, len(content), limits, checkpoint))
        except (pikepdf.PikepdfError, RecursionError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise _damaged(error, name) from None  # parts that are not of the kind that they must be
        try:
            yield document
        except pikepdf.PikepdfError as error:
            raise _damaged(error, name) from None


def smaller(document: Document, quality: int | None, max_pixels: int, checkpoint: Callable[[], None]) -> bytes:
    """The same document packed as tightly as can be without loss, and its pictures again as JPEG if a quality is said.

    Raises:
        Reject: `signed`.
    """
    import pikepdf

    if document.signed:
        raise Reject("the document is signed: writing it anew would break the signature", "signed")
    if quality is not None:
        for image in _pictures(document.pdf):
            checkpoint()
            _recompress(image, quality, max_pixels)
    document.pdf.remove_unreferenced_resources()
    file = io.BytesIO()
    document.pdf.save(
        file, compress_streams=True, recompress_flate=True, deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )  # fmt: skip
    return file.getvalue()


def _open(content: bytes, name: str) -> "tuple[pikepdf.Pdf, list[str]]":
    import pikepdf

    try:
        return pikepdf.open(io.BytesIO(content), attempt_recovery=False), []
    except pikepdf.PasswordError:
        raise _encrypted(name) from None
    except pikepdf.PikepdfError as first:
        if b"%%EOF" not in content[-2048:]:
            raise Reject(f"{name} is cut short: the end of the PDF is missing", "truncated") from None
        try:  # what others read as well, such as one with a line too many before its table
            return pikepdf.open(io.BytesIO(content)), [_plain(str(first))]
        except pikepdf.PasswordError:
            raise _encrypted(name) from None
        except pikepdf.PikepdfError as error:
            raise _damaged(error, name) from None


def _looked_through(pdf: "pikepdf.Pdf", mended: list[str], name: str, count: Count) -> Document:
    if pdf.is_encrypted:
        raise _encrypted(name)
    if not len(pdf.pages):
        raise Reject(f"{name} is damaged: it has no pages", "corrupt")
    unpacked, active = _walk(pdf, name, count)
    form = pdf.Root.get("/AcroForm")
    signed = form is not None and bool(int(form.get("/SigFlags", 0)) & 1)
    left, bottom, right, top = (float(edge) for edge in pdf.pages[0].mediabox)  # type: ignore[attr-defined,unused-ignore]
    told = {
        "version": pdf.pdf_version,
        "pages": len(pdf.pages),
        "page_points": [round(abs(right - left), 1), round(abs(top - bottom), 1)],
        "unpacked_bytes": unpacked,
        "signed": signed,
        "contains": active,
        "repaired": list(dict.fromkeys([*mended, *(_plain(str(one)) for one in pdf.get_warnings())]))[:10],
    }
    return Document(pdf, signed, told)


def _walk(pdf: "pikepdf.Pdf", name: str, count: Count) -> tuple[int, list[str]]:
    """Unpack every stream, and find what acts by itself; the bytes, and the words for it."""
    import pikepdf

    active: set[str] = set()
    for number, one in enumerate(pdf.objects):
        if number >= _OBJECTS:
            raise Reject(f"{name} has more than {_OBJECTS:,} objects", "too-large")
        if isinstance(one, pikepdf.Stream):
            count.add(_weigh(one, name))
        elif number % 1000 == 0:
            count.add(0)
        stack: list[Any] = [one]
        while stack:
            held = stack.pop()
            inner: Any = held.stream_dict if isinstance(held, pikepdf.Stream) else held
            if isinstance(inner, pikepdf.Dictionary):
                for key, value in inner.items():
                    active |= {_ACTIVE[word] for word in (key, _name(value)) if word in _ACTIVE}
                    stack += [value] if _is_direct(value) else []
            elif isinstance(inner, pikepdf.Array):
                stack += [value for value in inner if _is_direct(value)]  # type: ignore[attr-defined,unused-ignore]
    return count.bytes, sorted(active)


def _weigh(stream: "pikepdf.Stream", name: str) -> int:
    import pikepdf

    packing: Any = stream.get("/Filter", [])
    filters = {str(one) for one in (packing if isinstance(packing, pikepdf.Array) else [packing])}  # type: ignore[attr-defined,unused-ignore]
    raw = len(stream.get_raw_stream_buffer())
    if filters & _PICTURES or (filters & {"/LZWDecode", "/LZW"} and raw > _LZW_BYTES):
        return raw
    try:
        return len(stream.read_bytes())
    except pikepdf.PikepdfError as error:
        if "limit exceeded" in str(error):
            raise Reject(
                f"{name} has a part that unpacks to more than {STREAM_BYTES:,} bytes: a bomb", "too-large"
            ) from None
        raise


def _pictures(pdf: "pikepdf.Pdf") -> Iterator["pikepdf.Stream"]:
    import pikepdf

    for one in pdf.objects:
        if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == pikepdf.Name.Image:
            yield one


def _recompress(image: "pikepdf.Stream", quality: int, max_pixels: int) -> None:
    """Write a picture again as JPEG, if it is plain and gets smaller."""
    import pikepdf
    from PIL import Image

    wide, high = int(image.get("/Width", 0)), int(image.get("/Height", 0))
    plain = image.get("/ColorSpace") in (pikepdf.Name.DeviceRGB, pikepdf.Name.DeviceGray)
    marked = any(key in image for key in ("/ImageMask", "/Mask", "/Decode", "/SMaskInData"))
    if not plain or marked or min(wide, high) < _RECOMPRESSED or wide * high > max_pixels:
        return
    if image.get("/BitsPerComponent") != 8:
        return
    try:
        decoded = pikepdf.PdfImage(image).as_pil_image()
        decoded.load()
    except (pikepdf.PikepdfError, Image.DecompressionBombError, OSError, ValueError, NotImplementedError):
        return  # it stays as it is
    if decoded.mode not in ("RGB", "L") or decoded.size != (wide, high):
        return
    file = io.BytesIO()
    decoded.save(file, "JPEG", quality=quality, optimize=True)
    if file.tell() < len(image.get_raw_stream_buffer()):
        image.write(file.getvalue(), filter=pikepdf.Name.DCTDecode)


def _is_direct(value: Any) -> bool:
    import pikepdf

    return isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect


def _name(value: Any) -> str:
    import pikepdf

    return str(value) if isinstance(value, pikepdf.Name) else ""


def _encrypted(name: str) -> Reject:
    return Reject(f"{name} is encrypted: take its password off, then submit it again", "encrypted")


def _damaged(error: Exception, name: str) -> Reject:
    return Reject(f"{name} is damaged: {_plain(str(error)) or type(error).__name__}", "corrupt")


def _plain(said: str) -> str:
    """What qpdf says, without the name that it has for a file in memory."""
    said = said.partition(">")[2].lstrip(":, ") if said.startswith("stream <") else said
    return said[:300]
