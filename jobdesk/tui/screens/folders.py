"""The drop folders: how each is doing, its files, and a page about the folder or file under the cursor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from jobdesk.core.clock import instant
from jobdesk.core.durations import size
from jobdesk.desk import Desk
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import folders
from jobdesk.tui.columns import Column
from jobdesk.tui.folder_pages import file_page, folder_page, state_of, watched
from jobdesk.tui.format import Spans, ago, clean, fit_path, home_path, number
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.selection import NOTHING, Selection
from jobdesk.tui.widgets.job_view import Document
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_FILES, _LATELY = 200, 5
_MOST_ROWS = 8
_RULES_EACH_S = 5.0
"""How often the rules are read anew: they come from the settings, which others may change."""
_FOLDERS = (
    Column("path", "folder", 20, grow=3, most=60),
    Column("mode", "watched", 9, rank=4),
    Column("waiting", "waiting", 7, rank=5, align=">"),
    Column("settling", "settling", 8, rank=3, align=">"),
    Column("queued", "in work", 7, rank=2, align=">"),
    Column("done", "done", 7, rank=1, align=">"),
    Column("rejected", "rejected", 8, rank=1, align=">"),
    Column("duplicate", "duplicate", 9, rank=6, align=">"),
    Column("pipeline", "becomes", 12, rank=7, grow=1, most=40),
)
_SEEN = (
    Column("state", "state", 11),
    Column("file", "file", 16, rank=1, grow=2, most=60),
    Column("size", "size", 7, rank=4, align=">"),
    Column("why", "outcome", 14, rank=3, grow=3),
    Column("ago", "seen", 5, rank=2, align=">"),
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A drop folder: its rule, unless it is one no more, and what whoever watches it reported."""

    path: str
    rule: FolderRule | None
    status: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Drops:
    """What this screen reads; `files` and what was rejected `lately` are of the folder `of`."""

    folders: tuple[Folder, ...] = ()
    of: str | None = None
    files: tuple[Mapping[str, Any], ...] = ()
    lately: tuple[Mapping[str, Any], ...] = ()


