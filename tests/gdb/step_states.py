# SPDX-License-Identifier: Apache-2.0
"""For a gdb that sources it: single steps back and forward, with the state of the program at each compared, as the
server sends it. Of memory the fronts of what is written; all of it is compared by tests/replay/history_test.cc."""
import re

import gdb

STACK_BELOW, STACK_ABOVE, MOST_OF_EACH = 256, 1024, 2048
WATCHED = ("[heap]", "time_travel", "libc.so")


def watched_memory():
    """The front of ranges that the program writes."""
    ranges = []
    for line in gdb.execute("info proc mappings", to_string=True).splitlines():
        found = re.match(r"\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+\S+\s+\S+\s+rw-p\s*(.*)", line)
        if found and any(name in found.group(3) for name in WATCHED):
            start, end = (int(found.group(i), 16) for i in (1, 2))
            ranges.append((start, min(end, start + MOST_OF_EACH)))
    return ranges


def state(ranges):
    """All registers, and memory."""
    stack = int(gdb.newest_frame().read_register("rsp"))
    parts = ranges + [(stack - STACK_BELOW, stack + STACK_ABOVE)]
    asked = ["g"] + [f"m{start:x},{end - start:x}" for start, end in parts]
    return [gdb.execute("maintenance packet " + packet, to_string=True) for packet in asked]


def walk(steps):
    """Raises where a state differs from the one that was there before."""
    ranges = watched_memory()
    states = [state(ranges)]
    for _ in range(steps):
        gdb.execute("reverse-stepi", to_string=True)
        states.append(state(ranges))
    for number in range(steps, -1, -1):
        for one, other in zip(state(ranges), states[number]):
            if one != other:
                raise gdb.GdbError(f"{number} steps back: {one} instead of {other}")
        if number > 0:
            gdb.execute("stepi", to_string=True)
    print(f"{steps} steps back and forward again: all equal in {len(ranges) + 1} ranges")
