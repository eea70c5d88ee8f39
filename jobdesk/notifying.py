"""What a desk does with notices: the part of `Desk` that has its own subject."""

from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.alert import NOTICE_TYPE
from jobdesk.core.clock import iso
from jobdesk.core.errors import NotFound
from jobdesk.core.nearest import nearest

if TYPE_CHECKING:
    from jobdesk.core.job import Job
    from jobdesk.core.notice import Routing
    from jobdesk.desk import Desk
    from jobdesk.sections import Config


class Notifying:
    """The methods of `Desk` about notices. Targets and routes are those of the settings; a consumer sends."""

    _routed: "tuple[Config, Routing] | None" = None

    def targets(self) -> list[dict[str, Any]]:
        """Each target: `name`, `url` without its secrets, `routes` to it, the last job that told it something."""
        from jobdesk.core.notice import masked
        from jobdesk.ledger import notices

        desk = cast("Desk", self)
        notify, sent = desk.config.notify, notices.last_sent(desk.ledger)
        waiting = {one.target: one.count for one in notices.waiting(desk.ledger)}
        found = []
        for name, url in sorted(notify.targets.items()):
            at, job, state = sent.get(name, (None, None, None))
            found.append(
                {
                    "name": name,
                    "url": masked(url),
                    "routes": sum(name in route.to for route in notify.routes),
                    "waiting": waiting.get(name, 0),
                    "sent_at": iso(at),
                    "job": job,
                    "state": state,
                }
            )
        return found

    def test_target(self, name: str) -> "Job":
        """Store a job that sends a notice to a target.

        Raises:
            NotFound: there is none of this name.
        """
        from platform import node

        desk = cast("Desk", self)
        known = desk.config.notify.targets
        if name not in known:
            raise NotFound(f"there is no target {name} in [notify.targets]{nearest(name, known)}")
        data = {
            "target": name,
            "title": "jobdesk: a test",
            "body": f"This is a test of the target {name} from {node()}.",
        }
        return desk.submit(NOTICE_TYPE, data, retries=0, priority="urgent")

    def routing(self) -> "Routing":
        """Which events are told to whom, as the settings have it now."""
        from jobdesk.core.notice import NOTICE_QUEUE, Routing

        desk = cast("Desk", self)
        desk.settings.renew()
        config = desk.config
        if self._routed is None or self._routed[0] is not config:
            notify, own = config.notify, config.types.get(NOTICE_TYPE)
            made = Routing(
                routes=tuple(route.route for route in notify.routes),
                targets=frozenset(notify.targets),
                group_s=notify.group,
                rate=notify.rate_limit,
                queue=(own and own.queue) or NOTICE_QUEUE,
            )
            self._routed = config, made
        return self._routed[1]
