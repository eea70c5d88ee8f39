"""Places for finished files other than a folder: s3://, gs:// and az:// through obstore, any other URL through fsspec.

Both are extras. A store knows keys and whole objects; an object is there completely or not at all.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from jobdesk import Reject, Retry

_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss"})
_CHUNK_BYTES = 1 << 20


class Store(Protocol):
    """What the upload needs of a place."""

    def put(self, path: Path, key: str) -> None: ...
    def read(self, key: str) -> Iterator[bytes]: ...
    def copy(self, key: str, to: str) -> None: ...
    def delete(self, keys: Iterable[str]) -> None: ...
    def keys(self, prefix: str) -> list[str]: ...


def open_store(settings: Mapping[str, Any]) -> Store:
    """The store of `storage.url`.

    Raises:
        Reject: `storage-failed`; its library is missing, or the settings name no such place.
    """
    url = settings["url"]
    options = dict(settings["options"])
    try:
        if urlsplit(url).scheme in _OBJECT_STORES:
            return _Objects(url, settings, options)
        return _Files(url, options)
    except ImportError as error:
        raise Reject(
            f"{shown(url)} needs an extra that is not installed ({error}): pip install 'jobdesk[storage]', then retry",
            reason="storage-failed",
        ) from None
    except Reject:
        raise
    except Exception as error:  # each library has classes of its own for a URL or key that it does not know
        words = " ".join(str(error).split())[:300]
        raise Reject(f"{shown(url)} of storage.url cannot be used: {words}", reason="storage-failed") from None


def digest(store: Store, key: str) -> str:
    """The SHA-256 of what lies there, read back.

    Raises:
        Reject, Retry: it cannot be read.
    """
    sum_ = hashlib.sha256()
    for block in store.read(key):
        sum_.update(block)
    return sum_.hexdigest()


def shown(url: str) -> str:
    """A URL without the name and password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


class _Objects:
    """An object store. Large files go up in parts, and what is not complete cannot be seen."""

    def __init__(self, url: str, settings: Mapping[str, Any], options: Mapping[str, str]) -> None:
        import obstore
        import obstore.store

        parts = urlsplit(url)
        self._lib: Any = obstore
        self._part_bytes = settings["part_size"]
        self._prefix = parts.path.strip("/")
        plain = options.get("endpoint", options.get("aws_endpoint", "")).startswith("http://")
        opened: Any = obstore.store.from_url  # its types know each store's own keys, the settings those of any
        self._store: Any = opened(
            f"{parts.scheme}://{parts.netloc}",
            config=dict(options),
            client_options={"timeout": f"{settings['timeout']:g}s", "allow_http": plain},
            retry_config={"max_retries": settings["retries"]},
        )

    def put(self, path: Path, key: str) -> None:
        with _told(key):
            self._lib.put(
                self._store, self._at(key), path, chunk_size=self._part_bytes,
                use_multipart=path.stat().st_size > self._part_bytes,
            )  # fmt: skip

    def read(self, key: str) -> Iterator[bytes]:
        with _told(key):
            for block in self._lib.get(self._store, self._at(key)).stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(block)

    def copy(self, key: str, to: str) -> None:
        with _told(to):
            self._lib.copy(self._store, self._at(key), self._at(to))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                with _told(key):
                    self._lib.delete(self._store, self._at(key))
            except FileNotFoundError:
                continue

    def keys(self, prefix: str) -> list[str]:
        with _told(prefix):
            found = [one["path"] for page in self._lib.list(self._store, self._at(prefix)) for one in page]
        return sorted(key.removeprefix(self._prefix).lstrip("/") for key in found)

    def _at(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key


class _Files:
    """Any file system that fsspec knows: sftp://, ftp://, smb://, memory:// …"""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        import fsspec

        found = fsspec.core.url_to_fs(url, **options)
        self._files: Any = found[0]
        self._root: str = found[1].rstrip("/")

    def put(self, path: Path, key: str) -> None:
        with _told(key):
            target = self._at(key)
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(path), target)

    def read(self, key: str) -> Iterator[bytes]:
        with _told(key), self._files.open(self._at(key), "rb") as file:
            while block := file.read(_CHUNK_BYTES):
                yield block

    def copy(self, key: str, to: str) -> None:
        with _told(to):
            self._files.makedirs(self._at(to).rpartition("/")[0], exist_ok=True)
            self._files.cp_file(self._at(key), self._at(to))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                with _told(key):
                    self._files.rm_file(self._at(key))
            except FileNotFoundError:
                continue

    def keys(self, prefix: str) -> list[str]:
        with _told(prefix):
            found = self._files.find(self._at(prefix).rstrip("/"))
        return sorted(one.removeprefix(self._root).lstrip("/") for one in found)

    def _at(self, key: str) -> str:
        return f"{self._root}/{key}"


class _told:  # noqa: N801  used like a function
    """Turn what a store says into what is to be done: mend it, try again, or it is not there."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, Reject | Retry | GeneratorExit | MemoryError):
            return
        name, words = type(error).__name__, f"{type(error).__name__} {error}"
        code = re.search(r"<Code>(\w+)</Code>", words)  # what S3 itself calls it stands far behind
        text = " ".join(str(error).split())[:200] + (f" … {code[1]}" if code else "")
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in words:
            raise FileNotFoundError(f"{self._key} is not in the storage") from None
        if isinstance(error, PermissionError) or re.search(
            r"PermissionDenied|Unauthenticated|UnknownConfiguration|NoSuchBucket|AccessDenied|InvalidAccessKey|"
            r"SignatureDoesNotMatch|NotSupported|InvalidPath|MissingCredentials",
            words,
        ):
            raise Reject(
                f"the storage refuses {self._key} ({text}): mend storage.url, its options or permissions, then retry",
                reason="storage-failed",
            ) from None
        if isinstance(error, Exception):
            raise Retry(f"the storage did not take or give {self._key} ({name}: {text})") from None
