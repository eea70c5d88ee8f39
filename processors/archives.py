"""Archives looked through without unpacking them to disk: how much is in them, and what unpacking would do.

Everything is inflated once, piece by piece and into nothing, so that a bomb is found by what it does and not by what
it says of itself.
"""

import bz2
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any, cast

from jobdesk import Reject

from .content_types import entries_of_zip

_BLOCK = 256 * 1024
_SMALL_BYTES = 10_000_000
"""Up to so much no ratio is too high: a page of blanks packs well."""
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, KeyError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be in a file."""

    unpacked_bytes: int
    entries: int
    ratio: int


class Count:
    """What was inflated so far, held against the limits."""

    def __init__(self, name: str, packed: int, limits: Limits, checkpoint: Callable[[], None]) -> None:
        self.bytes = 0
        self._name, self._packed, self._limits, self._checkpoint = name, packed, limits, checkpoint

    def add(self, size: int) -> None:
        self._checkpoint()
        self.bytes += size
        if self.bytes > self._limits.unpacked_bytes:
            raise Reject(
                f"{self._name} unpacks to more than {self._limits.unpacked_bytes:,} bytes (files.max_unpacked)",
                "too-large",
            )
        if self.bytes > max(_SMALL_BYTES, self._packed * self._limits.ratio):
            raise Reject(
                f"{self._name} unpacks to more than {self._limits.ratio} times its size (files.max_ratio): a bomb",
                "too-large",
            )


def look(content: bytes, type_: str, name: str, limits: Limits, checkpoint: Callable[[], None]) -> dict[str, Any]:
    """How many files and bytes an archive holds.

    Args:
        type_: its media type, as `content_types` found it.
        name: as people know it.
        checkpoint: is called between pieces.

    Raises:
        Reject: `corrupt`, `truncated`, `encrypted`, `too-large` (a bomb), `unsafe-archive` (it would write elsewhere).
    """
    count = Count(name, len(content), limits, checkpoint)
    try:
        if type_ == "application/x-tar":
            return _tar(io.BytesIO(content), name, limits, count)
        if type_ in ("application/gzip", "application/x-bzip2", "application/x-xz"):
            return _stream(content, type_, name, limits, count)
        return _zip(content, name, limits, count)
    except EOFError:
        raise Reject(f"{name} is cut short: the end of the archive is missing", "truncated") from None
    except _DAMAGE as error:
        if "unexpected end" in str(error):  # the words of tarfile
            raise Reject(f"{name} is cut short: the end of the archive is missing", "truncated") from None
        raise Reject(f"{name} is damaged: {error or type(error).__name__}", "corrupt") from None


def _zip(content: bytes, name: str, limits: Limits, count: Count) -> dict[str, Any]:
    if content[-65_557:].rfind(b"PK\x05\x06") < 0:
        raise Reject(f"{name} is cut short: the list of its files is missing", "truncated")
    _few(entries_of_zip(content), name, limits)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if not entries and not content.startswith(b"PK\x05\x06"):
            raise Reject(f"{name} is damaged: the list of its files is empty, and it is not", "corrupt")
        for entry in entries:
            _safe(entry.filename, name)
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise Reject(f"{name} holds a link ({_shown(entry.filename)})", "unsafe-archive")
            if entry.flag_bits & 0x1:
                raise Reject(f"{name} is encrypted: what is in it cannot be looked at", "encrypted")
        _apart(entries, name)
        for entry in entries:
            if entry.is_dir():
                continue
            with archive.open(entry) as file:
                _drain(file, count)
    files = [entry for entry in entries if not entry.is_dir()]
    return _told(len(files), len(entries), count, len(content), [entry.filename for entry in files])


def _apart(entries: list[zipfile.ZipInfo], name: str) -> None:
    """No two entries may lie on the same bytes: that is how a small archive becomes petabytes."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for one, other in pairwise(ordered):
        if one.header_offset + 30 + one.compress_size > other.header_offset:
            raise Reject(f"{name} has files that lie on one another: a bomb", "too-large")


