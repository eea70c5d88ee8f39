"""The file of a job, wherever it lies: on this machine, or at a URL from which it is fetched first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationInfo

from jobdesk import Context, Reject

from . import safefiles, staging


def _is_local(path: Any) -> Any:
    if isinstance(path, str) and "://" in path:
        raise ValueError("it is a URL: give it as source_url or file_url")
    return path


def _in_one_place(url: str | None, info: ValidationInfo) -> str | None:
    """Either a file or a URL; where a flow puts one of them in later, nothing can be said yet."""
    if "source" in info.data and (url is None) == (info.data["source"] is None):
        raise ValueError("say which file: either source, a path, or its URL")
    return url


def _url(*names: str) -> Any:
    return Field(
        pattern=r"^https?://[^\s/]", max_length=8000, validation_alias=AliasChoices(*names), validate_default=True
    )


Source = Annotated[Path | None, BeforeValidator(_is_local), Field(validation_alias=AliasChoices("source", "file"))]
"""A path. Declare it before the URL."""
SourceUrl = Annotated[str | None, _url("source_url", "sourceUrl"), AfterValidator(_in_one_place)]
FileUrl = Annotated[str | None, _url("file_url", "fileUrl"), AfterValidator(_in_one_place)]
Output = Annotated[Path | None, Field(validation_alias=AliasChoices("output", "output_path", "outputPath"))]


@contextmanager
def local(ctx: Context, source: Path | None, url: str | None, max_bytes: int) -> Iterator[Path]:
    """The file on this machine. What was fetched is removed when the work is done or can never be.

    Raises:
        Reject: it is too long.
        HttpStatus, ConnectionError, TimeoutError: it could not be fetched; what has come stays for the next attempt.
    """
    if source is not None:
        yield source
        return
    from .downloading import fetch

    def tell(done: int, total: int | None) -> None:
        ctx.progress(done, total, f"fetching, {done / 1e6:,.1f} MB")

    folder = staging.folder(ctx, ctx.job) / "fetched"
    try:
        yield fetch(ctx, url or "", folder, max_bytes=max_bytes, tell=tell).path
    except BaseException as error:
        if isinstance(error, Reject) or not any(one.stat().st_size for one in folder.glob("*")):
            staging.remove(folder.parent)
        raise
    staging.remove(folder.parent)


def called(source: Path | None, url: str | None) -> str:
    """The name that a file has where it lies."""
    name = source.name if source is not None else unquote(PurePosixPath(urlsplit(url or "").path).name)
    return safefiles.shown(name.replace("/", "_"))[:255] or "file"
