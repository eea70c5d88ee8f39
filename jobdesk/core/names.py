"""Names as text that is safe to show and to store: of files, whatever the file system holds, and of queues."""

QUEUE_CHARACTERS = 200
CORNER = ".jobdesk"
"""Lies in each folder whose files are taken out of it."""


def shown(path: bytes) -> str:
    """The path as text: bytes that are not UTF-8 and signs that do not print are written as escapes (\\xff, \\n)."""
    text = path.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def queue_name(text: str) -> str:
    """A queue's name as it is.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > QUEUE_CHARACTERS:
        said = f"{text!r}"
        said = said if len(said) <= 50 else f"{said[:50]}…"
        raise ValueError(f"{said} is no name for a queue: it takes 1 to {QUEUE_CHARACTERS} letters that can be shown")
    return text
