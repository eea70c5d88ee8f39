"""Scanning without a server: YARA-X rules of our own and of the settings (extra `yara`).

The rules see the bytes of the file, not what is packed inside of archives; a clamd with its database finds more.
It keeps the interpreter to itself while it scans, so it belongs into a child process.
"""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .clamd import ScannerError

RULES = r"""
rule EICAR_Test_File {
  strings:
    $mark = { 58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D 24 45 49 43 41 52 }
  condition: $mark
}
rule Program_In_Picture {
  strings:
    $windows = "This program cannot be run in DOS mode"
    $linux = { 7F 45 4C 46 ( 01 | 02 ) ( 01 | 02 ) 01 }
  condition: ($windows or $linux) and (uint16be(0) == 0xFFD8 or uint32be(0) == 0x89504E47 or uint32be(0) == 0x47494638)
}
rule PHP_Code {
  strings:
    $open = /<\?(php|=)/ nocase
    $deed = /\b(system|exec|shell_exec|passthru|popen|proc_open|eval|assert|base64_decode)\s*\(/ nocase
    $input = /\$_(GET|POST|REQUEST|COOKIE)\s*\[/
  condition: $open and ($deed or $input)
}
rule Script_In_Drawing {
  strings:
    $drawing = "<svg" nocase
    $script = /<script|\son(load|error|click)\s*=|javascript:/ nocase
  condition: $drawing in (0..1024) and $script
}
rule PostScript_Command {
  strings: $pipe = "%pipe%"
  condition: uint32be(0) == 0x25215053 and $pipe
}
"""


def installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("yara_x") is not None


@dataclass(frozen=True, slots=True)
class Rules:
    """Compiled rules; `own` is a file or folder of more."""

    own: str

    def version(self, timeout_s: float) -> str:
        """What scans, for people.

        Raises:
            ScannerError: the rules do not compile.
        """
        _rules(self.own)
        return f"YARA-X {version('yara-x')}" + (f" with {Path(self.own).name}" if self.own else "")

    def infection(self, content: bytes, timeout_s: float) -> str | None:
        """The name of the rule that the content meets, or None.

        Raises:
            ScannerError: it took too long, or the rules do not compile.
        """
        import yara_x

        scanner = yara_x.Scanner(_rules(self.own))
        scanner.set_timeout(max(1, round(timeout_s)))
        try:
            found = list(scanner.scan(content).matching_rules)
        except (yara_x.TimeoutError, yara_x.ScanError) as error:
            raise ScannerError(f"YARA-X gave up ({error}): raise scanner.timeout or simplify scanner.rules") from None
        return found[0].identifier if found else None


def _rules(own: str) -> Any:
    """Compiled, anew where a file has changed since."""
    try:
        known = [(file, file.stat()) for file in _files(own)]
    except OSError as error:
        raise _unusable(error) from None
    return _compiled(tuple((file, found.st_mtime_ns, found.st_size) for file, found in known))


@lru_cache(maxsize=4)
def _compiled(files: tuple[tuple[Path, int, int], ...]) -> Any:
    import yara_x

    compiler = yara_x.Compiler()
    compiler.add_source(RULES)
    try:
        for file, _, _ in files:
            compiler.new_namespace(file.stem)
            compiler.add_source(file.read_text("utf-8"), origin=str(file))
        return compiler.build()
    except (yara_x.CompileError, OSError, UnicodeDecodeError) as error:
        raise _unusable(error) from None


def _unusable(error: Exception) -> ScannerError:
    return ScannerError(f"the rules of scanner.rules cannot be used ({error}): mend them, then retry")


def _files(own: str) -> list[Path]:
    if not own:
        return []
    path = Path(own)
    found = sorted([*path.glob("*.yar"), *path.glob("*.yara")]) if path.is_dir() else [path]
    if not found:
        raise ScannerError(f"{path} of scanner.rules has no file *.yar: put rules there, or empty the setting")
    return found
