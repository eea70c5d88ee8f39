"""`jobdesk completion SHELL`: the script that lets a shell complete commands, options and their values."""

from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group

SHELLS = ("bash", "zsh", "fish", "tcsh")
_MORE = """
  bash   jobdesk completion bash > ~/.local/share/bash-completion/completions/jobdesk
  zsh    jobdesk completion zsh > "${fpath[1]}/_jobdesk"
  fish   jobdesk completion fish > ~/.config/fish/completions/jobdesk.fish"""


def add(commands: Group) -> None:
    parser = commands.command("completion", "a script that lets the shell complete jobdesk's words", _print, more=_MORE)
    parser.add_argument("shell", choices=SHELLS)


def _print(args: Args, out: Out) -> None:
    import shtab

    from jobdesk.cli.main import build

    script = shtab.complete(build(), args.shell)
    if out.json:
        out.document({"shell": args.shell, "script": script})
    else:
        out.line(script)
