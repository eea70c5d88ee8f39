"""Programs as jobs: their output, their exit code, and nothing left behind."""

import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from jobdesk.core.outcome import Stopped
from jobdesk_processors import command
from tests.support.context import Bench, Ran


def python(desk: Bench, code: str, **data: object) -> Ran:
    return desk.run("command", {"argv": [sys.executable, "-c", code], **data})


def test_output_becomes_the_log_and_the_exit_code_the_result(desk: Bench, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print(os.environ['WORD'], file=sys.stderr); print('a b', end='')"
    ran = python(desk, code, cwd=tmp_path, env={"WORD": "mild"})
    assert ran.result["exit_code"] == 0 and ran.result["lines"] == 3
    assert sorted(ran.lines) == sorted([str(tmp_path), "mild", "a b"])


def test_arguments_reach_the_program_as_they_are(desk: Bench) -> None:
    words = ["$HOME", "a b", "*", "; echo no", "ünï"]
    ran = desk.run("command", {"argv": [sys.executable, "-c", "import sys; print(sys.argv[1:])", *words]})
    assert ran.lines == [str(words)]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('no disk'); sys.exit(3)", "exit code 3: no disk"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
    ],
)
def test_a_program_that_fails_is_a_failed_job(desk: Bench, code: str, words: str) -> None:
    error = python(desk, code).error
    assert error.type == "ExitCode" and words in error.message


def test_what_cannot_be_started_is_refused_in_words(desk: Bench, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("not a program")
    for argv, words in (
        (["no-such-program-here"], "there is no program 'no-such-program-here'"),
        ([str(tmp_path / "data.txt")], "may not be run"),
        (["a\0b"], "cannot be started"),
    ):
        error = desk.run("command", {"argv": argv}).error
        assert words in error.message and not error.retryable
    assert "does not exist" in desk.run("command", {"argv": ["true"], "cwd": tmp_path / "none"}).error.message


def test_endless_and_binary_output_is_bounded_and_clean(desk: Bench) -> None:
    code = (
        "import sys; out = sys.stdout.buffer\n"
        "for n in range(30000): out.write(b'line %d\\n' % n)\n"
        "out.write(b'\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\x00\\xff\\n'); out.write(b'x' * 1_000_000)"
    )
    ran = python(desk, code)
    assert ran.result["lines"] == 30_001 + 500
    assert len(ran.lines) == command.LOG_LINES + 1 + command.TAIL_LINES
    assert max(map(len, ran.lines)) <= command.LINE_CHARACTERS
    assert not any("\0" in line or "\x1b]" in line for line in ran.lines)
    small = python(desk, "import sys; sys.stdout.buffer.write(b'\\x1b[31mred\\x1b[0m \\x00\\xff\\x1b]0;t\\x07.\\n')")
    assert small.lines == ["\x1b[31mred\x1b[0m \ufffd\ufffd.\x1b[0m"], "colours stay, and end with the line"
    assert small.result["tail"] == ["red \ufffd\ufffd."]


def test_what_would_move_the_cursor_or_name_the_window_is_taken_out(desk: Bench) -> None:
    code = r"print('\x1b[2J\x1b[H\x1b[1;32mok\x1b[m\x1b]0;evil\x07\x1b[?25l\x1bc\x9b31m', end='')"
    (line,) = python(desk, code).lines
    assert line == "\x1b[1;32mok\x1b[m\ufffdc\ufffd31m\x1b[0m"


def test_it_reads_what_it_is_given(desk: Bench, tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read())"
    assert python(desk, code, stdin="ünï\nline").lines == ["ünï", "line"]
    assert python(desk, code).result["lines"] == 1, "nothing, and it does not wait"
    given = tmp_path / "given.bin"
    given.write_bytes(b"a" * 200_000)
    assert python(desk, "import sys; print(len(sys.stdin.read()))", stdin_file=given).lines == ["200000"]
    error = python(desk, code, stdin_file=tmp_path / "none").error
    assert "cannot be read as standard input" in error.message and not error.retryable
    assert not python(desk, code, stdin="x", stdin_file=given).error.retryable


def test_it_steps_back_as_far_as_it_is_told(desk: Bench) -> None:
    now = os.getpriority(os.PRIO_PROCESS, 0)
    assert python(desk, "import os; print(os.getpriority(os.PRIO_PROCESS, 0))").lines == [str(now)]
    wait = f"import time, os\nwhile os.getpriority(os.PRIO_PROCESS, 0) <= {now}: time.sleep(0.01)\nprint('ok')"
    assert python(desk, wait, nice=7).lines == ["ok"] or now == 19


def test_what_a_program_leaves_running_ends_with_it(desk: Bench) -> None:
    ran = desk.run("command", {"argv": ["sh", "-c", "sleep 300 & echo $!"]})
    assert _gone(int(ran.lines[0]))


def test_a_cancel_ends_the_program_and_its_children(desk: Bench, tmp_path: Path) -> None:
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)

    def cancel_when_it_runs() -> None:
        fifo.read_text()
        desk.cancelled = "cancelled by ada"

    watcher = threading.Thread(target=cancel_when_it_runs)
    watcher.start()
    ran = desk.run("command", {"argv": ["sh", "-c", f"sleep 300 & echo $!; echo > {fifo}; wait"]})
    watcher.join(10)
    assert ran.outcome == Stopped("cancelled by ada")
    assert _gone(int(ran.lines[0]))


def _gone(pid: int) -> bool:
    """Whether a process has ended (or only waits to be reaped) within five seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        threading.Event().wait(0.01)
    return False
