"""What a desk does to itself as jobs, through a real consumer: backups, pruning, archives, service checks, recounts."""

import gzip
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import Job, State
from jobdesk.runtime.keeper import ServiceKeeper
from tests.support.factory import result_of
from tests.support.home import make_home, said, until
from tests.support.smtp import mail_server
from tests.support.web import Answer, server

PROCESSORS = '''
from jobdesk import Context, Reject, Secret, processor

@processor("work", retries=0)
def work(ctx: Context, n: int, key: Secret[str] | None = None) -> int:
    """Works."""
    ctx.log.info(f"this is {n}")
    if n % 5 == 0:
        raise Reject("five", reason="five-of-a-kind")
    return n
'''
README = Path(__file__).parents[2] / "README.md"
TYPES = {
    "cleanup", "file-cleanup", "cleanup-expired-jobs", "archive", "backup", "backup-data", "health-check-services",
    "update-queue-stats",
}  # fmt: skip
DAY_S = 86_400.0
OLD = ("jobdesk-20260101T010000Z.db", "jobdesk-20260102T010000Z.db", "settings-20260101T010000Z.tar.gz")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS, "[cleanup]\ntemp_files = '1d'\n")


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    with Desk(home) as desk:
        yield desk


def worked(desk: Desk, *numbers: int) -> list[Job]:
    """Jobs that have ended, those of five with a failure."""
    ids = [desk.submit("work", {"n": n}).id for n in numbers]
    desk.wait(*ids, timeout=60)
    return [desk.job(id_) for id_ in ids]


def age(desk: Desk, jobs: list[Job], days: float) -> None:
    with desk.ledger.write() as tx:
        tx.many("UPDATE job SET finished_at = finished_at - ? WHERE id = ?", [(days * DAY_S, job.id) for job in jobs])


def there(desk: Desk, jobs: list[Job]) -> list[int]:
    """The numbers of those that are still in the ledger."""
    return [job.data["n"] for job in jobs if desk.jobs(f"id:{job.id}").jobs]


def archived(home: Path) -> list[dict[str, Any]]:
    files = sorted((home / "archive").glob("*.ndjson.gz"))
    return [json.loads(line) for file in files for line in gzip.open(file, "rt")]


def test_a_backup_stays_though_the_clock_was_set_back_since_former_ones(desk: Desk, home: Path) -> None:
    (home / "backups").mkdir()
    later = home / "backups" / "jobdesk-29990101T010000Z.db"
    later.write_text("of a clock that was ahead")
    done = result_of(desk, "backup", keep=1)
    assert Path(done["backups"][0]["path"]).exists() and later.exists() and done["removed"] == []


def test_a_backup_is_a_whole_ledger_and_of_the_former_ones_the_newest_stay(desk: Desk, home: Path) -> None:
    worked(desk, 1, 2)
    folder = home / "backups"
    folder.mkdir()
    (folder / "jobdesk-v2-20250101T000000.db").write_text("from before an upgrade")
    (folder / "mine.db").write_text("somebody's own")
    for name in OLD:
        (folder / name).write_text("old")
    (folder / "jobdesk-20250101T010000Z.db").symlink_to(folder / "mine.db")
    (folder / ".jobdesk-20260103T010000Z.db.999999999").write_text("of one that was killed")
    before = sorted(os.listdir(folder))
    dry = result_of(desk, "backup", keep=2, dryRun=True)
    assert sorted(os.listdir(folder)) == before and dry["removed"] == [str(folder / OLD[0])]
    done = result_of(desk, "backup", type="database", keep=2)
    (made,) = done["backups"]
    assert (done["removed"], done["removed_bytes"]) == ([str(folder / OLD[0])], 3)
    with closing(sqlite3.connect(made["path"])) as copy:
        assert copy.execute("SELECT count(*) FROM job WHERE type = 'work'").fetchone() == (2,)
    assert made["bytes"] == Path(made["path"]).stat().st_size and Path(made["path"]).stat().st_mode & 0o777 == 0o600
    kept = {*before, Path(made["path"]).name} - {OLD[0], ".jobdesk-20260103T010000Z.db.999999999"}
    assert set(os.listdir(folder)) == kept
    assert result_of(desk, "backup", keep=1, retention="100 years")["removed"] == []  # none is that old
    assert result_of(desk, "backup", retention="30 days")["removed"] == []  # seven stay whatever their age
    assert str(folder / OLD[1]) in result_of(desk, "backup", keep=1, retention="30 days")["removed"]
    assert [entry.action for entry in desk.audit()].count("backup") == 4
    desk.close()
    answer = said(home, "restore", made["path"], "--json")
    assert answer.code == 0 and answer.json["missing_jobs"] > 0


