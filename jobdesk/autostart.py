"""A consumer that the system starts, watches and starts again: a systemd user unit, or a launchd agent on macOS.

Each is a text file of the user's own and a few commands. `Plan` is all of it: it can be shown without being done.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.errors import Refused, ServiceError, UsageError

MARK = "written by `jobdesk service install`"
"""In each file of ours: what somebody else has written is left alone."""
WATCHDOG_S = 60
STOP_S = 90
PATIENCE_S = 60.0
"""How long a command of the system may take."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")

_UNIT = """\
# {mark}; `jobdesk service remove` takes it away
[Unit]
Description=jobdesk consumer of {home_said}
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Environment={path}
Restart=on-failure
RestartSec=5
# wrong settings do not mend themselves
RestartPreventExitStatus=2
WatchdogSec={watchdog_s}
TimeoutStopSec={stop_s}
# the consumer ends its jobs itself, and what is left after that is killed
KillMode=mixed
# a job that takes too much memory is killed alone
OOMPolicy=continue
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A file, and the commands that make the system take it up, forget it, and say how it is."""

    name: str
    file: Path
    content: str
    install: Sequence[Sequence[str]]
    remove: Sequence[Sequence[str]]
    status: Sequence[str]
    hint: str


def plan(home: Path, name: str, environment: Mapping[str, str], platform: str = sys.platform) -> Plan:
    """What a service of this name on this home consists of.

    Raises:
        UsageError: the name or the home does not fit, or this system has neither systemd nor launchd.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' does not fit a service: use letters, digits, dots and dashes, like jobdesk-photos")
    if any(not letter.isprintable() for letter in str(home)):
        raise UsageError(f"the path of the home {str(home)!r} cannot stand in a file of the system: choose a plain one")
    # -P: nothing is imported from the folder in which the system starts it
    words = [sys.executable, "-P", "-m", "jobdesk", "--home", str(home), "--consumer"]
    path = environment.get("PATH", os.defpath)
    user = Path(environment.get("HOME") or Path.home())
    if platform == "darwin":
        return _launchd(name, words, path, user, home)
    if platform.startswith("linux"):
        return _systemd(name, words, path, user, home, environment)
    raise UsageError(f"there is no service on {platform}: let your system run `{shlex.join(words)}`")


def _systemd(
    name: str, words: Sequence[str], path: str, user: Path, home: Path, environment: Mapping[str, str]
) -> Plan:
    unit = f"{name}.service"
    folder = Path(environment.get("XDG_CONFIG_HOME") or user / ".config") / "systemd" / "user"
    content = _UNIT.format(
        mark=MARK,
        home_said=str(home).replace("%", "%%"),
        command=" ".join(_quoted(word).replace("$", "$$") for word in words),
        path=_quoted(f"PATH={path}"),
        watchdog_s=WATCHDOG_S,
        stop_s=STOP_S,
    )
    control = ("systemctl", "--user")
    return Plan(
        name,
        folder / unit,
        content,
        install=[(*control, "daemon-reload"), (*control, "enable", unit), (*control, "restart", unit)],
        remove=[(*control, "disable", "--now", unit), (*control, "daemon-reload")],
        status=[*control, "show", unit, "--property=ActiveState,SubState,UnitFileState,MainPID,StatusText"],
        hint="it works while you are logged in; `loginctl enable-linger` lets it work from boot on",
    )


def _quoted(word: str) -> str:
    """As systemd.syntax(7) reads it back."""
    kept = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{kept}"'


def _launchd(name: str, words: Sequence[str], path: str, user: Path, home: Path) -> Plan:
    import plistlib

    file, domain = user / "Library" / "LaunchAgents" / f"{name}.plist", f"gui/{os.getuid()}"
    content = plistlib.dumps(
        {
            "Label": name,
            "ProgramArguments": list(words),
            "EnvironmentVariables": {"PATH": path},
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": STOP_S,
            "ProcessType": "Background",
            "Umask": 0o077,
            "StandardErrorPath": str(home / "logs" / f"{name}.stderr"),
        },
        sort_keys=False,
    ).decode()
    head, end, rest = content.partition("<plist")
    return Plan(
        name,
        file,
        f"{head}<!-- {MARK} -->\n{end}{rest}",
        install=[("launchctl", "bootstrap", domain, str(file))],
        remove=[("launchctl", "bootout", f"{domain}/{name}")],
        status=["launchctl", "print", f"{domain}/{name}"],
        hint="it works while you are logged in",
    )


def install(wanted: Plan) -> None:
    """Write the file and let the system start it; one of ours that is there is replaced.

    Raises:
        Refused: a file of somebody else is in the way.
        ServiceError: the file is written, and the system would not start it.
    """
    _only_ours(wanted)
    if wanted.file.exists():
        with suppress(ServiceError):  # it may not run
            _run(wanted.remove[0])
    try:
        wanted.file.parent.mkdir(parents=True, exist_ok=True)
        wanted.file.write_text(wanted.content)
    except OSError as error:
        raise ServiceError(f"{wanted.file} cannot be written ({error.strerror}): check its folder") from error
    for words in wanted.install:
        try:
            _run(words)
        except ServiceError as error:
            raise ServiceError(f"{wanted.file} is written, but the system did not start it: {error}") from None


def remove(wanted: Plan) -> None:
    """Stop it and take the file away.

    Raises:
        Refused: the file is somebody else's.
        ServiceError: the file is gone, and the system said something was wrong.
    """
    _only_ours(wanted)
    stop, *after = wanted.remove
    problem: ServiceError | None = None
    try:
        _run(stop)
    except ServiceError as error:  # it does not run, or nobody is there to stop it
        problem = error
    wanted.file.unlink(missing_ok=True)
    for words in after:
        try:
            _run(words)
        except ServiceError as error:
            problem = problem or error
    if problem is not None:
        raise ServiceError(f"{wanted.file} is gone, but the system did not answer as it should: {problem}")


def status(wanted: Plan) -> dict[str, str]:
    """What the system says of it: NAME=VALUE of systemd, `state` and `pid` of launchd; nothing if it does not know it.

    Raises:
        ServiceError: the system does not answer.
    """
    lines = (line.strip().partition("=") for line in _run(wanted.status).splitlines())
    said = {name.strip(): value.strip() for name, _, value in lines if value.strip()}
    if wanted.status[0] == "launchctl":
        return {name: said[name] for name in ("state", "pid") if name in said}
    return said


def is_active(said: Mapping[str, str]) -> bool:
    return said.get("ActiveState") == "active" or said.get("state") == "running"


def _only_ours(wanted: Plan) -> None:
    try:
        ours = MARK in wanted.file.read_text(errors="replace")
    except OSError:
        return
    if not ours:
        raise Refused(f"{wanted.file} was not written by jobdesk: move it, or choose another --name")


def _run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except FileNotFoundError:
        raise ServiceError(f"there is no {words[0]} on this machine") from None
    except subprocess.TimeoutExpired:
        raise ServiceError(f"`{shlex.join(words)}` did not answer within {PATIENCE_S:.0f} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceError(f"`{shlex.join(words)}` failed ({said[-1] if said else f'exit code {done.returncode}'})")
    return done.stdout
