"""500 changes of jobs a second, each committed by itself: `python -m benchmarks.changes HOME [RATE]`, until killed."""

import sys
import time
from pathlib import Path

from jobdesk import Desk

QUEUE = "notifications"


def main() -> None:
    """Submit a job to a paused queue and cancel it, by turns. A line on stdout says that it goes on."""
    home, rate = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 500.0
    desk = Desk(home)
    desk.pause(QUEUE)
    due, made, cancelled, told = time.monotonic(), list[str](), 0, False
    while True:
        if len(made) == cancelled:
            made.append(desk.submit("command", {"argv": ["true"]}, queue=QUEUE).id)
        else:
            desk.cancel(made[cancelled])
            cancelled += 1
        if not told and cancelled:
            print("goes on", flush=True)
            told = True
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
