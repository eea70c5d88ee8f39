"""`[scanner]`."""

from typing import Literal

from jobdesk.sections.fields import Seconds, Section


class ScannerSettings(Section):
    on_missing: Literal["skip", "fail"]
    address: str
    timeout: Seconds
