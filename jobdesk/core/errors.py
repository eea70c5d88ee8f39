"""Every error that jobdesk raises on purpose.

    JobdeskError                 code       exit
    ├── UsageError               usage      2     wrong words on a command line
    │   ├── ConfigError          config     2     jobdesk.toml: file, line, key, the nearest right one
    │   ├── QueryError           query      2     the query language: position and what would fit
    │   ├── PayloadError         payload    2     a job's data does not fit its type
    │   ├── UnknownType          type       2     no processor has this job type
    │   └── ReadOnly             read_only  2     a change was asked for where --read-only forbids all
    ├── JobFailed                failed     1     the awaited job did not complete
    ├── SecretError              secret     1     a secret cannot be opened or encrypted: its key
    ├── ServiceError             service    1     the system would not start, stop or show a service
    ├── BackupError              backup     1     a backup cannot be made, or cannot be trusted
    ├── Refused                  refused    1     the move is not allowed from the job's state
    │   └── QueueFull            full       1     the queue has no room: its max_size
    ├── WaitTimeout              timeout    1     what was awaited did not happen in time
    ├── NotFound                 not_found  4     no such job, queue, asset …
    └── HomeError                home       5     the home is locked, unreadable, or not jobdesk's
        └── LedgerError          ledger     5     the database is corrupt, full, or locked for too long

The message is one sentence for a person: it names the thing and the mend.
"""


class JobdeskError(Exception):
    """Base of all; `code` goes into JSON output, `exit_code` to the shell."""

    code = "error"
    exit_code = 1


class UsageError(JobdeskError):
    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    code = "config"


class QueryError(UsageError):
    """A query that cannot be read; `position` counts characters from 0, `length` how many are wrong."""

    code = "query"

    def __init__(self, message: str, position: int, length: int = 1) -> None:
        super().__init__(message)
        self.position = position
        self.length = length


class PayloadError(UsageError):
    code = "payload"


class UnknownType(UsageError):
    code = "type"


class ReadOnly(UsageError):
    code = "read_only"


class JobFailed(JobdeskError):
    code = "failed"


class SecretError(JobdeskError):
    code = "secret"


class BackupError(JobdeskError):
    code = "backup"


class ServiceError(JobdeskError):
    code = "service"


class Refused(JobdeskError):
    code = "refused"


class QueueFull(Refused):
    """Nothing was stored; `queue` has no room for `wanted` more."""

    code = "full"

    def __init__(self, message: str, queue: str, wanted: int) -> None:
        super().__init__(message)
        self.queue = queue
        self.wanted = wanted


class WaitTimeout(JobdeskError):
    code = "timeout"


class NotFound(JobdeskError):
    code = "not_found"
    exit_code = 4


class HomeError(JobdeskError):
    code = "home"
    exit_code = 5


class LedgerError(HomeError):
    code = "ledger"
