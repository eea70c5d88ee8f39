"""A desk with a consumer at work, and flows of real steps."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.flow import Flow
from tests.support.home import make_home

PROCESSORS = '''
import os, time
from pathlib import Path
from jobdesk import Context, Reject, processor

def note(folder: Path, word: str) -> None:
    with open(folder / "trace", "a") as trace:
        print(word, file=trace)

@processor("download")
def download(ctx: Context, url: str, folder: Path) -> dict:
    """Makes a file."""
    note(folder, "download")
    path = folder / "file"
    path.write_text(url)
    return {"path": str(path), "bytes": len(url), "sizes": [16, 32]}

@processor("thumb")
def thumb(ctx: Context, source: Path, size: int) -> dict:
    note(source.parent, "thumb")
    if (source.parent / "broken").exists():
        raise Reject("no picture", reason="corrupt")
    return {"size": size, "of": source.read_text()}

@processor("meta", retries=20, retry_delay="1ms")
def meta(ctx: Context, source: Path, album: str | None = None) -> dict:
    folder = source.parent
    note(folder, "meta")
    (folder / "in-meta").touch()
    while (folder / "hold").exists():
        ctx.checkpoint()
        time.sleep(0.01)
    return {"album": album, "name": source.name}

@processor("summary")
def summary(ctx: Context, title: str, parts: list[dict], said: str | None = None) -> dict:
    return {"title": title, "parts": parts, "results": sorted(ctx.results)}

@processor("clean", isolation="thread")
def clean(ctx: Context, state: str, error: str | None) -> list:
    return [state, error]

@processor("mourns", isolation="thread")
def mourns(ctx: Context, text: str) -> str:
    return text

@processor("spawns", retries=3, retry_delay="1ms", backoff="fixed")
def spawns(ctx: Context, folder: Path, bad: bool = False) -> list:
    first = ctx.submit("mourns", {"text": "first"}, step="first", now=True)
    second = ctx.submit("mourns", {"texd": "x"} if bad else {"text": "second"}, after=[first], now=True)
    note(folder, f"{first} {second}")
    while ctx.attempt == 1 and not (folder / "go").exists():
        time.sleep(0.005)
    if ctx.attempt < 3:
        os._exit(1)
    return [first, second]

@processor("asks", isolation="thread")
def asks(ctx: Context, wrong: str = "") -> str:
    if wrong:
        return ctx.submit("mourns", {"text": "x"}, **{wrong: "job_1"})
    return ctx.submit(
        "mourns", {"text": "x"}, retries=7, retry_delay="1s", backoff="linear", factor=3, max_delay="1m", jitter=0.5,
        timeout="9s", expires="1h", delay="1h", unique="k", unique_for="1d", concurrency_key="c", priority="low",
    )

@processor("spawns_in_thread", isolation="thread")
def spawns_in_thread(ctx: Context) -> str:
    return ctx.submit("mourns", {"text": "from a thread"}, now=True)
'''
SETTINGS = """
[desk]
workers = 2
cancel_grace = "300ms"

[[folders]]
path = "drop"
pipeline = "dropped"
settle = "10ms"
rescan = "100ms"

[[flows]]
name = "photos"
on_failure = { type = "mourns", data = { text = "{input.url}: {failed.step} {failed.error}: {failed.message}" } }
[[flows.steps]]
name = "download"
type = "download"
data = { url = "{input.url}", folder = "{input.folder}" }
[[flows.steps]]
name = "thumb"
type = "thumb"
data = { source = "{steps.download.result.path}", size = "{steps.download.result.sizes[1]}" }
after = ["download"]
queue = "upload.batch"
priority = "high"
[[flows.steps]]
name = "meta"
type = "meta"
data = { source = "{steps.download.result.path}", album = "{input.album}" }
after = ["download"]
[[flows.steps]]
name = "report"
type = "summary"
after = ["thumb", "meta"]
data = { title = "{steps.download.result.bytes} bytes of {input.url}", parts = ["{steps.thumb.result}", "{steps.meta.result}"] }
[[flows.steps]]
name = "clean"
type = "clean"
after = ["thumb"]
on_parent_failure = "ignore"
optional = true
data = { state = "{steps.thumb.state}", error = "{steps.thumb.error}" }

[[flows]]
name = "astray"
steps = [
  { name = "get", type = "download", data = { url = "x", folder = "{input.folder}" } },
  { name = "tell", type = "mourns", after = ["get"], data = { text = "{steps.get.result.size}" } },
]

[[flows]]
name = "wrong"
steps = [{ name = "get", type = "download", data = { ulr = "x" } }]

[[flows]]
name = "limited"
[[flows.steps]]
name = "one"
type = "mourns"
data = { text = "x" }
concurrency_key = "account {input.account}"
factor = 3
max_delay = "1m"
jitter = 0.5
delay = "1h"
expires = "2h"

[[flows]]
name = "unknown"
steps = [{ name = "get", type = "downlod" }]

[[flows]]
name = "dropped"
steps = [
  { name = "thumb", type = "thumb", data = { source = "{input.source}", size = 8 } },
  { name = "tell", type = "mourns", after = ["thumb"], data = { text = "{input.name} is {steps.thumb.result.size}" } },
]
"""  # noqa: E501


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("flows"), PROCESSORS, SETTINGS)


@pytest.fixture(scope="module")
def desk(home: Path) -> Iterator[Desk]:
    Desk(home).close()
    (home / "drop").mkdir()
    with Desk(home) as opened:
        yield opened


def start(desk: Desk, folder: Path, album: str | None = "Cats") -> Flow:
    return desk.start_flow("photos", {"url": "http://x/{input.album}", "folder": str(folder), "album": album})


def states(flow: Flow) -> dict[str, str]:
    return {job.step or job.type: job.state.value for job in flow.jobs}
