"""The parser's own manners: one plain sentence for a wrong word, --home and --json anywhere, options in any order."""

import argparse
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from jobdesk.cli.output import Out

Args = argparse.Namespace
Command = Callable[[Args, "Out"], int | None]
"""What a sub-command does; its answer is the exit code, None for 0."""
_NOT = re.compile(r"-[A-Za-z][\w.\[\]]*:")


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises UsageError with one sentence instead of printing its usage and leaving."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(_see(_plain(message), self.prog))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        from jobdesk.core.nearest import nearest

        known = [str(choice) for choice in action.choices]
        if isinstance(action, argparse._SubParsersAction):
            what = f"'{value}' is not a command of `{self.prog}`"
        else:
            what = f"'{value}' does not fit {'/'.join(action.option_strings) or action.dest}"
        hint = nearest(str(value), known) or f"; it takes {', '.join(known)}"
        raise argparse.ArgumentError(None, what + hint)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=min(100, terminal_width()))


def terminal_width(default: int = 80) -> int:
    """Columns of the terminal, $COLUMNS first."""
    try:
        return int(os.environ["COLUMNS"]) or default
    except (KeyError, ValueError):
        pass
    for stream in (1, 2):
        try:
            return os.get_terminal_size(stream).columns or default
        except OSError:
            continue
    return default


def _common() -> Parser:
    """Options that stand before or after any sub-command; SUPPRESS: an inner default must not undo an outer value."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--home", metavar="DIR", default=argparse.SUPPRESS, help="the home folder (default: $JOBDESK_HOME)"
    )
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    parser.add_argument(
        "--read-only", action="store_true", default=argparse.SUPPRESS, help="only look: refuse every change"
    )
    return parser


COMMON = _common()


class Group:
    """The sub-commands below one parser, each defined in one call."""

    def __init__(self, parser: Parser) -> None:
        self._commands = parser.add_subparsers(dest="verb", metavar="COMMAND", parser_class=Parser, title="commands")
        parser.set_defaults(run=_say_what_to_do, parser=parser)

    def command(self, name: str, help: str, run: Command, *, rest: str | None = None, more: str = "") -> Parser:
        """Define a command.

        Args:
            rest: the list argument that words standing behind options belong to; argparse alone refuses them.
            more: text below the help's first line.
        """
        parser: Parser = self._commands.add_parser(
            name, help=help, description=f"{_sentence(help)}\n{more}".rstrip(), parents=[COMMON]
        )
        parser.set_defaults(run=run, rest=rest, parser=parser)
        return parser

    def noun(self, name: str, help: str) -> "Group":
        """Define a noun whose verbs follow."""
        parser = self._commands.add_parser(name, help=help, description=_sentence(help), parents=[COMMON])
        return Group(parser)

    @property
    def names(self) -> list[str]:
        return list(self._commands.choices)


def parse(parser: Parser, words: Sequence[str]) -> Args:
    """Read a command line.

    Raises:
        UsageError: it is wrong; the message names the word and the nearest right one.
    """
    args, strays = parser.parse_known_args(_marked(words))
    rest = getattr(args, "rest", None)
    for stray in strays:
        if stray.startswith("-") and not _NOT.match(stray):
            _refuse(args.parser, stray)
        if rest is None:
            raise UsageError(_see(f"'{stray.strip()}' is one word too many", args.parser.prog))
        setattr(args, rest, [*(getattr(args, rest) or ()), stray])
    return args


def _marked(words: Iterable[str]) -> list[str]:
    """Query words such as -state:completed get a space at their end: argparse takes what holds one for no option."""
    marked, literal = [], False
    for word in words:
        literal = literal or word == "--"
        marked.append(word + " " if not literal and _NOT.match(word) else word)
    return marked


def _refuse(parser: argparse.ArgumentParser, word: str) -> NoReturn:
    from jobdesk.core.nearest import nearest

    known = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    option = word.partition("=")[0]
    raise UsageError(_see(f"'{option}' is not an option of `{parser.prog}`{nearest(option, known)}", parser.prog))


def _say_what_to_do(args: Args, out: "Out") -> int:
    group = next(one for one in args.parser._actions if isinstance(one, argparse._SubParsersAction))
    raise UsageError(f"say what to do: `{args.parser.prog}` {' | '.join(group.choices)}")


def _plain(message: str) -> str:
    """argparse's own words, made into the beginning of a sentence."""
    if message.startswith("the following arguments are required: "):
        return f"{message.rpartition(': ')[2]} is missing"
    return message.removeprefix("argument ")


def _see(message: str, prog: str) -> str:
    return f"{message}{'' if message.endswith('?') else '.'} See `{prog} --help`"


def _sentence(help: str) -> str:
    return help[0].upper() + help[1:] + "."


def number(least: int = 0) -> Callable[[str], int]:
    """An argparse type: a whole number of at least `least`."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least {least}")
        return int(text)

    return read


def past(text: str) -> float:
    """An argparse type: an instant in ISO 8601, or how long ago (10m, 2h); in epoch seconds."""
    from jobdesk.core.clock import SystemClock, instant
    from jobdesk.core.durations import seconds

    try:
        return SystemClock().now() - seconds(text)
    except ValueError:
        pass
    try:
        return instant(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no time: write how long ago (10m, 2h) or when (2027-01-31T18:00)"
        ) from None


def duration(text: str) -> float:
    """An argparse type: a duration such as 500ms, 5s, 2m, 1h, 7d; in seconds."""
    from jobdesk.core.durations import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
