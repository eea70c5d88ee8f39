import platform
import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
from pathlib import Path
from jobdesk.runtime import heap
if "shared" in sys.argv:
    heap.share_one()
here, over = threading.Barrier(9), threading.Event()
def work():
    kept = [bytearray(4096) for _ in range(100)]
    here.wait()
    over.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads:
    one.start()
here.wait()
reserved = 0  # a heap of its own has 64 MB of addresses, nearly all of them without memory
for line in Path("/proc/self/maps").read_text().splitlines():
    first, last = (int(end, 16) for end in line.split()[0].split("-"))
    reserved += line.split()[1] == "---p" and 32 << 20 < last - first < 65 << 20
over.set()
print(reserved)
"""


def heaps(*words: str) -> int:
    """How many heaps beside the first one a process with 8 threads has."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the C library of GNU gives threads heaps")
def test_threads_share_one_heap() -> None:
    assert heaps() > 1
    assert heaps("shared") == 0
