# SPDX-License-Identifier: Apache-2.0
"""Test cases that debug a small C program, which is compiled once for all of them."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LIMIT = 50  # seconds for any one program
SKIPPED = 77
ICECORE = os.environ.get("ICECORE")


def clean():
    """Children get no descriptor of ours but the standard three."""
    os.closerange(3, 4096)


class BuiltProgramTest(unittest.TestCase):
    """`NAME` compiled from `SOURCE`; its path is self.program, in self.folder.name."""

    NAME = ""
    SOURCE = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.program = os.path.join(cls.folder.name, cls.NAME)
        with open(cls.program + ".c", "w", encoding="ascii") as file:
            file.write(cls.SOURCE)
        subprocess.run(["cc", "-g", "-O0", "-pthread", "-o", cls.program, cls.program + ".c"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def expect(self, text, *patterns):
        """All of them, in this order."""
        at = 0
        for pattern in patterns:
            found = re.compile(pattern).search(text, at)
            self.assertTrue(found, f"no {pattern!r} from {at} on in:\n{text}")
            at = found.end()


def main(*tools):
    """Runs the cases of the calling file, where there are the tools."""
    if not ICECORE:
        sys.exit("ICECORE must name the program under test")
    for tool in (*tools, "cc"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)
