"""Queues: made from settings, or with defaults when a submission first names them; paused and resumed."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobdesk.core.errors import NotFound
from jobdesk.core.events import Kind
from jobdesk.ledger.database import Ledger, Tx


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """What the settings say of a queue. Spans in seconds; None means no limit."""

    priority: int = 50
    concurrency: int | None = None
    ttl_s: float | None = None
    dead_letter_ttl_s: float | None = None
    max_size: int | None = None
    keep_completed: int | None = None
    keep_failed: int | None = None
    description: str = ""


_COLUMNS = (
    "priority", "concurrency", "ttl_s", "dead_letter_ttl_s", "max_size", "keep_completed", "keep_failed",
    "description",
)  # fmt: skip
_WRITE = (
    f"INSERT INTO queue (name, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)}) "
    f"ON CONFLICT DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in _COLUMNS)}"
)


def sync(ledger: Ledger, specs: Mapping[str, QueueSpec]) -> None:
    """Make the queue table say what the settings say; pauses stay. Writes only when something differs.

    A queue that they do not name (any more) has the defaults.
    """
    known = {row[0]: QueueSpec(*row[1:]) for row in ledger.rows(f"SELECT name, {', '.join(_COLUMNS)} FROM queue")}
    wanted = dict.fromkeys(known, QueueSpec()) | dict(specs)
    changed = [(name, spec) for name, spec in wanted.items() if known.get(name) != spec]
    if not changed:
        return
    with ledger.write() as tx:
        for name, spec in changed:
            ensure(tx, name, spec)
        tx.wakes = True


def ensure(tx: Tx, name: str, spec: QueueSpec | None = None) -> None:
    """Make the queue if it is new, and what the settings say of it; None: they say nothing, it is as it was."""
    if spec is None:
        tx.run("INSERT INTO queue (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        return
    row = tx.row(f"SELECT {', '.join(_COLUMNS)} FROM queue WHERE name = ?", (name,))
    if row is None or QueueSpec(*row) != spec:
        tx.run(_WRITE, (name, *(getattr(spec, column) for column in _COLUMNS)))


def set_concurrency(tx: Tx, name: str, most: int | None) -> None:
    """Let so many of its jobs run at once where the settings say nothing; None for no limit."""
    tx.run("UPDATE queue SET concurrency_set = ? WHERE name = ?", (most, name))
    tx.wakes = True


def pause(tx: Tx, name: str, who: str) -> bool:
    """Start no more jobs of this queue; what runs goes on. False: it was paused already.

    Raises:
        NotFound: there is no such queue.
    """
    _must_exist(tx, name)
    done = tx.run(
        "UPDATE queue SET paused_at = ?, paused_by = ? WHERE name = ? AND paused_at IS NULL", (tx.now, who, name)
    )
    if done:
        tx.event(Kind.QUEUE_PAUSED, queue=name, user=who)
    return bool(done)


def resume(tx: Tx, name: str, who: str) -> bool:
    """Start jobs of this queue again. False: it was not paused.

    Raises:
        NotFound: there is no such queue.
    """
    _must_exist(tx, name)
    done = tx.run(
        "UPDATE queue SET paused_at = NULL, paused_by = NULL WHERE name = ? AND paused_at IS NOT NULL", (name,)
    )
    if done:
        tx.event(Kind.QUEUE_RESUMED, queue=name, user=who)
        tx.wakes = True
    return bool(done)


def _must_exist(tx: Tx, name: str) -> None:
    if tx.row("SELECT 1 FROM queue WHERE name = ?", (name,)) is None:
        raise NotFound(f"there is no queue {name}")
