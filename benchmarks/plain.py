"""jobdesk as it is where no peer is installed: `python -m benchmarks.plain …` takes the words of `jobdesk`.

Huey loads the client of Redis where there is one, as here for RQ: 5 MB that a desk has no use for.
"""

import sys

sys.modules["redis"] = None  # type: ignore[assignment]  # as if it were not installed

from jobdesk.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
