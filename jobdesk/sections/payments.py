"""`[payments]`: how often, and how long, a payment that was declined is tried again."""

from pydantic import Field

from jobdesk.sections.fields import Factor, Seconds, Section


class PaymentSettings(Section):
    attempts: int = Field(ge=1, le=100)
    delay: Seconds = Field(gt=0)
    factor: Factor
    max_delay: Seconds = Field(gt=0)
    max_age: Seconds = Field(gt=0)
