"""`[email]`."""

from email.utils import parseaddr
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from jobdesk.core.calling import MAIL
from jobdesk.sections.fields import Bytes, Seconds, Section
from jobdesk.sections.services import OwnBreakerSettings, Secret, ServiceSettings


def _address(text: str) -> str:
    if text and (not text.isprintable() or not all(parseaddr(text)[1].partition("@"))):
        raise ValueError(f"'{text}' is no mail address: write it like shop@example.org or Shop <shop@example.org>")
    return text


Address = Annotated[str, AfterValidator(_address)]


class EmailSettings(Section):
    host: str
    port: int = Field(ge=1, le=65535)
    security: Literal["starttls", "tls", "none"]
    ca_file: str
    username: str
    password: Secret
    sender: Address
    reply_to: Address
    timeout: Seconds = Field(gt=0)
    max_attachment_bytes: Bytes
    max_message_bytes: Bytes
    breaker: OwnBreakerSettings = OwnBreakerSettings()

    @model_validator(mode="after")
    def _login_is_safe(self) -> "EmailSettings":
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password belong together: give both, or none")
        here = self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"
        if self.password and self.security == "none" and not here:
            raise ValueError("a password would be sent in clear: set security to starttls or tls")
        return self

    @property
    def service(self) -> ServiceSettings | None:
        """The mail server as a service that jobs call; None without a host."""
        if not self.host:
            return None
        return ServiceSettings.model_construct(
            url=f"{MAIL}://{self.host}:{self.port}", timeout=self.timeout, breaker=self.breaker
        )
