"""Storing an upload in a remote place: everything under temporary keys first, read back and compared, then committed.

A reader sees none of an upload's files or whole ones, the original last. What an attempt that fails has put is
deleted again; what one that was killed has put is overwritten by the next, whose keys are the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk import Context, Reject, Retry, processor

from . import stores
from .staging import UploadId
from .stores import Store

TEMPORARY = ".uploading"
_PROBE = b"jobdesk asks whether this storage keeps what it is given\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """A local file that is to lie under a key."""

    path: Path
    key: str
    sha256: str


def is_remote(ctx: Context) -> bool:
    """Whether finished files go to a URL."""
    return bool(ctx.settings["storage"].get("url"))


def url_of(settings: Mapping[str, Any], key: str) -> str:
    """The whole address of a key."""
    return f"{stores.shown(settings['url']).rstrip('/')}/{key}"


def store(
    ctx: Context, upload: str, pieces: Sequence[Piece], tell: Callable[[float, float, str], None] | None = None
) -> list[str]:
    """Upload the pieces, the first one committed last; their addresses.

    Args:
        tell: is told how far it is; the job's progress if nobody is named.

    Raises:
        Reject: `storage-failed`, where a person must mend it.
        Retry: anything else; what was put is deleted as far as the place answers.
    """
    settings = ctx.settings["storage"]
    place = stores.open_store(settings)
    temporary = {piece.key: f"{TEMPORARY}/{upload}/{number}" for number, piece in enumerate(pieces)}
    before = set(place.keys(pieces[0].key.rpartition("/")[0])) if pieces else set()
    done: list[str] = []
    tell = tell or ctx.progress
    try:
        for number, piece in enumerate(pieces, 1):
            ctx.checkpoint()
            place.put(piece.path, temporary[piece.key])
            found = stores.digest(place, temporary[piece.key])
            if found != piece.sha256:
                raise Retry(f"{piece.key} came back from the storage with another checksum: {found[:16]}…")
            tell(number, len(pieces) + 1, piece.path.name)
        ctx.checkpoint()
        for piece in reversed(pieces):
            done.append(piece.key)
            place.copy(temporary[piece.key], piece.key)
    except BaseException:
        with suppress(Exception):  # the error that led here is the one to tell
            place.delete([*temporary.values(), *(key for key in done if key not in before)])
        raise
    place.delete(temporary.values())
    tell(len(pieces) + 1, len(pieces) + 1, "committed")
    return [url_of(settings, piece.key) for piece in pieces]


@processor("STORAGE_ROLLBACK", queue="upload.batch", priority="low", timeout="5m", retries=5)
def roll_back(ctx: Context, upload_id: UploadId, prefix: str | None = None) -> dict[str, Any]:
    """Delete what a failed upload left in a remote storage."""
    if not is_remote(ctx):
        return {"upload_id": upload_id, "deleted": 0}
    place = stores.open_store(ctx.settings["storage"])
    found = place.keys(f"{TEMPORARY}/{upload_id}/")
    if prefix is not None:
        if upload_id not in prefix.split("/"):
            raise Reject(f"{prefix} is no folder of {upload_id} alone: nothing was deleted")
        found += place.keys(prefix.rstrip("/") + "/")
    place.delete(found)
    ctx.log.info(f"{len(found)} objects of {upload_id} deleted")
    return {"upload_id": upload_id, "deleted": len(found)}


@processor("STORAGE_CHECK", queue="upload.batch", timeout="2m", retries=0)
def check_storage(ctx: Context) -> dict[str, Any]:
    """Write, read back, copy, list and delete a small object where finished files go."""
    settings = ctx.settings["storage"]
    if not is_remote(ctx):
        folder = Path(settings["path"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {"storage": str(folder), "remote": False}
    place: Store = stores.open_store(settings)
    probe = ctx.workdir / "probe"
    probe.write_bytes(_PROBE)
    first, second = (f"{TEMPORARY}/check-{ctx.job}/{name}" for name in ("a", "b"))
    try:
        place.put(probe, first)
        place.copy(first, second)
        if b"".join(place.read(second)) != _PROBE or second not in place.keys(f"{TEMPORARY}/check-{ctx.job}/"):
            raise Reject("the storage does not keep what it is given", reason="storage-failed")
    finally:
        with suppress(Exception):
            place.delete([first, second])
    ctx.log.info(f"{stores.shown(settings['url'])} takes, keeps and deletes files")
    return {"storage": stores.shown(settings["url"]), "remote": True}
