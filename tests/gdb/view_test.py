#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a real gdb over snapshots of a small threaded program, without local files.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
LIMIT = 50  # seconds for any one program

SOURCE = """
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static __thread int thread_value = 40;
volatile long counter = 0;
volatile int constant[4] = {1, 2, 3, 4};
static void* worker(void* argument) {
  thread_value += 1;
  pthread_setname_np(pthread_self(), "worker");
  counter = 1;
  for (;;) pause();
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, worker, 0);
  while (counter == 0) usleep(1000);
  puts("READY");
  fflush(stdout);
  for (char line[8]; fgets(line, sizeof line, stdin);) {
    counter = counter + 1;
    puts("DONE");
    fflush(stdout);
  }
}
"""


class Recording:
    """A victim and snapshots of it: N@1 with counter 1, N@2 with 1 again, N@3 with 2, N@4 with 3."""

    def __init__(self, icecore, folder):
        self.icecore = icecore
        self.folder = pathlib.Path(folder)
        self.store = self.folder / "store"
        self.program = self.folder / "victim"
        source = self.folder / "victim.c"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-g", "-O0", "-pthread", "-o", self.program, source], check=True, timeout=LIMIT)
        self.victim = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert self.victim.stdout.readline() == "READY\n"
            self.snap()
            self.snap()
            self.count()
            self.snap()
            self.count()
            self.snap()
        finally:
            self.victim.kill()
            self.victim.wait()
        source.unlink()
        self.program.unlink()  # nothing local is left: all must come from the store

    def count(self):
        self.victim.stdin.write("more\n")
        self.victim.stdin.flush()
        assert self.victim.stdout.readline() == "DONE\n"

    def snap(self):
        subprocess.run([self.icecore, "snap", "--store", self.store, "--name", "rec", str(self.victim.pid)],
                       check=True, timeout=LIMIT, stdout=subprocess.DEVNULL)

    def gdb(self, number, *commands):
        serve = f"{self.icecore} serve rec@{number} --store {self.store} --stdio"
        words = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", f"target remote | {serve}"]
        for command in commands:
            words += ["-ex", command]
        result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=LIMIT, cwd="/", stdin=subprocess.DEVNULL)
        return result.stdout


def expect(output, *patterns):
    """All patterns, in this order."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern).search(output, at)
        if not found:
            sys.exit(f"FAILED: no /{pattern}/ from there on in:\n{output}")
        at = found.end()


def test_looking(recording):
    output = recording.gdb(1, "info threads", "bt", "print counter", "thread 2", "frame function worker",
                           "print thread_value", "info proc exe", "print $fs_base != 0",
                           "find &constant, +16, 3", "info sharedlibrary")
    expect(output, r'"victim"', r'"worker"', r"main \(\) at .*victim\.c", r"= 1\b", r"worker \(argument=",
           r"= 41\b", r"exe = '.*/victim", r"= 1\b", r"1 pattern found", r"libc\.so\.6")


def test_travelling(recording):
    output = recording.gdb(3, "print counter", "reverse-continue", "print counter", "reverse-continue",
                           "reverse-continue", "print counter", "continue", "continue", "continue",
                           "print counter", "continue", "monitor goto 1", "stepi", "print counter")
    expect(output, r"\$1 = 2\b", r"\$2 = 1\b", r"No more reverse-execution history", r"\$3 = 1\b", r"\$4 = 3\b",
           r"No more reverse-execution history", r"arrives at rec@1", r"\$5 = 1\b")


def test_watching(recording):
    output = recording.gdb(1, "watch -l counter", "continue", "monitor info", "continue", "monitor info",
                           "reverse-continue", "monitor info", "delete", "watch -l constant[1]", "continue",
                           "monitor info")
    expect(output, r"Old value = 1\s+New value = 2", r"rec@3", r"Old value = 2\s+New value = 3", r"rec@4",
           r"Old value = 3\s+New value = 2", r"rec@3", r"No more reverse-execution history", r"rec@4")


def test_refusing(recording):
    output = recording.gdb(2, "print $rax = 1", "print counter = 7", "print counter", "monitor nonsense",
                           "monitor goto 99", "monitor help")
    expect(output, r"rec@2 is a read-only view", r"Cannot access memory", r"= 1\b", r"no monitor command",
           r"error: ", r"monitor goto")


def test_breakpoints_do_not_stop_the_travel(recording):
    output = recording.gdb(1, "break worker", "continue", "print counter", "monitor info")
    expect(output, r"Breakpoint 1 at", r"\$1 = 1\b", r"rec@2")


def test_core_of_a_past_moment(recording):
    core = recording.folder / "past.core"
    recording.gdb(3, f"generate-core-file {core}")
    output = subprocess.run(["gdb", "-nx", "-batch", "-ex", "info threads", "-c", core], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=LIMIT, cwd="/", stdin=subprocess.DEVNULL).stdout
    expect(output, r"Core was generated by .*victim", r"LWP \d+", r"LWP \d+")


def run(*tests, tools=("gdb", "cc")):
    """Runs the tests on one recording, where there are the tools; the exit status."""
    icecore = os.environ.get("ICECORE")
    if not icecore:
        sys.exit("ICECORE must name the program under test")
    for tool in tools:
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording(icecore, folder)
        for test in tests:
            test(recording)
            print(f"{test.__name__}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(run(test_looking, test_travelling, test_watching, test_refusing,
                 test_breakpoints_do_not_stop_the_travel, test_core_of_a_past_moment))
