"""`[secrets]`."""

from typing import Literal

from jobdesk.sections.fields import Section


class SecretSettings(Section):
    store: Literal["file", "keyring"]
