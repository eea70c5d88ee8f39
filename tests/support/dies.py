"""`jobdesk` that is killed right before it changes the name of a file for the nth time: N WORDS…"""

import os
import signal
import sys

from jobdesk.cli.main import main

CHANGES = frozenset({"os.rename", "os.link", "os.remove"})


def die_at(last: int) -> None:
    done = 0

    def heard(event: str, _: object) -> None:
        nonlocal done
        done += event in CHANGES
        if done == last and event in CHANGES:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)


if __name__ == "__main__":
    die_at(int(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
