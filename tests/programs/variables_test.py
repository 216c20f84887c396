#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program with threads that logs what it does: its variables in gdb are those of the moment."""
import re
import subprocess

import harness
import program


@program.needs("gdb")
class Variables(program.ProgramTest):
    def test_variables_of_an_earlier_snapshot_are_what_the_program_logged_then(self):
        log = self.directory / "log"
        with open(log, "w", encoding="utf-8") as out:
            counting = self.record("counting", [harness.VICTIMS / "counting"], stdin=subprocess.PIPE, stdout=out)
        counting.wait_for_snapshots(6)
        counting.process.communicate("", timeout=program.LONG)
        snapshot = counting.snapshots()[-3]
        at = snapshot["monotonic_ns"] // 1000
        seen = self.gdb("counting@-2", *(f"print counting::tallies._M_elems[{n}]" for n in range(3)),
                        "thread apply all -s print counting::mine")
        counts = [tuple(map(int, pair)) for pair in re.findall(r"count = (\d+), square = (\d+)", seen)]
        self.assertEqual(len(counts), 3, seen)
        for thread, (count, square) in enumerate(counts):
            least, most = self.logged(log, thread, at, snapshot["pause_us"])
            self.assertTrue(least <= count <= most, f"thread {thread}: {count} at {at}, logged {least}..{most}")
            self.assertIn(square, (count * count, (count - 1) ** 2))
            self.assertRegex(seen, rf"= ({count * 1000 + thread}|{(count - 1) * 1000 + thread})\b")

    def logged(self, log, thread, at, slack):
        """The counts that may stand in the variable then: what was done before, what was begun by the thaw."""
        least, most = 0, 0
        for line in log.read_text(encoding="utf-8").splitlines():
            word, number, count, time = line.split()
            if int(number) != thread:
                continue
            if word == "did" and int(time) < at - slack:
                least = int(count)
            if word == "will" and int(time) < at + slack:
                most = int(count)
        self.assertGreater(least, 0)
        return least, most


program.main()
