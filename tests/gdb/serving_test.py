#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives real gdbs against one `icecore serve`: two at once, one after another, and one that is killed.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import shutil
import subprocess
import sys
import tempfile

import view_test
from view_test import LIMIT, SKIPPED, expect


class Gdb:
    """A gdb that obeys line by line."""

    def __init__(self, address):
        self.process = subprocess.Popen(["gdb", "-nx", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd="/")
        self.say("set pagination off", "set confirm off")
        self.greeting = self.ask(f"target remote {address}")

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line):
        """What gdb answers to `line`."""
        self.say(line, "echo \\nANSWERED\\n")
        text = ""
        for answer in self.process.stdout:
            if answer.strip().endswith("ANSWERED"):
                return text
            text += answer
        sys.exit(f"FAILED: gdb ended at {line}:\n{text}")

    def quit(self):
        self.say("quit")
        self.process.wait(LIMIT)


class Served:
    """`icecore serve` of rec@1."""

    def __init__(self, recording):
        words = [recording.icecore, "serve", "rec@1", "--store", recording.store]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.log = self.process.communicate(timeout=LIMIT)[1]


def test_second_gdb_is_turned_away_and_the_first_goes_on(recording):
    with Served(recording) as served:
        first = Gdb(served.address)
        expect(first.ask("print counter"), r"= 1\b")
        second = Gdb(served.address)
        expect(second.greeting, r"closed|reset|disconnected")
        second.quit()
        expect(first.ask("continue"), r"SIGTRAP|stopped|Thread")
        expect(first.ask("monitor info"), r"rec@2")
        first.quit()
        third = Gdb(served.address)
        expect(third.ask("print counter"), r"= 1\b")
        third.quit()
    expect(served.log, r"refused a client on .*another debugger is attached", r"the debugger is gone")


def test_killed_gdb_costs_nothing(recording):
    with Served(recording) as served:
        for _ in range(3):
            gdb = Gdb(served.address)
            expect(gdb.ask("print counter"), r"= 1\b")
            gdb.process.kill()
            gdb.process.wait(LIMIT)
        last = Gdb(served.address)
        expect(last.ask("bt"), r"main \(\)")
        last.quit()


def test_two_servers_of_one_snapshot_do_not_disturb_each_other(recording):
    with Served(recording) as one, Served(recording) as other:
        first, second = Gdb(one.address), Gdb(other.address)
        first.ask("continue")
        first.ask("continue")
        expect(first.ask("print counter"), r"= 2\b")
        expect(second.ask("print counter"), r"= 1\b")
        first.quit()
        second.quit()


def main():
    icecore = os.environ.get("ICECORE")
    if not icecore:
        sys.exit("ICECORE must name the program under test")
    for tool in ("gdb", "cc"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        recording = view_test.Recording(icecore, folder)
        for test in (test_second_gdb_is_turned_away_and_the_first_goes_on, test_killed_gdb_costs_nothing,
                     test_two_servers_of_one_snapshot_do_not_disturb_each_other):
            test(recording)
            print(f"{test.__name__}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
