"""What a file is by its first bytes, and whether its end is missing. Nothing is decoded."""

HEAD_BYTES = 512
TAIL_BYTES = 4096

_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-msdownload"),
    (b"%!PS", "application/postscript"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "text/xml"),
    (b"<!DOCTYPE html", "text/html"),
    (b"<html", "text/html"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
}


def detect(head: bytes) -> str:
    """The media type that the first bytes tell; application/octet-stream if they tell none."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if not head:
        return "application/x-empty"
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a sign cut in two at the end is no sign of binary
            return "application/octet-stream"
    return "application/octet-stream" if b"\0" in head else "text/plain"


def is_cut(head: bytes, tail: bytes, size: int) -> bool:
    """Whether a file of a known kind ends before its end: it may still be on its way."""
    kind = detect(head)
    if kind == "image/jpeg":
        return b"\xff\xd9" not in tail
    if kind == "image/png":
        return b"IEND" not in tail
    if kind == "image/webp":
        return int.from_bytes(head[4:8], "little") + 8 > size
    if kind == "application/pdf":
        return b"%%EOF" not in tail
    return False
