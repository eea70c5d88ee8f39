"""Schedules that come with jobdesk. They are off: none makes a job until somebody resumes it."""

from jobdesk.core.schedule import Overlap, ScheduleSpec

BUILT_IN = {
    spec.name: spec
    for spec in (
        ScheduleSpec(name="daily-reports", type="daily-reports", cron="0 6 * * *", overlap=Overlap.SKIP),
        ScheduleSpec(name="weekly-reports", type="weekly-reports", cron="0 8 * * 1", overlap=Overlap.SKIP),
        ScheduleSpec(
            name="weekly-analytics-report",
            type="report",
            cron="0 9 * * 1",
            data={"type": "weekly_analytics"},
            overlap=Overlap.SKIP,
        ),
        *(
            ScheduleSpec(
                name=f"analytics-{grain}",
                type="analytics-aggregation",
                cron=cron,
                data={"type": grain},
                overlap=Overlap.SKIP,
            )
            for grain, cron in (
                ("hourly", "5 * * * *"),
                ("daily", "15 0 * * *"),
                ("weekly", "30 0 * * 1"),
                ("monthly", "45 0 1 * *"),
            )
        ),
        *(
            ScheduleSpec(name=name, type=type_, cron=cron, data=data, overlap=Overlap.SKIP)
            for name, cron, type_, data in (
                ("daily-backup", "0 1 * * *", "backup", {"type": "database", "retention": "30 days"}),
                ("backup-data", "15 1 * * 0", "backup-data", {}),
                ("archive", "30 1 * * *", "archive", {}),  # before what is too old is removed
                ("cleanup-expired-jobs", "0 2 * * *", "cleanup-expired-jobs", {"olderThanDays": 30}),
                ("daily-cleanup", "0 2 * * *", "file-cleanup", {"type": "all"}),
                ("remove-old-logs", "0 2 * * *", "cleanup", {"action": "remove_old_logs", "olderThan": "30 days"}),
                ("hourly-cleanup", "0 * * * *", "cleanup", {"action": "temp_files"}),
                ("update-queue-stats", "0 * * * *", "update-queue-stats", {}),
                ("health-check-services", "*/5 * * * *", "health-check-services", {}),
            )
        ),
    )
}
