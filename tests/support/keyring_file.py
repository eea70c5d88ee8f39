"""A backend of the keyring library that keeps passwords in the file $JOBDESK_TEST_KEYRING."""

import json
import os
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend


class KeyringFile(KeyringBackend):
    priority: Any = 1

    @property
    def _file(self) -> Path:
        return Path(os.environ["JOBDESK_TEST_KEYRING"])

    def _all(self) -> dict[str, str]:
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file.write_text(json.dumps(self._all() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        self._file.write_text(json.dumps({k: v for k, v in self._all().items() if k != f"{service}/{username}"}))
