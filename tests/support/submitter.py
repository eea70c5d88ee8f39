"""A program that submits jobs of every kind until it is killed or has submitted enough: HOME SEED MOST [PAUSE_S].

After each submission that returned it appends the ids to `stored` beside the home, with one write.
"""

import os
import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from jobdesk import Desk
from jobdesk.core.submission import Submission

KINDS = {
    "quick": 8, "small": 4, "slow": 3, "slow.thread": 2, "flaky": 2, "flaky.child": 1, "doomed": 1, "tree": 1,
}  # fmt: skip
LIGHT = {kind: KINDS[kind] for kind in ("quick", "small", "flaky", "doomed")}
"""What many submitters at once choose from, so that two processors can keep up."""
KEYED = ("quick", "small", "slow", "slow.thread")


def one(dice: random.Random, kinds: Mapping[str, int]) -> Submission:
    type_ = dice.choices(list(kinds), list(kinds.values()))[0]
    key = f"key-{dice.randrange(4)}" if type_ in KEYED and dice.random() < 0.3 else None
    data: dict[str, object] = {"key": key} if key else {}
    if type_ in ("slow", "slow.thread"):
        data["ms"] = dice.randrange(5, 200)
    delay = dice.choice((0.05, 0.3)) if dice.random() < 0.1 else None
    return Submission(type=type_, data=data, priority=dice.randrange(101), concurrency_key=key, delay=delay)


def submit(home: Path, seed: int, most: int, pause_s: float = 0.0) -> None:
    """Submit; with a pause between two submissions it is one of a crowd and chooses light jobs."""
    dice, desk = random.Random(seed), Desk(home)
    stored = os.open(home.parent / "stored", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    done = 0
    while done < most:
        wanted = [one(dice, LIGHT if pause_s else KINDS) for _ in range(dice.choice((1, 1, 1, 1, 5)))]
        ids = desk.submit_batch(wanted)
        os.write(stored, "".join(f"{id_}\n" for id_ in ids).encode())
        done += len(ids)
        time.sleep(dice.uniform(0, 2 * pause_s))
    desk.close()


if __name__ == "__main__":
    submit(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *map(float, sys.argv[4:]))
