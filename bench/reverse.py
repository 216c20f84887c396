#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the way back is: gdb's reverse-continue over a loop, in icecore and with `record full`.

    bench/reverse.py build/dev/cli/icecore build/dev/victims/time_travel

icecore goes back over ROUNDS rounds of the loop (14 instructions each, and more in one of eight) to its
beginning, and to the last visit of a breakpoint inside; `record full` over as many as it can in some seconds."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "gdb"))
from line_gdb import LineGdb

ROUNDS = 700_000
RECORDED = 300


class TimedGdb(LineGdb):
    def __init__(self, program):
        super().__init__(program)
        self.ask("set sysroot")

    def time(self, line):
        start = time.monotonic()
        self.ask(line)
        return time.monotonic() - start


def icecore_times(icecore, program):
    gdb = TimedGdb(program)
    gdb.ask(f"target remote | {icecore} serve --stdio -- {program} {ROUNDS}", "break count", "break counted",
            "continue", "continue", "disable 2")
    whole = gdb.time("reverse-continue")
    gdb.ask("enable 2", "continue", "delete", "break tick")
    last = gdb.time("reverse-continue")
    step = gdb.time("reverse-stepi")
    gdb.end("kill", limit=None)
    return whole, last, step


def record_full_times(program):
    gdb = TimedGdb(program)
    gdb.ask(f"set args {RECORDED}", "break count", "break counted", "run", "record full")
    forward = gdb.time("continue")
    back = gdb.time("reverse-continue")
    gdb.end("kill", limit=None)
    return forward, back


def main():
    icecore, program = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    whole, last, step = icecore_times(icecore, program)
    forward, back = record_full_times(program)
    print(f"icecore: back over {ROUNDS} rounds {whole:.2f} s, to the last visit inside {last:.2f} s, "
          f"one instruction {step * 1000:.0f} ms")
    print(f"record full: recording {RECORDED} rounds {forward:.2f} s, back over them {back:.3f} s")
    factor = (forward + back) / RECORDED / (whole / ROUNDS)
    print(f"factor per round, recording included: {factor:.0f}")


if __name__ == "__main__":
    main()
