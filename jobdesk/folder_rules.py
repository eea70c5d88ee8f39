"""From what settings or a command say of a drop folder to its rule."""

from collections.abc import Iterable
from pathlib import Path

from jobdesk.folders.rules import FolderRule
from jobdesk.sections.folders import FolderSettings, uid


def rule(own: FolderSettings, home: Path) -> FolderRule:
    """The rule of one folder; a relative path is below the home."""
    return FolderRule(
        path=home / Path(own.path).expanduser(),
        pipeline=own.pipeline,
        patterns=tuple(own.patterns),
        exclude=tuple(own.exclude),
        recursive=own.recursive,
        depth=own.depth,
        source=own.source,
        settle_s=own.settle,
        stable=own.stable,
        marker=own.marker,
        lock=own.lock,
        rescan_s=own.rescan,
        watch=own.watch,
        duplicates=own.duplicates,
        data=own.data,
        types=tuple(own.types),
        min_bytes=own.min_size,
        max_bytes=own.max_size,
        owners=tuple(map(uid, own.owners)),
        max_ahead=own.ahead,
        min_free_bytes=own.min_free,
    )


def rules(settings: Iterable[FolderSettings], home: Path) -> list[FolderRule]:
    """A rule for each; of two that name one folder the first holds."""
    found: dict[Path, FolderRule] = {}
    for own in settings:
        made = rule(own, home)
        found.setdefault(made.path, made)
    return list(found.values())
