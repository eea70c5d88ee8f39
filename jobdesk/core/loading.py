"""Loading modules that declare processors; the same in a desk and in the child that runs them."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from jobdesk.core.processor import MARK, Processor


def load_file(file: Path) -> ModuleType:
    """Import one Python file under a name of its own."""
    name = f"jobdesk_home_processors.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def declared(module: ModuleType) -> Iterator[Processor]:
    """The processors that a module declares, in the order of its source."""
    for value in vars(module).values():
        found = getattr(value, MARK, None)
        if isinstance(found, Processor) and found.function.__module__ == module.__name__:
            yield found
