"""The job desk of one machine: a durable queue, drop folders and a terminal app in one package.

The names below are the public API. They load on first use, so `import jobdesk` costs nothing
and the command line starts fast.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobdesk.core.calling import Call, Service
    from jobdesk.core.context import Context
    from jobdesk.core.env import ENV_REFERENCE
    from jobdesk.core.errors import JobdeskError
    from jobdesk.core.measure import Measure
    from jobdesk.core.outcome import Reject, Retry, ServiceDown, Snooze
    from jobdesk.core.processor import processor
    from jobdesk.core.redaction import MASK, RedactedLines, redact
    from jobdesk.core.secret import Secret
    from jobdesk.core.submission import Submission
    from jobdesk.desk import Desk

__version__ = "0.1.0"
__all__ = [
    "ENV_REFERENCE", "MASK", "Call", "Context", "Desk", "JobdeskError", "Measure", "RedactedLines", "Reject", "Retry",
    "Secret", "Service", "ServiceDown", "Snooze", "Submission", "processor", "redact",
]  # fmt: skip

_HOMES = {
    "ENV_REFERENCE": "jobdesk.core.env",
    "MASK": "jobdesk.core.redaction",
    "Call": "jobdesk.core.calling",
    "Context": "jobdesk.core.context",
    "Desk": "jobdesk.desk",
    "JobdeskError": "jobdesk.core.errors",
    "Measure": "jobdesk.core.measure",
    "RedactedLines": "jobdesk.core.redaction",
    "Reject": "jobdesk.core.outcome",
    "Retry": "jobdesk.core.outcome",
    "Secret": "jobdesk.core.secret",
    "Service": "jobdesk.core.calling",
    "ServiceDown": "jobdesk.core.outcome",
    "Snooze": "jobdesk.core.outcome",
    "Submission": "jobdesk.core.submission",
    "processor": "jobdesk.core.processor",
    "redact": "jobdesk.core.redaction",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jobdesk' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
