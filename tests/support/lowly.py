"""Work done by a user without privileges: root may do what file modes forbid, and tests often run as root."""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

UID = 65_534


def as_nobody(work: Callable[[], Any]) -> Any:
    """What `work` answers (JSON) in a child of this process that has given up root; modules it needs are imported."""
    if os.geteuid() != 0:
        return work()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.setgroups([])
            os.setgid(UID)
            os.setuid(UID)
            os.write(writer, json.dumps(work()).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the child failed: see above"
    return json.loads(said)


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to all but one."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
