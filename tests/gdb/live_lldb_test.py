#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a real lldb 19 over a program that `icecore serve` has started.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import shutil
import subprocess
import sys
import tempfile

import live
from view_test import LIMIT, SKIPPED, expect


def lldb(icecore, program, wish, *commands):
    with live.Stub(icecore, "--", program, wish) as stub:
        words = ["lldb-19", "--no-lldbinit", "-b", "-o", f"target create {program}", "-o", f"gdb-remote {stub.address}"]
        for command in commands:
            words += ["-o", command]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
                              cwd="/", stdin=subprocess.DEVNULL, check=False)
    return done.stdout


def test_break_step_write_and_watch(icecore, program):
    out = lldb(icecore, program, "work", "breakpoint set -n work", "continue", "frame variable", "thread step-over",
               "register write rbx 77", "register read rbx", "watchpoint set variable counter", "continue", "continue",
               "watchpoint delete -f", "breakpoint delete -f", "continue")
    expect(out, r"stop reason = breakpoint 1\.1", r"amount = 0", r"stop reason = step over", r"rbx = 0x0+4d",
           r"stop reason = (breakpoint|watchpoint) 1", r"exited with status = 7")


def test_threads(icecore, program):
    out = lldb(icecore, program, "threads", "breakpoint set -n work", "continue", "thread list",
               "breakpoint delete -f", "continue")
    expect(out, r"\* thread #[234].*stop reason = breakpoint 1\.1", r"\* thread #[234]: tid = \d+",
           r"exited with status = 3")


def test_expressions_with_memory_of_their_own(icecore, program):
    packets = program.parent / "packets"
    out = lldb(icecore, program, "work", "breakpoint set -n work", "continue",
               f"log enable -f {packets} gdb-remote packets",
               "expression -- int sum = 0; for (int i = 1; i < 4; ++i) sum += twice(i); sum + counter",
               'expression -- (unsigned long)strlen("a literal")', "expression -- int $kept = 5", "expression -- $kept + 2",
               "breakpoint delete -f", "continue")
    expect(packets.read_bytes().decode(errors="replace"), r"send packet: \$_M[0-9a-f]+,rw",
           r"read packet: \$7f[0-9a-f]+#")
    expect(out, r"\(int\) \$\d+ = 12\b", r"\(unsigned long\) \$\d+ = 9\b", r"= 7\b", r"exited with status = 7")


def main():
    icecore = os.environ.get("ICECORE")
    if not icecore:
        sys.exit("ICECORE must name the program under test")
    for tool in ("lldb-19", "cc"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        program = live.build_program(folder)
        for test in (test_break_step_write_and_watch, test_threads, test_expressions_with_memory_of_their_own):
            test(icecore, program)
            print(f"{test.__name__}: ok", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
