"""What a desk does with processors: finds them, takes in new ones while it runs, and keeps their schedules."""

import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jobdesk.core.errors import UsageError
from jobdesk.home import Home
from jobdesk.ledger.database import Ledger

if TYPE_CHECKING:
    from jobdesk.core.job import NewJob
    from jobdesk.core.processor import Processor
    from jobdesk.core.schedule import ScheduleSpec
    from jobdesk.core.submission import Submission
    from jobdesk.plugins import Registry


class Plugging:
    """The methods of `Desk` about processors; no object of its own."""

    home: Home
    ledger: Ledger
    read_only: bool
    _registered: "list[Processor]"
    """Those that came in by `register`, in order."""

    if TYPE_CHECKING:

        def prepare(self, wanted: Submission) -> NewJob: ...

    @cached_property
    def registry(self) -> "Registry":
        """Every processor; found on first use, since it imports them all."""
        return self._load()

    def renew_registry(self) -> "Registry":
        """The processors as they are now: read again if a file of the user's has changed."""
        from jobdesk import plugins

        if self.registry.seen != plugins.files_in(self.home.processors):
            self.__dict__["registry"] = self._load()
        return self.registry

    def _load(self) -> "Registry":
        from jobdesk import plugins

        if self.read_only:
            sys.dont_write_bytecode = True  # importing them would leave a __pycache__ in the home
        found = plugins.load(self.home.processors, self.home.run / "processors", keep=not self.read_only)
        for one in self._registered:
            found.take(one)
        return found

    def register(self, function: Callable[..., Any], type: str | None = None, **options: Any) -> "Processor":
        """Take in a processor while the desk runs; this desk and its own consumer know it, other processes do not.

        Args:
            function: declared with @processor; any other needs `type`, and takes the options of @processor.
            type: of a function that is not declared; it runs in a thread of this process.

        Raises:
            UsageError: it is no processor, its type is taken, or a child process could not find it.
        """
        from jobdesk.core.processor import MARK, processor

        found: Processor | None = getattr(function, MARK, None)
        if found is None:
            if type is None:
                raise UsageError(f"{_name(function)} is no processor: declare it with @processor, or say its type")
            try:
                processor(type, **({"isolation": "thread"} | options))(function)
            except (TypeError, ValueError) as error:
                raise UsageError(f"{_name(function)} cannot be a processor: {error}") from None
            found = getattr(function, MARK)
        assert found is not None
        if found.isolation == "process" and not _found_by_children(found):
            raise UsageError(
                f"{_name(function)} cannot be found by a child process: declare it at the top of a module that can be "
                'imported, or with isolation="thread"'
            )
        self.registry.take(found)
        self._registered = [one for one in self._registered if one.type != found.type] + [found]
        if found.schedule is not None:
            self.sync_plugin_schedules()
        return found

    def sync_plugin_schedules(self) -> None:
        """Bring the schedules that processors bring with them in line; a wrong one is a row of the broken."""
        from jobdesk.core.schedule import Origin
        from jobdesk.core.submission import Submission
        from jobdesk.plugins import Broken
        from jobdesk.schedules import catalog

        registry, specs = self.registry, []
        for one in registry.processors.values():
            if one.schedule is None:
                continue
            try:
                spec = catalog.checked(_spec(one))
                self.prepare(Submission(type=one.type, data=spec.data, queue=spec.queue, priority=spec.priority))
            except (UsageError, ValueError) as error:
                row = Broken(f"{one.type}, its schedule", str(error))
                registry.broken += [row] if row not in registry.broken else []
            else:
                specs.append(spec)
        catalog.sync(self.ledger, specs, Origin.PLUGIN)


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", function))


def _found_by_children(found: "Processor") -> bool:
    """Whether a child that imports the processor's module finds it there."""
    name = found.function.__module__
    module = sys.modules.get(name)
    if module is None or name == "__main__" or getattr(module, "__spec__", None) is None:
        return False
    return any(value is found.function for value in vars(module).values())


def _spec(one: "Processor") -> "ScheduleSpec":
    from jobdesk.core.job import priority
    from jobdesk.core.schedule import Missed, Overlap, ScheduleSpec

    said = dict(one.schedule or {})
    return ScheduleSpec(
        name=one.type,
        type=one.type,
        cron=said["cron"],
        timezone=said.get("timezone", "UTC"),
        data=dict(said.get("data", {})),
        queue=said.get("queue"),
        priority=priority(said["priority"]) if "priority" in said else None,
        missed=Missed(said.get("missed", "once")),
        overlap=Overlap(said.get("overlap", "allow")),
    )
