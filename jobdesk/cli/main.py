"""`jobdesk`: reads the words, calls the command, prints errors as one sentence, gives the exit code.

Nothing here imports more than argparse and the light module of the noun that was written, all of them for
`--help`; a command imports what it needs when it runs, so that the app and every command open at once.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from jobdesk import __version__
from jobdesk.cli.output import Out, forget_streams, plain
from jobdesk.cli.parsing import COMMON, Args, Group, Parser, number, parse
from jobdesk.cli.read_only import refuse_changes
from jobdesk.core.errors import JobdeskError

INTERRUPTED = 130
_NOUNS = (
    "submit", "jobs", "reset", "queues", "dead", "flows", "schedules", "services", "folders", "processors", "assets",
    "events", "logs", "metrics", "audit", "health", "alerts", "notify", "doctor", "backup", "serve", "service",
    "config", "secrets", "mail", "payments", "referrals", "watch", "web", "demo", "completion",
)  # fmt: skip
"""Modules with commands, in the order of the help; most have one command, of the same name."""
_ELSEWHERE = {"run": "submit", "undo": "audit", "restore": "backup", "init": "config"}
_TAKING = ("--home", "--fps", "--workers", "--queues", "--metrics-port")
"""Options before a command that are followed by a word of theirs."""
_ABOUT = """The job desk of one machine: a durable queue, drop folders and a terminal app.

Without a command it opens the terminal app."""
_EXIT_CODES = """exit codes:
  0 done   1 the asked-for thing failed   2 wrong usage or data   3 something is in the dead letters
  4 not found   5 the home is locked, unreadable, or not jobdesk's"""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code."""
    words = list(sys.argv[1:] if words is None else words)
    out = Out(json="--json" in words[: words.index("--") if "--" in words else None])
    try:
        args = parse(build(_nouns_of(words)), words)
        args.command_line = words
        code = _dispatch(args, out)
        out.stream.flush()
        return code
    except SystemExit as done:  # argparse, after it printed help or version
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget_streams()
        return 0
    except JobdeskError as error:
        return _explain(out, error.code, str(error), error.exit_code)
    except Exception as error:
        if os.environ.get("JOBDESK_DEBUG"):
            raise
        said = (
            f"something went wrong inside jobdesk ({type(error).__name__}: {error}): set JOBDESK_DEBUG=1 to see where"
        )
        return _explain(out, "internal", said, 1)


def _nouns_of(words: Sequence[str]) -> Sequence[str]:
    """The modules that reading these words takes; all of them, in case of doubt."""
    rest = iter(words)
    for word in rest:
        if word in ("-h", "--help", "--"):
            return _NOUNS
        if word in _TAKING:
            next(rest, None)
        elif not word.startswith("-"):
            noun = _ELSEWHERE.get(word, word)
            return (noun,) if noun in _NOUNS else _NOUNS
    return ()


def build(nouns: Sequence[str] = _NOUNS) -> Parser:
    """The parser; the whole one, or that of some nouns."""
    parser = Parser(prog="jobdesk", description=_ABOUT, epilog=_EXIT_CODES, parents=[COMMON])
    parser.add_argument("--version", action="version", version=f"jobdesk {__version__}")
    screen = parser.add_argument_group("the terminal app")
    screen.add_argument(
        "--attach", action="store_true", help="beside an app or consumer that works: work only when asked"
    )
    screen.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    screen.add_argument("--ascii", action="store_true", help="draw with plain characters")
    screen.add_argument("--fps", type=number(1), metavar="N", help="frames a second at the most")
    headless = parser.add_argument_group("working without a screen")
    headless.add_argument("--consumer", action="store_true", help="run jobs until told to stop")
    headless.add_argument("--drain", action="store_true", help="with --consumer: stop when nothing is left to do")
    headless.add_argument("--workers", type=number(1), metavar="N", help="jobs at once (default: as the settings say)")
    headless.add_argument("--queues", metavar="A,B", help="only jobs of these queues")
    headless.add_argument(
        "--metrics-port", type=number(0), metavar="N", help="with --consumer: /metrics and /health on 127.0.0.1:N"
    )
    commands = Group(parser)
    for noun in nouns:
        import_module(f"jobdesk.cli.{noun}").add(commands)
    parser.set_defaults(run=_open, rest=None, parser=parser)
    return parser


def _open(args: Args, out: Out) -> int:
    from jobdesk.cli import app, consumer

    if args.consumer or args.drain or args.metrics_port is not None:
        return consumer.run(args, out)
    return app.run(args, out)


def _dispatch(args: Args, out: Out) -> int:
    refuse_changes(args)
    code = args.run(args, out)
    return 0 if code is None else int(code)


def _explain(out: Out, code: str, message: str, exit_code: int) -> int:
    from jobdesk.core.redaction import redact

    message = redact(message)
    try:
        out.stream.flush()
        if out.json:
            out.errors.write(_error_document(code, message))
        else:
            out.errors.write(f"jobdesk: {plain(message)}\n")
        out.errors.flush()
    except BrokenPipeError:
        forget_streams()
    return exit_code


def _error_document(code: str, message: str) -> str:
    import json

    return json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
