"""Ends of many jobs in one transaction: what one of them says spoils none of the others."""

from pathlib import Path

from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk.core.submission import Submission
from tests.support.home import make_home, until

PROCESSORS = r"""
import gc, json, os, sys
from jobdesk import Context, processor

SEEN = []

@processor("grows", isolation="thread")
def grows(ctx: Context, n: int) -> list:
    SEEN.append(n)
    return SEEN

@processor("lies", retries=0)
def lies(ctx: Context) -> None:
    token = next(o["token"] for o in gc.get_objects() if isinstance(o, dict) and "token" in o and o.get("job"))
    usage = {"cpu_ms": 2**70, "max_rss_bytes": 1}
    end = {"of": token, "end": {"completed": 1}, "usage": usage, "workdir": False}
    os.write(int(sys.argv[3]), json.dumps(end).encode() + b"\n")
"""


def test_a_result_is_what_it_was_when_the_job_returned(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")) as desk:
        ids = desk.submit_batch([Submission(type="grows", data={"n": number}) for number in range(40)])
        desk.wait(*ids, timeout="30s")
        assert [len(desk.job(id_).result) for id_ in ids] == list(range(1, 41))


def test_a_child_that_lies_about_its_usage_harms_itself_alone(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 2\n")) as desk:
        liar = desk.submit("lies")
        honest = desk.submit("grows", {"n": 1})
        assert desk.wait(honest.id, timeout="30s").state is State.COMPLETED
        until(lambda: desk.job(liar.id).state is State.FAILED)
