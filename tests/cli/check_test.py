#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`icecore check` tells what stands in the way of a living process, and leaves it running."""
import os
import subprocess
import sys

import harness

# Holds a performance counter, and nothing else of note.
PROGRAM = """
import ctypes, os, struct, sys
PERF_EVENT_OPEN, SOFTWARE = 298, 1
attributes = ctypes.create_string_buffer(struct.pack("<IIQ", SOFTWARE, 128, 0), 128)
file = ctypes.CDLL(None).syscall(PERF_EVENT_OPEN, attributes, 0, -1, -1, 0)
print("READY", file, flush=True)
sys.stdin.readline()
"""


class Check(harness.CliTest):
    def start(self, *words):
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.stdin.close)
        return child

    def test_what_no_restore_brings_back_is_named_with_its_process_and_descriptor(self):
        child = self.start(sys.executable, "-c", PROGRAM)
        ready, number = child.stdout.readline().split()
        self.assertEqual(ready, "READY")
        if int(number) < 0:
            self.skipTest("needs perf_event_open")
        report = self.done("check", "--json", child.pid).json()
        self.assertFalse(report["refused"])
        found = [blocker for blocker in report["blockers"] if blocker.get("fd") == int(number)]
        self.assertEqual(len(found), 1, report)
        self.assertEqual(found[0]["pid"], child.pid)
        self.assertEqual(found[0]["stops"], "restore")
        self.assertIn("perf", found[0]["path"])
        self.assertIn("earlier value", found[0]["reason"])
        self.assertIn(f"process {child.pid}: fd {number} ", self.done("check", child.pid).out)
        self.assertFalse(self.store.exists(), "check makes no store")

    def test_what_cannot_be_attached_to_is_refused_with_its_remedy(self):
        ended = self.icecore("check", os.getpid())  # an ancestor of icecore
        self.assertEqual(ended.status, 3, ended.err)
        self.assertIn("no snapshot can be taken", ended.out)
        self.assertIn("hint: ", ended.out)
        ended = self.icecore("check", "--json", 2**22 + 1)  # above every pid
        self.assertEqual(ended.status, 3, ended.err)
        self.assertTrue(ended.json()["refused"])
        self.assertIn("no such process", ended.json()["blockers"][0]["object"])

    def test_a_word_that_is_no_pid_is_wrong_usage(self):
        self.refused(2, "check", "redis", what="redis", hint="pgrep")


if __name__ == "__main__":
    harness.main()
