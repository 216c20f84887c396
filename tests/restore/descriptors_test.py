#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pipes, event descriptors, sockets and terminals: the victims see for themselves what came back."""
import json
import os
import signal
import subprocess
from pathlib import Path

import harness
import revival


class Descriptors(revival.RevivalTest):
    def check_victim(self, name):
        """Both ways from one snapshot; the streams of the victim become those of `icecore restore`."""
        place = self.directory / name
        place.mkdir()
        victim = subprocess.Popen([harness.VICTIMS / name, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True, env=self.environment())
        self.addCleanup(self.end, victim)
        self.assertTrue(victim.stdout.readline().startswith("READY"))
        self.snap(victim.pid, name, "--kill")
        victim.communicate()
        self.reap()
        for mode, options in revival.MODES.items():
            with self.subTest(mode=mode):
                restored = subprocess.Popen([harness.ICECORE, "restore", *options, name], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                            env=self.environment())
                self.addCleanup(self.end, restored)
                out, err = restored.communicate("check\n", timeout=revival.LONG)
                self.assertEqual(out, "DONE\n", err)
                self.assertEqual(restored.returncode, 0, err)
                self.reap()

    def test_pipes_counters_watches_and_epolls(self):
        self.check_victim("restore_events")

    def test_sockets_and_their_queues(self):
        self.check_victim("restore_sockets")

    def test_numbers_that_icecore_has_descriptors_at_itself(self):
        for number in range(4, 24, 2):
            with self.subTest(number=number):
                process = self.start("bash", "-c", f"exec {number}</dev/null; exec sleep 600")
                self.wait_for(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n", "sleep")
                self.snap(process.pid, f"number-{number}", "--kill")
                process.wait()
                self.reap()
                pid = json.loads(self.done("restore", "--in-place", "--detach", "--json",
                                           f"number-{number}").out)["pid"]
                self.assertTrue(Path(f"/proc/{pid}/fd/{number}").exists())
                os.kill(pid, signal.SIGKILL)
                self.wait_for(lambda: self.is_gone(pid), "end")

    def is_gone(self, pid):
        self.reap()
        return not Path(f"/proc/{pid}").exists()


revival.main()
