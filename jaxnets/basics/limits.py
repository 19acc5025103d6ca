"""What a file of others may take at most: each limit is here, and is checked before the memory is taken."""

import os
import resource
from pathlib import Path

from jaxnets.basics.errors import UserError

LONGEST_LINE = 1 << 20  # characters; a longer line is no text, but a file in another format
LONGEST_LABEL = 200  # characters
LARGEST_VECTOR = 1 << 14  # numbers of a word vector
LONGEST_EXPLAINED = 10_000  # words of a text whose words are left out one by one

# What is packed may grow to this: texts grow 3 to 10 times, and a file that is made to fill the memory 1,000 times.
GROWTH, ALWAYS = 100, 16 << 20
LEAST_LINE = 64  # bytes that a line counts for at least, as an empty one takes memory too


def check_unpacked(where: object, packed: int, unpacked: int) -> None:
    """Checks that a compressed file, or a part of one, does not grow out of proportion.

    >>> check_unpacked("a.gz", 1_000, 5_000)
    """
    if unpacked > ALWAYS + GROWTH * packed:
        raise UserError(
            f"{where}: {readable(packed)} would unpack to more than {GROWTH} times as much, as no text or vectors do; "
            f"if it is yours, unpack it first."
        )


def check_memory(where: object, num_bytes: int) -> None:
    """Checks that so much memory is free."""
    if num_bytes > (free := free_memory()):
        raise UserError(f"{where}: it takes {readable(num_bytes)} of memory, but {readable(free)} are free.")


def free_memory() -> int:
    """The bytes of this machine's memory that this process may still take; `ulimit -d` limits them."""
    try:
        free = _listed("/proc/meminfo", "MemAvailable")
        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if limit == resource.RLIM_INFINITY:
            return free
        return max(0, min(free, limit - _listed("/proc/self/status", "VmData")))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _listed(path: str, name: str) -> int:
    """A number of bytes that the system lists."""
    lines = Path(path).read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def readable(num_bytes: int) -> str:
    """A number of bytes for the eye.

    >>> readable(900), readable(117_000), readable(3 << 40)
    ('900 bytes', '114 KiB', '3,072 GiB')
    """
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if num_bytes >= unit:
            return f"{num_bytes / unit:,.0f} {name}" if num_bytes >= 10 * unit else f"{num_bytes / unit:.1f} {name}"
    return f"{num_bytes} bytes"
