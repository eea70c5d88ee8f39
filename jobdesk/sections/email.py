"""`[email]`."""

from typing import Literal

from pydantic import Field

from jobdesk.sections.fields import Bytes, Seconds, Section


class EmailSettings(Section):
    host: str
    port: int = Field(ge=1, le=65535)
    security: Literal["starttls", "tls", "none"]
    ca_file: str
    username: str
    password: str
    sender: str
    reply_to: str
    timeout: Seconds = Field(gt=0)
    max_attachment_bytes: Bytes
    max_message_bytes: Bytes
