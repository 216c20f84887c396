#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The way back in the life of a snapshot: icecore gdb --live, with the commands that icecore gives to gdb.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import re
import shutil
import sys

import built_program
import recorded_program

PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
volatile long counter = 0;
char text[64];
static void *idle(void *argument) {
  for (;;) pause();
  return argument;
}
__attribute__((noinline)) long count(long step) {
  counter += step;
  snprintf(text, sizeof text, "count %ld of many", counter);
  return strlen(text);
}
int main(int argc, char **argv) {
  pthread_t thread;
  if (argc > 1) pthread_create(&thread, 0, idle, 0);
  while (counter < 5) count(1);
  close(3);
  for (;;) {
    usleep(1000);
    count(1);
  }
}
"""

PYTHON_PROGRAM = """
import os, time
os.close(3)
total = 0
while True:
    total += 1
    os.write(1, b"round %d" % total)
    time.sleep(0.001)
"""

DEEP_PYTHON_PROGRAM = """
import os, time
os.close(3)
def inner(n):
    os.write(1, b"n %d" % n)
    time.sleep(0.001)
def outer(n):
    inner(n * 10)
n = 0
while True:
    n += 1
    outer(n)
"""


class RevivalTimeTest(recorded_program.RecordedProgramTest):
    NAME = "counting"
    SOURCE = PROGRAM

    def test_back_to_the_snapshot_and_forth(self):
        self.record()
        gdb = self.live_gdb()
        start = gdb.number("counter")
        gdb.ask("break count", "continue", "continue", "continue")
        self.assertEqual(gdb.number("counter"), start + 2)
        self.expect(gdb.ask("monitor when"), r"in the present, behind event \d+")
        gdb.ask("delete", "watch counter")
        for value in (start + 1, start):
            self.expect(gdb.ask("reverse-continue"), r"Old value = %d\s+New value = %d" % (value + 1, value), "count ")
            self.assertEqual(gdb.number("counter"), value)
        self.expect(gdb.ask("reverse-continue"), "No more reverse-execution history")
        self.expect(gdb.ask("monitor when"), r"in the past, at event 0 of \d+")
        self.assertEqual(gdb.number("counter"), start)
        self.expect(gdb.ask("delete", "break count", "continue"), r"Breakpoint \d+, count")
        self.expect(gdb.ask("finish"), r"Value returned is \$\d+ = \d+")
        self.expect(gdb.ask("printf \"%s.\\n\", text"), rf"count {start + 1} of many\.")
        self.expect(gdb.ask("delete", "continue"), "No more reverse-execution history")
        self.assertEqual(gdb.number("counter"), start + 2)
        self.expect(gdb.ask("stepi", "next", "monitor when"), "in the present")

    def test_lists_say_where_older_moments_are(self):
        self.record()
        gdb = self.live_gdb()
        self.expect(gdb.ask("break count", "continue", "monitor list"), r"history of process \d+: events 0 to \d+",
                    r"before rec@1 are the snapshots of `icecore list rec`: icecore gdb rec@N --live")
        self.expect(gdb.ask("monitor goto 1000000"), r"event 1000000 is not in the history, which has 0 to \d+; before rec")

    def test_several_threads_go_back_to_kept_moments(self):
        self.record("threads")
        gdb = self.live_gdb()
        self.expect(gdb.ask("break count", "continue", "monitor list"), r"not exact: it has \d+ threads",
                    r"before rec@1 are")
        self.expect(gdb.ask("reverse-continue"), r"not exact: it has \d+ threads, .* moment 1 of")

    def test_commands_of_icecore(self):
        self.record()
        gdb = self.live_gdb()
        start = gdb.number("counter")
        gdb.ask("break count", "continue", "continue", "delete")
        self.expect(gdb.ask("icecore when"), "in the present")
        self.expect(gdb.ask("icecore list"), "history of process")
        self.expect(gdb.ask("icecore last-change counter"), r"changed at event \d+", r"count ")
        self.assertEqual(gdb.number("counter"), start)
        self.expect(gdb.ask("icecore when"), r"in the past, at event \d+")
        self.expect(gdb.ask("info line"), r"\(event \d+( and \d+ jumps)?\) ")  # the prompt before it
        self.expect(gdb.ask("complete icecore goto "), "icecore goto begin", "icecore goto present")
        gdb.ask("icecore goto begin")
        self.expect(gdb.ask("icecore when"), "in the past, at event 0 of")
        gdb.ask("icecore goto present")
        self.assertEqual(gdb.number("counter"), start + 1)
        self.expect(gdb.ask("icecore tag"), "no moment of this history has a name")
        self.expect(gdb.ask("icecore tag here"), r"here  event \d+")
        self.expect(gdb.ask("icecore tag 7"), "cannot be the name of a moment")
        self.expect(gdb.ask("icecore diff here"), "nothing differs")
        address = gdb.number("(long)&counter")
        self.expect(gdb.ask("icecore diff begin here"), r"written  0x[0-9a-f]+-0x[0-9a-f]+ .*: \d+ bytes?\n",
                    rf"  0x{address & ~7:x}:( [0-9a-f]{{2}})+  ->( [0-9a-f]{{2}})+\n")
        gdb.ask("icecore goto begin")
        self.expect(gdb.ask("icecore diff here"), rf"  0x{address & ~7:x}:")
        self.expect(gdb.ask("complete icecore goto h"), "icecore goto here")
        gdb.ask("icecore goto here")
        self.assertEqual(gdb.number("counter"), start + 1)
        self.expect(gdb.ask("icecore diff nowhere"), "'nowhere' is no number")

    def test_an_interpreter(self):
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
        if not python:
            self.skipTest("needs python3")
        script = self.here / "script.py"
        script.write_text(PYTHON_PROGRAM, encoding="ascii")
        self.record(command=[python, script])
        gdb = self.live_gdb()
        rounds = []
        gdb.ask("break write")
        for _ in range(5):
            gdb.ask("continue")
            rounds.append(re.search(r'"(round \d+)', gdb.ask("x/s $rsi")).group(1))
        for expected in reversed(rounds[:-1]):
            gdb.ask("reverse-continue")
            self.expect(gdb.ask("x/s $rsi"), f'"{expected}')
        gdb.ask("reverse-stepi", "reverse-stepi", "stepi", "stepi")
        self.expect(gdb.ask("x/s $rsi"), f'"{rounds[0]}')
        self.expect(gdb.ask("continue"), "Breakpoint 1, ")
        self.expect(gdb.ask("x/s $rsi"), f'"{rounds[1]}')

    def test_pythons_own_backtrace_at_a_past_moment(self):
        python = os.path.realpath(sys.executable)
        helpers = python + "-gdb.py"
        if not os.path.exists(helpers):
            self.skipTest("needs the gdb helpers of this Python")
        script = self.here / "script.py"
        script.write_text(DEEP_PYTHON_PROGRAM, encoding="ascii")
        self.record(command=[python, script])
        gdb = self.live_gdb()
        gdb.ask("break write", "continue", "continue", f"source {helpers}")
        now = int(re.search(r"local 'n' = (\d+)", gdb.ask("py-print n")).group(1))
        self.expect(gdb.ask("reverse-continue", "py-bt"), r"line 5, in inner", r"line 8, in outer", r"line 12, in <module>")
        self.expect(gdb.ask("py-print n"), rf"local 'n' = {now - 10}\b")
        self.expect(gdb.ask("monitor when"), "in the past")


if __name__ == "__main__":
    built_program.main("gdb")
