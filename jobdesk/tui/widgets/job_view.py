"""One job in a pane: its pages by left and right, its log followed while one stands at its end."""

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip

from jobdesk.core.subject import subject
from jobdesk.tui.format import Span, clean
from jobdesk.tui.job_pages import PAGES, pages
from jobdesk.tui.selection import NOTHING, Selection, of_job
from jobdesk.tui.story import Story, Teller
from jobdesk.tui.widgets.lines import Lines, Painted, retitle

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


class PageNames(Painted):
    """The names of the pages, the open one marked; a click opens one."""

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ("Job",)
        self.open = "Job"
        self.note = ""

    def show(self, names: tuple[str, ...], open_: str, note: str) -> None:
        if (names, open_, note) != (self.names, self.open, self.note):
            self.names, self.open, self.note = names, open_, note
            self.refresh()

    def render_line(self, y: int) -> Strip:
        spans: list[Span] = []
        for name in self.names:
            spans.append((name, "accent" if name == self.open else "muted"))
            spans.append(("   ", "text"))
        used = sum(len(text) for text, _ in spans)
        room = self.size.width - used
        if self.note and room > len(self.note):
            spans.append((" " * (room - len(self.note)) + self.note, "muted"))
        return self.paint(tuple(spans) if y == 0 else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = 0
        for name in self.names:
            if at <= event.x < at + len(name):
                view = self.parent
                assert isinstance(view, JobView)
                view.turn_to(name)
            at += len(name) + 3


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

    def __init__(self, lens: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lens = lens
        self._teller: Teller | None = None
        self._story: Story | None = None
        self._page = "Job"
        self._following = True
        self._gone = False

    def compose(self) -> ComposeResult:
        yield PageNames()
        yield Document(focusable=True)

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

    def tell(self, job_id: str) -> None:
        """Show this job from now on."""
        if job_id == self.job_id:
            return
        app = self.desk_app
        self._teller = teller = Teller(app.desk, job_id, app.types)
        self._gone, self._following = False, True
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
        self.redraw()
        self.post_message(self.Told())

    def redraw(self) -> None:
        """Write the open page anew; what is equal is not repainted."""
        story, document = self._story, self.query_one(Document)
        app = self.desk_app
        if story is None or not document.size.width:
            return
        names = pages(story)
        if self._page not in names:
            self._page = "Job"
        about = subject(story.job.data)
        retitle(self, clean(f"{story.job.type}  {about}" if about else story.job.type))
        stick = self._page == "Log" and self._following and document.at_end
        lines = PAGES[self._page](story, max(20, document.size.width - 1), app.desk.clock.now(), app.glyphs)
        if self._gone:
            lines = [(("This job was deleted.", "warn"),), (), *lines]
        document.show(lines)
        self.query_one(PageNames).show(names, self._page, self._note(document, len(lines)))
        if stick:
            document.scroll_end(animate=False)

    def _note(self, document: Document, count: int) -> str:
        hidden = count - document.scroll_offset.y - document.size.height
        return f"{hidden} more lines" if hidden > 1 else ""

    def turn_to(self, page: str) -> None:
        """Open a page by its name."""
        self._page = page
        document = self.query_one(Document)
        document.scroll_to(y=0, animate=False)
        self.redraw()
        if page == "Log":
            self.call_after_refresh(document.scroll_end, animate=False)

    def action_turn(self, by: int) -> None:
        names = pages(self._story)
        at = names.index(self._page) if self._page in names else 0
        self.turn_to(names[(at + by) % len(names)])

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)
