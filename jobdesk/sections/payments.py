"""`[payments]`: how often, and how long, a payment that was declined is tried again."""

from pydantic import Field

from jobdesk.sections.fields import Seconds, Section


class PaymentSettings(Section):
    attempts: int = Field(ge=1, le=100)
    delay: Seconds = Field(gt=0)
    factor: float = Field(ge=1, allow_inf_nan=False)
    max_delay: Seconds = Field(gt=0)
    max_age: Seconds = Field(gt=0)
