#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Threads that are stopped, stepped and continued one by one while the others run: gdb's non-stop mode, through its
machine interface, as editors use it.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import re
import subprocess

import built_program
from built_program import ICECORE, clean

PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
volatile long rounds[3];
volatile int leave;
__attribute__((noinline)) void ready(void) {}
static void *worker(void *argument) {
  volatile long *mine = argument;
  while (!leave) {
    *mine += 1;
    usleep(100);
  }
  return 0;
}
int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, worker, (void *)&rounds[i]);
  for (int i = 0; i < 3; i++) {
    while (rounds[i] < 3) usleep(100);
  }
  ready();
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  return 4;
}
"""


class Mi:
    """gdb's machine interface; what it says is kept, so that nothing is missed."""

    def __init__(self, test, program, *words):
        self.test = test
        self.lines = []
        self.seen = 0
        self.gdb = subprocess.Popen(["gdb", "-q", "-nx", "-i=mi", program], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=clean)
        for setting in ("mi-async on", "non-stop on", "pagination off", "sysroot /", "debuginfod enabled off"):
            self.ask(f"-gdb-set {setting}")
        self.ask(f"-target-select extended-remote | {' '.join(words)}", r"\^connected")

    def hear(self, pattern, since):
        """The first line that matches, of those after the `since`-th."""
        at = since
        while True:
            while at == len(self.lines):
                line = self.gdb.stdout.readline()
                self.test.assertTrue(line, f"gdb ended without {pattern}: {self.lines[-20:]}")
                self.lines.append(line)
            if re.search(pattern, self.lines[at]):
                return self.lines[at]
            at += 1

    def ask(self, command, *answers):
        """All of the answers, which may come in any order."""
        since = len(self.lines)
        self.gdb.stdin.write(command + "\n")
        self.gdb.stdin.flush()
        found = [self.hear(answer, since) for answer in answers or (r"^\^done",)]
        return found[-1]

    def states(self):
        line = self.ask("-thread-info", r"^\^done,threads=")
        return dict(re.findall(r'\{id="(\d+)".*?state="(\w+)"', line))

    def end(self):
        self.gdb.kill()
        self.gdb.communicate()


class NonStopTest(built_program.BuiltProgramTest):
    NAME = "working"
    SOURCE = PROGRAM

    def start(self):
        mi = Mi(self, self.program, ICECORE, "serve", "--stdio", "--", self.program)
        self.addCleanup(mi.end)
        mi.ask("-break-insert -t ready")
        mi.ask("-exec-continue --all", r'^\*stopped,reason="breakpoint-hit".*thread-id="1".*stopped-threads=\["1"\]')
        return mi

    def test_one_thread_is_interrupted_and_stepped(self):
        mi = self.start()
        self.assertEqual(mi.states(), {"1": "stopped", "2": "running", "3": "running", "4": "running"})
        mi.ask("-exec-interrupt --thread 3", r'^\*stopped,.*thread-id="3"')
        self.assertEqual(mi.states(), {"1": "stopped", "2": "running", "3": "stopped", "4": "running"})
        mi.ask("-break-insert -p 3 working.c:11", r"^\^done,bkpt=")
        mi.ask("-exec-continue --thread 3", r'^\*stopped,reason="breakpoint-hit".*thread-id="3"')
        before = int(re.search(r'value="(\d+)"', mi.ask("-data-evaluate-expression --thread 3 --frame 0 *mine",
                                                        r"^\^done,value")).group(1))
        mi.ask("-exec-next --thread 3", r'^\*stopped,reason="end-stepping-range".*line="12".*thread-id="3"')
        after = mi.ask("-data-evaluate-expression --thread 3 --frame 0 *mine", r"^\^done,value")
        self.assertIn(f'value="{before + 1}"', after)
        self.assertEqual(mi.states()["2"], "running")
        mi.ask("-exec-continue --thread 3", r'^\*running,thread-id="3"',
               r'^\*stopped,reason="breakpoint-hit".*thread-id="3"')

    def test_all_are_interrupted_and_run_to_the_end(self):
        mi = self.start()
        mi.ask("-exec-interrupt --all", *(rf'^\*stopped,.*thread-id="{thread}"' for thread in (2, 3, 4)))
        self.assertEqual(set(mi.states().values()), {"stopped"})
        mi.ask("-data-evaluate-expression --thread 1 --frame 0 leave=1", r'^\^done,value="1"')
        mi.ask("-exec-continue --all", r'^\*stopped,reason="exited",exit-code="04"')


if __name__ == "__main__":
    built_program.main("gdb")
