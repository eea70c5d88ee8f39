"""Whatever is done and undone, the ledger is as it was before, but for its log and events."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from jobdesk.core.actor import Actor
from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import JobError, State
from jobdesk.ledger import (
    audit,
    checks,
    claiming,
    clean,
    flows,
    follow,
    indexing,
    moves,
    priorities,
    queues,
    storing,
    undoing,
    upkeep,
)
from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock
from tests.support.factory import counts_agree, new_job

ACTOR = Actor("ada", "api", None, None, 1, "here")
LEFT_OUT = ("audit", "undo", "event", "unfolded", "outdated", "fulltext", "rollup", "sqlite", "minute", "meta", "tally")
BROKEN = JobError("Broken", "it broke", None, "b", retryable=True)


def everything(ledger: Ledger) -> dict[str, Any]:
    """All rows of all tables that undo promises to put back."""
    found: dict[str, Any] = {}
    for (table,) in ledger.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
        if not table.startswith(LEFT_OUT):
            # how many a blocked job waits for is counted anew: a parent that runs again is not counted until then
            left_out = ("counted", "waits_for")
            names = [row[1] for row in ledger.rows(f"PRAGMA table_info({table})") if row[1] not in left_out]
            if "parked" in names:  # it says something of jobs that are pending only
                names[names.index("parked")] = "CASE state WHEN 'pending' THEN parked END"
            found[table] = sorted(ledger.rows(f"SELECT {', '.join(names)} FROM {table}"), key=repr)
    for table in ("tally", "lane", "minute"):
        found[table] = [row for row in ledger.rows(f"SELECT * FROM {table} ORDER BY 1, 2") if any(row[2:])]
    found["events"] = ledger.rows("SELECT id, kind, job, data FROM event WHERE kind LIKE 'job_%' ORDER BY id")
    return found


def fill(ledger: Ledger, clock: FakeClock, draw: Callable[..., Any]) -> list[str]:
    """Some jobs that have come some way; their ids."""
    made: list[str] = []
    for _ in range(draw(st.integers(1, 7))):
        after = draw(st.lists(st.sampled_from(made), max_size=2, unique=True)) if made else []
        flow = draw(st.sampled_from([None, "flow_1"]))
        try:
            with ledger.write() as tx:
                queues.ensure(tx, "upload")
                job = new_job(
                    tx.now,
                    queue="upload",
                    flow=flow,
                    after=after,
                    unique=draw(st.sampled_from([None, None, "one"])),
                    concurrency_key=draw(st.sampled_from([None, None, "red"])),
                    run_at=tx.now + draw(st.sampled_from([0, 0, 5])),
                    max_attempts=draw(st.integers(1, 2)),
                    on_parent_failure=draw(st.sampled_from(["cancel", "ignore"])),
                )
                made += storing.submit(tx, [job])
                if flow is not None and draw(st.booleans()):
                    follow.set_on_failure(tx, flow, new_job(tx.now, type="TELL", queue="upload", max_attempts=1))
        except Refused:
            pass
        clock.advance(draw(st.sampled_from([0.123456, 1, 7])))
        for _ in range(draw(st.integers(0, 2))):
            step(ledger, draw)
    return [id_ for (id_,) in ledger.rows("SELECT id FROM job ORDER BY seq")]


def step(ledger: Ledger, draw: Callable[..., Any]) -> None:
    """One thing that happens to some job."""
    what = draw(st.sampled_from(["complete", "complete", "fail", "fail", "run", "stage", "cancel", "index"]))
    with ledger.write() as tx:
        if what == "stage":
            upkeep.stage(tx)
        elif what == "cancel":
            row = tx.row("SELECT id FROM job WHERE finished_at IS NULL AND state <> 'processing' LIMIT 1")
            if row is not None:
                moves.cancel(tx, row[0], "no more")
        elif what != "index" and (job := claiming.claim(tx, "con_a/1")) is not None:
            if what == "complete":
                moves.complete(tx, job, {"ok": True})
            elif what == "fail":
                moves.fail(tx, job, BROKEN, 5.0)
    if what == "index":
        indexing.refresh(ledger, 100)
        indexing.extend(ledger, 100)


def act(ledger: Ledger, deed: audit.Deed, what: str, id_: str) -> None:
    """One action of a person; Refused and NotFound are among its answers."""
    if what == "clean":
        clean.clean(ledger, "upload", State.COMPLETED, ledger.clock.now(), "ada", deed.writing)
        return
    with deed.part() as part:
        if what in ("cancel", "retry", "delete"):
            move: Any = {
                "cancel": lambda: moves.cancel(part.tx, id_, "by ada"),
                "retry": lambda: moves.retry(part.tx, id_, {"new": 1}),
                "delete": lambda: moves.delete(part.tx, id_),
            }[what]
            with part.job(id_):
                move()
        elif what == "priority":
            with part.job(id_):
                priorities.set_priority(part.tx, id_, 90, "ada")
        elif what == "cancel flow":
            flows.cancel(part.tx, "flow_1", "by ada")
        elif what == "resume flow":
            flows.resume(part.tx, "flow_1")
        elif what == "pause":
            queues.pause(part.tx, "upload", "ada")
        else:
            queues.resume(part.tx, "upload", "ada")


def undo(ledger: Ledger, deed: audit.Deed) -> int:
    """Take all of it back; how many of its groups could not be."""
    assert deed.id is not None
    left = 0
    back = audit.Deed(ledger, ACTOR, "undo", undoes=deed.id)
    for number in audit.parts_kept(ledger, deed.id):
        with back.part() as part:
            for group in reversed(audit.kept(part.tx, deed.id, number)):
                try:
                    with part.job(*group.jobs):
                        undoing.put_back(part.tx, group, "ada")
                except Refused:
                    left += 1
            audit.keep(part.tx, deed.id, number, [])
    return left


def sound(ledger: Ledger) -> None:
    assert counts_agree(ledger)
    while indexing.refresh(ledger, 100).more or indexing.extend(ledger, 100).more:
        pass
    assert checks.unindexed(ledger) == []
    assert not checks.damaged_index(ledger)
    with ledger.write() as tx:
        assert tx.row("SELECT 1 FROM meta WHERE key = 'undoing'") is None


ACTIONS = st.sampled_from(
    [
        "cancel",
        "cancel",
        "retry",
        "retry",
        "delete",
        "delete",
        "cancel flow",
        "resume flow",
        "clean",
        "pause",
        "resume",
        "priority",
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_what_is_undone_was_never_done(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = FakeClock()
        ledger = Ledger(Path(folder) / "jobdesk.db", clock, synchronous=lambda: "off")
        try:
            made = fill(ledger, clock, data.draw)
            clock.advance(1)
            done: list[tuple[dict[str, Any], audit.Deed]] = []
            for _ in range(data.draw(st.integers(1, 3))):
                before = everything(ledger)
                deed = audit.Deed(ledger, ACTOR, "test")
                try:
                    act(ledger, deed, data.draw(ACTIONS), data.draw(st.sampled_from(made)) if made else "none")
                except (Refused, NotFound):
                    assert deed.id is None and everything(ledger) == before
                    continue
                if deed.id is None:
                    assert everything(ledger) == before  # it had nothing to do, and is no action
                    continue
                done.append((before, deed))
                sound(ledger)
                clock.advance(0.5)
                if data.draw(st.booleans()):
                    indexing.refresh(ledger, 100)
            while done:
                before, deed = done.pop()
                whole = bool(audit.parts_kept(ledger, deed.id or 0))
                if not whole or any(row[0] == "processing" for row in ledger.rows("SELECT state FROM job")):
                    undo(ledger, deed)  # what runs is not taken back
                    sound(ledger)
                    break
                assert undo(ledger, deed) == 0
                now = everything(ledger)
                told = now.pop("events")
                was = before.pop("events")
                assert [one for one in told if one in was] == was
                assert now == before
                sound(ledger)
        finally:
            ledger.close()
