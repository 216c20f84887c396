# SPDX-License-Identifier: Apache-2.0
"""Programs that other people wrote, run and recorded by icecore; each test ends only what it started."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

import harness

LONG = 60  # seconds: what a busy machine may need for the longest of the waits


def needs(*programs):
    """Skips a test class on a machine without these programs."""
    missing = [program for program in programs if not find(program)]
    return unittest.skipIf(missing, "needs " + ", ".join(missing))


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def spawn_terminal(test, command, prompt, timeout, echo=True):
    """A shell on a terminal of its own, under pexpect; killed at the test's end with all that it started."""
    import pexpect
    environment = test.environment(PS1=prompt, HISTFILE="/dev/null", TERM="dumb", INPUTRC="/dev/null")
    terminal = pexpect.spawn(command[0], list(command[1:]), env=environment, encoding="utf-8", timeout=timeout,
                             echo=echo)
    terminal.delaybeforesend = None

    def end():
        for pid in descendants(terminal.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        terminal.close(force=True)

    test.addCleanup(end)
    return terminal


class Recording:
    """`icecore run` on a program; killed with all that it started if a test leaves it running."""

    def __init__(self, test, name, command, every="100ms", options=(), **popen):
        self.test = test
        self.name = name
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.PIPE)
        popen.setdefault("stderr", subprocess.PIPE)
        self.process = subprocess.Popen(
            [harness.ICECORE, "run", "--every", every, "--name", name, *options, "--", *map(str, command)],
            text=True, env=test.environment(), **popen)
        test.addCleanup(self.kill)

    def end(self, timeout=LONG):
        """Waits for the program's end: its exit status, what it wrote to stdout and to stderr."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def kill(self):
        """For a test that failed halfway: the program first (by the pid that the recorder told), then us."""
        if self.process.poll() is None:
            for pid in descendants(self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def program(self):
        """The pid of the program itself: icecore's child."""
        return self.test.wait_for(lambda: children(self.process.pid), "a child of icecore")[0]

    def snapshots(self):
        ended = self.test.icecore("list", self.name, "--json")
        return ended.json() if ended.status == 0 else []

    def wait_for_snapshots(self, count):
        def enough():
            if self.process.poll() is not None:
                self.test.fail(f"ended with {self.process.returncode}: {self.process.communicate()}")
            snapshots = self.snapshots()
            return snapshots if len(snapshots) >= count else None

        return self.test.wait_for(enough, f"{count} snapshots of {self.name}")


def children(pid):
    with contextlib.suppress(OSError):
        return [int(word) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for word in (task / "children").read_text().split()]
    return []


def descendants(pid):
    result = []
    for child in children(pid):
        result += [child, *descendants(child)]
    return result


class ProgramTest(harness.CliTest):
    def wait_for(self, condition, what, timeout=LONG):
        """Polls; returns the first true value of `condition`."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.02)
        self.fail(f"not seen within {timeout} s: {what}")
        return None

    def record(self, name, command, **options):
        return Recording(self, name, command, **options)

    def gdb(self, snapshot, *commands):
        """What a stock gdb says on a snapshot."""
        words = [word for command in commands for word in ("-ex", command)]
        finished = subprocess.run(
            [harness.ICECORE, "gdb", snapshot, "--", "-q", "-nx", "-batch", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG, check=False,
            env=self.environment())
        self.assertEqual(finished.returncode, 0, finished.stdout + finished.stderr)
        return finished.stdout + finished.stderr

    def verified(self):
        self.done("verify")

    def start(self, *command, **popen):
        """A program beside icecore, ended with the test."""
        popen.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(list(map(str, command)), text=True, **popen)

        def stop():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(stop)
        return process


def main():
    unittest.main(verbosity=2)