def test_backup_data_packs_what_the_home_is_set_up_with_and_no_key(desk: Desk, home: Path) -> None:
    (home / "templates").mkdir()
    (home / "templates" / "hello.txt").write_text("Hello")
    (home / "processors" / "elsewhere").symlink_to("/etc")
    desk.submit("work", {"n": 1, "key": "s3cret"})
    assert (home / "secret.key").exists()
    done = result_of(desk, "backup-data")
    database, settings = done["backups"]
    assert database["jobs"] >= 1 and done["bytes"] == database["bytes"] + settings["bytes"]
    with tarfile.open(settings["path"]) as packed:
        assert packed.getnames() == ["jobdesk.toml", "processors/own.py", "templates/hello.txt"]
        file = packed.extractfile("processors/own.py")
        assert file is not None and file.read().decode() == PROCESSORS
    refused = desk.wait(desk.submit("backup", {"type": "settings"}).id, timeout=60)
    assert refused.state is State.COMPLETED and refused.artifacts[0].kind == "backup"


def test_expired_jobs_are_cleaned_up_by_the_rules_of_retention(desk: Desk, home: Path) -> None:
    old, new = worked(desk, 1, 2, 5), worked(desk, 3, 10)
    age(desk, old, 31)
    dry = result_of(desk, "cleanup-expired-jobs", olderThanDays=30, dryRun=True)
    assert (dry["removed"], there(desk, old)) == (3, [1, 2, 5]) and dry["bytes"] > 0
    done = result_of(desk, "cleanup-expired-jobs", olderThanDays=30)
    assert done == dry | {"dry_run": False}
    assert done["queues"] == {"default": {"completed": 2, "failed": 1}}
    assert (there(desk, old), there(desk, new)) == ([], [3, 10])
    assert result_of(desk, "cleanup-expired-jobs")["removed"] == 0  # nothing is as old as desk.retention
    (entry,) = [one for one in desk.audit() if one.action == "prune"]
    assert entry.after is not None and entry.after["removed"] == 3


def test_a_queue_keeps_dead_letters_for_its_own_time_and_as_many_as_it_says(tmp_path: Path) -> None:
    settings = '[queues.own]\ndead_letter_ttl = "90d"\nkeep_completed = 2\n[types.work]\nqueue = "own"\n'
    with Desk(make_home(tmp_path, PROCESSORS, settings)) as desk:
        jobs = worked(desk, 5, 1)
        age(desk, jobs, 40)
        dry = result_of(desk, "cleanup-expired-jobs", olderThan="30 days", queue="own", dryRun=True)
        done = result_of(desk, "cleanup-expired-jobs", olderThan="30 days", queue="own")
        assert dry["queues"] == done["queues"] == {"own": {"completed": 1}} and there(desk, jobs) == [5]
        wrong = desk.wait(desk.submit("cleanup-expired-jobs", {"queue": "onw"}).id, timeout=60)
        assert wrong.error is not None and (wrong.error.type, wrong.attempt) == ("NotFound", 1)
        assert "there is no queue onw, did you mean 'own'?" in wrong.error.message


def test_a_job_whose_time_to_start_has_passed_expires(desk: Desk) -> None:
    desk.pause("default")
    late = desk.submit("work", {"n": 1}, expires="1ms")
    assert result_of(desk, "cleanup-expired-jobs")["expired"] <= 1  # the consumer may have been first
    assert desk.wait(late.id, timeout=60).state is State.EXPIRED


def test_what_is_archived_is_in_a_file_with_its_history_and_no_longer_in_the_ledger(desk: Desk, home: Path) -> None:
    old, new = worked(desk, 1, 2, 5), worked(desk, 3)
    secret = desk.wait(desk.submit("work", {"n": 4, "key": "s3cret"}).id, timeout=60)
    age(desk, [*old, secret], 31)
    dry = result_of(desk, "archive", olderThanDays=30, dryRun=True)
    assert (dry["jobs"], dry["files"]) == (3, []) and not (home / "archive").exists()
    before = {job.id: desk.job(job.id).to_json() for job in (*old, secret)}
    done = result_of(desk, "archive")  # [archive] older_than is 30d
    assert done["jobs"] == 3 and done["queues"] == {"default": {"completed": 3}}
    (file,) = done["files"]
    assert file["bytes"] == Path(file["path"]).stat().st_size == done["bytes"]
    assert (there(desk, old), there(desk, new), there(desk, [secret])) == ([5], [3], [])
    records = archived(home)
    assert sorted(one["data"]["n"] for one in records) == [1, 2, 4]
    for one in records:
        history, (attempt,) = one.pop("history"), one.pop("attempts")
        assert one == before[one["id"]]
        assert [event["event"] for event in history] == ["job_created", "job_started", "job_log", "job_completed"]
        assert attempt["outcome"] == "completed"
    assert b"s3cret" not in gzip.decompress(Path(file["path"]).read_bytes())
    assert result_of(desk, "archive")["files"] == []
    failed = result_of(desk, "archive", states=["failed"], olderThan="30d", queue="default")
    assert failed["jobs"] == 1 and there(desk, old) == []
    assert len(archived(home)) == 4 and [one.action for one in desk.audit()].count("archive") == 2