def _tar(file: IO[bytes], name: str, limits: Limits, count: Count) -> dict[str, Any]:
    files: list[str] = []
    total = 0
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for entry in archive:
            total += 1
            _few(total, name, limits)
            _safe(entry.name, name)
            if entry.issym() or entry.islnk() or entry.isdev():
                kind = "a device" if entry.isdev() else "a link"
                raise Reject(f"{name} holds {kind} ({_shown(entry.name)})", "unsafe-archive")
            if entry.isreg():
                count.add(entry.size)
                files.append(entry.name)
                found = archive.extractfile(entry)
                read = 0
                while found is not None and (block := found.read(_BLOCK)):
                    read += len(block)
                if read < entry.size:
                    raise EOFError
    return _told(len(files), total, count, None, files)


def _stream(content: bytes, type_: str, name: str, limits: Limits, count: Count) -> dict[str, Any]:
    """One packed file; if that is a tar, what is in it as well."""
    whole = Count(name, len(content), limits, lambda: count.add(0))
    first = b""
    for block in _unpacked(content, type_):
        first = (first + block)[:512] if len(first) < 512 else first
        whole.add(len(block))
    told = _told(1, 1, whole, len(content), [])
    if first[257:262] == b"ustar":
        told |= _tar(cast(IO[bytes], _Reader(content, type_)), name, limits, count) | {"unpacked_bytes": whole.bytes}
    return told


def _unpacked(content: bytes, type_: str) -> Any:
    """The content piece by piece, of all members that follow one another.

    Raises:
        EOFError: its end is missing.
    """
    rest = content
    while rest:
        if type_ == "application/gzip":
            inflater: Any = zlib.decompressobj(wbits=31)
        else:
            inflater = (
                bz2.BZ2Decompressor() if type_ == "application/x-bzip2" else lzma.LZMADecompressor(memlimit=2**28)
            )
        rest = yield from _member(inflater, rest)
        rest = rest.lstrip(b"\0")  # tape blocks are filled up with them


def _member(inflater: Any, rest: bytes) -> Any:
    view, at = memoryview(rest), 0
    piece: Any = b""
    while not inflater.eof:
        if not piece and getattr(inflater, "needs_input", True):
            if at >= len(rest):
                raise EOFError
            piece, at = view[at : at + _BLOCK], at + _BLOCK
        out = inflater.decompress(piece, _BLOCK)
        piece = getattr(inflater, "unconsumed_tail", b"")
        if out:
            yield out
    return bytes(inflater.unused_data) + rest[at:]


class _Reader(io.RawIOBase):
    """A packed stream as a file that can be read forward."""

    def __init__(self, content: bytes, type_: str) -> None:
        self._blocks, self._left = _unpacked(content, type_), b""

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (block := next(self._blocks, None)) is not None:
            self._left += block
        found, self._left = self._left[:size], self._left[size:]
        return found


def _drain(file: IO[bytes], count: Count) -> None:
    while block := file.read(_BLOCK):
        count.add(len(block))


def _few(entries: int, name: str, limits: Limits) -> None:
    if entries > limits.entries:
        raise Reject(f"{name} holds more than {limits.entries:,} files (files.max_entries)", "too-large")


def _safe(entry: str, name: str) -> None:
    """Nothing in an archive may be named so that unpacking writes outside of its folder."""
    plain = entry.replace("\\", "/")
    if plain.startswith("/") or ".." in plain.split("/") or re.match(r"[a-zA-Z]:", plain) or "\0" in entry:
        raise Reject(f"{name} holds {_shown(entry)}, which would be written outside of its folder", "unsafe-archive")


def _shown(name: str) -> str:
    from .safefiles import shown

    return shown(name)[:120]


def _told(files: int, entries: int, count: Count, packed: int | None, names: list[str]) -> dict[str, Any]:
    ratio = {} if not packed else {"ratio": round(count.bytes / packed, 1)}
    first = {} if not names else {"first": [_shown(name) for name in names[:20]]}
    return {"files": files, "entries": entries, "unpacked_bytes": count.bytes, **ratio, **first}
