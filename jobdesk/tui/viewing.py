"""Views: where one was before, filters with names, and taking out what a filter shows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from jobdesk.core.errors import JobdeskError
from jobdesk.core.query import parse
from jobdesk.ledger.sorting import KEYS, Order
from jobdesk.tui.format import count_of
from jobdesk.tui.going import Going

_LONGEST = 50
_PAGE = 500
USUAL_VIEWS = {
    "running": "state:processing",
    "waiting": "state:pending,blocked,scheduled,retrying",
    "failed today": "state:failed,expired age:<1d",
    "slow": "took:>1m",
    "needed another try": "attempt:>1",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A screen, and the filter of the list of jobs if it is that one."""

    view: str
    filter: str = ""


class Viewing(Going):
    """The part of the app that knows where one was."""

    _places: tuple[Place, ...] = (Place("overview"),)
    _here = 0
    _returning = False

    def viewed(self) -> None:
        """The open screen or its filter is another one now."""
        jobs = self.main.open_jobs
        place = Place(self.main.open_view, "" if jobs is None else str(jobs.table.query_asked))
        self._note()
        if self._returning or place == self._places[self._here]:
            return
        self._places = (*self._places[: self._here + 1], place)[-_LONGEST:]
        self._here = len(self._places) - 1

    def _note(self) -> None:
        """For the next time the app is opened."""
        jobs = self.main.made_jobs
        order = None if jobs is None else jobs.table.order
        self.remembered = replace(
            self.remembered,
            view=self.main.open_view,
            filter=self.remembered.filter if jobs is None else str(jobs.table.query_asked),
            order="" if order is None else order.key,
            descending=order is not None and order.descending,
        )

    def return_to_last(self) -> None:
        """Open what was open when the app was left."""
        was = self.remembered
        order = Order(was.order, was.descending) if was.order in KEYS else None
        if was.view != "overview" or was.filter:
            self.call_later(self._open, Place(was.view, was.filter), order)

    def wander(self, by: int) -> None:
        """Through the places one was at: back (-1) or forward (1)."""
        at = self._here + by
        if 0 <= at < len(self._places):
            self._here = at
            self.open_with(lambda: self._open(self._places[at]))
        else:
            self.notify("There is nothing before this." if by < 0 else "There is nothing after this.", timeout=2)

    async def _open(self, place: Place, order: Order | None = None) -> None:
        self._returning = True
        try:
            if not self.main.knows(place.view):
                return
            await self.main.go(place.view)
            jobs = self.main.open_jobs
            if jobs is not None:
                if order is not None:
                    jobs.table.order = order
                if place.filter or jobs.table.query_asked:
                    jobs.filter(place.filter)
                elif order is not None:
                    jobs.table.sort(order)
        finally:
            self._returning = False

    # ── filters with names ──

    def pick_view(self) -> None:
        """Choose a filter by its name."""
        from jobdesk.tui.screens.picker import Choice, Picker

        views = self._views()

        def chosen(name: str | None) -> None:
            if name is not None:
                self.open_with(lambda: self.go_filtered(views[name]))

        self.push_screen(Picker("Views", [Choice(name, name, query) for name, query in views.items()]), chosen)

    def save_view(self) -> None:
        """Give the filter of the list a name."""
        from jobdesk.tui.screens.asked import Asked

        query = str(self.main.jobs.table.query_asked)

        def asked(name: str | None) -> None:
            if name:
                self.remembered = replace(self.remembered, views={**self.remembered.views, name: query})
                self.notify(f"Kept as {name}: V opens it", timeout=3)

        self.push_screen(Asked("Keep this view", f"A name for {query}", "", check=_named), asked)

    def _views(self) -> dict[str, str]:
        try:
            own = self.desk.config.app.views
        except JobdeskError:
            own = {}
        return {**self.remembered.views, **own, **USUAL_VIEWS}

    # ── taking out ──

    def export(self) -> None:
        """Write the jobs that the filter shows to a file."""
        from jobdesk.tui.screens.asked import Asked

        table = self.main.jobs.table
        query = str(table.query_asked)

        def asked(name: str | None) -> None:
            if name:
                self.aside(lambda: self._write(query, Path(name).expanduser()), self._exported)

        what = count_of(table.total, "job")
        self.push_screen(
            Asked("Export", f"Write {what} to which file? One JSON document a line.", "jobs.ndjson", check=_new_file),
            asked,
        )

    def _write(self, query: str, file: Path) -> str:
        parse(query)
        count = 0
        try:
            with file.open("x", encoding="utf-8") as out:
                for line in self._documents(query):
                    out.write(line + "\n")
                    count += 1
        except OSError as error:
            raise JobdeskError(f"cannot write {file}: {error.strerror}") from None
        return f"Wrote {count_of(count, 'job')} to {file.absolute()}"

    def _documents(self, query: str) -> Iterator[str]:
        page: str | None = None
        while True:
            found = self.desk.jobs(query, limit=_PAGE, page=page)
            for job in found.jobs:
                yield json.dumps(job.to_json(), ensure_ascii=False)
            page = found.next
            if page is None:
                return

    def _exported(self, said: str) -> None:
        self.notify(said, timeout=5)


def _named(name: str) -> None:
    if not name:
        raise ValueError("write a name, or press esc")


def _new_file(name: str) -> None:
    if not name:
        raise ValueError("write the name of a file, or press esc")
    if Path(name).expanduser().exists():
        raise ValueError(f"{name} is there already: choose another name")
