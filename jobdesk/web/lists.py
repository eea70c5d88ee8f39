"""Lists of jobs: what may be asked for, and pages of it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from jobdesk.core.errors import UsageError
from jobdesk.core.query import Query, parse
from jobdesk.core.terms import Term
from jobdesk.web.route import Answer, Ask, Asked
from jobdesk.web.shapes import shown
from jobdesk.web.words import states

DEEPEST = 100_000
"""Jobs that a page number may lie behind; further on there is the cursor."""


def _whole(text: Any) -> Any:
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("it is not a whole number")
    return text


Number = Annotated[int, BeforeValidator(_whole)]


class JobsAsked(Asked):
    """Which jobs, and which page of them, newest first."""

    status: str | None = Field(default=None, description="States or words of Bull, commas in between.")
    queue: str | None = Field(default=None, min_length=1, description="May have * and ?.")
    type: str | None = Field(default=None, min_length=1, description="May have * and ?.")
    query: str = Field(default="", description="The query language of commands and app: age:>1h data.path:*.heic")
    page: Number = Field(default=1, ge=1)
    limit: Number = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, description="pagination.next of the page before; page is not looked at.")


class UsersJobsAsked(JobsAsked):
    """The same of all users."""

    user: str | None = Field(default=None, min_length=1, alias="userId", description="May have * and ?.")


def listed(ask: Ask, *, user: str | None = None, queue: str | None = None) -> Answer:
    """A page of the jobs that were asked for; of one queue, or one user."""
    asked: JobsAsked = ask.query
    query = parse(asked.query) & _terms(asked, user, queue or asked.queue)
    restricted = not ask.caller.admin
    if restricted:
        query &= Query((Term((_plain(ask.caller.user),), "user"),))
    skip = 0 if asked.cursor is not None else (asked.page - 1) * asked.limit
    if skip > DEEPEST:
        raise UsageError(f"page {asked.page} lies behind more than {DEEPEST:,} jobs: go on with pagination.next")
    text = str(query)
    found = ask.desk.jobs(text, limit=asked.limit, page=asked.cursor, skip=skip)
    total, exact = ask.desk.count(text)
    return Answer(
        [shown(job, ask.words) for job in found.jobs if not restricted or job.user == ask.caller.user],
        pagination={
            "page": None if asked.cursor is not None else asked.page,
            "limit": asked.limit,
            "total": total,
            "exact": exact,
            "totalPages": -(-total // asked.limit),
            "next": found.next,
        },
    )


def _terms(asked: JobsAsked, user: str | None, queue: str | None) -> Query:
    terms = []
    if asked.status is not None:
        terms.append(Term(tuple(state.value for state in states(asked.status)), "state"))
    for field, value in (("queue", queue), ("type", asked.type), ("user", user)):
        if value is not None:
            terms.append(Term((value,), field))
    return Query(tuple(terms))


def _plain(user: str | None) -> str:
    """A name that stands for one user: the query language would read * and ? as any."""
    if not user or "*" in user or "?" in user:
        raise UsageError("say whose jobs: x-user-id names no single user")
    return user
