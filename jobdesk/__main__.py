"""`python -m jobdesk`: the same as the `jobdesk` command."""

import sys

from jobdesk.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
