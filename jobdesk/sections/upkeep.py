"""`[cleanup]`, `[backup]` and `[archive]`: what the jobs that keep a home tidy go by where they say nothing else."""

from pydantic import Field

from jobdesk.sections.fields import Seconds, Section


class CleanupSettings(Section):
    temp_files: Seconds = Field(ge=0)
    failed_generations: Seconds = Field(ge=0)
    old_logs: Seconds = Field(ge=0)
    done_files: Seconds = Field(ge=0)
    rejected_files: Seconds = Field(ge=0)


class BackupSettings(Section):
    path: str = Field(min_length=1)
    keep: int = Field(ge=1, le=10_000)


class ArchiveSettings(Section):
    path: str = Field(min_length=1)
    older_than: Seconds = Field(ge=0)
