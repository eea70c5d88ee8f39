"""`[storage]`."""

from jobdesk.sections.fields import Section


class StorageSettings(Section):
    path: str
