#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pipes, event descriptors, sockets and terminals: the victims see for themselves what came back."""
import subprocess

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


revival.main()
