"""Archives all jobs that have ended and kills itself on the way: `python -m tests.support.archiver HOME WHERE COUNT`.

WHERE is `writing` (after so many jobs were written) or `removing` (before so many-th batch leaves the ledger).
"""

import os
import signal
import sys

from jobdesk import Desk, archive


def main() -> None:
    home, where, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    left = count

    def told(jobs: int) -> None:
        nonlocal left
        if (where == "writing") == bool(jobs):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    archive._BATCH = 10
    desk = Desk(home)
    desk.archive(older_than=0.0, told=told)
    desk.close()


if __name__ == "__main__":
    main()
