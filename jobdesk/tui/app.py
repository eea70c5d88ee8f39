"""The terminal app: it wires the feed, the host and the screens, and does what actions ask."""

import os
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

os.environ.setdefault("ESCDELAY", "35")  # Textual reads it on import: esc is answered at once

from textual import events, on
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError, UnknownType
from jobdesk.core.submission import Submission
from jobdesk.desk import Desk
from jobdesk.ledger.glance import ErrorGroup
from jobdesk.tui import guard
from jobdesk.tui.actions import ACTIONS, BY_ID, MANY, Danger, Scene, shown_key
from jobdesk.tui.doing import Doer
from jobdesk.tui.feed import Feed
from jobdesk.tui.format import clock_time, home_path
from jobdesk.tui.glyphs import ASCII, UNICODE
from jobdesk.tui.host import Farewell, Host
from jobdesk.tui.lock import only_app
from jobdesk.tui.messages import Acted, Answered, HostChanged, Snapshot, SnapshotRead, Trouble
from jobdesk.tui.palette import THEMES, Palette
from jobdesk.tui.screens.folders import Folders, FoldersReader
from jobdesk.tui.screens.jobs import DRAWER_FROM, Jobs
from jobdesk.tui.screens.main import Frame, JobScreen, Main
from jobdesk.tui.screens.overview import Overview, OverviewReader, group_query
from jobdesk.tui.selection import Selection

T = TypeVar("T")
