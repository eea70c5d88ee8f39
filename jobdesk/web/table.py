"""Every route. Of two that fit a path the one that names it letter by letter comes first."""

from jobdesk.web import events, health, jobs, queues, scheduler
from jobdesk.web.route import Route

BASES = ("/api/v1", "/api", "")
"""Where each of them is served. The first speaks our own words, the others those of Bull."""


def routes() -> list[Route]:
    """The whole table."""
    every = [*jobs.ROUTES, *queues.ROUTES, *scheduler.ROUTES, *health.ROUTES, *events.ROUTES]
    return sorted(every, key=lambda route: (route.path.count("{"), route.path))
