"""Scanning without a server, and EICAR found by whoever looks."""

import re
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.outcome import Completed
from jobdesk.wiring import DeskWiring
from jobdesk_processors import yara
from tests.support import clamd as scanners
from tests.support import pictures
from tests.support.context import Bench
from tests.support.home import make_home

yara_x = pytest.importorskip("yara_x", reason="yara-x is not installed here")


@pytest.fixture(autouse=True)
def the_rules(monkeypatch: pytest.MonkeyPatch, no_scanner_of_this_machine: None) -> None:
    monkeypatch.setattr(yara, "installed", lambda: True)


def scanned(desk: Bench, tmp_path: Path, content: bytes) -> str:
    file = tmp_path / "file"
    file.write_bytes(content)
    ran = desk.run("VIRUS_SCAN", {"source": file})
    if isinstance(ran.outcome, Completed):
        return str(ran.result["verdict"])
    assert ran.error.type == "virus" and not ran.error.retryable
    found = re.search(r"infected with (\S+)", ran.error.message)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (scanners.eicar_file(), "EICAR_Test_File"),
        (pictures.plain() + scanners.eicar_file(), "EICAR_Test_File"),
        (pictures.plain("JPEG", comment=b"<?php system($_GET[0]) ?>"), "PHP_Code"),
        (pictures.plain() + b"\x7fELF\x02\x01\x01" + bytes(100), "Program_In_Picture"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "clean"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='go()'/>", "Script_In_Drawing"),
        (b"%!PS-Adobe-3.0\n(%pipe%id) (w) file", "PostScript_Command"),
        (pictures.plain(), "clean"),
        (pictures.plain("PNG", (300, 200)), "clean"),
        (b"just words about <?php and system", "clean"),
    ],
)
def test_the_rules_find_what_they_are_for(desk: Bench, tmp_path: Path, content: bytes, verdict: str) -> None:
    assert scanned(desk, tmp_path, content) == verdict


def test_rules_of_ones_own_are_used_and_broken_ones_never_pass_a_file(desk: Bench, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    desk.settings["scanner"]["rules"] = str(rules)
    photo = tmp_path / "a.jpg"
    photo.write_bytes(pictures.plain(comment=b"secret plan"))
    assert desk.run("VIRUS_SCAN", {"source": photo}).error.retryable  # none there: a person mends it
    (rules / "own.yar").write_text('rule Plans { strings: $a = "secret plan" condition: $a }')
    assert "Plans" in desk.run("VIRUS_SCAN", {"source": photo}).error.message
    (rules / "wrong.yar").write_text("rule {")
    error = desk.run("VIRUS_SCAN", {"source": photo}).error
    assert error.retryable and "scanner.rules" in error.message
    (rules / "wrong.yar").unlink()
    (rules / "own.yar").write_text('rule Schemes { strings: $a = "secret plan" condition: $a }')
    assert "Schemes" in desk.run("VIRUS_SCAN", {"source": photo}).error.message


def test_rules_lie_below_the_home_unless_their_path_is_whole(tmp_path: Path) -> None:
    for number, (said, meant) in enumerate({"": "", "rules": "{home}/rules", "/etc/rules": "/etc/rules"}.items()):
        home = make_home(tmp_path / str(number), "", f'[scanner]\nrules = "{said}"\n')
        with Desk(home) as desk:
            found = DeskWiring(desk).settings("VIRUS_SCAN")["scanner"]["rules"]
            assert found == meant.format(home=desk.home.path)


@pytest.mark.skipif(scanners.CLAMD is None, reason="clamd is not installed here")
def test_a_real_clamd_finds_eicar_by_socket_and_by_port(desk: Bench, tmp_path: Path) -> None:
    with scanners.real() as found:
        port = re.search(r"TCPSocket (\d+)", (Path(found).parent / "clamd.conf").read_text())
        assert port
        for address in (found, f"127.0.0.1:{port[1]}"):
            desk.settings["scanner"]["address"] = address
            assert scanned(desk, tmp_path, scanners.eicar_file()).startswith("Eicar-Test-Signature")
            assert scanned(desk, tmp_path, pictures.plain()) == "clean"


def test_engines_are_used_as_the_settings_say(desk: Bench, tmp_path: Path) -> None:
    with scanners.served() as address:
        desk.settings["scanner"] |= {"address": address, "engine": "both"}
        assert scanned(desk, tmp_path, scanners.eicar_file()) == "EICAR_Test_File"
        assert scanned(desk, tmp_path, b"x" + scanners.MARK) == "Test.Mark"
        desk.settings["scanner"]["engine"] = "clamd"
        assert scanned(desk, tmp_path, scanners.eicar_file()) == "clean"  # the small server knows its mark only
    desk.settings["scanner"] |= {"address": "", "engine": "both"}
    assert scanned(desk, tmp_path, pictures.plain()) == "not scanned: no scanner"
