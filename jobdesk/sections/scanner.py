"""`[scanner]`."""

from typing import Literal

from jobdesk.sections.fields import Seconds, Section


class ScannerSettings(Section):
    engine: Literal["auto", "clamd", "yara", "both"]
    on_missing: Literal["skip", "fail"]
    address: str
    rules: str
    timeout: Seconds
