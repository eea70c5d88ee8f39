"""Templates of mail: NAME.subject.txt, NAME.html and NAME.txt, in HOME/templates or built in; one's own come first.

They are Jinja2, in its sandbox: what a template may do does not depend on who wrote it. A variable that is used and
not given is an error, unless the template says `| default(…)`; so is one that is given and not used. Style sheets are
put into the elements, as mail programs want it; where there is a page and no text, the text is made of the page.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = "templates"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MOST_LACKING = 20
_SUBJECT, _TEXT, _PAGE = ".subject.txt", ".txt", ".html"
_PARTS = (_SUBJECT, _TEXT, _PAGE)


class TemplateError(ValueError):
    """A template is missing, wrong, or lacks a variable; one sentence."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it was rendered."""

    subject: str
    text: str
    html: str | None


def of(home: Path) -> "Templates":
    """The templates of a home as they are now; read again only when a file has changed."""
    own = home / FOLDER
    return _read(own, tuple(_stamps(own)) if own.is_dir() else ())


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    for file in sorted(folder.rglob("*")):
        found = file.stat()
        yield str(file), found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read(own: Path, stamps: tuple[tuple[str, int, int], ...]) -> "Templates":
    return Templates((own, Path(str(files("jobdesk_assets") / "mail"))))


class Templates:
    """All templates of some folders, the first of which that has one is asked; use `of`."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        from jinja2 import FileSystemLoader, StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self._folders = folders
        self._loader = FileSystemLoader([str(folder) for folder in folders])
        self._jinja = ImmutableSandboxedEnvironment(
            loader=self._loader,
            autoescape=lambda name: name is not None and name.endswith(_PAGE),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.names = sorted(
            {one.name.removesuffix(_SUBJECT) for folder in folders for one in folder.glob(f"*{_SUBJECT}")}
        )
        self._variables: dict[str, tuple[list[str], bool]] = {}

    def must_exist(self, name: str) -> None:
        """Refuse a name that no template has.

        Raises:
            TemplateError: there is none; says which there are.
        """
        if not _NAME.fullmatch(name) or name not in self.names:
            raise TemplateError(f"there is no template '{name}': there are {', '.join(self.names)}")

    def is_own(self, name: str) -> bool:
        """Whether a file of it lies in the first folder, the user's."""
        return any((self._folders[0] / (name + part)).exists() for part in _PARTS)

    def variables(self, name: str) -> list[str]:
        """What a template takes, in the order of the alphabet; also what has a default."""
        return self._takes(name)[0]

    def check(self, name: str, data: Mapping[str, Any]) -> None:
        """See that the data is what the template asks for, no less and no more.

        Raises:
            TemplateError: it is not, or the template is wrong.
        """
        self.must_exist(name)
        takes, all_known = self._takes(name)
        if all_known and (unknown := sorted(data.keys() - set(takes))):
            words = ", ".join(f"'{one}'" for one in unknown)
            raise TemplateError(f"template '{name}' does not take {words}: it takes {', '.join(takes) or 'nothing'}")
        self._filled(name, data)

    def render(self, name: str, data: Mapping[str, Any]) -> Letter:
        """Make the mail of a template.

        Raises:
            TemplateError: there is none, it is wrong, or a variable is missing; says which.
        """
        self.must_exist(name)
        made = self._filled(name, data)
        return letter(" ".join(made[_SUBJECT].split()), made.get(_TEXT), made.get(_PAGE))

    def _filled(self, name: str, data: Mapping[str, Any]) -> dict[str, str]:
        """Its parts by the ends of their names, with the data put in."""
        made: dict[str, str] = {}
        for part in _PARTS:
            filled = self._part(name, part, data)
            if filled is not None:
                made[part] = filled
        if not made[_SUBJECT].strip():
            raise TemplateError(f"template '{name}' has no subject")
        if len(made) == 1:
            raise TemplateError(f"template '{name}' has no text: add {name}.txt or {name}.html")
        return made

    def _part(self, name: str, part: str, data: Mapping[str, Any]) -> str | None:
        import jinja2

        try:
            return self._jinja.get_template(name + part).render(dict(data))
        except jinja2.TemplateNotFound as error:
            if error.name == name + part:
                return None
            raise TemplateError(f"template {name + part} includes {error.name}, which does not exist") from None
        except jinja2.UndefinedError as error:
            lacks = _lacking(self._jinja.get_template(name + part), data)
            said = f"needs {', '.join(lacks)}" if lacks else f"cannot be filled in: {error.message}"
            raise TemplateError(f"template '{name}' {said}") from None
        except jinja2.TemplateSyntaxError as error:
            where = error.name or name + part
            raise TemplateError(f"template {where}, line {error.lineno}: {error.message}") from None
        except Exception as error:  # whatever an expression of a template comes to
            raise TemplateError(f"template {name + part} cannot be filled in ({error})") from None

    def _takes(self, name: str) -> tuple[list[str], bool]:
        """The variables of a template and of those it is built on, and whether that is all of them."""
        if name not in self._variables:
            self._variables[name] = self._look_up(name)
        return self._variables[name]

    def _look_up(self, name: str) -> tuple[list[str], bool]:
        from jinja2 import meta

        found, seen, all_known = set[str](), set[str](), True
        waiting = [name + part for part in _PARTS]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            try:
                tree = self._jinja.parse(self._loader.get_source(self._jinja, one)[0])
            except Exception:  # missing or wrong: filling it in says so
                continue
            found |= meta.find_undeclared_variables(tree)
            for other in meta.find_referenced_templates(tree):
                all_known = all_known and other is not None  # one whose name is a variable may take anything
                waiting += [] if other is None else [other]
        return sorted(found - self._jinja.globals.keys()), all_known


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


def letter(subject: str, text: str | None, html: str | None) -> Letter:
    """A mail of a subject, a text and a page; what is missing of the text is made of the page.

    Raises:
        TemplateError: the page cannot be read.
    """
    from .mail_text import plain_text

    page = None if html is None else inlined(html)
    return Letter(subject, plain_text(html or "") if text is None else text, page)


def inlined(html: str) -> str:
    """The page with its styles in its elements; nothing is fetched for it. What is for some screens only stays.

    Raises:
        TemplateError: the page cannot be read.
    """
    import css_inline

    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
    try:
        return inliner.inline(html)
    except css_inline.InlineError as error:
        raise TemplateError(f"its styles cannot be put into the page ({error})") from None
