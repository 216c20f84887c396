#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Open files come back as they were, in new namespaces and in place."""
import os

import lives
import revival


class Files(lives.LivesTest):
    def check_life(self, *options):
        life = self.start_talking("files_open", self.files)
        before = life.ask("state").split("; ")
        self.suspend(life)
        again = self.revive(*options)
        self.assertEqual(again.ask("state").split("; "), before)
        contents = again.ask("read")
        for name in ("plain", "append", "deleted", "unnamed", "linked", "memory"):
            self.assertIn(f"{name}:content of {name};", contents)
        for name, other in (("read", "plain"), ("deleted_again", "deleted"), ("mapped_memory", "mapped memory")):
            self.assertIn(f"{name}:content of {other};", contents)
        self.assertIn("fifo_read:unread;", contents)
        self.assertIn("hole:4096", contents)
        self.assertEqual(
            sorted(os.listdir(self.files)),
            ["append", "fifo", "other_name", "plain", "shared_first", "sync"],
            "nothing is left of what was deleted",
        )

    def test_are_the_same_in_new_namespaces(self):
        self.check_life()

    def test_are_the_same_in_place(self):
        self.check_life("--in-place")

    def check_locks(self, *options):
        life = self.start_talking("files_locks", self.files)
        before = life.ask("locks")
        self.assertIn("self child self lease 0", before)
        self.suspend(life)
        self.assertEqual(self.revive(*options).ask("locks"), before)

    def test_locks_of_all_kinds_in_new_namespaces(self):
        self.check_locks()

    def test_locks_of_all_kinds_in_place(self):
        self.check_locks("--in-place")

    def test_locks_that_the_living_original_holds_are_refused_by_name(self):
        life = self.start_talking("files_locks", self.files)
        self.done("snap", "--name", "victim", life.pid)
        ended = self.icecore("restore", "victim")
        self.assertEqual(ended.status, 3, ended.err)
        self.assertRegex(ended.err, f"process {life.pid} \\(files_locks\\) holds a lock on it")


if __name__ == "__main__":
    revival.main()
