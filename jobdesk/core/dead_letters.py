"""Names of dead letters as other systems have them: queues of their own, which here they are not."""

SUFFIX = ".dlq"
"""Behind the name of a queue: its dead letters."""
ALL = "dead-letter"
"""Those of all queues."""


def queue_of(name: str) -> str | None:
    """The queue whose dead letters a name means, "" for all of them; None if it is the name of a queue."""
    if name == ALL:
        return ""
    return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) and name != SUFFIX else None
