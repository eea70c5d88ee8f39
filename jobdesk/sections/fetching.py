"""`[fetching]`."""

import ipaddress
import re
from typing import Literal

from pydantic import field_validator

from jobdesk.sections.fields import Section


class FetchingSettings(Section):
    private: Literal["local", "always", "never"]
    hosts: list[str]

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: list[str]) -> list[str]:
        for one in hosts:
            if re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", one) and not re.fullmatch(r"[0-9.]+", one):
                continue
            try:
                ipaddress.ip_network(one)
            except ValueError:
                raise ValueError(
                    f"'{one}' is no host: write a name (files.lan), an address (10.0.0.7) or a network (10.0.0.0/8)"
                ) from None
        return hosts
