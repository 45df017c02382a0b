"""What a killed compiler leaves in the cache of compiled code: libraries that are not whole.

Inductor takes any file of the right name for a finished one, so that a run that was killed while it
linked would make every later run fail.
"""

import os
import struct
import sys
import time
from pathlib import Path

QUIET = 10.0
"""seconds without a change after which nobody is taken to be writing a file"""
_HEADER = struct.Struct("<16x2HI3QI6H")  # of a 64-bit ELF file


def whole(library: Path) -> bool:
    """Whether a shared library is as long as its header says: on Linux, where it is an ELF file of
    64 bits, its table of sections is what a linker writes last, at the end. Elsewhere it only must
    not be empty."""
    with library.open("rb") as file:
        head = file.read(_HEADER.size)
        length = file.seek(0, os.SEEK_END)
    if sys.platform != "linux":
        return length > 0
    if len(head) < _HEADER.size or not head.startswith(b"\x7fELF\x02"):
        return False
    fields = _HEADER.unpack(head)
    table, entry, entries = fields[5], fields[10], fields[11]
    return bool(length >= table + entry * entries > 0)


def remove_damaged(folder: Path) -> list[Path]:
    """Remove the shared libraries below `folder` that are not whole, and return them. One that
    another process may still be writing is given time to become whole."""
    damaged = []
    for library in sorted(folder.rglob("*.so")):
        try:
            while not whole(library):
                left = library.stat().st_mtime + QUIET - time.time()
                if left <= 0:
                    library.unlink()
                    damaged.append(library)
                    break
                time.sleep(min(left, 0.5))
        except FileNotFoundError:  # another process was first
            continue
    return damaged