class FoldersReader:
    """Reads on the database thread; files are those of the folder that is wanted, else of the first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wanted: str | None = None
        self._rules: Sequence[FolderRule] = ()
        self._looked_at = float("-inf")

    def read(self) -> Drops:
        ledger, now = self._desk.ledger, self._desk.clock.monotonic()
        if now - self._looked_at >= _RULES_EACH_S:
            self._looked_at = now
            self._rules = self._desk.folder_rules()
        statuses = folders.statuses(ledger)
        found = [Folder(str(rule.path), rule, statuses.pop(str(rule.path), None)) for rule in self._rules]
        found += [Folder(path, None, status) for path, status in statuses.items()]
        paths = [one.path for one in found]
        of = self.wanted if self.wanted in paths else paths[0] if paths else None
        if of is None:
            return Drops()
        files = tuple(folders.files(ledger, of, limit=_FILES))
        return Drops(tuple(found), of, files, tuple(folders.files(ledger, of, "rejected", _LATELY)))


class Folders(Container):
    """The sixth screen."""

    LENS = "folders"
    reader: FoldersReader
    _drops = Drops()
    _rows = 0

    def compose(self) -> ComposeResult:
        self.reader = FoldersReader(self.desk_app.desk)
        yield Listing(_FOLDERS, titles=True, id="dropped", empty="No folder is watched.", always=True)
        yield Listing(_SEEN, titles=True, id="files")
        yield Document(focusable=True, classes="about")

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    @property
    def dropped(self) -> Listing:
        return self.query_one("#dropped", Listing)

    @property
    def files(self) -> Listing:
        return self.query_one("#files", Listing)

    @property
    def read(self) -> Callable[[], Drops]:
        """For the feed."""
        return self.reader.read

    def first_focus(self) -> Widget:
        return self.dropped

    def show(self, snapshot: Snapshot, now: float, glyphs: Glyphs, hint: str) -> None:
        """Bring both lists and the page in line with the snapshot."""
        self._drops = drops = cast(Drops, snapshot.lenses.get(self.LENS) or self._drops)
        user_home = self.desk_app.user_home
        self.dropped.show([_folder(one, user_home, glyphs) for one in drops.folders])
        self._give_rows(min(_MOST_ROWS, max(1, len(drops.folders))) + 3)
        retitle(self.dropped, "Drop folders")
        files = self.files
        name = "" if drops.of is None else home_path(clean(drops.of), user_home)
        files.when_empty(f"Nothing here yet. Drop a file into {name}." if name else hint)
        files.show([_file(one, now, glyphs) for one in drops.files])
        room = max(12, files.size.width - 30)
        retitle(files, f"Files of {fit_path(name, room, glyphs.more)}, newest first" if name else "Files")
        if self.dropped.key != self.reader.wanted:
            self._ask()
        self._show_page(now, glyphs)

    def _give_rows(self, rows: int) -> None:
        if rows != self._rows and not self.screen.has_class("-tiny"):
            self._rows = rows
            self.styles.grid_rows = f"{rows} 1fr" if not self.screen.has_class("-narrow") else f"{min(rows, 6)} 1fr 1fr"

    def _show_page(self, now: float, glyphs: Glyphs) -> None:
        page, drops = self.query_one(Document), self._drops
        width, user_home = max(20, page.size.width - 1), self.desk_app.user_home
        if not page.size.width:
            return
        file = self.files.value if self.files.has_focus else None
        folder = next((one for one in drops.folders if one.path == self.dropped.key), None)
        if isinstance(file, dict):
            retitle(page, clean(Path(str(file["path"])).name))
            page.show(file_page(file, width, now, user_home, glyphs))
        elif folder is None:
            retitle(page, "")
            page.show([])
        elif folder.path == drops.of:  # what was asked for comes at once: until then the former stays
            retitle(page, clean(Path(folder.path).name))
            page.show(folder_page(folder.rule, folder.status, drops.lately, width, now, glyphs))

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        self.query_one(Document).scroll_to(y=0, animate=False)
        if event.listing is self.dropped:
            self._ask()
        self.app.call_later(self.desk_app.show_snapshot)

    def _ask(self) -> None:
        self.reader.wanted = self.dropped.key
        self.desk_app.feed.poke()

    def on_descendant_focus(self) -> None:
        self.app.call_later(self.desk_app.show_snapshot)

    def on_resize(self) -> None:
        self._rows = 0
        self.call_after_refresh(self.app.call_later, self.desk_app.show_snapshot)

    @property
    def file(self) -> Path | None:
        """The file under the cursor, if it still lies where it was dropped."""
        file = self.files.value
        if not self.files.has_focus or not isinstance(file, dict) or file["moved_to"]:
            return None
        return Path(str(file["folder"])) / str(file["path"])

    @property
    def selection(self) -> Selection:
        """The job that a file became, or the folder."""
        file = self.files.value
        if self.files.has_focus and isinstance(file, dict):
            folder, state = str(file["folder"]), str(file["state"])
            if file.get("job"):
                return Selection(query=f"id:{file['job']}", count=1, folder=folder, file=state)
            return Selection(folder=folder, file=state)
        key = self.dropped.key
        return NOTHING if key is None else Selection(folder=key)


def _folder(one: Folder, user_home: str, glyphs: Glyphs) -> Item:
    status = one.status or {}

    def count(name: str, tone: str) -> Spans:
        value = int(status.get(name) or 0)
        return ((number(value), tone if value else "faint"),)

    path = home_path(clean(one.path), user_home)
    becomes = one.rule.pipeline if one.rule is not None else str(status.get("pipeline") or "")
    return Item(
        one.path,
        one,
        {
            "path": ((fit_path(path, 60, glyphs.more), "text"),),
            "mode": (watched(one.status),),
            "waiting": count("waiting", "later"),
            "settling": count("settling", "later"),
            "queued": count("queued", "run"),
            "done": count("done", "ok"),
            "rejected": count("rejected", "bad"),
            "duplicate": count("duplicate", "muted"),
            "pipeline": ((clean(becomes), "muted"),),
        },
    )


def _inside(path: str, folder: str) -> str:
    """A path as seen from its drop folder."""
    return path.removeprefix(folder.rstrip("/") + "/")


def _file(one: Mapping[str, Any], now: float, glyphs: Glyphs) -> Item:
    why = one["message"] or one["reason"] or ""
    if not why and one["moved_to"]:
        why = f"in {_inside(str(Path(one['moved_to']).parent), str(one['folder']))}"
    return Item(
        str(one["id"]),
        one,
        {
            "state": (state_of(one, glyphs),),
            "file": ((clean(str(one["path"])), "text"),),
            "size": ((size(one["size"]), "muted"),),
            "why": ((clean(str(why)), "muted"),),
            "ago": ((ago(instant(str(one["first_seen"])), now), "muted"),),
        },
    )
