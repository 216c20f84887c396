# SPDX-License-Identifier: Apache-2.0
"""Runs icecore as a person at a shell would, with a store of the test's own."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ICECORE = os.environ.get("ICECORE", "icecore")
VICTIMS = pathlib.Path(os.environ.get("ICECORE_VICTIM_DIR", "."))
DEADLINE = 30  # seconds; below ctest's own, so that the test can say what hung


class Ended:
    """How one run of icecore ended."""

    def __init__(self, finished):
        self.status = finished.returncode
        self.out = finished.stdout
        self.err = finished.stderr

    def json(self):
        return json.loads(self.out)


class CliTest(unittest.TestCase):
    """Each test has an empty directory and a store in it that is not there yet."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="icecore-cli-test.")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.store = self.directory / "store"

    def environment(self, **changes):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ICECORE")}
        environment.update(ICECORE_STORE=str(self.store), LC_ALL="C", PAGER="cat")
        environment.update(changes)
        return {name: value for name, value in environment.items() if value is not None}

    def icecore(self, *words, stdin=None, **environment):
        finished = subprocess.run(
            [ICECORE, *map(str, words)],
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=self.environment(**environment),
            check=False,
        )
        return Ended(finished)

    def done(self, *words, **environment):
        """Runs what must succeed."""
        ended = self.icecore(*words, **environment)
        self.assertEqual(ended.status, 0, f"icecore {' '.join(map(str, words))}:\n{ended.out}\n{ended.err}")
        return ended

    def refused(self, status, *words, what, why=None, hint=None, **environment):
        """Runs what must fail with `status`, and say so in these words."""
        ended = self.icecore(*words, **environment)
        self.assertEqual(ended.status, status, ended.err)
        lines = ended.err.splitlines()
        self.assertTrue(lines and lines[0].startswith("error: "), ended.err)
        self.assertRegex(lines[0], what)
        if why is not None:
            self.assertRegex("\n".join(line for line in lines if line.startswith("why:   ")), why)
        if hint is not None:
            self.assertRegex("\n".join(line for line in lines if line.startswith("hint:  ")), hint)
        return ended


def main():
    unittest.main(verbosity=2)
