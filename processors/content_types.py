"""What a file is, by its bytes alone, and whether its name or sender says otherwise.

A file that is two things at once (a picture that is also an archive, a page in front of a PDF) is called what it is
first and refused by `second_nature`: the next program that opens it may take it for the other.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from typing import Literal

from . import formats

Family = Literal["picture", "pdf", "archive", "text", "video", "sound", "program", "other"]
UNKNOWN = "application/octet-stream"
_ZIP = "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_SKIPPED = rb"(?:\s++|(?><!--.*?-->)|(?><!doctype\s+svg[^>]*>))*+"
"""What may stand before the first element of a page or drawing; taken once, so a thousand comments cost nothing."""
_STARTS: tuple[tuple[bytes, str, Family, str], ...] = (
    (rb"%PDF-", "application/pdf", "pdf", "pdf"),
    (rb"PK(\x03\x04|\x05\x06)", _ZIP, "archive", "zip"),
    (rb"\x1f\x8b", "application/gzip", "archive", "gz tgz"),
    (rb"BZh[1-9]", "application/x-bzip2", "archive", "bz2 tbz2"),
    (rb"\xfd7zXZ\0", "application/x-xz", "archive", "xz txz"),
    (rb"(?s:.{257})ustar", "application/x-tar", "archive", "tar"),
    (rb"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "other", "7z"),
    (rb"Rar!\x1a\x07", "application/vnd.rar", "other", "rar"),
    (rb"\x7fELF", "application/x-executable", "program", "so bin elf"),
    (rb"MZ", "application/x-msdownload", "program", "exe dll sys scr com"),
    (rb"\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe|\xca\xfe\xba\xbe", "application/x-executable", "program", "dylib class"),
    (rb"#!", "text/x-script", "program", "sh bash py pl rb cgi js php"),
    (rb"\s*<\?(php|=)", "text/x-php", "program", "php phtml"),
    (rb"%!PS", "application/postscript", "other", "ps eps ai"),
    (rb"\{\\rtf", "application/rtf", "other", "rtf"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", "other", "doc xls ppt msi msg"),
    (rb"8BPS", "image/vnd.adobe.photoshop", "other", "psd"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "image/jp2", "other", "jp2 j2k jpf"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "image/jxl", "other", "jxl"),
    (rb"\0\0\x01\0", "image/vnd.microsoft.icon", "other", "ico"),
    (rb"(?s:....)ftypqt  ", "video/quicktime", "video", "mov qt"),
    (rb"(?s:....)ftypM4A", "audio/mp4", "sound", "m4a"),
    (rb"(?s:....)ftyp", "video/mp4", "video", "mp4 m4v mov 3gp"),
    (rb"RIFF(?s:....)AVI ", "video/x-msvideo", "video", "avi"),
    (rb"RIFF(?s:....)WAVE", "audio/wav", "sound", "wav"),
    (rb"\x1aE\xdf\xa3", "video/webm", "video", "webm mkv mka"),
    (rb"ID3|\xff[\xfb\xf3\xf2]", "audio/mpeg", "sound", "mp3"),
    (rb"OggS", "audio/ogg", "sound", "ogg oga ogv opus"),
    (rb"fLaC", "audio/flac", "sound", "flac"),
    (rb"(?i)(?><\?xml.*?\?>)?" + _SKIPPED + rb"<svg\b", "image/svg+xml", "program", "svg"),
    (rb"(?i)" + _SKIPPED + rb"<(!doctype\s+html|html|head|body|script)\b", "text/html", "program", "html htm xhtml"),
    (rb"\s*<\?xml", "text/xml", "text", "xml xsd xsl rss kml gpx"),
)  # fmt: skip
_TEXTS = {
    "text/csv": "csv tsv", "application/json": "json geojson", "application/x-ndjson": "ndjson jsonl",
    "text/markdown": "md markdown",
    "text/plain": "txt log text ini cfg conf toml yaml yml srt vtt tex sql ics eml",
}  # fmt: skip
"""Kinds that only their name tells apart."""
_IN_ZIP = (
    ("word/", f"{_OFFICE}wordprocessingml.document", "docx docm"),
    ("xl/", f"{_OFFICE}spreadsheetml.sheet", "xlsx xlsm"),
    ("ppt/", f"{_OFFICE}presentationml.presentation", "pptx pptm"),
    ("META-INF/MANIFEST.MF", "application/java-archive", "jar war apk"),
)
_SCRIPTS = frozenset(
    ["sh", "bash", "py", "pl", "rb", "cgi", "js", "mjs", "ts", "vbs", "ps1", "bat", "cmd", "php", "phtml", "jsp", "asp"]
)
"""Programs that are plain text."""
_OPEN_DOCUMENTS = ("odt", "ods", "odp", "odg", "ott", "ots", "otp", "epub")
_ZIPPED = ("zip", "cbz", "kmz")
_ALIKE = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/x-ms-bmp": "image/bmp",
    "image/heif": "image/heic", "application/x-pdf": "application/pdf", "application/x-zip-compressed": _ZIP,
    "application/x-gzip": "application/gzip", "application/xml": "text/xml", "application/csv": "text/csv",
    "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav", "video/x-matroska": "video/webm",
}  # fmt: skip
_LINE_OF_ZIP, _END_OF_ZIP = b"PK\x01\x02", b"PK\x05\x06"
_END_64, _END_64_IS_AT = b"PK\x06\x06", b"PK\x06\x07"
_MANY = 10_000
"""Files in a ZIP archive, beyond which nobody looks whether it is a document."""
_ZIP_TAIL_BYTES = 65_557


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is: its media type, how it is dealt with, and the endings that such a file may have."""

    type: str
    family: Family
    endings: frozenset[str]

    def fits(self, pattern: str) -> bool:
        """Whether a pattern of a list means this type: image/png, image/* or */*."""
        wanted, own = pattern.lower().split("/"), self.type.split("/")
        return all(one in ("*", other) for one, other in zip(wanted, own, strict=True))


