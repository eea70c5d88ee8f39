"""`jobdesk jobs pause|continue|signal|send`: what is said to jobs that run."""

import sys

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, Parser
from jobdesk.core.errors import JobdeskError, UsageError

_DONE = {"pause": "is paused", "continue": "goes on"}
_SEND_MORE = """
Without --no-newline a line end follows TEXT. TEXT - is standard input, as it is.
  jobdesk run --stdin-open -- python3 -i
  jobdesk jobs send ID 'print(6 * 7)'
  jobdesk jobs send ID --end                no more comes: most programs end then"""


def add(noun: Group) -> None:
    for word, about in (("pause", "stop running commands where they are"), ("continue", "let paused ones go on")):
        parser = noun.command(word, about, _pause_or_continue, rest="ids")
        parser.set_defaults(word=word)
        parser.add_argument("ids", metavar="ID", nargs="+", help="an id or a unique beginning of it")
    signal = noun.command("signal", "send a signal to all processes of a running command", _signal)
    _one(signal)
    signal.add_argument("name", metavar="NAME", help="INT, SIGHUP, 10 …")
    send = noun.command("send", "give a running command something to read", _send, more=_SEND_MORE)
    _one(send)
    send.add_argument("text", metavar="TEXT|-", nargs="?", help="what its standard input gets")
    send.add_argument("--no-newline", action="store_true", help="let no line end follow")
    send.add_argument("--end", action="store_true", help="close its standard input after that")


def _one(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="its id or a unique beginning of it")


def _pause_or_continue(args: Args, out: Out) -> int:
    code, answers = 0, []
    with opened(args) as desk:
        act = desk.pause_job if args.word == "pause" else desk.continue_job
        for given in args.ids:
            try:
                answers.append({"id": act(given).id, "action": args.word, "done": True, "error": None})
            except JobdeskError as error:
                if len(args.ids) == 1:
                    raise
                answers.append({"id": given, "action": args.word, "done": False, "error": str(error)})
                code = max(code, error.exit_code)
    if out.json:
        out.document(answers)
        return code
    for one in answers:
        if one["done"]:
            out.say(f"{one['id']} {_DONE[args.word]}")
        else:
            out.errors.write(f"jobdesk: {one['error']}\n")
    return code


def _signal(args: Args, out: Out) -> None:
    with opened(args) as desk:
        _told(desk.signal_job(args.id, args.name).id, "signal", "gets the signal", out)


def _send(args: Args, out: Out) -> None:
    if args.text is None and not args.end:
        raise UsageError("say what to send, or --end")
    text = ""
    if args.text is not None:
        text = _standard_input() if args.text == "-" else args.text + ("" if args.no_newline else "\n")
    with opened(args) as desk:
        _told(desk.send_to_job(args.id, text, end=args.end).id, "send", "gets it", out)


def _standard_input() -> str:
    """All of it, whatever bytes it has: they are given back as they came."""
    from jobdesk.core.speech import LONGEST

    return sys.stdin.buffer.read(4 * LONGEST + 1).decode("utf-8", "surrogateescape")


def _told(id_: str, action: str, words: str, out: Out) -> None:
    if out.json:
        out.document({"id": id_, "action": action, "done": True})
    else:
        out.say(f"{id_} {words}")
