"""Templates of mail: NAME.subject.txt, NAME.html and NAME.txt, in HOME/templates or built in; one's own come first.

They are Jinja2, in its sandbox: what a template may do does not depend on who wrote it. A variable that is used and
not given is an error, unless the template says `| default(…)`. Style sheets are put into the elements, as mail programs
want it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

FOLDER = "templates"
MISSING = 'mail needs libraries that are not installed: pip install "jobdesk[mail]"'
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MOST_LACKING = 20
_PARTS = (".subject.txt", ".txt", ".html")


class TemplateError(ValueError):
    """A template is missing, wrong, or lacks a variable; one sentence."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it was rendered."""

    subject: str
    text: str | None
    html: str | None


def names(home: Path | None) -> list[str]:
    """Every template there is, by name."""
    found: set[str] = set()
    for folder in _folders(home):
        if folder.is_dir():
            found.update(one.name.removesuffix(".subject.txt") for one in folder.glob("*.subject.txt"))
    return sorted(found)


def render(name: str, data: Mapping[str, Any], home: Path | None) -> Letter:
    """Make the mail of a template.

    Args:
        home: whose own templates come before the built-in ones.

    Raises:
        TemplateError: there is none, it is wrong, or a variable is missing; says which.
    """
    try:
        import jinja2
    except ImportError:
        raise TemplateError(MISSING) from None
    if not _NAME.fullmatch(name) or name not in names(home):
        raise TemplateError(f"there is no template '{name}': there are {', '.join(names(home))}")
    environment = _environment(home)
    made: dict[str, str] = {}
    for part in _PARTS:
        try:
            made[part] = environment.get_template(name + part).render(dict(data))
        except jinja2.TemplateNotFound as error:
            if error.name != name + part:
                raise TemplateError(f"template {name + part} includes {error.name}, which does not exist") from None
        except jinja2.UndefinedError as error:
            lacks = _lacking(environment.get_template(name + part), data)
            said = f"needs {', '.join(lacks)}" if lacks else f"cannot be filled in: {error.message}"
            raise TemplateError(f"template '{name}' {said}") from None
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"template {name + part}, line {error.lineno}: {error.message}") from None
        except Exception as error:  # whatever an expression of a template comes to
            raise TemplateError(f"template {name + part} cannot be filled in ({error})") from None
    subject = " ".join(made[".subject.txt"].split())
    if not subject or not (made.keys() - {".subject.txt"}):
        raise TemplateError(f"template '{name}' has no {'subject' if not subject else 'text: add .txt or .html'}")
    html = made.get(".html")
    return Letter(subject, made.get(".txt"), None if html is None else inlined(html))


def _lacking(template: "Template", data: Mapping[str, Any]) -> list[str]:
    """The names of all that is undefined, one after the other."""
    import jinja2

    given, lacks = dict(data), list[str]()
    while len(lacks) < _MOST_LACKING:
        try:
            template.render(given)
        except jinja2.UndefinedError as error:
            found = re.match(r"'(\w+)' is undefined", error.message or "")
            if found is None or found[1] in given:
                break
            lacks.append(found[0].partition(" ")[0])
            given[found[1]] = ""
        except Exception:
            break
        else:
            break
    return lacks


def variables(name: str, home: Path | None) -> list[str]:
    """What a template asks for, in the order of the alphabet; also what has a default."""
    from jinja2 import meta

    environment = _environment(home)
    assert environment.loader is not None
    found: set[str] = set()
    waiting = [name + part for part in _PARTS]
    seen: set[str] = set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            tree = environment.parse(environment.loader.get_source(environment, one)[0])
        except Exception:  # missing or wrong: rendering says so
            continue
        found |= meta.find_undeclared_variables(tree)
        waiting += [other for other in meta.find_referenced_templates(tree) if other is not None]
    return sorted(found)


def inlined(html: str) -> str:
    """The page with its styles in its elements; nothing is fetched for it.

    Raises:
        TemplateError: the library is missing, or the page cannot be read.
    """
    try:
        import css_inline
    except ImportError:
        raise TemplateError(MISSING) from None
    try:
        return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False).inline(html)
    except css_inline.InlineError as error:
        raise TemplateError(f"its styles cannot be put into the page ({error})") from None


def _environment(home: Path | None) -> "ImmutableSandboxedEnvironment":
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([str(folder) for folder in _folders(home)]),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _folders(home: Path | None) -> Iterator[Path]:
    if home is not None:
        yield home / FOLDER
    yield Path(str(files("jobdesk_assets") / "mail"))
