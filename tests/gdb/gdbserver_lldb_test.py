#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real lldb over `icecore gdbserver`: a program that waits for it, and programs that it starts.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
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


# A synchronous lldb waits after connecting for a stop, which a server without a process does not have (lldb-server's
# own clients hang alike); an asynchronous one must be waited for at every step.
STARTING = """
import lldb

def expect(listener, *wanted):
    event = lldb.SBEvent()
    while listener.WaitForEvent(30, event):
        state = lldb.SBProcess.GetStateFromEvent(event)
        if state in wanted:
            return
    print("STILL WAITING", wanted)

def start(url, program):
    lldb.debugger.SetAsync(True)
    listener = lldb.SBListener("start")
    error = lldb.SBError()
    target = lldb.debugger.GetSelectedTarget()
    target.BreakpointCreateByName("add")
    process = target.ConnectRemote(listener, url, "gdb-remote", error)
    expect(listener, lldb.eStateConnected)
    process.RemoteLaunch([program, "one", "two"], None, None, None, None, None, 0, False, error)
    print(error)  # it stands before its first instruction
    process.Continue()
    expect(listener, lldb.eStateStopped)
    thread = process.GetSelectedThread()
    print("STOPPED", thread.GetStopDescription(100), "in", *[frame.GetFunctionName() for frame in thread.frames[:1]],
          "from", thread.frames[1].GetFunctionName())
    target.DeleteAllBreakpoints()
    process.Continue()
    expect(listener, lldb.eStateExited)
    print("EXITED", process.GetExitStatus())
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
        script = os.path.join(self.folder.name, "start.py")
        with open(script, "w", encoding="ascii") as file:
            file.write(STARTING)
        text = self.lldb(f"command script import {script}",
                         f"script start.start('connect://localhost:{server.port}', '{self.program}')")
        self.expect(text, r"STOPPED breakpoint 1\.1 in add from main", r"EXITED 3\b")


if __name__ == "__main__":
    built_program.main(LLDB)
