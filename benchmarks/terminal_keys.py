"""Keys pressed in a terminal app, and how long it takes until the terminal shows what they have done."""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.screen import PATIENCE_S, Picture, Screen, cpu_s
from jobdesk import Desk

PHOTO = re.compile(r"IMG_(\d{7})")
LINE = re.compile(r"line (\d{7})")
DOWN, UP, HOME, END = b"\x1b[B", b"\x1b[A", b"\x1b[H", b"\x1b[F"
EACH_S = 1 / 30
"""A key that is held down comes so often."""
BURST = 200
Place = Callable[[int], int]
Seen = Callable[[Picture], int | None]
FILTERS = (
    "state:failed", "type:email", "queue:notifications", "state:failed type:email", "error:ConnectTimeout",
    "text:img_0123456", "id:{id}", "fingerprint:f",
)  # fmt: skip


@dataclass
class Keys:
    """How long keys took, from the key to the end of the frame that shows what it did, in milliseconds."""

    took_ms: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """Per cent of a core that the program used meanwhile."""
    cpu_ms: float = 0.0
    """What that is for each key."""

    def part(self, share: float) -> float:
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ended(number: int) -> int:
    """The place of a filled job: of a hundred one waits, and stands below the others of its batch."""
    return number - number // 100


def row(place: Place = int) -> Seen:
    """Where the cursor is, counted from the newest; `place` is that of a row's number, counted from the end."""

    def seen(picture: Picture) -> int | None:
        here = picture.chosen(PHOTO)
        return None if here is None else -place(here)

    return seen


def line(picture: Picture) -> int | None:
    """The first line of a log that is seen, counted from its end."""
    numbers = picture.numbers(LINE)
    return -numbers[0] if numbers else None


def said(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def press_jobs(screen: Screen) -> None:
    screen.press(b"2")
    screen.until(b"IMG_", len(screen.frames))
    screen.quiet()


def top(screen: Screen, key: bytes = HOME) -> None:
    """Back to the first row."""
    screen.press(key)
    screen.quiet()


def held(screen: Screen, count: int, seen: Seen, key: bytes = DOWN) -> Keys:
    """Hold a key down that goes one further, by what is `seen`."""
    first = len(screen.frames)
    pressed, used = [], cpu_s(screen.pid)
    began = due = time.perf_counter()
    for _ in range(count):
        while (left_s := due - time.perf_counter()) > 0:
            screen.read(left_s)
        pressed.append(screen.press(key))
        due += EACH_S
    screen.pause(0.5)
    used = cpu_s(screen.pid) - used
    found = Keys(cpu=100 * used / (time.perf_counter() - began), cpu_ms=1000 * used / count)
    picture, done = Picture(screen), 0
    while picture.drawn < first:
        picture.draw()
    start = seen(picture)
    assert start is not None, str(picture)
    while picture.drawn < len(screen.frames):
        at = picture.draw()
        here = seen(picture)
        if here is not None:
            while done < count and here - start > done:
                found.took_ms.append((at - pressed[done]) * 1000)
                done += 1
    if done < count:
        raise SystemExit(f"of {count} keys {done} were seen to do something:\n{picture}")
    said(
        f"  median {found.part(0.5):.1f} ms, p95 {found.part(0.95):.1f} ms, "
        f"CPU {found.cpu_ms:.1f} ms a key, {found.cpu:.0f} % of a core"
    )
    return found


def burst(screen: Screen, seen: Seen) -> float:
    """Milliseconds until the frame that shows what 200 keys at once have done."""
    picture = Picture(screen)
    picture.draw_all()
    start = seen(picture)
    assert start is not None, str(picture)

    def there() -> bool:
        here = seen(picture)
        return here is not None and here - start == BURST

    return shown(screen, picture, DOWN * BURST, there)


def end(screen: Screen, key: bytes, last: int) -> float:
    """Milliseconds until the frame that shows the row with the number `last`, after the key that goes there."""
    picture = Picture(screen)
    picture.draw_all()
    return shown(screen, picture, key, lambda: picture.chosen(PHOTO) == last)


def shown(screen: Screen, picture: Picture, keys: bytes, there: Callable[[], bool]) -> float:
    """Milliseconds from the keys to the first frame in which it is there."""
    pressed = screen.press(keys)
    deadline = pressed + PATIENCE_S
    while time.perf_counter() < deadline:
        screen.quiet(1.0)
        while picture.drawn < len(screen.frames):
            at = picture.draw()
            if there():
                return (at - pressed) * 1000
        screen.read(1.0)
    raise SystemExit(f"{keys[:10]!r} did not lead where it should:\n{picture}")


def filters(screen: Screen, home: Path) -> dict[str, float]:
    """Milliseconds from a filter, typed at once, to the first frame with other rows than before."""
    desk = Desk(home)
    (job,) = desk.jobs("state:completed", limit=1).jobs
    desk.close()
    found = {}
    for filter_ in FILTERS:
        term = filter_.format(id=job.id)
        screen.press(b"/")
        screen.quiet()
        picture = Picture(screen)
        picture.draw_all()
        before = picture.numbers(PHOTO)

        def other(picture: Picture = picture, before: list[int] = before) -> bool:
            rows = picture.numbers(PHOTO)
            return bool(rows) and rows != before[: len(rows)]

        found[filter_.replace("{id}", "ID")] = shown(screen, picture, term.encode() + b"\r", other)
        screen.press(b"/")
        screen.quiet()
        screen.press(b"\x1b")
        screen.quiet(1.0)
    return found
