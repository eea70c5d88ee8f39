"""`jobdesk doctor`: what is wrong with a home, why that matters, and how to mend it."""

from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group
from jobdesk.core.errors import HomeError, LedgerError

if TYPE_CHECKING:
    from jobdesk.monitoring.finding import Finding

_TONES = {"ok": "ok", "wrong": "bad", "mended": "warn"}
_MORE = """
With --fix it mends what can be mended without losing anything: wrong counts, jobs held by dead consumers, what
those left behind, the index of words, missing folders of the home, permissions. Others may work meanwhile."""


def add(commands: Group) -> None:
    doctor = commands.command(
        "doctor", "look for what is wrong with the home; exits 1 if something is", _doctor, more=_MORE
    )
    doctor.add_argument("--fix", action="store_true", help="mend what can be mended safely")


def _doctor(args: Args, out: Out) -> int:
    findings = _findings(args)
    if out.json:
        out.document(
            [
                {
                    "name": one.name, "ok": one.ok, "message": one.message, "why": one.why, "mend": one.mend,
                    "fixed": one.fixed,
                }
                for one in findings
            ]
        )  # fmt: skip
    else:
        _print(findings, out)
    return 0 if all(one.ok for one in findings) else 1


def _findings(args: Args) -> "list[Finding]":
    from jobdesk import home
    from jobdesk.doctoring import cannot_open, examine, look_at_disk, look_first

    path = home.locate(getattr(args, "home", None))
    if not (path / "jobdesk.db").exists():  # a new home, or none: opening it says which
        with opened(args, or_only_look=False) as desk:
            return [*look_first(path, fix=args.fix), *examine(desk, fix=args.fix)]
    first = look_first(path, fix=args.fix)  # what it mends may be why the home is refused
    try:
        with opened(args, or_only_look=False) as desk:
            return [*first, *examine(desk, fix=args.fix)]
    except HomeError as error:
        disk = look_at_disk(path)
        if isinstance(error, LedgerError) and disk.ok:
            raise
        return [*first, cannot_open(error), *([] if disk.ok else [disk])]


def _print(findings: "list[Finding]", out: Out) -> None:
    out.table(
        (Column("check"), Column("state", tone=lambda cell: _TONES.get(cell, "")), Column("finding", least=30)),
        [(one.name, "mended" if one.fixed else "ok" if one.ok else "wrong", one.message) for one in findings],
    )
    for one in findings:
        if not one.ok:
            out.heading(one.name)
            pairs = (("what", one.message), ("why it matters", one.why), ("mend", one.mend))
            out.fields((key, value) for key, value in pairs if value)
