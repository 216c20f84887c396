#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`icecore check` tells what stands in the way of a living process, and leaves it running."""
import os
import subprocess
import sys

import harness

# Holds a deleted file with content, and nothing else of note.
PROGRAM = """
import os, sys
file = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
os.write(file, b"content")
os.unlink(sys.argv[1])
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

    def test_a_deleted_file_is_named_with_its_process_and_descriptor(self):
        path = self.directory / "gone"
        child = self.start(sys.executable, "-c", PROGRAM, path)
        ready, number = child.stdout.readline().split()
        self.assertEqual(ready, "READY")
        report = self.done("check", "--json", child.pid).json()
        self.assertFalse(report["refused"])
        found = [blocker for blocker in report["blockers"] if blocker.get("fd") == int(number)]
        self.assertEqual(len(found), 1, report)
        self.assertEqual(found[0]["pid"], child.pid)
        self.assertEqual(found[0]["stops"], "restore")
        self.assertIn(str(path), found[0]["path"])
        self.assertIn("deleted", found[0]["reason"])
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
