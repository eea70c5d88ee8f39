"""The doctor finds what is wrong and mends what is safe."""

from pathlib import Path

from jobdesk.core.query import parse
from jobdesk.ledger import checks, indexing, search
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.doctor import Finding, doctor
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit


def look(ledger: Ledger, *folders: Path, consumers: tuple[Consumer, ...] = (), fix: bool = False) -> dict[str, Finding]:
    home = ledger.path.parent
    found = doctor(ledger, home=home, now=ledger.clock.now(), consumers=consumers, folders=folders, fix=fix)
    return {one.name: one for one in found}


def bad(found: dict[str, Finding]) -> set[str]:
    """What is not ok, leaving out what is this machine's own."""
    return {name for name, one in found.items() if not one.ok} - {"disk", "file events"}


def test_a_sound_home_has_no_findings(ledger: Ledger) -> None:
    ledger.path.parent.chmod(0o700)
    submit(ledger, flow="flow_1")
    assert bad(look(ledger)) == set()


def test_wrong_counts_are_found_and_counted_again(ledger: Ledger) -> None:
    ledger.path.parent.chmod(0o700)
    for _ in range(3):
        submit(ledger, flow="flow_1")
    with ledger.write() as tx:
        tx.run("UPDATE tally SET n = 7")
        tx.run("UPDATE flow SET open = 0, total = 9")
    found = look(ledger)
    assert bad(found) == {"counts", "flows"}
    assert found["counts"].message == "1 counts are wrong: queue default has 3 pending jobs, not 7"
    assert all(found[name].mend for name in ("counts", "flows"))
    mended = look(ledger, fix=True)
    assert mended["counts"].fixed and mended["flows"].fixed
    assert (checks.wrong_tallies(ledger), checks.wrong_flows(ledger)) == ([], [])
    assert ledger.row("SELECT total, open, failed FROM flow") == (3, 3, 0)
    assert bad(look(ledger)) == set()


def test_an_index_of_words_that_does_not_agree_is_built_anew(ledger: Ledger) -> None:
    ledger.path.parent.chmod(0o700)
    id_ = submit(ledger, data={"path": "sunset"})
    indexing.extend(ledger, 10)
    with ledger.write() as tx:
        tx.run("INSERT INTO fulltext (fulltext) VALUES ('delete-all')")
    assert bad(look(ledger)) == {"search"}
    assert look(ledger, fix=True)["search"].fixed
    assert bad(look(ledger)) == set()
    indexing.extend(ledger, 10)
    with ledger.write() as tx:
        tx.run("UPDATE fulltext_data SET block = x'00' WHERE id > 10")
    found = look(ledger)
    assert bad(found) == {"search"} and "damaged" in found["search"].message
    assert look(ledger, fix=True)["search"].fixed
    assert search.ids(ledger, parse("text:sunset")) == [id_]


def test_running_jobs_of_the_dead_are_reported(ledger: Ledger) -> None:
    id_ = submit(ledger)
    claim(ledger, "con_dead/1")
    finding = look(ledger)["running jobs"]
    assert not finding.ok and id_ in finding.message and "jobdesk --consumer" in str(finding.mend)
    living = Consumer("con_dead", "app", 1, 0.0, 1, None, 0.0, 0.0)
    assert look(ledger, consumers=(living,))["running jobs"].ok


def test_missing_folders_of_the_home_are_made_but_not_those_elsewhere(ledger: Ledger, tmp_path: Path) -> None:
    own, other = ledger.path.parent / "inbox", tmp_path.parent / "mnt" / "not-mounted"
    assert str(own) in look(ledger, own, other)["folders"].message
    finding = look(ledger, own, other, fix=True)["folders"]
    assert own.is_dir() and not other.exists()
    assert not finding.ok and str(own) not in finding.message
    assert look(ledger, own)["folders"].ok


def test_an_open_home_is_made_private(ledger: Ledger) -> None:
    ledger.path.parent.chmod(0o755)
    ledger.path.chmod(0o644)
    assert not look(ledger)["permissions"].ok
    assert look(ledger, fix=True)["permissions"].fixed
    assert (ledger.path.parent.stat().st_mode & 0o777, ledger.path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_things_dated_ahead_are_found(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger)
    clock.advance(-3600)
    assert not look(ledger)["clock"].ok


def test_a_damaged_database_is_found(ledger: Ledger) -> None:
    for _ in range(200):
        submit(ledger, data={"pad": "x" * 1000})
    ledger.row("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    with ledger.path.open("r+b") as file:
        file.seek(ledger.path.stat().st_size // 2)
        file.write(b"\x5a" * 20_000)
    finding = look(ledger)["database"]
    assert not finding.ok and finding.mend is not None and "backup" in finding.mend
