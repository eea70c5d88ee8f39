"""Looking at how it goes: alerts and charts, each in a dialog of its own."""

from jobdesk.tui.living import DeskApp


class Watching(DeskApp):
    """The part of the app that shows what is wrong, and how it went lately."""

    def show_alerts(self, at: int | None = None) -> None:
        """What is raised and what was, with the cursor at the alert of this id."""
        from jobdesk.tui.screens.alerts import Alerts, Known, read

        def known(found: Known) -> None:
            self.push_screen(Alerts(found, at))

        self.feed.ask(lambda: read(self.desk), known)

    def show_charts(self) -> None:
        """The last hour."""
        from jobdesk.tui.screens.charts import Charts

        self.push_screen(Charts())
