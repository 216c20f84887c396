#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shells: processes that come and go all the time, and pipelines."""
import re
import subprocess

import program

LOOP = """
end=$((SECONDS + 5)); n=0
while [ $SECONDS -lt $end ]; do
  /bin/true || { echo failed $?; exit 1; }
  n=$((n + 1))
done
echo done
"""
PIPELINE = """
for i in $(seq 60); do
  seq 20000 | grep -v 7 | sort -rn | awk '{s += $1} END {print s}' | sort | uniq
done | sort | uniq -c
"""


class Churn(program.ProgramTest):
    def check_plain(self, err):
        """Nothing was said but icecore's own last line, and nothing was lost on the way."""
        lines = [line for line in err.splitlines() if not re.match(r"(icecore: )?recorded \d+ snapshot", line)]
        self.assertEqual(lines, [])

    def check_loop(self, name, command, *, ends):
        loop = self.record(name, command, every="50ms")
        status, out, err = loop.end()
        self.assertEqual((status, out), ends, err)
        self.check_plain(err)
        self.assertGreaterEqual(len(loop.snapshots()), 20)
        self.assertEqual(list((self.store / "run").iterdir()), [])
        self.verified()

    def test_bash_that_forks_and_executes_without_pause(self):
        self.check_loop("bash", ["bash", "-c", LOOP], ends=(0, "done\n"))

    def test_sh_that_forks_and_executes_until_it_is_ended(self):
        endless = "while :; do /bin/true || exit 1; done"
        self.check_loop("sh", ["timeout", "5", "sh", "-c", endless], ends=(124, ""))

    def test_pipeline_gives_what_it_gives_alone(self):
        alone = subprocess.run(["bash", "-c", PIPELINE], capture_output=True, text=True, check=True,
                                       timeout=program.LONG).stdout
        pipeline = self.record("pipeline", ["bash", "-c", PIPELINE], every="20ms")
        status, out, err = pipeline.end()
        self.assertEqual((status, out), (0, alone), err)
        self.check_plain(err)
        self.assertGreater(max(s["processes"] for s in pipeline.snapshots()), 2)
        self.verified()


program.main()
