"""The line on which a child is given its jobs, as its owner has it.

Where the system has them it carries packets, one a job, and we keep the child's end open too. So jobs may be sent
ahead, and the child has its next one without a change of processes; what it has not taken from the line can be taken
back: the kernel gives each packet to one of us.
"""

import socket
import sys
from collections import deque
from contextlib import suppress

from jobdesk.runtime.messages import Spec, decode, encode

BLOCK_BYTES = 65536
"""What a child reads at once. A job that is longer comes in pieces, and is neither sent ahead nor taken back."""
PACKETS = sys.platform == "linux"
TAKES_A_JOB_S = 10.0
"""A child that has not taken the next job's words after this long never will."""


class JobLine:
    """Only the thread that owns the child may use it."""

    def __init__(self) -> None:
        self._line, self.its_end = socket.socketpair(type=socket.SOCK_SEQPACKET if PACKETS else socket.SOCK_STREAM)
        self._line.setblocking(False)
        self._settings: dict[str, object] = {}
        """By type, those that the child has."""
        self._under_way: deque[str] = deque()
        """Tokens of the jobs that it was given and whose end was not heard, in the order in which it runs them."""
        self._long = False
        """Whether the last job came in pieces."""

    def started(self) -> None:
        """The child has its end."""
        if not PACKETS:
            self.its_end.close()

    def close(self) -> None:
        self._line.close()
        self.its_end.close()

    @property
    def is_empty(self) -> bool:
        """Whether the ends of all jobs were heard that were given: else one of them may have begun."""
        return not self._under_way

    def is_first(self, token: str) -> bool:
        """Whether this job is the next to end, since it was sent ahead."""
        return bool(self._under_way) and self._under_way[0] == token

    def give(self, spec: Spec) -> None:
        """Give a job to a child that has none.

        Raises:
            OSError: it is dead.
        """
        words = self._words(spec)
        self._long = len(words) > BLOCK_BYTES
        for at in range(0, len(words), BLOCK_BYTES):
            piece = words[at : at + BLOCK_BYTES]
            with suppress(BlockingIOError):
                piece = piece[self._line.send(piece) :]
            if piece:
                self._line.settimeout(TAKES_A_JOB_S)
                self._line.sendall(piece)
                self._line.setblocking(False)
        self._settings[spec["type"]] = spec.get("settings")
        self._under_way.append(spec["token"])

    def give_ahead(self, spec: Spec) -> bool:
        """Give it one more, to begin as soon as those before have ended; False if it cannot have that one now."""
        if not PACKETS or not self._under_way or self._long or self._settings.get(spec["type"]) != spec.get("settings"):
            return False
        words = self._words(spec)
        try:
            if len(words) > BLOCK_BYTES or not self._line.send(words):
                return False
        except OSError:  # full, or dead
            return False
        self._under_way.append(spec["token"])
        return True

    def ended(self) -> None:
        """The end of the first job was heard."""
        self._under_way.popleft()

    def take_back(self) -> list[str]:
        """The tokens of those sent ahead that it has not taken, in their order: they will not begin.

        None as long as it has not taken the first: while we took that, it could take the next.
        """
        if len(self._under_way) < 2 or self.first_lies_there:
            return []
        taken = [str(decode(words)["run"]["token"]) for words in self._left()]
        for token in taken:  # not just the last of them: while we took one, it may have taken the next
            self._under_way.remove(token)
        return taken

    @property
    def first_lies_there(self) -> bool:
        """Whether the child has not taken the first of its jobs yet; it may do so now."""
        try:
            packet = self.its_end.recv(BLOCK_BYTES, socket.MSG_DONTWAIT | socket.MSG_PEEK) if PACKETS else b""
        except OSError:  # there is nothing
            return False
        return bool(self._under_way) and packet.startswith(encode({"run": {"token": self._under_way[0]}})[:-3])

    def never_took(self) -> bool:
        """Whether the child, which is dead, had not taken the first of its jobs: it has not begun."""
        return 0 < len(self._under_way) <= len(self._left())

    def _left(self) -> list[bytes]:
        """What lies in the line, and does no more."""
        left: list[bytes] = []
        with suppress(OSError):  # there is nothing more
            while PACKETS and (packet := self.its_end.recv(BLOCK_BYTES, socket.MSG_DONTWAIT)):
                left.append(packet)
        return left

    def _words(self, spec: Spec) -> bytes:
        """Without settings that the child has."""
        type_ = spec["type"]
        if type_ in self._settings and self._settings[type_] == spec.get("settings"):
            spec = spec.copy()
            del spec["settings"]
        return encode({"run": spec})
