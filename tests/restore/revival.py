# SPDX-License-Identifier: Apache-2.0
"""Victims that are snapshotted, ended, and brought back to life."""
import contextlib
import ctypes
import os
import shutil
import subprocess
import time
import unittest

import harness

LONG = 30  # seconds

# The two ways to live again.
MODES = {"beside": (), "in place": ("--in-place",)}


def may_restore():
    return os.geteuid() == 0


@unittest.skipUnless(may_restore(), "restoring needs root: namespaces and pids of one's choice")
class RevivalTest(harness.CliTest):
    maxDiff = None

    def wait_for(self, condition, what, timeout=LONG):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            result = condition()
            if result:
                return result
            time.sleep(0.01)
        return self.fail(f"there was no {what} in {timeout} s")

    def start(self, *command, **popen):
        """A program with nothing but /dev/null at its standard descriptors."""
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=self.environment(), close_fds=True, **popen)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def reap():
        """Orphans of killed trees come to us: their pids are free when they have been waited for."""
        with contextlib.suppress(ChildProcessError):
            while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG) is not None:
                pass

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def victim(self, name, *arguments):
        """Starts a victim of the revive family; returns it and its directory when it is ready."""
        place = self.directory / f"{name}-{time.monotonic_ns()}"
        place.mkdir()
        place.chmod(0o777)  # a victim may become another user
        self.directory.chmod(0o755)
        process = self.start(harness.VICTIMS / f"revive_{name}", place, *arguments)
        self.wait_for(lambda: (place / "ready").exists() or process.poll() is not None, f"ready {name}")
        self.assertIsNone(process.poll(), f"{name} has ended at once")
        return process, place

    def snap(self, pid, name, *options):
        self.done("snap", "--name", name, *options, pid)

    def restore(self, snapshot, *options):
        """In the foreground; killed at the end of the test if it still runs. What it says goes to a file."""
        said = self.directory / f"said-{time.monotonic_ns()}"
        with open(said, "wb") as out:
            process = subprocess.Popen([harness.ICECORE, "restore", *options, snapshot], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out, env=self.environment())
        process.said = said
        self.addCleanup(self.end, process)
        return process

    def revived(self, process, place):
        """Tells a restored victim to go and compares; returns what it says."""
        time.sleep(0.05)
        (place / "go").touch()
        status = process.wait(LONG)
        said = process.said.read_text()
        result = place / "result"
        self.assertTrue(result.exists(), f"status {status}: {said}")
        text = result.read_text()
        result.unlink()
        (place / "go").unlink()
        self.assertEqual(text, "equal\n", said)
        self.assertEqual(status, 0, said)

    def check_group(self, name, *arguments):
        """Both ways, more than once, from one snapshot."""
        process, place = self.victim(name, *arguments)
        kept = self.directory / "kept"
        self.snap(process.pid, name)
        self.snap(process.pid, name, "--kill")
        process.wait()
        shutil.copytree(place, kept)
        self.reap()
        for mode, options in MODES.items():
            for number in (1, 2):
                with self.subTest(mode=mode, snapshot=number):
                    shutil.rmtree(place)
                    shutil.copytree(kept, place)
                    self.revived(self.restore(f"{name}@{number}", *options), place)
                    self.reap()
        shutil.rmtree(kept)


def main():
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)
    unittest.main(verbosity=2)
