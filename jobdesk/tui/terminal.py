"""Textual's driver of a terminal, but its thread for keys sleeps until there are any: the base wakes it each 0.1 s."""

import os
import select
from codecs import getincrementaldecoder
from typing import Any

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver


class Terminal(LinuxDriver):
    """Reads keys as its base does, but for how long it waits."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._enough, self._say_enough = os.pipe()

    def disable_input(self) -> None:
        os.write(self._say_enough, b"e")
        super().disable_input()  # it waits for the thread
        os.read(self._enough, 1)

    def run_input_thread(self) -> None:
        parser, decode = XTermParser(self._debug), getincrementaldecoder("utf-8")().decode
        while not self.exit_event.is_set():
            begun = parser._timeout_time is not None  # it may be the key escape, or the beginning of another
            ready = select.select([self.fileno, self._enough], [], [], ESCAPE_DELAY if begun else None)[0]
            if self.fileno in ready:
                read = os.read(self.fileno, 4096)
                if not read:
                    return  # the terminal is gone
                for event in parser.feed(text) if (text := decode(read)) else ():
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
