#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Python with threads that wait and work, and with a pool of processes."""
import re
import subprocess
import sys

import program

THREADS = """
import threading, time, queue
results, go = queue.Queue(), threading.Event()
def work(n):
    go.wait()
    total = 0
    for i in range(200000):
        total += i * n
        if i % 50000 == 0: time.sleep(0.05)
    results.put(total)
threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
for thread in threads: thread.start()
print("READY", flush=True)
input()
go.set()
for thread in threads: thread.join()
print(sorted(results.get() for _ in threads) == [n * sum(range(200000)) for n in range(6)])
"""
POOL = """
import multiprocessing, time
def work(n):
    return sum(i * n for i in range(20000))
if __name__ == "__main__":
    expected, rounds, end = [work(n) for n in range(16)], 0, time.monotonic() + 3
    with multiprocessing.Pool(4) as pool:
        while time.monotonic() < end:
            assert pool.map(work, range(16)) == expected
            rounds += 1
    print("right", rounds > 0)
"""


class Python(program.ProgramTest):
    def test_threads_are_all_in_the_backtraces_and_compute_what_they_should(self):
        python = self.record("threads", [sys.executable, "-c", THREADS], every="50ms", stdin=subprocess.PIPE)
        self.assertEqual(python.process.stdout.readline(), "READY\n")
        before = len(python.snapshots())
        python.wait_for_snapshots(before + 3)
        stacks = self.done("bt", "threads@-1", "--all").out
        self.assertGreaterEqual(len(re.findall(r"(?m)^#0 |^ *#0 ", stacks)), 7, stacks)
        status, out, err = self.send(python, "\n")
        self.assertEqual((status, out), (0, "True\n"), err)
        self.verified()

    def send(self, recording, text):
        out, err = recording.process.communicate(text, timeout=program.LONG)
        return recording.process.returncode, out, err

    def test_pool_of_processes_computes_what_it_should(self):
        script = self.directory / "pool.py"
        script.write_text(POOL)
        pool = self.record("pool", [sys.executable, script], every="50ms")
        status, out, err = pool.end()
        self.assertEqual((status, out), (0, "right True\n"), err)
        snapshots = pool.snapshots()
        self.assertEqual(max(s["processes"] for s in snapshots), 5)
        self.verified()


program.main()
