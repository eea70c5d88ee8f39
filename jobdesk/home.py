"""The home: the one folder that holds all state of a desk."""

import os
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core import privacy
from jobdesk.core.errors import HomeError

_OURS = frozenset(
    {
        "jobdesk.toml", "jobdesk.db", "inbox", "library", "quarantine", "processors", "logs", "run", "secret.key",
        "templates", "themes", "app.json", "backups", "archive",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Home:
    """Where things are below the home."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "jobdesk.db"

    @property
    def restoring(self) -> Path:
        """The next database, while a restore is under way."""
        return self.path / "jobdesk.db.restoring"

    @property
    def settings(self) -> Path:
        return self.path / "jobdesk.toml"

    @property
    def inbox(self) -> Path:
        return self.path / "inbox"

    @property
    def quarantine(self) -> Path:
        return self.path / "quarantine"

    @property
    def processors(self) -> Path:
        return self.path / "processors"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def backups(self) -> Path:
        """Copies of the ledger that were made before it was changed."""
        return self.path / "backups"

    @property
    def themes(self) -> Path:
        return self.path / "themes"

    @property
    def remembered(self) -> Path:
        """Where the terminal app was when it was left."""
        return self.path / "app.json"

    @property
    def run(self) -> Path:
        """What lives only while processes run: wake pipes, locks, working folders of attempts."""
        return self.path / "run"

    @property
    def work(self) -> Path:
        return self.run / "work"


def locate(given: str | Path | None) -> Path:
    """The home's place: as given, else $JOBDESK_HOME, else the platform's data folder."""
    chosen = given or os.environ.get("JOBDESK_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("jobdesk", appauthor=False)


def existing(path: Path) -> Home:
    """Open a home that is there, and change nothing in it.

    Raises:
        HomeError: there is none, or it is not safe.
    """
    home = Home(path)
    if not home.database.exists():
        raise HomeError(f"there is no jobdesk home at {path}, and with --read-only none is made: check --home")
    privacy.refuse_if_open(path)
    return home


def prepare(path: Path, *, restores: bool = False) -> Home:
    """Open the home, making it on first use: folders 0700, nothing of others touched.

    Args:
        restores: a backup is about to take the database's place; only that mends a home where this was cut short.

    Raises:
        HomeError: it is a file, cannot be used, belongs to somebody else, or is a folder of something else.
    """
    home = Home(path)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(home)
        if not restores and home.restoring.exists() and not home.database.exists():
            raise HomeError(f"a restore of {path} was cut short: run `jobdesk restore FILE` again")
        for folder in (
            home.inbox,
            home.quarantine,
            home.processors,
            home.logs,
            home.run,
            home.work,
            home.path / "library",
        ):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise HomeError(
            f"{error.filename or path} is in the way: it is not a folder; move it or choose another --home"
        ) from None
    except OSError as error:
        raise HomeError(
            f"the home {path} cannot be used ({error.strerror}): check it or choose another --home"
        ) from None
    return home


def _check(home: Home) -> None:
    there = os.listdir(home.path)
    if not there and home.path.stat().st_uid == os.geteuid():
        home.path.chmod(0o700)
    privacy.refuse_if_open(home.path)
    if home.database.exists():
        return
    foreign = [name for name in there if name not in _OURS and not name.startswith("jobdesk.db")]
    if foreign:
        raise HomeError(
            f"{home.path} is not a jobdesk home (it holds {sorted(foreign)[0]!r} and no jobdesk.db): "
            "choose an empty or a new folder with --home"
        )
    if home.path.stat().st_uid == os.geteuid():
        home.path.chmod(0o700)
