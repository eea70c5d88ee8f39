"""Whether the ledger is whole and agrees with itself."""

from jobdesk.ledger import checks, indexing, mending
from jobdesk.monitoring.finding import FIX, RESTORE, Finding, Patient, put_right, some

_COUNTS = "screens and limits go by the counts, and a queue whose count is wrong may be passed over"


def integrity(patient: Patient) -> Finding:
    """The file and its indexes; an index alone can be built anew."""
    damage = checks.damage(patient.ledger)
    if not damage:
        return Finding("database", True, "the database is whole")
    said = f"{patient.ledger.path} is damaged: {damage[0].strip().splitlines()[-1]}"
    if not all(map(checks.is_of_an_index, damage)):
        return Finding("database", False, said, "jobs may be lost or wrong, and the damage may grow", RESTORE)
    found = Finding("database", False, said, "what is looked up through an index is not found", None)
    found = put_right(found, patient, lambda: mending.rebuild_indexes(patient.ledger))
    if patient.fix and (left := checks.damage(patient.ledger)):
        return Finding("database", False, f"{patient.ledger.path} is damaged: {left[0]}", found.why, RESTORE)
    return found


def counts(patient: Patient) -> Finding:
    """Jobs of each queue and state, and what is ready of each type."""
    wrong, lanes = checks.wrong_tallies(patient.ledger), checks.wrong_lanes(patient.ledger)
    if not wrong and not lanes:
        return Finding("counts", True, "every queue's counts are right")
    if wrong:
        queue, state, counted, there = wrong[0]
        said = f"queue {queue} has {there:,} {state} jobs, not {counted:,}"
    else:
        queue, type_, counted, there = lanes[0]
        said = f"queue {queue} has {there:,} ready jobs of the type {type_}, not {counted:,}"
    found = Finding("counts", False, f"{some(len(wrong) + len(lanes), 'count')} wrong: {said}", _COUNTS)
    return put_right(found, patient, lambda: mending.counts(patient.ledger))


def minutes(patient: Patient) -> Finding:
    """Ends in each minute of the last week."""
    short = checks.short_minutes(patient.ledger)
    if not short:
        return Finding("minutes", True, "what ended in each minute is counted")
    found = Finding(
        "minutes", False, f"{some(len(short), 'minute')} of the last week count fewer ends than there are",
        "throughput is shown lower than it was",
    )  # fmt: skip
    return put_right(found, patient, lambda: mending.minutes(patient.ledger, short))


def flows(patient: Patient) -> Finding:
    """How many jobs of each flow there are, are open, and failed."""
    wrong = checks.wrong_flows(patient.ledger)
    if not wrong:
        return Finding("flows", True, "every flow's counts are right")
    found = Finding(
        "flows", False, f"the counts of {some(len(wrong), 'flow')} are wrong, {wrong[0]} first",
        "a flow may never be said to have ended, so that who waits for it waits for ever",
    )  # fmt: skip
    return put_right(found, patient, lambda: mending.flows(patient.ledger, wrong))


def waiting(patient: Patient) -> Finding:
    """For how many others each blocked job waits."""
    wrong = checks.wrong_waits(patient.ledger)
    if not wrong:
        return Finding("blocked jobs", True, "every blocked job waits for jobs that are there")
    _, id_, counted, there = wrong[0]
    found = Finding(
        "blocked jobs", False,
        f"{some(len(wrong), 'blocked job')} wait for a wrong number of others: {id_} for {counted}, not {there}",
        "they would wait for ever, or begin too early",
    )  # fmt: skip
    return put_right(found, patient, lambda: mending.waiting(patient.ledger, [row[0] for row in wrong]))


def orphans(patient: Patient) -> Finding:
    """Rows whose job is gone, and jobs whose queue is."""
    ledger = patient.ledger
    tables = [table for table in mending.OWNED if checks.jobs_gone(ledger, table, 1)]
    queues = checks.queues_without_a_row(ledger)
    if not tables and not queues:
        return Finding("rows", True, "every row has its job, and every job its queue")
    said = [f"rows of {', '.join(sorted(tables))} belong to jobs that are gone"] if tables else []
    said += [f"the queue {queues[0]} has jobs and is not there"] if queues else []
    why = "jobs of a queue that is not there never run" if queues else "they take room, and later jobs may inherit them"

    def mend() -> None:
        for table in tables:
            mending.rows_of_no_job(ledger, table)
        if queues:
            mending.make_queues(ledger, queues)

    return put_right(Finding("rows", False, "; ".join(said), why), patient, mend)


def words(patient: Patient) -> Finding:
    """The index of words against the jobs."""
    ledger = patient.ledger
    damaged = checks.damaged_index(ledger)
    missing = [] if damaged else checks.unindexed(ledger)
    if not damaged and not missing:
        return Finding("search", True, "the index of words agrees with the jobs")
    said = "the index of words is damaged" if damaged else f"the index of words does not find {missing[0]}"
    found = Finding("search", False, said, "searches miss jobs", f"{FIX} has it built anew by the next consumer")

    def mend() -> None:
        with ledger.write() as tx:
            indexing.reset(tx)

    return put_right(found, patient, mend)
