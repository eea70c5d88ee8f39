"""PDF documents and archives for tests, good ones and such as a stranger might send."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping

import pikepdf
from fpdf import FPDF
from PIL import Image


def pdf(*words: str) -> bytes:
    """A page a word."""
    made = FPDF()
    made.set_font("helvetica", size=40)
    for one in words or ("hello",):
        made.add_page()
        made.cell(text=one)
    return bytes(made.output())


def scanned(size: tuple[int, int] = (600, 800)) -> bytes:
    """A page that is one picture, at the best quality."""
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, "PDF", quality=98)
    return file.getvalue()


def changed(content: bytes, change: Callable[[pikepdf.Pdf], None], **save: object) -> bytes:
    """A document with something done to it, written as it is then."""
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        change(document)
        document.save(file, **save)  # type: ignore[arg-type]
    return file.getvalue()


def encrypted(user: str) -> bytes:
    """Needs a password to be opened, or, without one, only to be changed."""
    return changed(pdf(), lambda _: None, encryption=pikepdf.Encryption(owner="owner", user=user))


def bomb(unpacked: int, times: int = 1) -> bytes:
    """A page whose content is so many zeros, packed as often as that."""

    def fill(document: pikepdf.Pdf) -> None:
        content = bytes(unpacked)
        for _ in range(times):
            content = zlib.compress(content, 9)
        stream = pikepdf.Stream(document, b"")
        stream.write(content, filter=pikepdf.Array([pikepdf.Name.FlateDecode] * times))
        document.pages[0].Contents = stream

    none = pikepdf.StreamDecodeLevel.none
    return changed(pdf(), fill, compress_streams=False, stream_decode_level=none)


def empty() -> bytes:
    """Without a page."""
    file = io.BytesIO()
    pikepdf.new().save(file)
    return file.getvalue()


def acting() -> bytes:
    """Runs a script when it is opened, and has a file in it."""

    def add(document: pikepdf.Pdf) -> None:
        action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        document.Root.OpenAction = action
        document.attachments["a.txt"] = b"attached"

    return changed(pdf(), add)


def signed() -> bytes:
    """Says that it is signed."""

    def sign(document: pikepdf.Pdf) -> None:
        document.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=pikepdf.Array())

    return changed(pdf(), sign)


def zipped(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def zipped_link() -> bytes:
    """An archive with a symbolic link."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return file.getvalue()


def with_password() -> bytes:
    """An archive whose first file says that it is encrypted."""
    made = bytearray(zipped({"a.txt": b"secret"}))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def overlapping() -> bytes:
    """An archive whose two entries are the same bytes."""
    one = zipped({"a.txt": bytes(1000), "b.txt": bytes(1000)})
    directory = one.index(b"PK\x01\x02")
    second = one.index(b"PK\x01\x02", directory + 4)
    made = bytearray(one)
    made[second + 42 : second + 46] = (0).to_bytes(4, "little")
    return bytes(made)


def hiding() -> bytes:
    """An archive that says that nothing is in it."""
    made = bytearray(zipped({"a.txt": b"hello"}))
    end = made.index(b"PK\x05\x06")
    made[end + 8 : end + 16] = bytes(8)
    return bytes(made)


def tarred(files: Mapping[str, bytes], mode: str = "w", link: str | None = None) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if link is not None:
            entry = tarfile.TarInfo("link")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
    return file.getvalue()


def told_twice(content: bytes) -> bytes:
    """A ZIP archive whose end says that its list of files is empty, and another end for large archives the truth."""
    end = content.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<II", content, end + 12)
    entries = struct.unpack_from("<H", content, end + 10)[0]
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return content[:end] + record + locator + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)
