"""Running processors without a desk: the true JobContext with its messages kept, and a flow run step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from jobdesk.config import load
from jobdesk.core.ids import ids
from jobdesk.core.loading import declared
from jobdesk.core.outcome import Completed, Failed, Outcome
from jobdesk.core.processor import Processor
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.messages import Message, Spec
from jobdesk.runtime.perform import perform


def settings(home: Path, **over: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the engine hands them out, with the defaults; `over` replaces keys of sections."""
    config = load(home, {})
    services = {f"services.{name}": own.for_jobs() for name, own in config.all_services.items()}
    names = ("scanner", "images", "files", "notify", "email", "storage", "analytics", "reports")
    made: dict[str, Any] = services | {
        name: {**getattr(config, name).model_dump(), **over.get(name, {})} for name in names
    }
    made["presets"] = {name: preset.model_dump() for name, preset in config.presets.items()}
    made["storage"]["path"] = str(home / "library")
    return made | {"type": {}, "quarantine": str(home / "quarantine")}


@dataclass
class Ran:
    """How one job went: its outcome and everything it said."""

    id: str
    type: str
    outcome: Outcome
    said: list[Message]

    @property
    def result(self) -> Any:
        assert isinstance(self.outcome, Completed), self.outcome
        return self.outcome.result

    @property
    def error(self) -> Any:
        assert isinstance(self.outcome, Failed), self.outcome
        return self.outcome.error

    @property
    def lines(self) -> list[str]:
        return [message["log"][2] for message in self.said if "log" in message]

    @property
    def children(self) -> list[Message]:
        return [message["child"] for message in self.said if "child" in message]

    @property
    def assets(self) -> list[Message]:
        return [message["asset"] for message in self.said if "asset" in message]

    @property
    def artifacts(self) -> list[str]:
        return [message["artifact"][0] for message in self.said if "artifact" in message]


@dataclass
class Bench:
    """A home with the processors of some modules; runs jobs at once, in this process."""

    home: Path
    settings: dict[str, Any]
    processors: dict[str, Processor]
    cancelled: str | None = None
    ran: list[Ran] = field(default_factory=list)

    def run(
        self,
        type_: str,
        data: Mapping[str, Any],
        *,
        job: str | None = None,
        attempt: int = 1,
        results: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
        source: str | None = None,
        queue: str | None = None,
    ) -> Ran:
        """Check the payload as a submission would, then run one attempt."""
        processor = self.processors[type_]
        (self.home / "run").mkdir(exist_ok=True)
        spec: Spec = {
            "token": "test",
            "job": job or ids.new("job", 1_800_000_000.0),
            "type": type_,
            "queue": queue or processor.queue,
            "user": "ada",
            "source": source,
            "flow": "flow_test",
            "attempt": attempt,
            "max_attempts": 4,
            "home": str(self.home),
            "work": str(self.home / "run"),
            "settings": self.settings,
            "results": results or {},
            "data": processor.check(data, home=self.home),
            "timeout_s": timeout_s,
            "memory_limit": 2_000_000_000,
            "module": "",
            "file": None,
        }
        said: list[Message] = []
        context = JobContext(spec, said.append, lambda: self.cancelled)
        done = Ran(spec["job"], type_, perform(processor, context, spec), said)
        self.ran.append(done)
        return done

    def flow(self, type_: str, data: Mapping[str, Any]) -> dict[str, Ran]:
        """Run a job and all it leads to, in the order of their `after`; a failure ends it as the engine would."""
        first = self.run(type_, data)
        done, results, waiting = {type_: first}, {}, list(first.children)
        on_failure = next((message["on_failure"] for message in first.said if "on_failure" in message), None)
        ended = {first.id}
        if isinstance(first.outcome, Completed):
            results[type_] = first.outcome.result
        last = first
        while isinstance(last.outcome, Completed) and waiting:
            child = next(one for one in waiting if set(one["after"]) <= ended)
            waiting.remove(child)
            last = done[child["type"]] = self.run(child["type"], child["data"], job=child["id"], results=results)
            ended.add(child["id"])
            waiting += last.children
            if isinstance(last.outcome, Completed):
                results[child["type"]] = last.outcome.result
        if isinstance(last.outcome, Failed) and on_failure is not None:
            error = last.outcome.error
            failed = {"job": last.id, "type": last.type, "error": error.type, "message": error.message}
            told = self.run(on_failure["type"], {**on_failure["data"], "failed": failed}, results=results)
            done[told.type] = told
            for child in told.children:
                done[child["type"]] = self.run(child["type"], child["data"])
        return done


def bench(home: Path, *modules: ModuleType, **over: Mapping[str, Any]) -> Bench:
    """A bench on an empty home; `over` are settings by section."""
    home.mkdir(exist_ok=True)
    found = {one.type: one for module in modules for one in declared(module)}
    return Bench(home, settings(home, **over), found)