def test_what_a_flow_may_still_need_is_neither_archived_nor_removed(tmp_path: Path) -> None:
    steps = "".join(
        f'[[flows.steps]]\nname = "s{n}"\ntype = "work"\ndata = {{ n = {n} }}\n' + (f'after = ["s{n - 1}"]\n' * (n > 4))
        for n in (4, 5)
    )
    with Desk(make_home(tmp_path, PROCESSORS, f'[[flows]]\nname = "two"\n{steps}')) as desk:
        flow = desk.start_flow("two", {})
        desk.wait_flow(flow.id, timeout=60)
        assert result_of(desk, "archive", olderThanDays=0, queue="default")["jobs"] == 0
        assert result_of(desk, "cleanup-expired-jobs", olderThanDays=0, queue="default")["queues"] == {
            "default": {"failed": 1}
        }


def test_services_are_really_asked_and_health_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t0p")
    with server() as shop, server(lambda asked: Answer(503)) as bank, mail_server() as post:
        settings = (
            f'[services.shop]\nurl = "{shop.url}/v1"\nhealth = "/up"\ntoken = "${{env:SHOP_TOKEN}}"\n'
            f'[providers.bank]\nurl = "{bank.url}/v2"\n'
            f'[email]\nhost = "127.0.0.1"\nport = {post.port}\nsecurity = "none"\nsender = "desk@example.org"\n'
        )
        with Desk(make_home(tmp_path, PROCESSORS, settings)) as desk:
            done = result_of(desk, "health-check-services")
            assert (done["checked"], done["healthy"], done["unhealthy"]) == (3, 2, 1)
            assert done["services"]["bank"]["message"] == "HTTP 503"
            assert "takes mail" in done["services"]["smtp"]["message"] and not post.letters
            assert {one.path for one in shop.asked} == {"/v1/up"} and [one.path for one in bank.asked] == ["/v2"]
            assert not any("authorization" in one.headers for one in shop.asked)
            details = desk.health(detailed=True)["details"]["services"]
            assert (details["bank"]["health"]["ok"], details["smtp"]["health"]["ok"]) == (False, True)
            assert "service bank answered: HTTP 503" in [one["message"] for one in desk.health()["problems"]]
            assert desk.service("bank").state == "closed"
            keeper = ServiceKeeper(desk.ledger, desk.clock, desk.probes)
            keeper.run_once()  # a consumer asks health URLs; what has none stays as it was answered
            assert desk.service("bank").probe is not None and len(bank.asked) == 1
            bank.answer = lambda asked: Answer(404)
            assert result_of(desk, "health-check-services", services=["bank"])["healthy"] == 1
            assert desk.health()["checks"]["services"] is True
            refused = desk.wait(desk.submit("health-check-services", {"services": ["nobody"]}).id, timeout=60)
            assert refused.error is not None and refused.error.type == "NotConfigured"
            config = desk.home.settings.read_text().replace("[providers.bank]", "[providers.lender]")
            desk.home.settings.write_text(config)

            def forgotten() -> bool:
                desk.settings.renew()
                keeper.run_once()
                return "bank" not in desk.health(detailed=True)["details"]["services"]

            until(forgotten)


def test_without_services_a_check_says_so(desk: Desk) -> None:
    job = desk.wait(desk.submit("health-check-services").id, timeout=60)
    assert job.result["checked"] == 0
    assert "no service is configured" in next(event.data["message"] for event in desk.logs(job.id))


def test_counts_that_are_wrong_are_corrected(desk: Desk) -> None:
    worked(desk, 1, 5)
    with desk.ledger.write() as tx:
        tx.run("UPDATE tally SET n = n + 7 WHERE queue = 'default' AND state = 'completed'")
        tx.run("UPDATE minute SET completed = 0")
    done = result_of(desk, "update-queue-stats")
    assert done["corrected"]["counts"] == 1 and done["corrected"]["minutes"] >= 1
    own = done["queues"]["default"]
    assert (own["completed"], own["failed"], own["total"], own["waiting"]) == (1, 1, 2, 0)
    assert own["processingRate"] > 0 and own["averageProcessingTime"] >= 0 and own["healthStatus"] == "warning"
    again = result_of(desk, "update-queue-stats")
    assert set(again["corrected"].values()) == {0}


def test_maintenance_is_a_flow_and_every_schedule_of_it_makes_jobs_that_complete(tmp_path: Path) -> None:
    text = README.read_text().split("### Upkeep\n")[1].split("```toml\n")[1].split("```")[0]
    with Desk(make_home(tmp_path, PROCESSORS, text)) as desk:
        flow = desk.start_flow("maintenance", {})
        assert desk.wait_flow(flow.id, timeout=120).state.value == "completed"
        assert [job.type for job in desk.jobs(f"flow:{flow.id}").jobs][::-1] == [
            "health-check-services", "file-cleanup", "archive", "update-queue-stats",
        ]  # fmt: skip
        names = [one.name for one in desk.schedules_off() if one.type in TYPES]
        assert len(names) == 9
        jobs = []
        for name in names:
            desk.resume_schedule(name)
            jobs.append(desk.trigger_schedule(name).id)
        desk.wait(*jobs, timeout=120)
        assert {desk.job(id_).type for id_ in jobs} == TYPES
        assert {desk.job(id_).state for id_ in jobs} == {State.COMPLETED}
