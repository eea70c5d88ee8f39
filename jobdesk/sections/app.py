"""`[app]`: the terminal app."""

from jobdesk.sections.fields import Section


class AppSettings(Section):
    theme: str
    keys: dict[str, str] = {}
    """By the id of an action, the keys that do it instead of its own; checked by the app, which knows the actions."""
    views: dict[str, str] = {}
    """By name, a query."""
