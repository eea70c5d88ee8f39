"""Names that the jobs of one batch have for one another in `after`: of that batch alone, and not stored."""

from collections.abc import Sequence
from functools import cached_property

from jobdesk.core.errors import UsageError
from jobdesk.core.submission import Submission


class Names:
    """Which job of a batch a name, or the id it was given, stands for: of those that were read so far."""

    def __init__(self, several: Sequence[Submission]) -> None:
        self._several = several
        self._read: dict[str, str] = {}

    @cached_property
    def _all(self) -> set[str | None]:
        return {one.name for one in self._several} | {one.id for one in self._several}

    def add(self, wanted: Submission, id_: str) -> None:
        """A job was read.

        Raises:
            UsageError: another one has its name, or it can be none.
        """
        name = wanted.name
        if name is not None:
            if not isinstance(name, str) or not name or name.startswith("job_"):
                raise UsageError(f"the name of a job in its batch is text, and no id: {name!r} will not do")
            if name in self._read:
                raise UsageError(f"another job of this batch has the name '{name}' already")
            self._read[name] = id_
        if wanted.id is not None:
            self._read[id_] = id_

    def find(self, name: str) -> str | None:
        """The id of the job with this name or id; None if the batch has none.

        Raises:
            UsageError: it is not among those before.
        """
        id_ = self._read.get(name)
        if id_ is None and name in self._all:
            raise UsageError(
                f"'{name}' is no job above this one: a job comes after ones that stand before it in the batch, "
                "so that none wait for each other"
            )
        return id_
