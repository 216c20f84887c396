#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that die of a signal: the last snapshot holds the moment before."""
import signal
import subprocess

import harness
import program

CRASHING = harness.VICTIMS / "crashing"


class Crash(program.ProgramTest):
    def crash(self, how, where):
        name = f"{how}-{where}"
        crashing = self.record(name, [CRASHING, how, where], stdin=subprocess.PIPE)
        self.assertEqual(crashing.process.stdout.readline(), "READY\n")
        crashing.wait_for_snapshots(2)
        out, err = crashing.process.communicate("\n", timeout=program.LONG)
        causes = [s["cause"] for s in crashing.snapshots()]
        self.assertEqual(causes.count("crash"), 1, causes)
        at = crashing.snapshots()[causes.index("crash")]["number"]
        self.verified()
        return crashing.process.returncode, out, err, f"{name}@{at}", causes

    def check_own_death(self, how, where, number):
        status, _, err, snapshot, causes = self.crash(how, where)
        self.assertEqual(status, -number, err)
        self.assertEqual(causes[-1], "crash")
        self.check_stack(how, snapshot)

    def check_stack(self, how, snapshot):
        stack = self.done("bt", snapshot, "--all").out
        if how == "segv":
            self.assertRegex(stack, r"write_nowhere.*crashing\.cc:16")
            self.assertRegex(self.gdb(snapshot, "bt"), r"#0 .*write_nowhere \(value=42\) at .*crashing\.cc:16")
        else:
            self.assertRegex(stack, r"abort")
            self.assertRegex(self.gdb(snapshot, "bt"), r"(?s)die \(.*crashing\.cc:21")

    def test_segmentation_fault_in_main(self):
        self.check_own_death("segv", "main", signal.SIGSEGV)

    def test_segmentation_fault_in_a_thread(self):
        self.check_own_death("segv", "thread", signal.SIGSEGV)

    def test_abort_in_main(self):
        self.check_own_death("abort", "main", signal.SIGABRT)

    def test_abort_in_a_thread(self):
        self.check_own_death("abort", "thread", signal.SIGABRT)

    def test_segmentation_fault_in_a_child_leaves_the_parent_running(self):
        status, out, err, snapshot, _ = self.crash("segv", "child")
        self.assertEqual((status, out), (7, "child died of 11\n"), err)
        self.check_stack("segv", snapshot)

    def test_shell_reports_the_signal(self):
        finished = subprocess.run(
            ["bash", "-c", '"$@"; echo $?', "bash", harness.ICECORE, "run", "-q", "--name", "shell", "--", CRASHING,
             "segv", "main"], input="\n", capture_output=True, text=True, timeout=program.LONG,
            env=self.environment(), check=False)
        self.assertEqual(finished.stdout.split(), ["READY", "139"], finished.stderr)


program.main()
