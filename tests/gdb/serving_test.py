#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives real gdbs against one `icecore serve`: two at once, one after another, and one that is killed.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import subprocess
import sys

import view_test
from line_gdb import LineGdb
from view_test import LIMIT, expect


class Gdb(LineGdb):
    """Connected to what is served at an address."""

    def __init__(self, address):
        super().__init__()
        self.greeting = self.ask(f"target remote {address}")


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
        second.end()
        expect(first.ask("continue"), r"SIGTRAP|stopped|Thread")
        expect(first.ask("monitor info"), r"rec@2")
        first.end()
        third = Gdb(served.address)
        expect(third.ask("print counter"), r"= 1\b")
        third.end()
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
        last.end()


def test_two_servers_of_one_snapshot_do_not_disturb_each_other(recording):
    with Served(recording) as one, Served(recording) as other:
        first, second = Gdb(one.address), Gdb(other.address)
        first.ask("continue")
        first.ask("continue")
        expect(first.ask("print counter"), r"= 2\b")
        expect(second.ask("print counter"), r"= 1\b")
        first.end()
        second.end()


if __name__ == "__main__":
    sys.exit(view_test.run(test_second_gdb_is_turned_away_and_the_first_goes_on, test_killed_gdb_costs_nothing,
                           test_two_servers_of_one_snapshot_do_not_disturb_each_other))
