"""How far each webhook has come with the events. A delivery is stored in the transaction that moves its cursor."""

from dataclasses import dataclass

from jobdesk.core.job import FINAL, State
from jobdesk.ledger.database import Ledger, Tx


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a webhook stands: the event up to which all is dealt with, and whether its latest delivery goes on."""

    cursor: int
    busy: bool


def standing(ledger: Ledger | Tx, name: str) -> Standing | None:
    """Where a webhook stands; None if it is new. A delivery that was deleted is over."""
    row = ledger.row(
        "SELECT w.cursor, j.state FROM webhook w LEFT JOIN job j ON j.id = w.job WHERE w.name = ?", (name,)
    )
    return None if row is None else Standing(int(row[0]), row[1] is not None and State(row[1]) not in FINAL)


def begin(ledger: Ledger, name: str) -> None:
    """Let a new webhook start with what happens from now on."""
    with ledger.write() as tx:
        tx.run(
            "INSERT INTO webhook VALUES (?, (SELECT coalesce(max(id), 0) FROM event), NULL) ON CONFLICT DO NOTHING",
            (name,),
        )


def advance(tx: Tx, name: str, cursor: int, job: str | None) -> None:
    """All up to an event is dealt with; `job` delivers what was wanted of it."""
    tx.run("UPDATE webhook SET cursor = ?, job = coalesce(?, job) WHERE name = ?", (cursor, job, name))


def types(ledger: Ledger, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Type and state of jobs by id; those that are gone are left out."""
    import json

    rows = ledger.rows(
        "SELECT id, type, state FROM job WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    )
    return {id_: (type_, state) for id_, type_, state in rows}
