#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which blocking calls does a pause disturb: icecore, gdb, SIGSTOP, the cgroup v2 freezer.

usage: transparency.py BUILD_DIRECTORY [--markdown] [CALL...]

Runs every case of the blocked_* victims once alone and once under each method, which pauses it
for 100 ms (icecore: takes snapshots, 20 a second), and compares what the program and its parent
saw. As root the cgroup method is tried, too; gdb when it is installed.
"""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("blocked_files", "blocked_sockets", "blocked_waits", "blocked_sync", "blocked_rare")
PAUSE = 0.1
LATE_US = 60_000  # beyond the pause: scheduling on a busy machine


class Run:
    """One victim, blocked in one call."""

    def __init__(self, victims, program, name):
        self.process = subprocess.Popen([victims / program, name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.child = int(self.process.stdout.readline().split()[1])
        time.sleep(0.3)

    def finish(self, timeout_ms):
        """What was seen: (result with signals, microseconds, parent's view)."""
        if not timeout_ms:
            self.process.stdin.write("wake\n")
            self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], 15)
        words = self.process.stdout.readline().split() if ready else ["RESULT", "none", "0"]
        self.process.stdin.close()
        parent = self.process.stdout.readline().strip() if ready else ""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return " ".join([words[1], *words[3:]]), int(words[2]), parent


def with_nothing(run, _):
    pass


def with_gdb(run, _):
    try:
        subprocess.run(["gdb", "-nx", "-batch", "-p", str(run.child), "-ex", f"shell sleep {PAUSE}",
                        "-ex", "detach"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    except subprocess.TimeoutExpired:
        run.hung = True  # run() has killed gdb


def with_sigstop(run, _):
    os.kill(run.child, signal.SIGSTOP)
    time.sleep(PAUSE)
    os.kill(run.child, signal.SIGCONT)


def with_cgroup(run, _):
    group = pathlib.Path(cgroup_root()) / f"icecore-bench-{os.getpid()}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(run.child))
        (group / "cgroup.freeze").write_text("1")
        time.sleep(PAUSE)
        (group / "cgroup.freeze").write_text("0")
        (group.parent / "cgroup.procs").write_text(str(run.child))
        for task in (group / "cgroup.procs").read_text().split():
            (group.parent / "cgroup.procs").write_text(task)
    finally:
        group.rmdir()


def with_icecore(run, build):
    store = tempfile.mkdtemp(prefix="icecore-bench-")
    run.store = store
    run.recorder = subprocess.Popen(
        [build / "cli" / "icecore", "--store", store, "attach", "--every", "50ms",
         str(run.process.pid)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)


def cgroup_root():
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind = line.split()[:3]
        if kind == "cgroup2":
            return where
    return None


def methods():
    yield "icecore", with_icecore
    if shutil.which("gdb"):
        yield "gdb", with_gdb
    yield "SIGSTOP", with_sigstop
    if os.geteuid() == 0 and cgroup_root():
        yield "cgroup v2", with_cgroup


def observe(build, program, name, timeout_ms, method):
    run = Run(build / "victims", program, name)
    recorder = None
    begun = time.monotonic()
    try:
        method(run, build)
        spent = (time.monotonic() - begun) * 1e6
        recorder = getattr(run, "recorder", None)
        seen = run.finish(timeout_ms)
    finally:
        recorder = getattr(run, "recorder", None)
        if recorder:
            try:
                recorder.wait(10)
            except subprocess.TimeoutExpired:
                recorder.kill()
                recorder.wait()
            shutil.rmtree(run.store, ignore_errors=True)
    if getattr(run, "hung", False):
        seen = ("hangs", *seen[1:])
    return seen, spent


def verdict(alone, seen, spent, timeout_ms):
    """One word for the table; empty when the program could not notice."""
    result, microseconds, parent = seen
    if result == "hangs":
        return "hangs"
    if result.split()[0] == "-4" and alone[0].split()[0] != "-4":
        return "EINTR"
    if result.split()[0] != alone[0].split()[0]:
        return "result " + result.split()[0]
    if result != alone[0]:
        return "signal or registers"
    if parent != alone[2]:
        return "parent"
    if timeout_ms and microseconds < timeout_ms * 1000 - 1000:
        return "early"
    if timeout_ms and microseconds > timeout_ms * 1000 + spent + LATE_US:
        return "late"
    return ""


def main():
    arguments = [each for each in sys.argv[1:] if not each.startswith("--")]
    if not arguments:
        sys.exit(__doc__)
    build = pathlib.Path(arguments[0])
    chosen = list(methods())
    disturbed = dict.fromkeys((name for name, _ in chosen), 0)
    rows = 0
    print("| call | " + " | ".join(name for name, _ in chosen) + " |")
    print("|---" * (len(chosen) + 1) + "|")
    for program in PROGRAMS:
        listing = subprocess.run([build / "victims" / program, "list"], capture_output=True,
                                 text=True).stdout.split()[1:]
        for case in listing:
            name, timeout_ms = case.split(":")
            if arguments[1:] and name not in arguments[1:]:
                continue
            timeout_ms = int(timeout_ms)
            alone, _ = observe(build, program, name, timeout_ms, with_nothing)
            cells = []
            for label, method in chosen:
                seen, spent = observe(build, program, name, timeout_ms, method)
                word = verdict(alone, seen, spent, timeout_ms)
                disturbed[label] += bool(word)
                cells.append(word or "-")
            rows += 1
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"| disturbed, of {rows} | " + " | ".join(str(disturbed[n]) for n, _ in chosen) + " |")


if __name__ == "__main__":
    main()
