"""The drop folders: how each is doing, and its files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from jobdesk.core.clock import instant
from jobdesk.core.durations import size
from jobdesk.desk import Desk
from jobdesk.ledger import folders
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans, ago, clean, fit_path, home_path, number
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.selection import NOTHING, Selection
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_FILES = 200
_FOLDERS = (
    Column("path", "folder", 20, grow=3, most=60),
    Column("mode", "watched", 8, rank=4),
    Column("waiting", "waiting", 7, rank=5, align=">"),
    Column("settling", "settling", 8, rank=3, align=">"),
    Column("queued", "in work", 7, rank=2, align=">"),
    Column("done", "done", 7, rank=1, align=">"),
    Column("rejected", "rejected", 8, rank=1, align=">"),
    Column("duplicate", "duplicate", 9, rank=6, align=">"),
    Column("pipeline", "pipeline", 12, rank=7, grow=1, most=40),
)
_SEEN = (
    Column("state", "state", 11),
    Column("file", "file", 18, rank=1, grow=2, most=60),
    Column("size", "size", 8, rank=4, align=">"),
    Column("why", "what became of it", 16, rank=3, grow=3),
    Column("ago", "seen", 5, rank=2, align=">"),
)
_TONES = {
    "done": ("ok", "✓"), "rejected": ("bad", "✗"), "duplicate": ("muted", "="), "queued": ("text", "·"),
    "running": ("run", "▶"), "settling": ("later", "◷"), "waiting": ("later", "◷"), "claimed": ("later", "◷"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drops:
    """What this screen reads."""

    folders: tuple[Mapping[str, Any], ...] = ()
    files: tuple[Mapping[str, Any], ...] = ()


class FoldersReader:
    """Reads on the database thread; files are those of one folder, or of all."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.folder: str | None = None

    def read(self) -> Drops:
        ledger = self._desk.ledger
        return Drops(tuple(folders.statuses(ledger).values()), tuple(folders.files(ledger, self.folder, limit=_FILES)))


class Folders(Container):
    """The sixth screen."""

    LENS = "folders"

    def compose(self) -> ComposeResult:
        yield Listing(_FOLDERS, titles=True, id="dropped", empty="No folder is watched: no consumer works here yet.")
        yield Listing(_SEEN, titles=True, id="files", empty="No file was dropped yet.")

    def on_mount(self) -> None:
        self.query_one("#dropped", Widget).border_title = "Drop folders"
        self.query_one("#files", Widget).border_title = "Files, newest first"

    @property
    def read(self) -> Callable[[], Drops]:
        """For the feed."""
        return FoldersReader(cast("JobdeskApp", self.app).desk).read

    def first_focus(self) -> Widget:
        return self.query_one("#dropped", Listing)

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        """Bring both lists in line with the snapshot."""
        seen = cast(Drops, snapshot.lenses.get(self.LENS) or Drops())
        user_home = getattr(self.app, "user_home", "")
        self.query_one("#dropped", Listing).show([_folder(one, user_home, glyphs) for one in seen.folders])
        files = self.query_one("#files", Listing)
        files._empty = hint
        files.show([_file(one, now, glyphs) for one in seen.files])

    @property
    def selection(self) -> Selection:
        """The job that a file became."""
        focused = self.screen.focused
        if isinstance(focused, Listing) and isinstance(focused.value, dict) and focused.value.get("job"):
            return Selection(query=f"id:{focused.value['job']}", count=1)
        return NOTHING


def _folder(one: Mapping[str, Any], user_home: str, glyphs: Glyphs) -> Item:
    def count(name: str, tone: str) -> Spans:
        return ((number(int(one[name])), tone if one[name] else "faint"),)

    mode = {"watch": "at once", "scan": "by scan", "offline": "offline"}.get(str(one["mode"]), str(one["mode"]))
    path = home_path(clean(str(one["path"])), user_home)
    return Item(
        str(one["path"]),
        one,
        {
            "path": ((fit_path(path, 60, glyphs.more), "text"),),
            "mode": ((mode, "warn" if mode == "offline" else "muted"),),
            "waiting": count("waiting", "later"),
            "settling": count("settling", "later"),
            "queued": count("queued", "run"),
            "done": count("done", "ok"),
            "rejected": count("rejected", "bad"),
            "duplicate": count("duplicate", "muted"),
            "pipeline": ((clean(str(one["pipeline"])), "muted"),),
        },
    )


def _inside(path: str, folder: str) -> str:
    """A path as seen from its drop folder."""
    return path.removeprefix(folder.rstrip("/") + "/")


def _file(one: Mapping[str, Any], now: float, glyphs: Glyphs) -> Item:
    tone, sign = _TONES.get(str(one["state"]), ("muted", glyphs.dot))
    sign = sign if sign.isascii() or glyphs.dash != "-" else "*"
    why = one["message"] or one["reason"] or ""
    if not why and one["moved_to"]:
        why = f"in {_inside(str(Path(one['moved_to']).parent), str(one['folder']))}"
    return Item(
        str(one["id"]),
        one,
        {
            "state": ((f"{sign} {one['state']}", tone),),
            "file": ((clean(str(one["path"])), "text"),),
            "size": ((size(one["size"]), "muted"),),
            "why": ((clean(str(why)), "muted"),),
            "ago": ((ago(instant(str(one["first_seen"])), now), "muted"),),
        },
    )
