"""`jobdesk mail`: templates of mail, what comes of them, and whether the mail server takes some."""

from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, plain
from jobdesk.cli.parsing import Args, Group
from jobdesk.core.errors import ConfigError, NotFound, PayloadError

if TYPE_CHECKING:
    from pathlib import Path

    from jobdesk_processors.mail_templates import Templates


def add(commands: Group) -> None:
    noun = commands.noun("mail", "look at the templates of mail, and try the mail server")
    noun.command("templates", "every template with its variables; own ones are in HOME/templates", _templates)
    preview = noun.command("preview", "what a mail would say; nothing is sent", _preview)
    preview.add_argument("template", metavar="TEMPLATE")
    preview.add_argument("pairs", metavar="key=value", nargs="*", help="what it is given")
    preview.add_argument("--data", metavar="JSON|@FILE|-", help="what it is given, as a JSON object")
    preview.add_argument(
        "--html", metavar="FILE", help="also write the page into a file; - prints it instead of the text"
    )
    noun.command("test", "connect to the mail server and log in; nothing is sent", _test)


def _of(args: Args) -> "Templates":
    from jobdesk import home
    from jobdesk_processors import mail_templates

    return mail_templates.of(home.locate(getattr(args, "home", None)))


def _templates(args: Args, out: Out) -> None:
    there = _of(args)
    rows = [(name, "own" if there.is_own(name) else "built in", there.variables(name)) for name in there.names]
    if out.json:
        out.document([{"name": name, "own": whose == "own", "variables": takes} for name, whose, takes in rows])
        return
    out.table(
        (Column("template"), Column("whose"), Column("takes", least=16)),
        [(name, whose, ", ".join(takes)) for name, whose, takes in rows],
    )


def _preview(args: Args, out: Out) -> None:
    from jobdesk.cli.payload import data_of, merged
    from jobdesk_processors.mail_templates import TemplateError

    there, data = _of(args), merged(data_of(args.data), args.pairs, {})
    if args.template not in there.names:
        raise NotFound(f"there is no template '{args.template}': there are {', '.join(there.names)}")
    try:
        there.check(args.template, data)
        made = there.render(args.template, data)
    except TemplateError as error:
        raise PayloadError(str(error)) from None
    if args.html not in (None, "-"):
        _write(args.html, made.html)
    if out.json:
        out.document({"template": args.template, "subject": made.subject, "text": made.text, "html": made.html})
    elif args.html == "-":
        out.stream.write(_page(made.html))
    else:
        out.fields([("subject", made.subject)])
        out.line()
        for line in made.text.splitlines():
            out.line(plain(line))


def _page(html: str | None) -> str:
    if html is None:
        raise PayloadError("the template has no page, only text: leave out --html")
    return html if html.endswith("\n") else html + "\n"


def _write(name: str, html: str | None) -> "Path":
    from pathlib import Path

    file = Path(name).expanduser()
    try:
        file.write_text(_page(html), "utf-8")
    except OSError as error:
        raise PayloadError(f"{name} cannot be written: {error.strerror}") from None
    return file


def _test(args: Args, out: Out) -> int:
    with opened(args) as desk:
        from jobdesk.core import env
        from jobdesk.core.outcome import Reject, Retry
        from jobdesk_processors import mail_server

        settings = desk.config.email.model_dump()
        if not settings["host"]:
            raise ConfigError("mail is not set up: set host and sender in [email] of jobdesk.toml")
        try:
            ok, message = True, mail_server.greet(env.put_in(settings))
        except (Reject, Retry, OSError) as error:
            ok, message = False, str(error)
        if out.json:
            out.document({"ok": ok, "message": message})
        else:
            out.line(plain(message))
        return 0 if ok else 1
