"""Putting finished files where they stay: below `storage.path`, or at `storage.url` where there is one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jobdesk import Context

from . import remote, safefiles, staging

_KINDS = {
    ".pdf": "document",
    ".txt": "text",
    **dict.fromkeys((".webp", ".jpg", ".png", ".avif", ".gif", ".tif", ".heic", ".bmp"), "image"),
}


def shelve(
    ctx: Context,
    name: str,
    files: Sequence[tuple[Path, str]],
    target: Path,
    tell: Callable[[float, float, str], None] | None = None,
) -> list[str]:
    """Put files into a folder of the storage; where each lies now.

    Doing it again changes nothing.

    Args:
        name: of what they are together; names temporary keys of a remote storage.
        files: each with the SHA-256 that it has.
        target: the folder; one outside of `staging.storage` is always of this machine.
        tell: is told how far a remote storage has them.
    """
    if remote.is_remote(ctx) and target.is_relative_to(staging.storage(ctx)):
        prefix = target.relative_to(staging.storage(ctx)).as_posix()
        pieces = [remote.Piece(file, f"{prefix}/{file.name}", sum_) for file, sum_ in files]
        return remote.store(ctx, name, pieces, tell)
    for file, _ in files:
        safefiles.place(file, target / file.name)
        ctx.artifact(target / file.name, _KINDS.get(file.suffix, "video"))
    safefiles.sync_folder(target)
    return [str(target / file.name) for file, _ in files]
