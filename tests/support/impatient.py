"""`jobdesk` whose consumer takes a silent one for lost after `SECONDS` instead of half a minute, and
waits no longer for the writes of others: SECONDS WORDS…"""

import sys

from jobdesk import engine
from jobdesk.cli.main import main
from jobdesk.ledger import database
from jobdesk.ledger.explaining import BUSY_TIMEOUT_S
from jobdesk.runtime import services

if __name__ == "__main__":
    seconds, *words = sys.argv[1:]
    services.LOST_AFTER_S = float(seconds)
    vars(engine)["LOST_AFTER_S"] = float(seconds)  # both have taken over the name
    vars(database)["BUSY_TIMEOUT_S"] = min(float(seconds), BUSY_TIMEOUT_S)
    services.ASLEEP_S = float(seconds) / 2
    sys.exit(main(words))
