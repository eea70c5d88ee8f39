"""Jobs that bear witness: what runs writes its beginnings and ends beside the home, and holds a lock while it runs.

A line of the trace is `begin|end|overlap RUN JOB ATTEMPT KEY NANOSECONDS PID`, appended with one write, so that
whoever is killed at whatever moment leaves whole lines. The lock tells that two attempts ran at once even where the
first was killed and never wrote its end.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PROCESSORS = '''
import fcntl, os, signal, time
from contextlib import ExitStack, contextmanager
from jobdesk import Context, Reject, Retry, processor

PATIENT = {"retries": 300, "retry_delay": "10ms", "backoff": "fixed"}


@contextmanager
def witnessed(ctx, key=None):
    run, folder = os.urandom(6).hex(), ctx.home.parent
    trace = os.open(folder / "trace", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(what):
        text = f"{what} {run} {ctx.job} {ctx.attempt} {key or '-'} {time.monotonic_ns()} {os.getpid()}\\n"
        os.write(trace, text.encode())

    with ExitStack() as held:
        held.callback(os.close, trace)
        for name in filter(None, (ctx.job, key)):
            lock = held.enter_context(open(folder / "locks" / name, "w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("overlap")
                raise
        say("begin")
        try:
            yield
        finally:
            say("end")


@processor("quick", isolation="thread", **PATIENT)
def quick(ctx: Context, key: str | None = None) -> str:
    with witnessed(ctx, key):
        return ctx.job


@processor("small", **PATIENT)
def small(ctx: Context, key: str | None = None) -> str:
    with witnessed(ctx, key):
        return ctx.job


@processor("slow", **PATIENT)
def slow(ctx: Context, ms: int = 150, key: str | None = None) -> str:
    with witnessed(ctx, key):
        time.sleep(ms / 1000)
        return ctx.job


@processor("slow.thread", isolation="thread", **PATIENT)
def slow_thread(ctx: Context, ms: int = 50, key: str | None = None) -> str:
    with witnessed(ctx, key):
        time.sleep(ms / 1000)
        return ctx.job


@processor("flaky", isolation="thread", **PATIENT)
def flaky(ctx: Context) -> str:
    with witnessed(ctx):
        if ctx.attempt < 3:
            raise Retry("not yet", delay=0.01)
        return ctx.job


@processor("flaky.child", **PATIENT)
def flaky_child(ctx: Context) -> str:
    with witnessed(ctx):
        if ctx.attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return ctx.job


@processor("doomed", isolation="thread")
def doomed(ctx: Context) -> None:
    with witnessed(ctx):
        raise Reject("it never works")


@processor("tree", **PATIENT)
def tree(ctx: Context) -> str:
    """A flow: one child at once, two beside each other, and one after these."""
    with witnessed(ctx):
        ctx.submit("small", now=True)
        one, two = ctx.submit("slow", {"ms": 20}), ctx.submit("quick")
        ctx.submit("quick", after=[one, two])
        return ctx.job
'''

CHILDREN_OF_A_TREE = 4


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one job; `end_ns` is None where it was killed. Instants are of the machine's monotonic clock."""

    job: str
    attempt: int
    key: str | None
    begin_ns: int
    end_ns: int | None


def prepare(folder: Path) -> None:
    """Make what the jobs of a home in `folder` write to."""
    (folder / "locks").mkdir()
    (folder / "trace").touch()


def runs(folder: Path) -> list[Run]:
    """Every run, in order of their beginnings."""
    begun: dict[str, list[str]] = {}
    ended: dict[str, int] = {}
    for line in (folder / "trace").read_text().splitlines():
        what, run, *rest = line.split()
        if what == "begin":
            begun[run] = rest
        elif what == "end":
            ended[run] = int(rest[3])
    found = [
        Run(job, int(attempt), None if key == "-" else key, int(at), ended.get(run))
        for run, (job, attempt, key, at, _) in begun.items()
    ]
    return sorted(found, key=lambda one: one.begin_ns)


def overlaps(folder: Path) -> list[str]:
    """Sentences about runs of one job, or of one concurrency key, that were under way at once."""
    said = [line for line in (folder / "trace").read_text().splitlines() if line.startswith("overlap")]
    together: dict[str, list[Run]] = defaultdict(list)
    for run in runs(folder):
        together[run.job].append(run)
        if run.key is not None:
            together[run.key].append(run)
    for name, ones in together.items():
        said += [f"{name}: {one} and {two}" for one, two in pairwise(ones) if (one.end_ns or 0) > two.begin_ns]
    return said
