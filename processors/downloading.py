"""Downloads of jobs: streamed to disk, gone on with where they broke off, checked by length and checksum.

What has come stays in the folder until it is whole, also when the attempt fails: the next asks for the rest, if the
server says (ETag, Last-Modified) or a checksum will show that it is still the same file.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from jobdesk import Context, Reject, __version__

from . import reaching
from .web import TIMEOUT_S, HttpStatus, explained, plain

_GOES = 5
"""Connections of one attempt; another only after one that brought something."""
_PART_OF = re.compile(r"bytes (\d+)-\d+/(\d+)")


class ChecksumMismatch(Exception):
    """What came is not what was wanted; it is thrown away, and another try fetches all of it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there as a whole."""

    path: Path
    bytes: int
    sha256: str
    type: str
    """As the server calls it; empty if it does not."""
    resumed_at: int
    """Bytes that were there before this attempt."""


def fetch(
    ctx: Context,
    url: str,
    folder: Path,
    *,
    max_bytes: int,
    sha256: str | None = None,
    tell: Callable[[int, int | None], None] = lambda done, total: None,
    own: str | None = None,
) -> Fetched:
    """Fetch a file into `folder/download`; the folder is made, and is this download's own.

    Args:
        sha256: of the whole file, if it is known.
        tell: is told how many bytes there are, and of how many if that is known.
        own: the URL of the service that named this one: its host may be reached, wherever it is.

    Raises:
        Reject: it is too long, or the URL leads nowhere.
        HttpStatus: the server answered with something else than the file.
        ConnectionError, TimeoutError: the connection broke; what has come stays.
        ChecksumMismatch: see there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    download = _Download(ctx, url, folder, max_bytes, sha256, tell, own)
    resumed_at = download.size
    if download.is_whole:
        return download.fetched(resumed_at)
    for go in range(1, _GOES + 1):
        before = download.size
        try:
            download.go()
            return download.fetched(resumed_at)
        except (ConnectionError, TimeoutError) as error:
            if download.size <= before or go == _GOES:
                raise
            ctx.log.warning(f"{error}; {download.size:,} bytes are there, going on")
    raise AssertionError


class _Download:
    def __init__(
        self,
        ctx: Context,
        url: str,
        folder: Path,
        max_bytes: int,
        sha256: str | None,
        tell: Callable[[int, int | None], None],
        own: str | None,
    ) -> None:
        self._own = own
        self._ctx, self._url, self._max_bytes, self._sha256, self._tell = ctx, url, max_bytes, sha256, tell
        self._whole, self._part, self._note = (folder / name for name in ("download", "download.part", "download.json"))
        self._known = self._read_note()

    @property
    def is_whole(self) -> bool:
        return bool(self._known) and self._whole.is_file()

    @property
    def size(self) -> int:
        """Bytes that are there and may be gone on with."""
        for file in (self._whole, self._part):
            with suppress(FileNotFoundError):
                return file.stat().st_size if self._known else 0
        return 0

    def fetched(self, resumed_at: int) -> Fetched:
        sum_ = _sum(self._whole).hexdigest() if "sha256" not in self._known else self._known["sha256"]
        if self._sha256 not in (None, sum_):  # the payload was edited since
            self._forget()
            raise ChecksumMismatch(f"{plain(self._url)} has SHA-256 {sum_}, not {self._sha256}")
        return Fetched(self._whole, self._whole.stat().st_size, sum_, self._known["type"], resumed_at)

    def go(self) -> None:
        """One connection."""
        begun = self.size
        validator = self._known.get("validator", "")
        if begun and not validator and self._sha256 is None:
            begun = 0
        headers = {"user-agent": f"jobdesk/{__version__}", "accept-encoding": "identity"}
        if begun:
            headers |= {"range": f"bytes={begun}-"} | ({"if-range": validator} if validator else {})
        timeout_s = min(TIMEOUT_S, max(1.0, self._ctx.time_remaining))
        with (
            explained("GET", self._url),
            reaching.client(self._ctx, timeout_s, own=self._own, follow_redirects=True, max_redirects=5) as client,
        ):
            try:
                with client.stream("GET", self._url, headers=headers) as response:
                    self._take(response, begun)
            except httpx.TooManyRedirects:
                raise Reject(f"{plain(self._url)} redirects too often") from None

    def _take(self, response: httpx.Response, begun: int) -> None:
        start, total = self._where(response, begun)
        if total is not None and total > self._max_bytes:
            raise Reject(f"{plain(self._url)} has {total:,} bytes, more than {self._max_bytes:,}", "TooLong")
        self._write_note(response)
        sum_ = _sum(self._part) if start else hashlib.sha256()
        done = start
        with self._part.open("ab" if start else "wb") as file:
            if start != total:
                for block in response.iter_bytes():  # as they come: what is gathered first is lost with the connection
                    self._ctx.checkpoint()
                    done += len(block)
                    if done > self._max_bytes:
                        raise Reject(f"{plain(self._url)} is longer than {self._max_bytes:,} bytes", "TooLong")
                    file.write(block)
                    sum_.update(block)
                    self._tell(done, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and done != total:
            raise ConnectionError(f"{done:,} of {total:,} bytes came")
        found = sum_.hexdigest()
        if self._sha256 not in (None, found):
            self._forget()
            raise ChecksumMismatch(f"{plain(self._url)} has SHA-256 {found}, not {self._sha256}")
        self._known = {**self._known, "sha256": found}
        self._part.replace(self._whole)
        self._ctx.log.info(f"{plain(self._url)}: {done:,} bytes, {done - start:,} of them now")

    def _where(self, response: httpx.Response, begun: int) -> tuple[int, int | None]:
        """Where in the file the answer begins, and how long the file is, if that is said."""
        status = response.status_code
        told = response.headers.get("content-range", "")
        if status == 200:
            plainly = response.headers.get("content-encoding", "identity") == "identity"
            length = response.headers.get("content-length", "") if plainly else ""
            return 0, int(length) if length.isdecimal() else None
        if status == 206 and (part := _PART_OF.fullmatch(told)) and int(part[1]) == begun:
            return begun, int(part[2])
        if status == 416 and told == f"bytes */{begun}":
            return begun, begun
        if status in (206, 416) and begun:  # it is another file by now
            self._forget()
            raise ConnectionError(f"the rest does not fit what is there ({told or 'it does not say which part'})")
        raise HttpStatus(f"GET {plain(self._url)} answered HTTP {status}", status, response.headers)

    def _read_note(self) -> Mapping[str, Any]:
        try:
            known = json.loads(self._note.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) and known.get("url") == self._url else {}

    def _write_note(self, response: httpx.Response) -> None:
        if response.status_code == 416:
            return
        etag = response.headers.get("etag", "")
        validator = etag if etag.startswith('"') else response.headers.get("last-modified", "")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._known = {"url": self._url, "validator": validator, "type": kind}
        if response.status_code == 200:
            self._part.unlink(missing_ok=True)  # before the note: bytes of another file must not be taken for it
        self._note.write_text(json.dumps(self._known))

    def _forget(self) -> None:
        for file in (self._whole, self._part, self._note):
            file.unlink(missing_ok=True)
        self._known = {}


def _sum(file: Path) -> "hashlib._Hash":
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256")
