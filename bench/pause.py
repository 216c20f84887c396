#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a snapshot stops a program, and what snapshots cost it, side by side with what else there is.

    bench/pause.py [--icecore BINARY] [--quick]

Prints Markdown tables. Stands on the machine's own speed: compare rows and ratios of one run only.
"allowed" is the aim: 1.5 times what process_vm_readv alone takes for the dirty pages ("readv alone"), 1 ms, and 20 us
for each thread. CRIU is measured when it is installed and runs on this kernel; else its column has what CRIU 4.2
needed on a machine of the same kind. "recorder" is the most memory that icecore had.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


class Bench:
    def __init__(self, icecore, work):
        self.icecore, self.work = icecore, work
        self.environment = dict(os.environ, ICECORE_STORE=str(work / "store"))
        self.load = work / "load"
        subprocess.run(["c++", "-O2", "-std=c++20", "-pthread", str(HERE / "load.cc"), "-o", str(self.load)],
                       check=True)

    def start(self, *arguments):
        process = subprocess.Popen([str(self.load), *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        words = process.stdout.readline().split()
        assert words[0] == "READY"
        process.address = words[1] if len(words) > 1 else None
        return process

    def snapshots(self, pid, count, every):
        """The rows of `count` snapshots, and the most MiB that the recorder had in memory."""
        name = f"b{pid}"
        recorder = subprocess.Popen([self.icecore, "attach", "-q", "--name", name, "--every", every, "--count",
                                     str(count), str(pid)], env=self.environment)
        _, status, usage = os.wait4(recorder.pid, 0)
        recorder.returncode = os.waitstatus_to_exitcode(status)
        if recorder.returncode != 0:
            sys.exit(f"error: icecore attach ended with {recorder.returncode}")
        rows = json.loads(subprocess.run([self.icecore, "list", name, "--json"], env=self.environment, check=True,
                                         capture_output=True, text=True).stdout)
        return rows, usage.ru_maxrss / 1024

    def copy_ms(self, process, size, percent):
        """What process_vm_readv alone takes for so many scattered pages of the process."""
        out = subprocess.run([str(self.load), "copy", str(process.pid), process.address, str(size), str(percent)],
                             capture_output=True, text=True, check=True).stdout
        return int(out) / 1000

    def criu_ms(self, pid):
        # 3.17, Debian's last, knows the vdso of no recent kernel, and then does nothing at all.
        if not shutil.which("criu") or subprocess.run(["criu", "check"], capture_output=True).returncode != 0:
            return None
        images = self.work / "criu"
        shutil.rmtree(images, ignore_errors=True)
        images.mkdir()
        done = subprocess.run(["criu", "dump", "-t", str(pid), "-D", str(images), "--leave-running", "--shell-job",
                               "--display-stats"], capture_output=True, text=True, timeout=600)
        for line in done.stdout.splitlines():
            if line.startswith("Frozen time:"):
                return int(line.split()[2]) / 1000
        return None


def stop(process):
    process.kill()
    process.wait()


def text(value, unit="ms"):
    return "-" if value is None else f"{value:.2f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def ratio(other, ours):
    return "-" if other is None else f"{other / ours:.0f} x"


def fraction(ours, other):
    return "-" if other is None else f"{ours / other:.2f}"


def cases(quick):
    """Label, arguments of the load, threads."""
    size = 256 if quick else 1024
    for percent in (0, 1, 10):
        yield f"{size} MiB, {percent} % dirtied per 100 ms", ("memory", size, percent), 1
    counts = (1, 100) if quick else (1, 100, 1000)
    for count in counts:
        yield f"{count} threads, idle", ("threads", count), count
    for count in counts:
        yield f"{count} threads, busy", ("busy-threads", count), count
    counts = (1, 50) if quick else (1, 50, 500)
    for count in counts:
        yield f"{count} processes, idle", ("processes", count), count
    for count in counts[1:]:
        yield f"{count} processes, one busy", ("one-busy", count), count
    for count in counts[1:]:
        yield f"{count} processes, busy", ("busy", count), count


# What CRIU 4.2 was seen to freeze on a machine of this kind, where it runs: milliseconds.
CRIU = {("memory", 1024, 0): 462, ("memory", 1024, 1): 462, ("memory", 1024, 10): 462, ("processes", 50): 80,
        ("threads", 100): 14}


def pause_table(bench, quick):
    print("| program | first pause | pause: least | median | freeze | dump | resume | copied | readv alone | "
          "pause : readv | allowed | pause : allowed | CRIU | CRIU : pause | recorder |")
    print("|" + "---|" * 15)
    for label, arguments, threads in cases(quick):
        process = bench.start(*arguments)
        try:
            rows, recorder = bench.snapshots(process.pid, 12, "1s" if arguments[0] == "memory" else "300ms")
            later = rows[1:] or rows
            pause = [row["pause_us"] / 1000 for row in later]
            part = {key: statistics.median(row[f"{key}_us"] for row in later) / 1000
                    for key in ("freeze", "dump", "resume")}
            dirty = statistics.median(row["dirty_bytes"] for row in later) / 2**20
            copy = None
            if arguments[0] == "memory" and dirty >= 1:
                # Of what is dirty, a part is copied ahead of the pause; all of it counts here.
                percent = min(100, 100 * dirty / arguments[1])
                copy = bench.copy_ms(process, arguments[1], percent)
            allowed = 1 + 0.02 * threads + 1.5 * (copy or 0)
            least = min(pause)
            criu = bench.criu_ms(process.pid) or CRIU.get(arguments)
            print(f"| {label} | {text(rows[0]['pause_us'] / 1000)} | {text(least)} | "
                  f"{text(statistics.median(pause))} | {text(part['freeze'])} | {text(part['dump'])} | "
                  f"{text(part['resume'])} | {dirty:.1f} MiB | {text(copy)} | {fraction(least, copy)} | "
                  f"{text(allowed)} | {fraction(least, allowed)} | {text(criu)} | {ratio(criu, least)} | "
                  f"{recorder:.0f} MiB |", flush=True)
        finally:
            stop(process)


def spin_cost(bench, quick):
    seconds = 3 if quick else 8
    plain, recorded = [], []
    for _ in range(3):
        process = bench.start("spin", seconds)
        plain.append(int(process.communicate()[0]))
        process = bench.start("spin", seconds)
        recorder = subprocess.Popen([bench.icecore, "attach", "-q", "--every", "1s", str(process.pid)],
                                    env=bench.environment, stderr=subprocess.DEVNULL)
        recorded.append(int(process.communicate()[0]))
        recorder.wait(timeout=60)
    return statistics.median(recorded) / statistics.median(plain)


def redis_cost(bench, quick):
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        return None
    socket = bench.work / "redis.sock"
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "",
                               "--appendonly", "no", "--dir", str(bench.work)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if subprocess.run(["redis-cli", "-s", str(socket), "ping"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)

        def rate():
            out = subprocess.run(["redis-benchmark", "-s", str(socket), "-n", str(200000 if quick else 800000), "-c",
                                  "20", "-r", "100000", "-t", "set", "--csv"], capture_output=True, text=True,
                                 check=True).stdout
            return float(out.splitlines()[-1].split(",")[1].strip('"'))
        rate()
        plain, recorded = [], []
        for _ in range(3):
            plain.append(rate())
            recorder = subprocess.Popen([bench.icecore, "attach", "-q", "--every", "1s", str(server.pid)],
                                        env=bench.environment, stderr=subprocess.DEVNULL)
            time.sleep(2)  # the first, whole snapshot and the hashing of its files are not the steady state
            recorded.append(rate())
            recorder.terminate()
            recorder.wait(timeout=60)
        return statistics.median(recorded) / statistics.median(plain)
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--icecore", default=shutil.which("icecore") or "build/release/cli/icecore")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if not os.access(arguments.icecore, os.X_OK):
        sys.exit(f"error: no icecore at {arguments.icecore}\nhint:  --icecore BINARY")
    with tempfile.TemporaryDirectory(prefix="icecore-bench.") as directory:
        bench = Bench(os.path.abspath(arguments.icecore), pathlib.Path(directory))
        pause_table(bench, arguments.quick)
        print()
        print("| with one snapshot a second | of its speed without |")
        print("|---|---|")
        print(f"| a program that computes | {100 * spin_cost(bench, arguments.quick):.1f} % |", flush=True)
        redis = redis_cost(bench, arguments.quick)
        print(f"| redis-server under redis-benchmark | {'-' if redis is None else f'{100 * redis:.1f} %'} |")


if __name__ == "__main__":
    main()
