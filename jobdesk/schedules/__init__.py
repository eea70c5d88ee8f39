"""Jobs that come by themselves: cron and one-off times, missed runs, overlap."""
