"""File names as text that is safe to show and to store: whatever the file system holds."""


def shown(path: bytes) -> str:
    """The path as text: bytes that are not UTF-8 and signs that do not print are written as escapes (\\xff, \\n)."""
    text = path.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
