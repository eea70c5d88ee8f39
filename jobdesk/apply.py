"""From the settings to what works by them: queues, limits and ageing in the ledger."""

from jobdesk.core.rate import Rate
from jobdesk.ledger import aging, queues, rates
from jobdesk.ledger.database import Ledger
from jobdesk.sections import Config
from jobdesk.sections.queues import QueueSettings


def settings(ledger: Ledger, config: Config) -> None:
    """Make the ledger say what the settings say; writes only where it differs."""
    limits: dict[tuple[rates.Scope, str], Rate] = {}
    for name, own in config.queues.items():
        if own.rate_limit:
            limits["queue", name] = own.rate_limit
    for name, own_type in config.types.items():
        if own_type.rate_limit:
            limits["type", name] = own_type.rate_limit
    rates.sync(ledger, limits)
    aging.sync(ledger, config.desk.aging)
    queues.sync(ledger, {name: queue_spec(own) for name, own in config.queues.items()})


def queue_spec(own: QueueSettings) -> queues.QueueSpec:
    """A queue of the settings as the ledger has it."""
    return queues.QueueSpec(
        priority=own.priority,
        concurrency=own.concurrency,
        ttl_s=own.ttl,
        dead_letter_ttl_s=own.dead_letter_ttl,
        max_size=own.max_size,
        keep_completed=own.keep_completed,
        keep_failed=own.keep_failed,
        description=own.description,
    )
