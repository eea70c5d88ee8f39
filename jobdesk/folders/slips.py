"""What is written down of files before they are taken out of the folder: a slip for each batch, in our own corner.

A slip lies there as long as a file of it lies among the claims, so that even a lost ledger costs no file its name.
"""

import base64
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from jobdesk.folders.claim import Claim
from jobdesk.folders.place import Place
from jobdesk.folders.scan import Look


class Slips:
    """The slips of one folder. Only its master writes them."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._slip_of: dict[str, bytes] = {}
        self._left: dict[bytes, int] = {}

    def write(self, planned: Sequence[Claim], owner: str) -> None:
        """Write down what is about to be taken: all of it is copied, or none.

        `owner` says whose claims they are, should two desks share the folder.

        Raises:
            OSError: it cannot be written: disk full, read-only.
        """
        name = planned[0].id.encode() + b".json"
        files = [
            [one.id, base64.b64encode(one.path).decode(), one.first_seen, one.claimed_at, one.source] for one in planned
        ]
        content = json.dumps({"owner": owner, "kept": planned[0].kept, "files": files}).encode()
        self._note(name, (one.id for one in planned))
        _write(os.path.join(self._place.slips, name), content)

    def gone(self, id_: str) -> None:
        """This file lies among the claims no more; the last of a slip takes the slip with it."""
        name = self._slip_of.pop(id_, None)
        if name is None:
            return
        self._left[name] -= 1
        if not self._left[name]:
            del self._left[name]
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(self._place.slips, name))

    def read(self) -> dict[str, tuple[Claim, str | None]]:
        """All that is written down, by id, with whose it is; a half written slip has no file yet, and goes."""
        self._slip_of.clear()
        self._left.clear()
        found: dict[str, tuple[Claim, str | None]] = {}
        for name in os.listdir(self._place.slips):
            whole = os.path.join(self._place.slips, name)
            try:
                with open(whole, "rb") as file:
                    slip = json.load(file)
                claims = [_claim(*fields, kept=slip.get("kept", False)) for fields in slip["files"]]
                owner = slip["owner"]
            except (ValueError, KeyError, TypeError):
                os.unlink(whole)
                continue
            found |= {one.id: (one, owner) for one in claims}
            self._note(name, (one.id for one in claims))
        return found

    def _note(self, name: bytes, ids: Iterable[str]) -> None:
        slip_of = dict.fromkeys(ids, name)
        self._slip_of |= slip_of
        self._left[name] = len(slip_of)


def _claim(id_: str, path: str, first_seen: float, claimed_at: float, look: Sequence[int], *, kept: bool) -> Claim:
    return Claim(id_, base64.b64decode(path), first_seen, claimed_at, None, Look(*look), kept)


def _write(path: bytes, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
    finally:
        os.close(fd)
