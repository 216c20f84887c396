# SPDX-License-Identifier: Apache-2.0
"""Processes that run beside a test."""
import contextlib
import subprocess

import harness


class Background:
    """A process beside the test, killed with it; `program` is icecore when it is not given."""

    def __init__(self, test, *words, program=None):
        command = [str(program or harness.ICECORE)]
        self.process = subprocess.Popen([*command, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=test.environment())
        self.pid = self.process.pid
        test.addCleanup(self.close)

    def read_line(self):
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read_line()

    def end(self):
        out, err = self.process.communicate(timeout=harness.DEADLINE)
        return self.process.returncode, out, err

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        with contextlib.suppress(ValueError):
            self.process.communicate()
