"""500 changes of jobs a second, each committed by itself: `python -m benchmarks.changes HOME [RATE]`, until killed."""

import sys
import time
from pathlib import Path

from jobdesk import Desk

QUEUE = "changes"


def main() -> None:
    """Submit a job to a paused queue and cancel it, by turns. A line on stdout says that it goes on."""
    home, rate = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 500.0
    with_home = Desk(home)
    with_home.pause(QUEUE)
    due, made, cancelled, told = time.monotonic(), list[str](), 0, False
    while True:
        if len(made) == cancelled:
            made.append(with_home.submit("email", {"to": "ada@example.org", "subject": "s", "body": "b"}, queue=QUEUE).id)
        else:
            with_home.cancel(made[cancelled])
            cancelled += 1
        if not told and cancelled:
            print("goes on", flush=True)
            told = True
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
