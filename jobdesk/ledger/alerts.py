"""Alerts as the ledger keeps them: one for all processes, whoever looks. An open one is unique for rule and subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobdesk.core.alert import Alert, Reading, Rule, Severity
from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.events import Kind
from jobdesk.ledger.database import Ledger, Row, Tx

MOST = 20
"""Open alerts of one rule: when everything is slow, the worst say it."""
KEPT_S = 30 * 86400.0
"""How long cleared alerts are remembered."""
_LOOKED = "alert_looked"
_EARLY = 0.9
"""A look this much of the interval after another's is no look too many."""

_COLUMNS = (
    "a.id, a.rule, a.subject, a.severity, a.value, a.threshold, a.message, a.queue, a.job, a.since_at, a.raised_at, "
    "a.cleared_at, a.acked_at, a.acked_by, (SELECT max(s.until_at) FROM alert_silence s "
    "WHERE s.rule = a.rule AND s.subject IN ('', a.subject) AND s.until_at > ?)"
)


# ── reads ──


def open_alerts(ledger: Ledger | Tx, now: float) -> list[Alert]:
    """Alerts that have not been cleared, raised or not, oldest first."""
    rows = ledger.rows(f"SELECT {_COLUMNS} FROM alert a WHERE a.cleared_at IS NULL ORDER BY a.since_at, a.id", (now,))
    return [_alert(row) for row in rows]


def worst(ledger: Ledger, now: float) -> tuple[int, bool]:
    """How many alerts want somebody's attention, and whether one of them is an error."""
    wanted = [one.severity for one in open_alerts(ledger, now) if one.state == "active"]
    return len(wanted), Severity.ERROR in wanted


def recent(ledger: Ledger, now: float, limit: int) -> list[Alert]:
    """The newest alerts that were raised and have been cleared, newest first."""
    rows = ledger.rows(
        f"SELECT {_COLUMNS} FROM alert a WHERE a.cleared_at IS NOT NULL ORDER BY a.cleared_at DESC LIMIT ?",
        (now, limit),
    )
    return [_alert(row) for row in rows]


def get(ledger: Ledger, id_: int) -> Alert:
    """One alert.

    Raises:
        NotFound: there is none.
    """
    row = ledger.row(f"SELECT {_COLUMNS} FROM alert a WHERE a.id = ?", (ledger.clock.now(), id_))
    if row is None:
        raise NotFound(f"there is no alert {id_}: see `jobdesk alerts list --all`")
    return _alert(row)


def silences(ledger: Ledger | Tx, now: float) -> dict[tuple[str, str], float]:
    """Until when (epoch seconds) each rule and subject is silenced; '' stands for all subjects."""
    rows = ledger.rows("SELECT rule, subject, until_at FROM alert_silence WHERE until_at > ?", (now,))
    return {(rule, subject): float(until) for rule, subject, until in rows}


def looked_at(ledger: Ledger | Tx) -> float | None:
    """When any process looked last, epoch seconds."""
    row = ledger.row("SELECT CAST(value AS REAL) FROM meta WHERE key = ?", (_LOOKED,))
    return None if row is None else float(row[0])


def is_due(looked: float | None, now: float, every_s: float) -> bool:
    """Whether it is time for a look; a clock that was set back does not put it off."""
    return looked is None or not 0 <= now - looked < every_s * _EARLY


def _alert(row: Row) -> Alert:
    (id_, rule, subject, severity, value, threshold, message, queue, job, since, raised, cleared, acked, by,
     silenced) = row  # fmt: skip
    return Alert(
        id=id_, rule=rule, subject=subject, severity=Severity(severity), value=value, threshold=threshold,
        message=message, queue=queue, job=job, since_at=since, raised_at=raised, cleared_at=cleared, acked_at=acked,
        acked_by=by, silenced_until=silenced,
    )  # fmt: skip


