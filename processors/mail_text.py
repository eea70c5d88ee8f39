"""The text of a page, for those who read mail without one."""

import re
from html.parser import HTMLParser

_UNSEEN = ("head", "script", "style", "title")
_BLOCKS = ("p", "div", "table", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "section")
_LINES = ("br", "li", "tr")


def plain_text(html: str) -> str:
    """What a page says: paragraphs apart, entries of lists with dashes, cells side by side, links in brackets."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(reader.said))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._hidden = 0
        self._links: list[tuple[str, int]] = []
        """Of each open link its address, and where its words begin."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self.said.append("\n\n")
        elif tag in _LINES:
            self.said.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.said.append("  ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.said)))
        elif tag == "img":
            self.said.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.said.append("\n\n")
        elif tag == "a" and self._links:
            place, since = self._links.pop()
            words = "".join(self.said[since:]).strip()
            place = place.removeprefix("mailto:")
            if place and not place.startswith("#") and place != words:
                self.said.append(f" ({place})")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(re.sub(r"\s+", " ", data))
