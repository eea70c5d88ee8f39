"""`jobdesk web`: the terminal app in a browser, a process for each tab."""

import ipaddress

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, number
from jobdesk.core.errors import UsageError

_MORE = """
Needs `pip install "jobdesk[web]"`. Each tab is an app of its own, attached as with --attach: what happens there
happens on this home, as this user. The address it prints holds a key; without it nobody gets in. It listens to
this machine only: from elsewhere use a tunnel (ssh -L 8000:127.0.0.1:8000 HOST). With another --host whoever can
reach the port and has, or overhears, the key can do what you can, commands included: nothing is encrypted."""


def add(commands: Group) -> None:
    parser = commands.command("web", "the app in a browser", _web, more=_MORE)
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="listen there (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=number(0), default=8000, metavar="N", help="listen there (default: 8000; 0: any that is free)"
    )


def _web(args: Args, out: Out) -> int:
    try:
        from jobdesk import web
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("textual_serve", "aiohttp", "aiohttp_jinja2"):
            raise
        raise UsageError('the app in a browser needs textual-serve: pip install "jobdesk[web]"') from None
    with opened(args) as desk:  # what is wrong with the home is said now, not in each tab
        home = desk.home.path
        read_only = desk.read_only

    def ready(url: str) -> None:
        if out.json:
            out.record({"url": url})
        else:
            out.line(url, flush=True)
            out.say("Ctrl-C ends it and every app that is open there")
        if not _is_loopback(args.host):
            out.errors.write(
                f"jobdesk: {args.host} can be reached from elsewhere, and nothing is encrypted: whoever overhears this "
                f"address, or is given it, can {'see all of this home' if read_only else 'run commands as you'}. "
                "A tunnel is safer: ssh -L 8000:127.0.0.1:8000 HOST\n"
            )
            out.errors.flush()

    return web.serve(home, args.host, args.port, read_only=read_only, ready=ready)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