# ── a look ──


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look came to: messages of what was raised, names of what was cleared."""

    raised: Sequence[str]
    cleared: Sequence[str]


def take_down(
    tx: Tx, rules: Sequence[Rule], found: Mapping[str, Sequence[Reading]], every_s: float, *, at_once: bool = False
) -> Seen | None:
    """Write what a look found; None if another process has just looked.

    Args:
        rules: all that hold; an open alert of another is cleared.
        found: by rule, its subjects that are beyond the threshold, the worst first. Alerts of rules that are missing
            here stay as they are.
        every_s: the interval of looks.
        at_once: whoever has looked when.
    """
    looked = looked_at(tx)
    if not at_once and not is_due(looked, tx.now, every_s):
        return None
    _follow_clock(tx, looked)
    passed_s = 0.0 if looked is None else min(max(0.0, tx.now - looked), 3 * every_s)
    tx.run("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (_LOOKED, repr(tx.now)))
    tx.run("DELETE FROM alert_silence WHERE until_at <= ?", (tx.now,))
    open_ = {(one.rule, one.subject): one for one in open_alerts(tx, tx.now)}
    silenced = silences(tx, tx.now)
    raised, cleared = list[str](), list[str]()
    known = {rule.name: rule for rule in rules}
    for (name, subject), alert in open_.items():
        readings = found.get(name)
        if name in known and (readings is None or any(one.subject == subject for one in readings)):
            continue
        if _clear(tx, alert):
            cleared.append(f"{name} {subject}")
    for name, readings in found.items():
        room = MOST - sum(rule == name for rule, _ in open_)
        for one in readings:
            before = open_.get((name, one.subject))
            if before is None and room <= 0:
                continue
            room -= before is None
            hush = silenced.get((name, "")) or silenced.get((name, one.subject))
            if _hold(tx, known[name], one, before, passed_s, hush is not None):
                raised.append(f"{name}: {one.message}")
    tx.run("DELETE FROM alert WHERE cleared_at < ?", (tx.now - KEPT_S,))
    return Seen(raised, cleared)


def _hold(tx: Tx, rule: Rule, reading: Reading, alert: Alert | None, passed_s: float, silenced: bool) -> bool:
    """The condition holds; whether it was raised now."""
    values = (round(reading.value, 2), rule.threshold, reading.message, rule.severity.value, reading.queue, reading.job)
    if alert is None:
        row = tx.row(
            "INSERT INTO alert (value, threshold, message, severity, queue, job, rule, subject, since_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*values, rule.name, reading.subject, tx.now),
        )
        assert row is not None
        id_ = int(row[0])
    else:
        id_ = alert.id
        tx.run(
            "UPDATE alert SET value = ?, threshold = ?, message = ?, severity = ?, queue = ?, job = ?, "
            "held_s = held_s + ? WHERE id = ?",
            (*values, passed_s, id_),
        )
    if silenced or (alert is not None and alert.raised_at is not None):
        return False
    if not tx.run(
        "UPDATE alert SET raised_at = ?1 WHERE id = ?2 AND raised_at IS NULL AND held_s >= ?3 AND NOT EXISTS ("
        "SELECT 1 FROM alert o WHERE o.rule = ?4 AND o.subject = ?5 AND o.cleared_at > ?1 - ?6)",
        (tx.now, id_, rule.for_s, rule.name, reading.subject, rule.cooldown_s),
    ):
        return False
    _tell(tx, Kind.ALERT_RAISED, id_, rule.name, reading.subject, *values, silenced=False)
    return True


def _clear(tx: Tx, alert: Alert) -> bool:
    """The condition has ended; whether it had been raised."""
    if alert.raised_at is None:
        tx.run("DELETE FROM alert WHERE id = ?", (alert.id,))
        return False
    tx.run("UPDATE alert SET cleared_at = ? WHERE id = ?", (tx.now, alert.id))
    _tell(
        tx, Kind.ALERT_CLEARED, alert.id, alert.rule, alert.subject, alert.value, alert.threshold, alert.message,
        alert.severity.value, alert.queue, alert.job, silenced=alert.silenced_until is not None,
    )  # fmt: skip
    return True


def _tell(
    tx: Tx, kind: Kind, id_: int, rule: str, subject: str, value: float, threshold: float, message: str, severity: str,
    queue: str | None, job: str | None, *, silenced: bool,
) -> None:  # fmt: skip
    more = ({"job_id": job} if job else {}) | ({"silenced": True} if silenced else {})
    tx.event(
        kind, None, queue, alert=id_, rule=rule, subject=subject, severity=severity, value=value, threshold=threshold,
        message=message, **more,
    )  # fmt: skip


def _follow_clock(tx: Tx, looked: float | None) -> None:
    """Where the clock was set back, nothing may lie ahead that has happened, and silences keep what is left of them."""
    if looked is None or looked <= tx.now:
        return
    tx.run("UPDATE alert SET cleared_at = ?1 WHERE cleared_at > ?1", (tx.now,))
    tx.run("UPDATE alert SET since_at = min(since_at, ?1), raised_at = min(raised_at, ?1) WHERE cleared_at IS NULL",
           (tx.now,))  # fmt: skip
    tx.run("UPDATE alert_signal SET at = ?1 WHERE at > ?1", (tx.now,))
    tx.run("UPDATE alert_silence SET until_at = until_at - ?", (looked - tx.now,))


# ── operators ──


def acknowledge(tx: Tx, id_: int, who: str) -> bool:
    """Somebody knows. False: somebody did already.

    Raises:
        NotFound: there is none.
        Refused: it is not raised, or has been cleared.
    """
    row = tx.row("SELECT raised_at, cleared_at FROM alert WHERE id = ?", (id_,))
    if row is None:
        raise NotFound(f"there is no alert {id_}: see `jobdesk alerts list --all`")
    if row[0] is None or row[1] is not None:
        raise Refused(
            f"alert {id_} {'is not raised' if row[1] is None else 'has been cleared'}: nothing to acknowledge"
        )
    return bool(
        tx.run("UPDATE alert SET acked_at = ?, acked_by = ? WHERE id = ? AND acked_at IS NULL", (tx.now, who, id_))
    )


def silence(tx: Tx, rule: str, subject: str, until: float, who: str) -> None:
    """Raise nothing of this rule and subject ('': any) until then; what is raised already stays, quietly."""
    tx.run(
        "INSERT INTO alert_silence VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET until_at = excluded.until_at, "
        "by = excluded.by, at = excluded.at",
        (rule, subject, until, who, tx.now),
    )


def unsilence(tx: Tx, rule: str, subject: str) -> bool:
    """End a silence. False: there was none."""
    return bool(tx.run("DELETE FROM alert_silence WHERE rule = ? AND subject = ?", (rule, subject)))
