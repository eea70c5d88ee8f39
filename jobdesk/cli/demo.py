"""demo"""

from jobdesk.cli.parsing import Group


def add(commands: Group) -> None:
    pass
