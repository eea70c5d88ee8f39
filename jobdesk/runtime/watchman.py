"""The process that outlives a consumer to end its children: `python -I -S watchman.py PYTHON CONSUMER`.

Its input is a line of the consumer's: `+PID:START` for a child that began, `-PID:START` for one that was ended.
When the line closes and children are left, the consumer died: it becomes `python -m jobdesk.runtime.watchman
CONSUMER PID:START …`, which kills each with all it started. Until then it is an interpreter with nothing
loaded, some 3 MB: so nothing but what Python has anyway may be imported up here.
"""

import os
import sys


def wait(python: str, consumer: str) -> None:
    """Read the line to its end; does not return if children are left then."""
    known: set[str] = set()
    for line in sys.stdin:
        (known.add if line[0] == "+" else known.discard)(line[1:].strip())
    if known:
        os.execv(python, [python, "-P", "-m", "jobdesk.runtime.watchman", consumer, *known])


def avenge(consumer: str, children: list[str]) -> None:
    """Kill the children with all they started, and what got away from them before."""
    from jobdesk.runtime import processes

    for child in children:
        pid, _, started = child.partition(":")
        processes.kill_session(int(pid), float(started))
    for _ in range(processes.MOST_LOOKS):  # what is being killed may still start something
        if not processes.kill_marked(consumer):
            return


if __name__ == "__main__":
    if __spec__ is None:  # started as a file
        wait(*sys.argv[1:])
    else:
        avenge(sys.argv[1], sys.argv[2:])
