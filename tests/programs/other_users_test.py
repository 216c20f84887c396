#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A recorder without privileges, and a process of another user below a setuid program in its tree."""
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
import program

NOBODY = 65534


def field(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return line.split()[1:]
    return []


@unittest.skipIf(os.geteuid() != 0, "needs root, to make a setuid program")
@program.needs("setpriv")
class OtherUsers(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)
        self.store.mkdir(mode=0o700)
        os.chown(self.store, NOBODY, NOBODY)
        self.program = self.directory / "setuid_idle"
        shutil.copy(harness.VICTIMS / "idle", self.program)
        self.program.chmod(0o4755)
        self.icecore_there = self.directory / "icecore"  # where nobody may execute it
        shutil.copy(harness.ICECORE, self.icecore_there)
        self.icecore_there.chmod(0o755)

    def as_nobody(self, *words):
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *map(str, words)]

    def ask(self, *words):
        finished = subprocess.run(self.as_nobody(self.icecore_there, *words), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=program.LONG, check=False,
                                  env=self.environment(HOME=str(self.directory)), cwd=self.directory)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return harness.Ended(finished)

    def test_a_setuid_child_is_listed_as_not_read_and_lives_on_with_its_privileges(self):
        run = self.start(*self.as_nobody(self.icecore_there, "run", "-q", "--crash", "off", "--every", "20ms",
                                         "--name", "s", "--", "sh", "-c", f"{self.program}; exit 7"),
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.directory,
                         env=self.environment(HOME=str(self.directory)))
        self.assertEqual(run.stdout.readline(), "READY\n")
        child = next(pid for pid in program.descendants(run.pid)
                     if pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "setuid_idle\n")
        self.assertEqual(field(child, "Uid")[:2], [str(NOBODY), "0"])
        before = len(self.snapshots())
        self.wait_for(lambda: len(self.snapshots()) >= before + 5, "snapshots")
        shown = self.ask("show", "s@last", "--json").json()
        self.assertEqual({p["comm"] for p in shown["processes"]}, {"sh", "setuid_idle"})
        reasons = [(entry["pid"], entry["reason"]) for entry in shown["limitations"]]
        self.assertTrue(any(pid == child and "may not trace" in reason for pid, reason in reasons), reasons)
        run.stdin.write("touch 1\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.readline(), "DONE\n")
        run.communicate(timeout=program.LONG)
        self.assertEqual(run.returncode, 7)

    def test_what_was_not_written_is_not_copied_again(self):
        features = {each["name"]: each["works"] for each in self.ask("doctor", "--json").json()["features"]}
        if not features["track written pages"]:
            self.skipTest("needs userfaultfd and PAGEMAP_SCAN (Linux 6.7)")
        run = self.start(*self.as_nobody(self.icecore_there, "run", "-q", "--every", "50ms", "--count", "3", "--name", "s",
                                         "--", "python3", "-c",
                                         "memory = bytearray(b'x') * (64 << 20)\nprint('READY', flush=True)\ninput()"),
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.directory,
                         env=self.environment(HOME=str(self.directory)))
        self.assertEqual(run.stdout.readline(), "READY\n")
        self.wait_for(lambda: len(self.snapshots()) >= 3, "snapshots")
        run.communicate("\n")
        self.assertLess(self.snapshots()[-1]["dirty_bytes"], 8 << 20)

    def snapshots(self):
        finished = subprocess.run(self.as_nobody(self.icecore_there, "list", "s", "--json"), capture_output=True,
                                  text=True, check=False, env=self.environment(HOME=str(self.directory)),
                                  cwd=self.directory)
        return harness.Ended(finished).json() if finished.returncode == 0 else []


program.main()
