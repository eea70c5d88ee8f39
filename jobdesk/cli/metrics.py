"""`jobdesk metrics`, `health` and `doctor`: how the desk does."""

from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group


def add(commands: Group) -> None:
    pass
