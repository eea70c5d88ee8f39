"""Tones: the few names that painting uses, made from the theme's variables. And the calm themes of our own."""

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import Theme

from jobdesk.tui import sgr

DESK = Theme(
    name="jobdesk",
    primary="#7aa2c8",
    secondary="#8f9bb3",
    accent="#8ec7b5",
    warning="#d9b26f",
    error="#dd7f7f",
    success="#8fbf8f",
    foreground="#d5dae3",
    background="#14171c",
    surface="#191d23",
    panel="#232932",
    dark=True,
    variables={
        "edge": "#323a46",
        "faint": "#4b5666",
        "muted": "#8b95a5",
        "chart": "#6f9d74",
        "cursor": "#2a3a4d",
        "cursor-blurred": "#20262f",
        "scrollbar": "#2d3540",
        "scrollbar-background": "#14171c",
        "input-selection-background": "#7aa2c8 30%",
    },
)
PAPER = Theme(
    name="jobdesk-light",
    primary="#2f5f8f",
    secondary="#5a6678",
    accent="#1f7a63",
    warning="#8a5a00",
    error="#b3302f",
    success="#2d7a36",
    foreground="#20262e",
    background="#f7f7f4",
    surface="#ffffff",
    panel="#e9ebe8",
    dark=False,
    variables={
        "edge": "#c9cec9",
        "faint": "#ccd1cd",
        "muted": "#626c76",
        "chart": "#86b08a",
        "cursor": "#d3e2f0",
        "cursor-blurred": "#e8ece9",
        "scrollbar": "#c4cac6",
        "scrollbar-background": "#f7f7f4",
    },
)
CONTRAST = Theme(
    name="jobdesk-contrast",
    primary="#6fc3ff",
    secondary="#ffffff",
    accent="#ffe14d",
    warning="#ffb000",
    error="#ff6b6b",
    success="#5dff7f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={
        "edge": "#9a9a9a",
        "faint": "#6a6a6a",
        "muted": "#d0d0d0",
        "cursor": "#003f8a",
        "cursor-blurred": "#2a2a2a",
        "scrollbar": "#ffffff",
        "scrollbar-background": "#000000",
    },
)
THEMES = (DESK, PAPER, CONTRAST)
ANSI = {
    "edge": "ansi_bright_black", "faint": "ansi_bright_black", "muted": "ansi_default", "chart": "ansi_green",
    "cursor": "ansi_blue", "cursor-blurred": "ansi_bright_black", "scrollbar": "ansi_bright_black",
    "scrollbar-background": "ansi_default",
}  # fmt: skip
"""Of every theme in the terminal's own sixteen colours: they cannot be mixed, so what others derive is named here."""

LIKE = {
    "edge": "panel-lighten-2", "faint": "panel-lighten-3", "muted": "foreground-darken-3",
    "cursor": "primary-muted", "cursor-blurred": "panel",
}  # fmt: skip
"""What stands for colours that a theme does not name."""

_PRINTED_KEPT = 500
_SOURCES = {
    "text": ("foreground",),
    "muted": ("muted", "foreground-muted", "secondary"),
    "faint": ("faint", "foreground-disabled", "panel"),
    "title": ("primary",),
    "accent": ("accent",),
    "run": ("primary",),
    "ok": ("success",),
    "warn": ("warning",),
    "later": ("secondary",),
    "bad": ("error",),
    "chart": ("chart", "success-darken-2", "success"),
}


class Palette:
    """From a tone to a Rich style; tones are text, strong, muted, faint, title, accent, run, ok, warn, later, bad …"""

    def __init__(self, variables: dict[str, str]) -> None:
        self._styles: dict[str, Style] = {tone: _style(variables, names) for tone, names in _SOURCES.items()}
        self._styles["strong"] = self._styles["text"] + Style(bold=True)
        self._styles["head"] = self._styles["muted"]
        self._styles["key"] = self._styles["accent"] + Style(bold=True)
        self._styles["bad-strong"] = self._styles["bad"] + Style(bold=True)
        self._styles["wrong"] = self._styles["bad"] + Style(bold=True, underline=True)
        self._styles["found"] = Style(reverse=True) + self._styles["warn"]
        self._styles["found-here"] = Style(reverse=True, bold=True) + self._styles["accent"]
        self._styles["link"] = self._styles["title"] + Style(underline=True)

        self._printed: dict[str, Style] = {}
        self.cursor = _colour(variables, ("cursor",))
        """Under the line of the cursor."""

    def __getitem__(self, tone: str) -> Style:
        return self._styles[tone] if tone in self._styles else self._of_program(tone)

    def _of_program(self, tone: str) -> Style:
        """A colour that a program printed; there may be any number of them."""
        if tone not in self._printed:
            if len(self._printed) > _PRINTED_KEPT:
                self._printed.clear()
            self._printed[tone] = sgr.style(tone, self._styles.__getitem__)
        return self._printed[tone]


def _style(variables: dict[str, str], names: tuple[str, ...]) -> Style:
    colour = _colour(variables, names)
    return Style() if colour is None else Style(color=colour.rich_color)


def _colour(variables: dict[str, str], names: tuple[str, ...]) -> Color | None:
    """The first of these that is a colour."""
    for name in names:
        if name in variables:
            try:
                return Color.parse(variables[name])
            except ColorParseError:  # "auto 60%" and the like have no colour of their own
                continue
    return None
