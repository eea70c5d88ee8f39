"""`jobdesk demo`: a desk with real work in it, to look at and to play with."""

import threading
from typing import TYPE_CHECKING

from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from jobdesk.cli.demo_services import DemoServices
    from jobdesk.desk import Desk

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".heic", ".avif")
_MORE = """
It makes a home of its own (a fresh folder for temporary files, or --home DIR), drops pictures into its inbox
and submits jobs: one is retried, one ends in the dead letters, one is long and worth cancelling; others show mail,
files, generation, upkeep, analytics, reports, payments and referrals, the discovery flow, commands and HTTP requests, a
processor of one's own, events and the HTTP API. What they call are test services of the demo itself, on loopback:
nothing outside is called, nobody is charged, no mail leaves."""


def add(commands: Group) -> None:
    parser = commands.command("demo", "a desk with real work in it, in a home of its own", _demo, more=_MORE)
    parser.add_argument(
        "--consumer", action="store_true", dest="headless", help="without a screen: do all of it, then say how it went"
    )
    parser.add_argument("--pace", type=duration, metavar="2s", help="time between two things that happen")


def _demo(args: Args, out: Out) -> int:
    home = getattr(args, "home", None)
    if not args.headless:
        from jobdesk.cli.app import need_terminal

        need_terminal(out)
    if home is None:
        import tempfile

        home = tempfile.mkdtemp(prefix="jobdesk-demo-")
    from jobdesk.core.actor import Actor
    from jobdesk.desk import Desk

    services = furnished(home)
    desk = Desk(home, actor=Actor.here("command" if args.headless else "app", args.command_line))
    try:
        return (_headless if args.headless else _on_screen)(desk, services, args, out)
    finally:
        desk.close()
        if services is not None:
            services.close()


def furnished(home: "str | Path") -> "DemoServices | None":
    """Make the demo's home, with all that its story needs; the test services that it calls, to be closed at the end."""
    from jobdesk import home as homes
    from jobdesk.cli.demo_services import begun
    from jobdesk.cli.demo_story import furnish
    from jobdesk.core.clock import SystemClock

    found = homes.prepare(homes.locate(home))
    services = begun(found)
    furnish(found, SystemClock().now(), services)
    return services


def _on_screen(desk: "Desk", services: "DemoServices | None", args: Args, out: Out) -> int:
    out.line(f"The demo's home is {desk.home.path}", flush=True)
    over = threading.Event()
    pace_s = 2.0 if args.pace is None else args.pace
    feeder = threading.Thread(target=feed, args=(desk, services, pace_s, over), name="jobdesk-demo", daemon=True)
    feeder.start()
    try:
        from jobdesk.tui.app import run_app

        return run_app(desk, mouse=not args.no_mouse, fps=args.fps, ascii=args.ascii)
    finally:
        over.set()
        feeder.join(10)
        out.line(f"The demo's home stays in {desk.home.path}: open it again with `jobdesk --home {desk.home.path}`")


def _headless(desk: "Desk", services: "DemoServices | None", args: Args, out: Out) -> int:
    from jobdesk.cli.consumer import new_dead_letters, signals, work

    out.say(f"The demo's home is {desk.home.path}")
    feed(desk, services, args.pace or 0.0, threading.Event(), long_pace_s=0.0)
    silent = Out(stream=out.stream, errors=out.errors) if out.json else out
    with signals() as hearing:
        work(desk, silent, hearing, drain=True)
    _sum_up(desk, out, len(new_dead_letters(desk, 0)))
    return 0


def _sum_up(desk: "Desk", out: Out, dead: int) -> None:
    from jobdesk.core.job import State
    from jobdesk.ledger import folders, reads

    jobs = {state.value: sum(queue.counts[state] for queue in desk.queues()) for state in State}
    files: dict[str, int] = {}
    for row in folders.files(desk.ledger):
        files[row["state"]] = files.get(row["state"], 0) + 1
    assets = reads.assets(desk.ledger, limit=10_000)
    home = str(desk.home.path)
    if out.json:
        out.document({"home": home, "jobs": jobs, "files": files, "assets": len(assets), "dead": dead})
        return
    out.fields(
        [
            ("home", home),
            ("jobs", ", ".join(f"{count} {state}" for state, count in jobs.items() if count)),
            ("files", ", ".join(f"{count} {state}" for state, count in sorted(files.items()))),
            ("assets", str(len(assets))),
            ("dead letters", f"{dead} (one is meant to fail)"),
        ]
    )


def feed(
    desk: "Desk", services: "DemoServices | None", pace_s: float, over: threading.Event, *, long_pace_s: float = 1.0
) -> None:
    """Let the story of the demo happen, one step every `pace_s` seconds, until it ends or `over` is set."""
    import tempfile
    from importlib.resources import files
    from pathlib import Path

    photos = sorted(
        (one for one in files("jobdesk_assets.photos").iterdir() if one.name.lower().endswith(_PICTURES)),
        key=lambda one: one.name,
    )
    with tempfile.TemporaryDirectory(dir=desk.home.run) as folder:
        for happen in _happenings(desk, services, photos, Path(folder), long_pace_s):
            if over.is_set():
                return
            happen()
            desk.clock.wait(over, pace_s)


def _happenings(
    desk: "Desk", services: "DemoServices | None", photos: "list[Traversable]", folder: "Path", long_pace_s: float
) -> "Iterator[Callable[[], object]]":
    from jobdesk.cli.demo_story import story

    waiting = iter(photos)
    for step in story(desk.home, desk.clock.now(), long_pace_s, str(photos[0]), services):
        if step.type is not None:
            yield lambda step=step: desk.submit(step.type, step.data, user="demo", source="demo")  # type: ignore[misc]
        elif (photo := next(waiting, None)) is not None:
            yield lambda photo=photo: _drop(photo, folder, desk.home.inbox)  # type: ignore[misc]
    for photo in waiting:
        yield lambda photo=photo: _drop(photo, folder, desk.home.inbox)  # type: ignore[misc]


def _drop(photo: "Traversable", folder: "Path", inbox: "Path") -> None:
    """Put a picture into the inbox in one move, as a file manager does."""
    draft = folder / photo.name
    draft.write_bytes(photo.read_bytes())
    draft.rename(inbox / photo.name)
