"""One file under work: what it is, where what is made of it is put, and how that is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobdesk import Context, Reject

from . import content_types, safefiles
from .archives import Limits
from .content_types import Content


@dataclass(slots=True)
class Work:
    """A file that was taken in: `content` is what was checked, and all that is worked on."""

    ctx: Context
    path: Path
    name: str
    content: bytes
    found: Content
    folder: Path
    """Where what is made of it lies until it is stored."""
    known: dict[str, Any] = field(default_factory=dict)
    """What was found out about it and need not be found out again."""

    @property
    def limits(self) -> Limits:
        own = self.ctx.settings["files"]
        return Limits(own["max_unpacked"], own["max_entries"], own["max_ratio"])

    def write(self, name: str, content: bytes, type_: str, **more: Any) -> dict[str, Any]:
        """Put a file that was made into the folder, and tell about it."""
        written = safefiles.write_whole(self.folder / name, content)
        return {
            "name": name, "path": str(written.path), "type": type_, "bytes": written.bytes, "sha256": written.sha256,
            **more,
        }  # fmt: skip

    def cannot(self, what: str) -> Reject:
        """Why an operation makes no sense for such a file."""
        return Reject(f"{self.name} is {content_types.words(self.found)}: {what}", "unsupported-type")


def refuse(
    ctx: Context,
    content: bytes,
    found: Content,
    name: str,
    *,
    declared: tuple[str | None, int | None] = (None, None),
    allowed: list[str] | None = None,
    named: bool = True,
) -> None:
    """Refuse a file that is not what it says, or not what is taken.

    Args:
        declared: the type and size that its sender says.
        allowed: patterns of types, beside those of the settings.
        named: False where its name says nothing, such as the last part of a URL.

    Raises:
        Reject: `unsupported-type`, `type-mismatch`, `truncated`, `corrupt`.
    """
    if (lie := content_types.lie(found, name if named else "", declared[0])) is not None:
        raise Reject(f"{name} {lie}", "type-mismatch")
    own: list[str] = ctx.settings["files"]["allowed_types"]
    for patterns, whose in ((own, "files.allowed_types"), (allowed, "allowed_types of the job")):
        if patterns is not None and not any(found.fits(one) for one in patterns):
            raise Reject(f"{name} is {content_types.words(found)}, which {whose} does not allow", "unsupported-type")
    if (besides := content_types.second_nature(content, found)) is not None:
        raise Reject(f"{name} is {found.type}, and {besides} as well: nothing good is both", "type-mismatch")
    if (size := declared[1]) is not None and size != len(content):
        said = f"{name} has {len(content):,} bytes, not the {size:,} that are declared"
        raise Reject(said, "truncated" if len(content) < size else "corrupt")


def smallest(settings: Mapping[str, Any], max_bytes: int | None) -> tuple[int, str]:
    """The lower of two limits, and what says it."""
    own = int(settings["max_bytes"])
    return (
        (max_bytes, "max_bytes of the job") if max_bytes is not None and max_bytes < own else (own, "files.max_bytes")
    )
