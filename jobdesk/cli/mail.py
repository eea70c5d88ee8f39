"""`jobdesk mail`: templates of mail, and what comes of them."""

from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group
from jobdesk.core.errors import NotFound, PayloadError


def add(commands: Group) -> None:
    noun = commands.noun("mail", "look at the templates of mail")
    noun.command("templates", "every template with its variables; own ones are in HOME/templates", _templates)
    preview = noun.command("preview", "what a mail would say; nothing is sent", _preview)
    preview.add_argument("template", metavar="TEMPLATE")
    preview.add_argument("pairs", metavar="key=value", nargs="*", help="what it is given")
    preview.add_argument("--data", metavar="JSON|@FILE|-", help="what it is given, as a JSON object")
    preview.add_argument("--html", action="store_true", help="print the page instead of the text")


def _templates(args: Args, out: Out) -> None:
    from jobdesk import home
    from jobdesk.cli.output import Column
    from jobdesk_processors import mail_templates

    path = home.locate(getattr(args, "home", None))
    rows = [(name, mail_templates.variables(name, path)) for name in mail_templates.names(path)]
    if out.json:
        out.document([{"name": name, "variables": wanted} for name, wanted in rows])
    else:
        out.table((Column("template"), Column("variables", least=16)), [(name, ", ".join(own)) for name, own in rows])


def _preview(args: Args, out: Out) -> None:
    from jobdesk import home
    from jobdesk.cli.output import plain
    from jobdesk.cli.payload import data_of, merged
    from jobdesk_processors import mail_templates

    path = home.locate(getattr(args, "home", None))
    data = merged(data_of(args.data), args.pairs, {})
    if args.template not in (names := mail_templates.names(path)):
        raise NotFound(f"there is no template '{args.template}': there are {', '.join(names)}")
    try:
        made = mail_templates.render(args.template, data, path)
    except mail_templates.TemplateError as error:
        raise PayloadError(str(error)) from None
    if out.json:
        out.document({"subject": made.subject, "text": made.text, "html": made.html})
        return
    text = made.html if args.html else made.text
    if not args.html:
        out.fields([("subject", made.subject)])
        out.line()
    for line in (text or "it has no text, only a page: see --html").splitlines():
        out.line(plain(line))
