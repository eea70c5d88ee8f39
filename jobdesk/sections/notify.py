"""`[notify]`."""

from jobdesk.sections.fields import Section


class NotifySettings(Section):
    desktop: bool
