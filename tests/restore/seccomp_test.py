#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that seccomp would end for nearly any system call: a snapshot never makes them take that risk."""
import shutil
import signal
import time

import revival


class Seccomp(revival.RevivalTest):
    def test_snapshots_leave_them_alone_and_say_what_they_lack(self):
        process, place = self.victim("seccomp", "deadly")
        for number in range(1, 6):
            self.snap(process.pid, "careful")
            self.assertIsNone(process.poll())
        shown = self.done("show", "careful").out
        self.assertIn("seccomp would end the process", shown)
        self.assertIn("snap --kill", shown)
        ended = self.icecore("restore", "--check", "careful")
        self.assertEqual(ended.status, 3, ended.out)
        self.assertIn("seccomp would end the process", ended.out)
        (place / "go").touch()
        self.assertEqual(process.wait(revival.LONG), 0, (place / "result").read_text())

    def test_a_recording_leaves_them_alone(self):
        process, place = self.victim("seccomp", "deadly")
        recorder = self.start(revival.harness.ICECORE, "attach", "--name", "recorded", "--every", "20ms", process.pid)
        listed = self.wait_for(lambda: self.done("list", "--json", "recorded").out.count('"number"') >= 10
                               if self.icecore("list", "--json", "recorded").status == 0 else None, "ten snapshots")
        self.assertTrue(listed)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(revival.LONG)
        (place / "go").touch()
        self.assertEqual(process.wait(revival.LONG), 0, (place / "result").read_text())

    def test_a_killed_recorder_does_not_harm_what_gets_errors_from_its_filters(self):
        process, place = self.victim("seccomp")
        self.snap(process.pid, "whole")
        for number in range(20):
            recorder = self.start(revival.harness.ICECORE, "snap", "--name", "killed", process.pid)
            time.sleep(number * 0.002)
            recorder.kill()
            recorder.wait()
        (place / "go").touch()
        self.assertEqual(process.wait(revival.LONG), 0)
        self.assertEqual((place / "result").read_text(), "equal\n")

    def test_they_come_back_when_they_were_to_end_anyway(self):
        process, place = self.victim("seccomp", "deadly")
        kept = self.directory / "kept"
        self.snap(process.pid, "suspended", "--kill")
        process.wait()
        shutil.copytree(place, kept)
        self.reap()
        for mode, options in revival.MODES.items():
            with self.subTest(mode=mode):
                shutil.rmtree(place)
                shutil.copytree(kept, place)
                self.revived(self.restore("suspended", *options), place)
                self.reap()


revival.main()
