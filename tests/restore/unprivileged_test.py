# SPDX-License-Identifier: Apache-2.0
"""Snapshots and images of a user without privileges, brought back by that user."""
import os
import subprocess
import unittest

import harness

NOBODY = 65534

PROGRAM = "import os, time; print('up', flush=True); time.sleep(1); " \
          "print([line for line in open('/proc/self/status') if line.startswith(('Uid', 'CapEff'))], flush=True); os._exit(5)"


@unittest.skipUnless(os.geteuid() == 0, "needs root, to become another user")
class Unprivileged(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.directory.chmod(0o777)
        for needed in (["unshare", "--user", "true"], [harness.ICECORE, "--version"]):
            if self.run_as_nobody(*needed).returncode != 0:
                self.skipTest("needs for other users: " + " ".join(needed))

    def run_as_nobody(self, *words):
        try:
            return subprocess.run(list(map(str, words)), user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
                                  env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=harness.DEADLINE, check=False)
        except OSError:
            return subprocess.CompletedProcess(words, 127)

    def test_an_image_runs_and_a_snapshot_is_restored_in_a_user_namespace(self):
        built = self.run_as_nobody(harness.ICECORE, "image", "build", "mine", "--ready", "log:up", "--",
                                   "/usr/bin/python3", "-c", PROGRAM)
        self.assertEqual(built.returncode, 0, built.stderr)
        for again in (["image", "run", "mine"], ["restore", "mine"]):
            ended = self.run_as_nobody(harness.ICECORE, *again)
            self.assertEqual(ended.returncode, 5, ended.stderr)
            if again[0] == "image":
                self.assertIn("\\t".join(["Uid:", *[str(NOBODY)] * 4]), ended.stdout)
                self.assertIn("CapEff:\\t0000000000000000", ended.stdout)

    def test_what_needs_more_is_refused_in_one_line(self):
        self.run_as_nobody(harness.ICECORE, "image", "build", "mine", "--ready", "log:up", "--", "/usr/bin/python3", "-c",
                           PROGRAM)
        for words in (["image", "warm", "mine"], ["restore", "--in-place", "mine"]):
            ended = self.run_as_nobody(harness.ICECORE, *words)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertRegex(ended.stderr, r"\Aerror: .*not permitted\nhint:  run it as root\n\Z")

    def test_the_image_of_another_user_is_refused(self):
        self.run_as_nobody(harness.ICECORE, "image", "build", "theirs", "--ready", "log:up", "--", "/usr/bin/python3",
                           "-c", PROGRAM)
        self.refused(3, "image", "run", "theirs", what=f"was built by user {NOBODY}", hint="image import")


if __name__ == "__main__":
    harness.main()
