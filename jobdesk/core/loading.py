"""Loading modules that declare processors; the same in a desk and in the child that runs them."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from jobdesk.core.processor import MARK, Processor


def load_file(file: Path, shown: Path | None = None) -> ModuleType:
    """Import one Python file under a name of its own; what was there under that name stays if it does not load.

    No compiled copy is kept: one is not told from that of an edit of the same length in the same second.

    Args:
        shown: the file that it says it is, if `file` is a copy.
    """
    shown = shown or file
    name = f"jobdesk_home_processors.{shown.stem}"
    spec = importlib.util.spec_from_file_location(name, shown)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    former = sys.modules.get(name)
    sys.modules[name] = module
    try:
        exec(compile(file.read_bytes(), str(shown), "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[name]
        if former is not None:
            sys.modules[name] = former
        raise
    return module


def declared(module: ModuleType) -> Iterator[Processor]:
    """The processors that a module declares, in the order of its source."""
    for value in vars(module).values():
        found = getattr(value, MARK, None)
        if isinstance(found, Processor) and found.function.__module__ == module.__name__:
            yield found