def detect(content: bytes, name: str = "") -> Content:
    """What the bytes are; the name decides only between kinds of text, which look alike."""
    if (kind := formats.sniff(content)) is not None:
        return Content(kind.mime, "picture", frozenset({kind.extension[1:], *(one[1:] for one in kind.also)}))
    head = content[:4096].removeprefix(b"\xef\xbb\xbf")
    for pattern, type_, family, endings in _STARTS:
        if re.match(pattern, head, re.S):
            return _inside(content) if type_ == _ZIP else Content(type_, family, frozenset(endings.split()))
    if not is_text(head):
        return Content(UNKNOWN, "other", frozenset())
    ending = ending_of(name)
    if ending in _SCRIPTS:
        return Content("text/x-script", "program", _SCRIPTS)
    type_ = next((one for one, endings in _TEXTS.items() if ending in endings.split()), "text/plain")
    return Content(type_, "text", frozenset(" ".join(_TEXTS.values()).split()))


def is_text(head: bytes) -> bool:
    """Whether the beginning of a file reads as text: UTF-8, or UTF-16 that says so."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return b"\0\0\0" not in head
    if any(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) >= 4000  # a sign cut in two by our own cut
    return True


def lie(found: Content, name: str, declared: str | None) -> str | None:
    """How the name or the declared type contradicts the content, for a person; None if they do not."""
    said = f"{'holds' if found.type != UNKNOWN else 'does not: its content is'} {words(found)}"
    ending = ending_of(name)
    if ending in _ENDINGS and ending not in found.endings:
        return f"is named .{ending} but {said}"
    told = _plain(declared or "")
    if told and told != UNKNOWN and told != found.type:
        if found.family == "text" and (told in _TEXTS or told.startswith("text/x-")):
            return None
        return f"is said to be {told} but {said}"
    return None


def words(found: Content) -> str:
    """The type for a person."""
    return "data of an unknown kind" if found.type == UNKNOWN else found.type


def second_nature(content: bytes, found: Content) -> str | None:
    """What a file is besides: something that another program would take it for; None if nothing was found."""
    if found.family not in ("archive", "other") and _is_zip(content):
        return "a ZIP archive"
    if found.family != "pdf" and b"%PDF-" in content[:1024] and b"%%EOF" in content:
        return "a PDF document"
    if found.family == "picture" and (script := re.search(rb"<\?php|<script[\s>]", content, re.I)) is not None:
        return "a PHP script" if script[0][1:2] == b"?" else "a page with a script"
    return None


def ending_of(name: str) -> str:
    """The ending of a file's name in small letters, without its dot; empty if there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def _plain(declared: str) -> str:
    told = declared.partition(";")[0].strip().lower()
    return _ALIKE.get(told, told)


def _inside(content: bytes) -> Content:
    """Which of the formats that are ZIP archives this is."""
    names: list[str] = []
    try:
        if entries_of_zip(content) > _MANY:
            raise ValueError
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if names[:1] == ["mimetype"] and archive.getinfo("mimetype").file_size < 200:
                told = archive.read("mimetype").decode("ascii").strip()
                if re.fullmatch(r"application/(epub\+zip|vnd\.oasis\.opendocument\.[a-z-]+)", told):
                    return Content(told, "archive", frozenset(_OPEN_DOCUMENTS))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError, KeyError):
        pass  # it is said elsewhere that it is damaged, or too large
    for start, type_, endings in _IN_ZIP:
        if any(name.startswith(start) for name in names):
            return Content(type_, "archive", frozenset(endings.split()))
    unread = [one for _, _, endings in _IN_ZIP for one in endings.split()] if not names else []
    return Content(_ZIP, "archive", frozenset({*_ZIPPED, *unread}))


def entries_of_zip(content: bytes) -> int:
    """How many files an archive can hold at most, without reading its list: that may be millions of lines long."""
    return content.count(_LINE_OF_ZIP, _directory(content) or 0)


def _is_zip(content: bytes) -> bool:
    """Whether unpackers would find an archive at the end, whatever stands before it."""
    directory = _directory(content)
    return directory is not None and content[directory : directory + 4] == _LINE_OF_ZIP


def _directory(content: bytes) -> int | None:
    """Where the list of an archive's files begins; None if there is none, or it does not say."""
    tail = content[-_ZIP_TAIL_BYTES:]
    at = tail.rfind(_END_OF_ZIP)
    if at < 0 or len(tail) < at + 22:
        return None
    end, size = len(content) - len(tail) + at, int.from_bytes(tail[at + 12 : at + 16], "little")
    if content[max(0, end - 20) : end].startswith(_END_64_IS_AT):  # what counts is what stands before that
        end -= 76
        if end < 0 or not content.startswith(_END_64, end):
            return None
        size = int.from_bytes(content[end + 40 : end + 48], "little")
    directory = end - size
    return directory if directory >= 0 else None


_ENDINGS = frozenset(
    {
        *(one[1:] for one in formats.PICTURE_EXTENSIONS),
        *" ".join([*(one[3] for one in _STARTS), *(one[2] for one in _IN_ZIP), *_TEXTS.values()]).split(),
        *_OPEN_DOCUMENTS,
        *_ZIPPED,
        *_SCRIPTS,
    }
)
"""Endings that say what is in a file; others say nothing."""
