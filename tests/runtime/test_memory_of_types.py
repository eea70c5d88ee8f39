"""How much memory a job's process may have: the desk says it for all, a type for its own."""

from pathlib import Path

from jobdesk import Desk
from jobdesk.core.durations import bytes_
from jobdesk.wiring import DeskWiring
from jobdesk_processors.headers import MEMORY
from tests.support.home import make_home

OWN = """
from jobdesk import Context, processor


@processor("eats", memory_limit="900MB")
def eats(ctx: Context, megabytes: int) -> int:
    return len(bytearray(megabytes * 1_000_000))


@processor("eats_less", memory_limit="900MB")
def eats_less(ctx: Context, megabytes: int) -> int:
    return len(bytearray(megabytes * 1_000_000))
"""
SETTINGS = """
[desk]
workers = 1
memory_limit = "3GB"

[types.eats_less]
memory_limit = "600MB"
retries = 0
"""


def test_a_type_has_the_memory_that_it_says_or_its_settings(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, OWN, SETTINGS)) as desk:
        asked = [desk.submit(type_, {"megabytes": 700}, retries=0).id for type_ in ("eats", "eats_less")]
        more, less = (desk.wait(id_, timeout=60) for id_ in asked)
        assert more.state == "completed" and less.state == "failed"
        assert less.error is not None and less.error.type == "MemoryError" and "0.6 GB" in less.error.message


def test_a_processor_gets_no_more_than_the_desk_gives_unless_settings_say_so(tmp_path: Path) -> None:
    settings = '[desk]\nmemory_limit = "1GB"\n[types.METADATA_EXTRACT]\nmemory_limit = "4GB"\n'
    desk = Desk(make_home(tmp_path, settings=settings))
    limit = DeskWiring(desk).memory_limit
    assert limit("IMAGE_RESIZE") == limit("no such type") == 1_000_000_000 < bytes_(MEMORY)
    assert limit("METADATA_EXTRACT") == 4_000_000_000
    desk.close()
