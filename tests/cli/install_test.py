#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` leaves below a prefix works from there."""
import os
import pathlib
import subprocess
import unittest

import harness
import recorded


class Installed(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.directory / "prefix"
        build = os.environ["ICECORE_BUILD_DIR"]
        subprocess.run(["cmake", "--install", build, "--prefix", self.prefix, "--strip"], check=True,
                       stdout=subprocess.DEVNULL, timeout=harness.DEADLINE)

    def run_installed(self, *words):
        return subprocess.run([self.prefix / "bin" / "icecore", *words], env=self.environment(), check=True, text=True,
                              capture_output=True, timeout=harness.DEADLINE, stdin=subprocess.DEVNULL).stdout

    def test_program_finds_its_disassembler(self):
        with recorded.Recorded(self, "symbols_globals", "shop") as victim:
            victim.snap("once")
        self.assertRegex(self.run_installed("dis", "shop@once", "main"), r"push +rbp|endbr64|sub +rsp")

    def test_manuals_and_completions_are_there(self):
        share = self.prefix / "share"
        for verb in ("run", "show", "gdb", "doctor"):
            self.assertIn(verb, (share / "man" / "man1" / f"icecore-{verb}.1").read_text())
        for script in ("bash-completion/completions/icecore", "zsh/site-functions/_icecore",
                       "fish/vendor_completions.d/icecore.fish"):
            self.assertIn("icecore complete", (share / script).read_text(), script)
        self.assertIn("icecore last-change", (share / "icecore" / "icecore.py").read_text())
        self.assertTrue((share / "doc" / "icecore" / "decisions").is_dir())
        program = pathlib.Path(self.prefix / "bin" / "icecore")
        self.assertEqual(program.stat().st_mode & 0o777, 0o755)


if __name__ == "__main__":
    unittest.main(verbosity=2)
