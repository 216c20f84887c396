#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debuggers that work inside of a recorded tree: undisturbed, and what they trace is named as not read."""
import re
import subprocess

import harness
import program

STEPPING = harness.VICTIMS / "stepping"


class Debuggers(program.ProgramTest):
    def alone(self, command):
        finished = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=program.LONG, check=False, env=self.environment())
        return finished.returncode, finished.stdout

    def recorded(self, name, command, *options):
        recording = self.record(name, command, every="20ms", options=options)
        status, out, _ = recording.end()
        return status, out, recording

    def not_read(self, name):
        """The reasons in all snapshots why something of `stepping` was not read."""
        reasons = []
        for snapshot in self.done("list", name, "--json").json():
            shown = self.done("show", f"{name}@{snapshot['number']}", "--json").json()
            pids = [p["pid"] for p in shown["processes"] if p["comm"] == "stepping"]
            reasons += [entry["reason"] for entry in shown.get("limitations", []) if entry["pid"] in pids]
        return reasons

    def check_named(self, name, tracer):
        self.assertGreater(len(self.done("list", name, "--json").json()), 1)
        reasons = self.not_read(name)
        self.assertTrue(any(re.search(r"process \d+ traces it", reason) for reason in reasons), (tracer, reasons[:5]))
        self.verified()

    @program.needs("gdb")
    def test_gdb_steps_a_child_through_snapshots(self):
        commands = ["break step", "run"]
        for _ in range(12):
            commands += ["shell sleep 0.2", "bt 2", "stepi", "info registers rip rsp rdi", "print sum", "continue"]
        commands += ["watch sum", "continue", "continue", "delete", "continue", "print $_exitcode"]
        gdb = ["gdb", "-q", "-nx", "-batch", *(word for c in commands for word in ("-ex", c)), STEPPING]
        alone = self.alone(gdb)
        self.assertIn("$13 = 3", alone[1], "the exit code, printed last")
        for options in ([], ["--crash", "off"]):
            name = "gdb" + str(len(options))
            status, out, _ = self.recorded(name, gdb, *options)
            self.assertEqual((status, self.plain(out)), (alone[0], self.plain(alone[1])))
            self.check_named(name, "gdb")

    def plain(self, text):
        return re.sub(r"process \d+|LWP \d+|0x7ff[0-9a-f]+", "N", text)

    @program.needs("strace")
    def test_strace_sees_the_same_calls_through_snapshots(self):
        def strace(log):
            return ["strace", "-f", "-o", log, "-e", "trace=write,exit_group,clock_nanosleep,execve",
                    "sh", "-c", f"{STEPPING}; {STEPPING}; exit 4"]

        def calls(log):
            return [re.sub(r"^\d+ +|0x[0-9a-f]+|\{si_.*\}", "", line) for line in log.read_text().splitlines()]

        status, out = self.alone(strace(self.directory / "alone"))
        expected = calls(self.directory / "alone")
        self.assertGreater(len(expected), 400)
        for options in ([], ["--crash", "off"]):
            name = "strace" + str(len(options))
            log = self.directory / name
            self.assertEqual(self.recorded(name, strace(log), *options)[:2], (status, out))
            self.assertEqual(calls(log), expected)
            self.check_named(name, "strace")


program.main()
