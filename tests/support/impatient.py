"""`jobdesk` whose consumer takes a silent one for lost after `SECONDS` instead of half a minute: SECONDS WORDS…"""

import sys

from jobdesk.cli.main import main
from jobdesk.runtime import services

if __name__ == "__main__":
    seconds, *words = sys.argv[1:]
    services.LOST_AFTER_S = float(seconds)
    services.ASLEEP_S = float(seconds) / 2
    sys.exit(main(words))
