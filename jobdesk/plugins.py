"""Finding processors: the entry-point group `jobdesk.processors`, and HOME/processors/*.py.

The built-in ones come in by the same door. A module that fails to import is a row with its error. What the user's own
files declare comes before what is installed.

Of each of the user's files that loads a copy is kept in HOME/run. Children run the copies, so that what they run is
what was checked; and while an edit does not load, the former copy goes on in its place.
"""

import importlib
import os
import sys
import traceback
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

from jobdesk.core.errors import UnknownType, UsageError
from jobdesk.core.loading import declared, load_file
from jobdesk.core.nearest import nearest
from jobdesk.core.processor import Processor

GROUP = "jobdesk.processors"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a processor lives, as a child process needs it: a module to import, or a file to load.

    Args:
        file: the user's own.
        copy: of it, as it was when it last loaded.
        registered: it came by `Desk.register`.
    """

    module: str
    file: str | None = None
    copy: str | None = None
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that did not import, or that claims a job type which another has."""

    name: str
    error: str
    traceback: str = ""


@dataclass(slots=True)
class Registry:
    """Every job type that this desk can run."""

    seen: tuple[tuple[str, int], ...] = ()
    """Files of the user's when they were read, with their times of change (nanoseconds)."""
    processors: dict[str, Processor] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def get(self, type_: str) -> Processor:
        """The processor of a job type.

        Raises:
            UnknownType: none has it; the message names the nearest, or the plug-in that failed to load.
        """
        found = self.processors.get(type_)
        if found is None:
            hint = nearest(type_, self.processors)
            if not hint:
                failed = f"{len(self.broken)} plug-in(s) failed to load; " if self.broken else ""
                hint = f"; {failed}`jobdesk processors list` shows all"
            raise UnknownType(f"no processor has the job type '{type_}'{hint}")
        return found

    def add(self, module: ModuleType, source: Source) -> None:
        """Take in every processor that the module itself defines."""
        for found in declared(module):
            other = self.sources.get(found.type)
            if other is not None and not (source.file and other.file is None):
                self.broken.append(
                    Broken(
                        source.file or source.module,
                        f"job type '{found.type}' is taken by {other.file or other.module}",
                    )
                )
                continue
            try:
                get_type_hints(found.function)
            except Exception as error:  # an annotation may be any expression
                name = f"{source.file or source.module}, {found.type}"
                self.broken.append(Broken(name, f"an annotation cannot be resolved: {error}", traceback.format_exc()))
                continue
            self.processors[found.type] = found
            self.sources[found.type] = source

    def take(self, found: Processor) -> None:
        """Take in a processor that came at run time; one of its type that came so before makes room.

        Raises:
            UsageError: another has its type.
        """
        other = self.sources.get(found.type)
        if other is not None and not other.registered:
            raise UsageError(f"job type '{found.type}' is taken by {other.file or other.module}: choose another")
        try:
            get_type_hints(found.function)
        except Exception as error:
            raise UsageError(f"processor {found.type}: an annotation cannot be resolved: {error}") from None
        self.processors[found.type] = found
        self.sources[found.type] = Source(found.function.__module__, registered=True)


def files_in(folder: Path) -> tuple[tuple[str, int], ...]:
    """The user's processor files with their times of change: another answer means that some should be read anew."""
    found = []
    for file in folder.glob("*.py"):
        with suppress(OSError):  # it may go at any moment
            found.append((str(file), file.stat().st_mtime_ns))
    return tuple(sorted(found))


def load(folder: Path, copies: Path, *, keep: bool = True) -> Registry:
    """Find every processor: entry points first, then the Python files in `folder`, by name.

    Args:
        copies: where copies of what loaded are kept; made when it is first needed.
        keep: False leaves them as they are.
    """
    registry = Registry(seen=files_in(folder))
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            with redirect_stdout(sys.stderr):  # what a module prints must not get into the output of a command
                module = importlib.import_module(point.module)
        except BaseException as error:  # a plug-in may even call exit(); it must not take the desk down
            _report(registry, f"{point.name} ({point.module})", error)
            continue
        registry.add(module, Source(point.module))
    for file in sorted(folder.glob("*.py")):
        if not _add_file(registry, file, copies / file.name, keep):
            _add_former(registry, file, copies / file.name)
    return registry


def _add_file(registry: Registry, file: Path, copy: Path, keep: bool) -> bool:
    """Take in a file of the user's; False if something of it is wrong, and there is a former copy to go on with."""
    broken, before = len(registry.broken), dict(registry.processors)
    sources = dict(registry.sources)
    try:
        text = file.read_bytes()
        with redirect_stdout(sys.stderr):
            module = load_file(file)
    except BaseException as error:
        _report(registry, str(file), error)
        return not copy.exists()
    registry.add(module, Source(module.__name__, str(file)))
    if len(registry.broken) > broken and copy.exists():
        registry.processors, registry.sources = before, sources
        return False
    mine = [type_ for type_, found in registry.processors.items() if before.get(type_) is not found]
    source = Source(module.__name__, str(file), _keep(text, copy) if keep else None)
    registry.sources.update(dict.fromkeys(mine, source))
    return True


def _add_former(registry: Registry, file: Path, copy: Path) -> None:
    """Go on with a file as it was when it last loaded."""
    broken = len(registry.broken)
    with suppress(Exception), redirect_stdout(sys.stderr):
        module = load_file(copy, file)
        registry.add(module, Source(module.__name__, str(file), str(copy)))
    del registry.broken[broken:]


def _keep(text: bytes, copy: Path) -> str | None:
    """Keep a copy of a file that loaded, in one move; its path, or None if it cannot be written."""
    try:
        if copy.exists() and copy.read_bytes() == text:
            return str(copy)
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        new = copy.with_name(f".{copy.name}.{os.getpid()}")
        new.write_bytes(text)
        new.replace(copy)
    except OSError:
        return None
    return str(copy)


def _report(registry: Registry, name: str, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        raise error
    registry.broken.append(Broken(name, f"{type(error).__name__}: {error}", traceback.format_exc()))
