"""Virus scanning with clamd or YARA-X, and what becomes of an infected file."""

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobdesk import Context, Reject, Retry, processor

from . import clamd, safefiles, yara
from .clamd import Scanner, ScannerError
from .staging import UploadId

NOT_SCANNED = "not scanned: no scanner"
HOW_TO_SCAN = "set scanner.address if there is a clamd, or pip install 'jobdesk[yara]'"


@processor("VIRUS_SCAN", queue="upload.high-priority", priority="high", timeout="5m", retries=3)
def scan_for_viruses(
    ctx: Context, source: Path, name: str | None = None, upload_id: UploadId | None = None, quarantine: bool = False
) -> dict[str, Any]:
    """Have clamd or YARA-X rules look at a file; an infected one is rejected and, if asked, moved to the quarantine."""
    settings = ctx.settings["scanner"]
    called = safefiles.shown(name or source.name)
    kept = quarantined(ctx, upload_id or ctx.job, source.name)
    if quarantine and not source.exists() and kept.with_suffix(".json").exists():
        raise Reject(f"{called} is infected and lies in the quarantine: {kept.name}", reason="virus")
    content = safefiles.read_regular(source, ctx.settings["images"]["max_bytes"])
    looked = look(ctx, content, called, source if quarantine else None, kept)
    return _unscanned(ctx, called, settings["on_missing"]) if looked is None else looked


def look(ctx: Context, content: bytes, called: str, source: Path | None, kept: Path) -> dict[str, Any] | None:
    """What the scanners say of a content; None if there are none.

    Args:
        source: the file, if it is to be moved to `kept` when it is infected.

    Raises:
        Reject: `virus`.
        Retry: a scanner did not give a verdict.
    """
    settings = ctx.settings["scanner"]
    scanners = _scanners(settings)
    if not scanners:
        return None
    started = time.monotonic()
    versions: list[str] = []
    infection = None
    try:
        for scanner in scanners:
            versions.append(scanner.version(settings["timeout"]))
            infection = infection or scanner.infection(content, settings["timeout"])
    except ScannerError as error:
        if infection is None:  # what one has found, another that fails does not take back
            raise Retry(str(error)) from None
    if infection is not None:
        ctx.log.error(f"{called}: {infection}")
        where = ""
        if source is not None:
            _isolate(ctx, source, kept, called, infection, content)
            where = f"; it was moved to the quarantine as {kept.name}"
        raise Reject(f"{called} is infected with {infection}{where}", reason="virus")
    took_ms = round((time.monotonic() - started) * 1000, 1)
    version = ", ".join(versions)
    ctx.log.info(f"{called} is clean, says {version}")
    return {"scanned": True, "verdict": "clean", "scanner": version, "bytes": len(content), "took_ms": took_ms}


def quarantined(ctx: Context, id_: str, name: str) -> Path:
    """Where an infected file lies, or would."""
    return Path(ctx.settings["quarantine"]) / f"{id_}-{name}.infected"


def _scanners(settings: Mapping[str, Any]) -> list[Scanner | yara.Rules]:
    """Who looks at the file: clamd if there is one, else YARA-X if it is installed; or those that the settings name."""
    engine = settings["engine"]
    found: list[Scanner | yara.Rules] = []
    if engine != "yara" and (scanner := clamd.find(settings["address"])) is not None:
        found.append(scanner)
    elif engine == "both":
        return []  # half of what was asked for is not enough
    if engine in ("yara", "both") or (engine == "auto" and not found):
        if yara.installed():
            found.append(yara.Rules(settings["rules"]))
        elif engine != "auto":
            return []
    return found


def _unscanned(ctx: Context, called: str, on_missing: str) -> dict[str, Any]:
    if on_missing == "fail":
        raise Reject(
            f'{called} was not scanned: there is no scanner and scanner.on_missing is "fail"; '
            "start clamd or set scanner.address, or pip install 'jobdesk[yara]', then retry",
            reason="NoScanner",
        )
    ctx.log.warning(f"{called} was {NOT_SCANNED} was found; {HOW_TO_SCAN}")
    return {"scanned": False, "verdict": NOT_SCANNED}


def _isolate(ctx: Context, source: Path, kept: Path, called: str, infection: str, content: bytes) -> None:
    """Move the file where nobody else can read it.

    The note beside it is written first: an attempt killed after the move is understood by it.
    """
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.parent.chmod(0o700)
    note = {
        "name": called,
        "infection": infection,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "from": str(source),
        "job": ctx.job,
        "found_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    safefiles.write_whole(kept.with_suffix(".json"), json.dumps(note, ensure_ascii=False, indent=2).encode())
    try:
        source.rename(kept)
    except OSError:  # another file system
        safefiles.write_whole(kept, content)
        source.unlink()
    kept.chmod(0)  # its owner must change that before anything can read it
