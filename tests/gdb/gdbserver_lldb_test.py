#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real lldb over `icecore gdbserver`: a program that waits for it, and programs that it starts.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import shutil
import subprocess

import built_program
from built_program import LIMIT, clean
from gdbserver_test import Server

LLDB = next((name for name in ("lldb-19", "lldb") if shutil.which(name)), "lldb-19")

PROGRAM = r"""
#include <stdio.h>
int total;
int add(int a, int b) {
  int sum = a + b;
  return sum;
}
int main(int argc, char **argv) {
  for (int i = 1; i < 5; i++) {
    total = add(total, i);
  }
  printf("%d %s\n", total, argv[argc - 1]);
  return 3;
}
"""


class LldbTest(built_program.BuiltProgramTest):
    NAME = "adder"
    SOURCE = PROGRAM

    def lldb(self, *commands):
        words = [LLDB, "--no-lldbinit", "--batch", "-o", f"target create {self.program}"]
        for command in commands:
            words += ["-o", command]
        return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT, preexec_fn=clean).stdout

    def serve(self, *words):
        server = Server(*words)
        self.addCleanup(server.terminate)
        return server

    def test_a_program_that_waits(self):
        server = self.serve("--once", ":0", self.program, "last")
        text = self.lldb(f"gdb-remote localhost:{server.port}", "breakpoint set -n add", "continue", "p b",
                         "p add(40, 2)", "next", "frame variable", "watchpoint set variable total",
                         "breakpoint delete 1", "continue", "watchpoint delete 1", "continue")
        for pattern in (r"stop reason = breakpoint 1\.1", r"\(int\) 1\b", r"\(int\) 42\b", r"stop reason = step over",
                        r"stop reason = watchpoint 1", r"exited with status = 3"):
            self.assertRegex(text, pattern)
        self.assertEqual(server.end(), 0)
        self.assertEqual(server.output, "10 last\n")

    def test_programs_that_it_starts(self):
        server = self.serve("--multi", ":0")
        # A synchronous lldb waits after connecting for a stop, which a server without a process does not have
        # (lldb-server's own clients hang alike).
        text = self.lldb("script lldb.debugger.SetAsync(True)",
                         f"process connect --plugin gdb-remote connect://localhost:{server.port}",
                         "script lldb.debugger.SetAsync(False)", "breakpoint set -n add", "process launch -- one two", "bt", "breakpoint delete 1", "continue")
        self.assertRegex(text, r"stop reason = breakpoint 1\.1")
        self.assertRegex(text, r"adder`main")
        self.assertRegex(text, r"exited with status = 3")


if __name__ == "__main__":
    built_program.main(LLDB)
