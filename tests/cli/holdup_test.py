#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A freeze that cannot complete: who holds it up, since when, its timeout, and how it is cancelled."""
import re
import time
import unittest

import harness
from background import Background

HANGING = harness.VICTIMS / "hanging_file"
HELD_UP = r"FREEZING held up by thread (\d+) \(hanging_file\) for (\d+) ms"


class Holdup(harness.CliTest):
    """The victim's child waits for a file system that does not answer, where nothing can stop it."""

    def wait_for(self, condition, what):
        deadline = time.monotonic() + harness.DEADLINE
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.01)
        self.fail(f"not seen: {what}")
        return None

    def victim(self, *recorder):
        mount = self.directory / "mount"
        mount.mkdir()
        if recorder:
            victim = Background(self, *recorder, "--", HANGING, mount)
        else:
            victim = Background(self, mount, program=HANGING)
        greeting = victim.read_line().split()
        if greeting[0] == "UNABLE":
            self.skipTest("needs to mount FUSE: " + " ".join(greeting[1:]))
        return victim, int(greeting[1])

    def cancelled(self, asked):
        status, _, err = asked.end()
        self.assertEqual(status, 1)
        self.assertIn("the freeze was cancelled", err)

    def unharmed(self, victim, child):
        self.assertEqual(victim.ask("alive"), "alive")
        self.assertEqual(victim.ask("answer"), "RESULT -2")
        self.wait_for(lambda: self.untraced(child), "no tracer")
        self.assertEqual(victim.end()[0], 0)

    def untraced(self, pid):
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            return "TracerPid:\t0\n" in status.read()

    def state(self, word):
        return self.icecore("state", word).out

    def held_up(self, word):
        return re.match(HELD_UP, self.state(word))

    def test_freeze_names_the_thread_and_gives_up_in_time(self):
        victim, child = self.victim()
        begun = time.monotonic()
        self.refused(1, "freeze", "--freeze-timeout", "300ms", victim.pid,
                     what=f"thread {child} of process {child} is in an uninterruptible system call")
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertEqual(self.state(victim.pid), "RUNNING\n")
        self.unharmed(victim, child)

    def test_snapshots_are_skipped_with_the_reason_until_it_moves(self):
        victim, child = self.victim("run", "--every", "100ms", "--freeze-timeout", "200ms", "--name", "h")
        skipped = self.wait_for(lambda: self.done("list", "h", "--skipped", "--json").json(), "a skip")
        self.assertRegex(str(skipped[0]), f"thread {child} of process {child} is in an uninterruptible")
        self.assertEqual(victim.ask("answer"), "RESULT -2")
        self.wait_for(lambda: self.icecore("list", "h", "--json").json(), "a snapshot after the answer")
        self.assertEqual(victim.end()[0], 0)

    def test_state_says_who_holds_it_up_and_since_when_and_thaw_cancels(self):
        victim, child = self.victim("run", "--every", "1h", "--crash", "off", "--freeze-timeout", "1h", "--name", "h")
        snap = Background(self, "snap", "h")
        first = self.wait_for(lambda: self.held_up("h"), "a task named")
        self.assertEqual(int(first[1]), child)
        json = self.done("state", "h", "--json").json()
        self.assertEqual((json["state"], json["held_up_by"]), ("FREEZING", child))
        later = self.wait_for(lambda: (m := self.held_up("h")) and int(m[2]) > int(first[2]) and m,
                              "time going on")
        self.assertEqual(int(later[1]), child)
        self.refused(1, "snap", "h", what="busy")
        self.done("thaw", "h")
        self.assertEqual(self.state("h"), "RUNNING\n")
        self.cancelled(snap)
        self.assertEqual(victim.ask("alive"), "alive")
        freeze = Background(self, "freeze", "h")
        self.wait_for(lambda: self.held_up("h"), "held up again")
        self.done("thaw", "h")
        self.cancelled(freeze)
        self.unharmed(victim, child)

    def test_freeze_of_an_unrecorded_process_can_be_cancelled(self):
        victim, child = self.victim()
        freeze = Background(self, "freeze", "--freeze-timeout", "1h", victim.pid)
        self.wait_for(lambda: self.held_up(victim.pid), "a task named")
        self.done("thaw", victim.pid)
        self.cancelled(freeze)
        self.unharmed(victim, child)

    def test_a_freeze_goes_on_as_soon_as_it_can(self):
        victim, child = self.victim()
        attach = Background(self, "attach", "--count", "1", "--freeze-timeout", "1h", "--name", "h", child)
        self.wait_for(lambda: self.held_up("h"), "a task named")
        self.assertEqual(victim.ask("answer"), "RESULT -2")  # the server is not of the recorded tree
        self.assertEqual(attach.end()[0], 0)
        self.assertEqual(len(self.done("list", "h", "--json").json()), 1)
        self.assertTrue(self.untraced(child))
        self.assertEqual(victim.end()[0], 0)

    def test_ending_the_recorder_ends_the_freeze(self):
        victim, child = self.victim()
        attach = Background(self, "attach", "--every", "1h", "--freeze-timeout", "1h", "--name", "h", victim.pid)
        self.wait_for(lambda: self.held_up("h"), "held up")
        attach.process.terminate()
        attach.end()
        self.unharmed(victim, child)


if __name__ == "__main__":
    unittest.main(verbosity=2)
