"""Books that jobs write into while they run: each entry is committed before the job goes on, and stands once."""

from collections.abc import Callable, Mapping
from typing import Any

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import Job
from jobdesk.ledger import claiming, payments, referrals
from jobdesk.ledger.database import Ledger, Tx

Entry = Mapping[str, Any]
BOOKS: Mapping[str, Callable[[Tx, Job, Entry], Any]] = {"payments": payments.write, "referrals": referrals.write}


def write(ledger: Ledger, job: Job, name: str, entry: Entry) -> Any:
    """Write an entry of a job whose claim still fits; what the book says then, as JSON.

    Raises:
        Refused: the book does not take it, or the job is another's by now.
        NotFound: what it is about does not stand there yet.
    """
    if name not in BOOKS:
        raise NotFound(f"there is no book '{name}': there are {', '.join(BOOKS)}")
    with ledger.write() as tx:
        if not claiming.held(tx, [job]):
            raise Refused("the job was given to somebody else meanwhile")
        return BOOKS[name](tx, job, entry)
