#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a restore does about files that were written after the snapshot: --files."""
import os
import pathlib
import shutil
import tempfile

import lives
import revival


class FileChanges(lives.LivesTest):
    def record(self, *options):
        """A victim that writes to a file after its snapshot, and ends."""
        life = self.start_talking("files_content", self.files)
        self.done("snap", "--name", "victim", *options, life.pid)
        self.assertEqual(life.ask("write CHANGED"), "DONE")
        life.end()
        self.reap()
        self.written = self.files / "written"
        self.assertEqual(self.written.read_text(), "CHANGED of written")

    def show(self, *options):
        life = self.revive(*options)
        answer = life.ask("show")
        life.end()
        return answer

    def test_are_refused_by_name(self):
        self.record()
        ended = self.refused(3, "restore", "victim", what="cannot be restored")
        self.assertIn(f"({self.written}): it has been written to since", ended.err)
        self.assertIn("--files keep", ended.err)
        self.assertNotIn("large", ended.err)
        self.assertNotIn(f"({self.files}/read)", ended.err)

    def test_are_refused_where_named_memory_is(self):
        # What a program has mapped there is its memory; what it only has open is a file like any other.
        with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="icecore-test-") as directory:
            self.files = pathlib.Path(directory)
            self.record("--files", "written")
            ended = self.refused(3, "restore", "victim", what="cannot be restored")
            self.assertIn(f"({self.written}): it has been written to since", ended.err)

    def test_that_do_not_matter_are_no_obstacle(self):
        life = self.start_talking("files_content", self.files)
        self.suspend(life)
        with open(self.files / "read", "a", encoding="ascii") as file:
            file.write("appended by another")
        os.utime(self.files / "written")
        self.assertEqual(self.icecore("restore", "--check", "victim").status, 3, "its times changed")
        self.assertEqual(self.show("--files", "keep"), "content of written")

    def test_are_kept_when_asked(self):
        self.record()
        self.assertEqual(self.show("--files", "keep"), "CHANGED of written")

    def test_are_rolled_back_when_asked_and_listed_before(self):
        self.record("--files", "written")
        check = self.done("restore", "--check", "--files", "rollback", "victim")
        self.assertIn(f"would be rolled back: {self.written}: it has been written to since", check.out)
        self.assertNotIn("large", check.out)
        self.assertEqual(self.written.read_text(), "CHANGED of written", "a check changes nothing")
        self.assertEqual(self.show("--files", "rollback"), "content of written")
        self.assertEqual(self.written.read_text(), "content of written")

    def test_that_are_gone_are_made_again(self):
        self.record("--files", "written")
        self.written.unlink()
        self.refused(3, "restore", "--files", "keep", "victim", what="cannot be restored", why="it is gone")
        self.assertEqual(self.show("--files", "rollback"), "content of written")
        self.assertEqual(self.written.stat().st_mode & 0o777, 0o640)

    def test_that_were_replaced_are_replaced_again(self):
        self.record("--files", "written")
        other = self.files / "other"
        other.write_text("something else")
        other.rename(self.written)
        self.assertEqual(self.show("--files", "rollback"), "content of written")
        self.assertEqual(sorted(os.listdir(self.files)), ["large", "read", "written"])

    def test_cannot_be_rolled_back_without_their_contents(self):
        self.record()
        self.refused(3, "restore", "--files", "rollback", "victim", what="cannot", why="not in the snapshot")
        self.assertEqual(self.written.read_text(), "CHANGED of written")

    def test_a_renamed_file_is_found(self):
        life = self.start_talking("files_content", self.files)
        self.suspend(life)
        (self.files / "written").rename(self.files / "renamed")
        again = self.revive()
        self.assertEqual(again.ask("write FOUND"), "DONE")
        self.assertEqual((self.files / "renamed").read_text(), "FOUNDnt of written")

    def test_a_copy_from_a_backup_is_as_good(self):
        life = self.start_talking("files_content", self.files)
        self.suspend(life)
        for file in self.files.iterdir():
            shutil.copy2(file, self.directory / "copy")
            (self.directory / "copy").rename(file)
        self.assertEqual(self.show(), "content of written")

    def test_private_views_keep_lives_apart(self):
        self.record("--files", "written")
        listing = sorted(os.listdir(self.files))
        one = self.revive("--files", "private")
        two = self.revive("--files", "private")
        self.assertEqual(one.ask("show"), "content of written")
        self.assertEqual(one.ask("write ONE"), "DONE")
        self.assertEqual(two.ask("write TWO"), "DONE")
        self.assertEqual(one.ask("show"), "ONEtent of written")
        self.assertEqual(two.ask("show"), "TWOtent of written")
        self.assertEqual(self.written.read_text(), "CHANGED of written")
        self.assertEqual(sorted(os.listdir(self.files)), listing)

    def test_a_private_view_needs_a_namespace(self):
        self.record("--files", "written")
        self.refused(3, "restore", "--in-place", "--files", "private", "victim", what="cannot", why="namespace")


if __name__ == "__main__":
    revival.main()
