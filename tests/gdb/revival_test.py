#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Restores snapshots of a small program under a real gdb, which then drives them: icecore gdb --live.

ICECORE names the program under test. Exit status 77 when a tool or a right is missing."""
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile

import live
from view_test import LIMIT, SKIPPED, expect

SOURCE = """
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
volatile long counter = 0;
static FILE* notes;
static void* worker(void* argument) {
  for (;;) pause();
  return argument;
}
__attribute__((noinline)) long count(long step) {
  counter += step;
  fprintf(notes, "%ld\\n", counter);
  fflush(notes);
  return counter;
}
int main(int arguments, char** words) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  bind(server, (struct sockaddr*)&here, sizeof here);
  listen(server, 1);
  notes = fopen(words[arguments - 1], "w");
  pthread_t thread;
  pthread_create(&thread, 0, worker, 0);
  puts("READY");
  fflush(stdout);
  for (;;) {
    usleep(1000);
    count(1);
  }
}
"""


class Recorded:
    """rec@1 of a program that runs on."""

    def __init__(self, icecore, folder):
        self.icecore = icecore
        self.folder = pathlib.Path(folder)
        self.store = self.folder / "store"
        program = self.folder / "program"
        source = self.folder / "program.c"
        source.write_text(SOURCE, encoding="utf-8")
        subprocess.run(["cc", "-g", "-O0", "-pthread", "-o", program, source], check=True, timeout=LIMIT)
        self.notes = self.folder / "notes" / "file"
        self.notes.parent.mkdir()
        self.original = subprocess.Popen([program, self.notes], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL, text=True, preexec_fn=live.close_inherited)
        assert self.original.stdout.readline() == "READY\n"
        subprocess.run([icecore, "snap", "--store", self.store, "--name", "rec", "--files", "written",
                        str(self.original.pid)], check=True,
                       timeout=LIMIT, stdout=subprocess.DEVNULL)

    def gdb(self, *commands):
        words = [self.icecore, "gdb", "rec@1", "--live", "--store", self.store, "--", "-nx", "-batch",
                 "-ex", "set pagination off"]
        for command in commands:
            words += ["-ex", command]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
                              cwd="/", stdin=subprocess.DEVNULL, check=False)
        return done.stdout


def lives_of(recorded):
    """Pids of all processes of the program but the original."""
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            executable = os.readlink(directory / "exe")
        except OSError:
            continue
        if executable == str(recorded.folder / "program") and int(directory.name) != recorded.original.pid:
            found.append(int(directory.name))
    return found


def test_restored_program_is_driven(recorded):
    out = recorded.gdb("info threads", "break count", "continue", "print step", "finish", "watch counter", "continue", "continue",
                       "delete", "print count(1000)", "print counter > 1000", "set var counter = -5", "tbreak count",
                       "continue", "print counter", "info proc")
    expect(out, r"Thread \d+\.\d+", r"Breakpoint 1, .*count \(step=1\)", r"= 1\b", r"Value returned is",
           r"Hardware watchpoint 2: counter", r"New value = ", r"= 1\d\d\d", r"= 1\b", r"Temporary breakpoint 3, ",
           r"= -5\b", r"process \d+")


def test_nothing_is_left_and_nothing_is_changed(recorded):
    recorded.gdb("break count", "continue", "set var counter = 4000000", "finish")
    assert lives_of(recorded) == [], lives_of(recorded)
    assert recorded.original.poll() is None
    lines = [int(line) for line in recorded.notes.read_text(encoding="utf-8").split()[:-1]]
    assert lines == list(range(1, len(lines) + 1)), "the original's file was written to"


def test_killed_stub_leaves_nothing(recorded):
    words = [recorded.icecore, "serve", "rec@1", "--live", "--store", recorded.store]
    stub = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert stub.stdout.readline().strip()
    lives = lives_of(recorded)
    assert len(lives) == 1, lives
    handle = os.pidfd_open(lives[0])
    stub.kill()
    stub.communicate(timeout=LIMIT)
    assert select.select([handle], [], [], LIMIT)[0], "the restored program outlived the stub"
    os.close(handle)


def main():
    icecore = os.environ.get("ICECORE")
    if not icecore:
        sys.exit("ICECORE must name the program under test")
    for tool in ("gdb", "cc"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return SKIPPED
    if os.geteuid() != 0:
        print("skipped: restoring needs root")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        recorded = Recorded(icecore, folder)
        try:
            for test in (test_restored_program_is_driven, test_nothing_is_left_and_nothing_is_changed,
                         test_killed_stub_leaves_nothing):
                test(recorded)
                print(f"{test.__name__}: ok", flush=True)
        finally:
            recorded.original.kill()
            recorded.original.communicate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
