"""The README's pictures, made anew: `python -m benchmarks.picture [FOLDER]`.

Runs the demo on a home of its own, with real work, for some minutes, and exports the screens in a busy moment:
photos are arriving, the long job is on its way, one job has ended in the dead letters.
"""

import asyncio
import os
import sys
import tempfile
import threading
from pathlib import Path

PACE_S = 10.0
LONG_PACE_S = 2.5
MINUTES = 4
"""In so many something has ended: charts of one are none."""
PATIENCE_S = 600.0
TARGET = Path(__file__).parent.parent / "assets"
SCREENS = (("1", "overview"), ("2", "jobs"), ("4", "flows"), ("7", "health"), ("d", "charts"))
"""Keys of the screens, and names of their pictures."""
SETTLES_S = 1.5


async def pictures(home: Path, target: Path) -> None:
    """Open the app on the demo, wait for the moment, and write the pictures."""
    from jobdesk.cli.demo import feed, furnished
    from jobdesk.desk import Desk
    from jobdesk.ledger import glance, reads
    from jobdesk.tui.app import JobdeskApp

    services = furnished(home)
    with Desk(home) as desk:
        over = threading.Event()
        feeder = threading.Thread(target=feed, args=(desk, services, PACE_S, over), kwargs={"long_pace_s": LONG_PACE_S})
        app = JobdeskApp(desk)

        def busy() -> bool:
            long = sum(any(ended) for ended in app.snapshot.rates.minutes) >= MINUTES
            return long and len(reads.processing(desk.ledger, 10)) > 1 and glance.dead_letters(desk.ledger)[0] > 0

        async with app.run_test(size=(120, 40)) as pilot:
            feeder.start()
            try:
                end = desk.clock.monotonic() + PATIENCE_S
                while not (busy() and len(app.snapshot.lenses["overview"].running) > 1):
                    if desk.clock.monotonic() > end:
                        raise SystemExit("the demo never came to a busy moment: run it again")
                    await pilot.pause(0.02)
                for key, name in SCREENS:
                    await pilot.press(key)
                    await pilot.pause(SETTLES_S)
                    app.save_screenshot(f"{name}.svg", str(target))
            finally:
                over.set()
                await asyncio.to_thread(feeder.join)
                await asyncio.to_thread(app.host.farewell, "stop")
    if services is not None:
        services.close()


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder  # so that the picture shows ~/jobdesk, and no name of this machine
        asyncio.run(pictures(Path(folder) / "jobdesk", target.resolve()))
    print(f"{target} has {', '.join(f'{name}.svg' for _, name in SCREENS)}")


if __name__ == "__main__":
    main()
