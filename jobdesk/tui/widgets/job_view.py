"""One job in a pane: its pages by left and right, each shown by a widget that fits it."""

from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from jobdesk.core.job import FINAL
from jobdesk.core.subject import subject
from jobdesk.tui.fold import Entry, data_page
from jobdesk.tui.format import clean
from jobdesk.tui.job_pages import job_page, pages
from jobdesk.tui.job_tree import flow_page
from jobdesk.tui.selection import NOTHING, Selection, of_job
from jobdesk.tui.story import Story, Teller
from jobdesk.tui.widgets.entries import Entries
from jobdesk.tui.widgets.find_bar import FindBar
from jobdesk.tui.widgets.lines import Lines, retitle
from jobdesk.tui.widgets.log_view import LogView
from jobdesk.tui.widgets.page_names import PageNames

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


class Document(Lines):
    """The lines of the open page."""

    BINDINGS = [
        Binding("down,j", "scroll_down", show=False),
        Binding("up,k", "scroll_up", show=False),
        Binding("pagedown,ctrl+f", "page_down", show=False),
        Binding("pageup,ctrl+b", "page_up", show=False),
        Binding("home,g", "scroll_home", show=False),
        Binding("end,G", "scroll_end", show=False),
    ]

    @property
    def at_end(self) -> bool:
        """Whether its last line is in view."""
        return self.scroll_offset.y >= self.max_scroll_y


class JobView(Vertical):
    """Shows one job. It reads through a lens of its own; the screen that holds it passes each story on."""

    BINDINGS = [
        Binding("right,l", "turn(1)", show=False),
        Binding("left,h", "turn(-1)", show=False),
    ]

    class Told(Message):
        """Another story is shown, so what can be done may have changed."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, JobView.Told)

    class Wanted(Message):
        """Somebody wants to see another job."""

        def __init__(self, job_id: str) -> None:
            super().__init__()
            self.job_id = job_id

    def __init__(self, lens: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lens = lens
        self._teller: Teller | None = None
        self._story: Story | None = None
        self._page = "Job"
        self._toggled: set[str] = set()
        """What is folded on the page Data other than it begins."""
        self._gone = False

    def compose(self) -> ComposeResult:
        yield PageNames()
        yield Document(focusable=True)
        yield LogView()
        yield Entries()
        yield FindBar()

    def on_mount(self) -> None:
        self.query_one(LogView).display = self.query_one(Entries).display = False

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    @property
    def job_id(self) -> str | None:
        """The job it shows or is about to."""
        return self._teller.job_id if self._teller is not None else None

    @property
    def selection(self) -> Selection:
        """The job, as something to act on."""
        if self._story is None:
            return NOTHING
        job = self._story.job
        return Selection(jobs=(of_job(job, subject(job.data)),), queue=job.queue)

    @property
    def story(self) -> Story | None:
        return self._story

    @property
    def page(self) -> str:
        """The name of the open page."""
        return self._page

    @property
    def has_page_focus(self) -> bool:
        """Whether keys go to the open page."""
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors

    @property
    def log_view(self) -> LogView:
        return self.query_one(LogView)

    @property
    def entry(self) -> Entry | None:
        """What is under the cursor, on pages that have one."""
        entries = self.query_one(Entries)
        return entries.current if entries.display else None

    def tell(self, job_id: str) -> None:
        """Show this job from now on."""
        if job_id == self.job_id:
            return
        app = self.desk_app
        self._teller = teller = Teller(app.desk, job_id, app.types)
        teller.log.wanted = self._page == "Log"
        self._gone = False
        self._toggled.clear()
        self.log_view.open(teller.log)
        app.feed.lens(self._lens, teller.read)
        self.query_one(Document).scroll_to(y=0, animate=False)

    def stop(self) -> None:
        """Show nothing and read nothing."""
        self.desk_app.feed.lens(self._lens, None)
        self._teller = self._story = None

    def take(self, story: object) -> None:
        """A tick read this; None: the job is gone."""
        if self._teller is None or (isinstance(story, Story) and story.job.id != self._teller.job_id):
            return
        self._gone = story is None and self._story is not None
        if isinstance(story, Story):
            self._story = story
            if story.looked_upto:
                self.desk_app.feed.poke()  # there is more of it to read
        self.redraw()
        self.post_message(self.Told())

    def redraw(self) -> None:
        """Write the open page anew; what is equal is not repainted."""
        story, app = self._story, self.desk_app
        if story is None or not self.size.width or (self._teller is not None and story.job.id != self._teller.job_id):
            return
        if self._page not in pages(story):
            self.turn_to("Job")
        about = subject(story.job.data)
        retitle(self, clean(f"{story.job.type}  {about}" if about else story.job.type))
        now, glyphs = app.desk.clock.now(), app.glyphs
        widget = self._widget
        width = max(20, widget.size.width - 1)
        if isinstance(widget, LogView):
            empty = "It wrote nothing." if story.job.state in FINAL else "It has not written anything yet."
            widget.take(story.log, story.events[0].at if story.events else story.job.created_at, empty)
        elif isinstance(widget, Entries):
            widget.show(
                data_page(story, self._toggled, width, glyphs)
                if self._page == "Data"
                else flow_page(story, width, glyphs)
            )
        else:
            lines = job_page(story, width, now, glyphs)
            self.query_one(Document).show([(("This job was deleted.", "warn"),), (), *lines] if self._gone else lines)
        self._note()

    @on(LogView.Moved)
    def _note(self) -> None:
        widget, note = self._widget, ""
        if isinstance(widget, LogView):
            note = widget.note
        elif isinstance(widget, Document):
            hidden = len(widget.lines) - widget.scroll_offset.y - widget.size.height
            note = f"{hidden} more lines" if hidden > 1 else ""
        self.query_one(PageNames).show(pages(self._story), self._page, "deleted" if self._gone else note)

    @property
    def _widget(self) -> Widget:
        """What shows the open page."""
        return self.query_one({"Job": "Document", "Log": "LogView"}.get(self._page, "Entries"))

    def focus_page(self) -> None:
        """Let keys go to the open page."""
        self._widget.focus()

    def turn_to(self, page: str) -> None:
        """Open a page by its name."""
        had_focus = self.has_page_focus
        self._page = page
        widget = self._widget
        for one in self.query("Document, LogView, Entries"):
            one.display = one is widget
        if self._teller is not None:
            self._teller.log.wanted = page == "Log"
            self.desk_app.feed.poke()
        if had_focus:
            widget.focus()
        widget.scroll_to(y=0, animate=False)
        self.call_after_refresh(self._turned)

    def _turned(self) -> None:
        self.redraw()
        if self._page in ("Data", "Flow"):
            self.query_one(Entries).start(self.job_id)
        self.post_message(self.Told())

    @on(PageNames.Wanted)
    def _named(self, event: PageNames.Wanted) -> None:
        self.turn_to(event.page)

    def action_turn(self, by: int) -> None:
        names = pages(self._story)
        at = names.index(self._page) if self._page in names else 0
        self.turn_to(names[(at + by) % len(names)])

    @on(Entries.Chosen)
    def _chosen(self, event: Entries.Chosen) -> None:
        entry = event.entry
        if entry.folds:
            self._toggled ^= {entry.key}
            self.redraw()
        elif entry.job is not None and entry.job != self.job_id:
            self.post_message(self.Wanted(entry.job))

    def find(self) -> None:
        """Ask what to look for in the log."""
        self.query_one(FindBar).open()

    @on(FindBar.Wanted)
    def _find(self, event: FindBar.Wanted) -> None:
        if event.done:
            self.focus_page()
        self.log_view.find(event.text)

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)
