"""How the memory of a process is kept together."""

import ctypes

_M_ARENA_MAX = -8


def share_one() -> None:
    """Let all threads to come have one heap in the C library; where it is not glibc's, nothing happens.

    It would give each of a consumer's many threads one of its own, of which none gives back what the others could use:
    with 1,000,000 jobs that held 2 to 4 MB. Threads of Python seldom allocate at the same time, so nothing gets slower.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
