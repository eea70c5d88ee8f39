"""What a route is: who asks what of it, and what it answers."""

import inspect
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import Job
from jobdesk.web.words import Words

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.web.feed import Feed

Method = Literal["GET", "POST", "DELETE"]


class Forbidden(JobdeskError):
    """Whoever asks may not do that."""

    code = "forbidden"


class Given(BaseModel):
    """What a request may say: keys in camelCase as other systems write them, nothing else, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """What the query of a request may say: all of it is text."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """What an answer has; more may come."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. The token makes anybody the desk's own; headers of a gateway may say for whom, and with what rights.

    Args:
        user: of `x-user-id`.
        admin: False if `x-user-role` says anything but admin: then it is only about this user's own jobs.
    """

    user: str | None = None
    admin: bool = True

    def see(self, job: Job) -> Job:
        """The job, if it concerns whoever asks.

        Raises:
            Forbidden: it is somebody else's.
        """
        if not self.admin and job.user != self.user:
            raise Forbidden("that job is another user's: only an admin may look at it")
        return job

    def need_admin(self) -> None:
        """
        Raises:
            Forbidden: it is not an admin who asks.
        """
        if not self.admin:
            raise Forbidden("only an admin may do that: x-user-role says otherwise")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, checked."""

    desk: "Desk"
    caller: Caller
    words: Words
    path: Mapping[str, str] = field(default_factory=dict)
    query: Any = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    feed: "Feed | None" = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: `data` of the document, with `pagination` beside it where it is a list."""

    data: Any
    status: int = 200
    pagination: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table.

    Args:
        path: with `{names}` of its parts.
        call: does it, in a thread; its docstring is what the document says of it.
        answers: the shape of `data`; a list of it with `many`.
        status: of the answer when all goes well.
        changes: refused where nothing may be changed.
        admin: only for admins.
        bare: the answer is `data` itself, without an envelope.
        text: the answer is text of this media type.
        stream: instead of `call`: messages until the client goes, each one an event; None: still there.
    """

    method: Method
    path: str
    call: Callable[[Ask], Any]
    answers: type[BaseModel] | None = None
    query: type[Asked] | None = None
    body: type[Given] | None = None
    many: bool = False
    status: int = 200
    changes: bool = False
    admin: bool = False
    bare: bool = False
    text: str | None = None
    stream: "Callable[[Ask], AsyncIterator[Message | None]] | None" = None
    body_optional: bool = False

    @property
    def name(self) -> str:
        """The operation's id: unique in the document."""
        return re.sub(r"\W+", "_", f"{self.method.lower()}{self.path}").strip("_")

    @property
    def tag(self) -> str:
        return self.path.split("/")[1].partition(".")[0]

    @property
    def about(self) -> str:
        return inspect.getdoc(self.stream or self.call) or ""

    @property
    def parts(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a stream; `id` is what a client shows when it comes again (Last-Event-ID)."""

    data: Mapping[str, Any]
    id: int | None = None
