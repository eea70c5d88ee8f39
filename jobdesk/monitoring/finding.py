"""What a check of the doctor looks at, and what it says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from jobdesk.core.errors import JobdeskError
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer

FIX = "`jobdesk doctor --fix`"
RESTORE = "stop what works on it, and restore a backup with `jobdesk restore FILE`"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        message: what is so, a sentence.
        why: what comes of it if nothing is done, where it is not well.
        mend: what to do where it is not ok.
        fixed: that it was wrong and has been mended.
    """

    name: str
    ok: bool
    message: str
    why: str | None = None
    mend: str | None = None
    fixed: bool = False

    def mended(self) -> "Finding":
        """The same, put right."""
        return replace(self, ok=True, mend=None, fixed=True)


@dataclass(frozen=True, slots=True)
class Watched:
    """A drop folder. `claimed` is where files lie that it has taken out, named by their ids."""

    path: Path
    recursive: bool
    own: str
    """The name of its own corner, which is not watched."""
    claimed: Path
    kept: bool = False
    """Its files stay in it, so that it need not be writable."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A home, and what must be known of the machine and of who works, to say what is wrong with it.

    Args:
        now: epoch seconds.
        since_boot: seconds, sleep included; None where the system does not say.
        consumers: those whose process is alive.
        own: folders of the home that should exist.
        storage: where what processing made lies.
        work: where attempts have their working folders.
        processors: files of the user's with their times of change, epoch seconds.
        version: of this program.
        bury: ends what a dead consumer (by its id) left running, and gives its jobs back; None: nobody may.
        fix: mend what can be mended without losing anything.
    """

    ledger: Ledger
    home: Path
    now: float
    since_boot: float | None = None
    consumers: Sequence[Consumer] = ()
    own: Sequence[Path] = ()
    watched: Sequence[Watched] = ()
    storage: Path | None = None
    work: Path | None = None
    processors: Mapping[Path, float] = field(default_factory=dict)
    version: str = ""
    bury: Callable[[str, str], None] | None = None
    fix: bool = False


Check = Callable[[Patient], Finding]


def tried(name: str, check: Callable[[], Finding]) -> Finding:
    """What the check found; that it cannot look is a finding too."""
    try:
        return check()
    except JobdeskError as error:
        return Finding(name, False, str(error), "what cannot be read cannot be worked with", RESTORE)
    except OSError as error:
        said = f"{error.filename or 'the home'} cannot be used: {error.strerror}"
        return Finding(name, False, said, "what cannot be read cannot be worked with", "check its permissions and disk")


def some(count: int, one: str, many: str | None = None) -> str:
    """A number of things in words."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def put_right(found: Finding, patient: Patient, mend: Callable[[], object]) -> Finding:
    """Mend it if that is wanted, and say so; else say how to."""
    if not patient.fix:
        return replace(found, mend=found.mend or f"{FIX} mends it")
    mend()
    return found.mended()
