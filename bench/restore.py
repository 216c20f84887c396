#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a snapshot takes to come back to life, side by side with CRIU and with starting again.

    bench/restore.py [--icecore BINARY] [--rounds N]

The whole command is timed, from its start to its end with the tree running (`icecore restore --detach`,
`criu restore --restore-detached`). Prints a Markdown table of the least of N rounds. CRIU is measured when it
is installed and runs on this kernel; the column "CRIU 4.2" has what it took on the machine and kernel of
docs/benchmarks.md. Needs root.
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

PYTHON = """
import sys
blocks = [bytes([i % 251]) * 4096 + i.to_bytes(8, 'little') for i in range(int(sys.argv[1]) * 256)]
print('READY', flush=True)
import time
while True: time.sleep(1)
"""


class Bench:
    def __init__(self, icecore, work, rounds):
        self.icecore, self.work, self.rounds = icecore, work, rounds
        self.environment = dict(os.environ, ICECORE_STORE=str(work / "store"))
        self.load = work / "load"
        subprocess.run(["c++", "-O2", "-std=c++20", "-pthread", str(HERE / "load.cc"), "-o", str(self.load)],
                       check=True)

    def start(self, command, ready):
        """The program, and how long it took until it was ready, in ms."""
        out = self.work / "out"
        out.write_bytes(b"")
        begin = time.monotonic()
        with open(out, "ab") as writer:
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=writer,
                                       stderr=writer, start_new_session=True, cwd="/")
        while not ready(out):
            assert process.poll() is None, out.read_text()
            time.sleep(0.002)
        return process, (time.monotonic() - begin) * 1000

    def icecore_ms(self, process, name):
        """Snapshots and ends the program; restores it again and again."""
        self.run("snap", "-q", "--name", name, process.pid, "--kill")
        process.wait()
        times = []
        for _ in range(self.rounds):
            pidfile = self.work / "pid"
            begin = time.monotonic()
            self.run("restore", "-q", "--detach", "--pidfile", pidfile, name)
            times.append((time.monotonic() - begin) * 1000)
            self.end(int(pidfile.read_text()))
        return min(times)

    def end(self, pid):
        """Ends a restored tree by its init, which is the root's parent."""
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        os.kill(int(stat.rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
        time.sleep(0.1)

    def criu_ms(self, process):
        if not shutil.which("criu"):
            return None
        images = self.work / "criu"
        shutil.rmtree(images, ignore_errors=True)
        images.mkdir()
        done = subprocess.run(["criu", "dump", "-t", str(process.pid), "-D", str(images), "--leave-running"],
                              capture_output=True, timeout=600)
        if done.returncode != 0:
            return None
        process.kill()
        process.wait()
        times = []
        for _ in range(self.rounds):
            begin = time.monotonic()
            restored = subprocess.run(["criu", "restore", "-d", "-D", str(images)], capture_output=True)
            times.append((time.monotonic() - begin) * 1000)
            if restored.returncode != 0:
                return None
            os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.1)
        return min(times)

    def run(self, *words):
        # No timeout: Python would look for the end at growing intervals, and the time be one of those.
        subprocess.run([self.icecore, *map(str, words)], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def row(self, title, command, mark, ready=lambda out: b"READY" in out.read_bytes()):
        process, start = self.start(command, ready)
        criu = self.criu_ms(process)
        if process.poll() is not None:
            process, start = self.start(command, ready)
        ours = self.icecore_ms(process, title.replace(" ", "-"))
        against = criu or mark
        print(f"| {title} | {start:.0f} ms | {text(criu)} | {text(mark)} | {ours:.1f} ms | "
              f"{ratio(against, ours)} | {ratio(start, ours)} |", flush=True)


def text(ms):
    return "-" if ms is None else f"{ms:.1f} ms"


def ratio(other, ours):
    return "-" if other is None else f"{other / ours:.1f} x"


def redis_filled(port):
    def ready(_):
        ask = ["redis-cli", "-p", str(port)]
        if subprocess.run([*ask, "ping"], capture_output=True, text=True).stdout.strip() != "PONG":
            return False
        subprocess.run([*ask, "debug", "populate", "450000", "key", "1000"], capture_output=True)
        return subprocess.run([*ask, "dbsize"], capture_output=True, text=True).stdout.strip() == "450000"
    return ready


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--icecore", default=shutil.which("icecore") or "icecore")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="icecore-bench.") as directory:
        work = pathlib.Path(directory)
        bench = Bench(arguments.icecore, work, arguments.rounds)
        script = work / "hold.py"
        script.write_text(PYTHON)
        print("| program | start again | CRIU here | CRIU 4.2 | icecore | CRIU : icecore | start : icecore |")
        print("|---|---|---|---|---|---|---|")
        bench.row("tiny", [bench.load, "threads", 1], 6.4)
        bench.row("1 GiB heap", [bench.load, "memory", 1024, 0], 534)
        bench.row("python3 200 MB", ["python3", script, 200], None)
        if shutil.which("redis-server"):
            bench.row("redis 500 MB", ["redis-server", "--port", 17379, "--save", "", "--enable-debug-command", "yes"],
                      None, redis_filled(17379))
        bench.row("50 processes", [bench.load, "processes", 50], 57)
        bench.row("100 threads", [bench.load, "threads", 100], 28)


main()
