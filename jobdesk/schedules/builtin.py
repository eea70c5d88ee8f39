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
    )
}
