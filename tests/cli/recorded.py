# SPDX-License-Identifier: Apache-2.0
"""A victim that runs under `icecore run`, and is snapshotted when the test says so."""
import subprocess

import harness


class Recorded:
    """`icecore run` on a victim of tests/victims, as a context: started when entered, ended when left."""

    def __init__(self, test, victim, name, *options):
        self.test = test
        self.name = name
        self.command = [harness.ICECORE, "run", "--every", "1h", "--name", name, *options, "--",
                        str(harness.VICTIMS / victim)]
        self.process = None
        self.status = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=self.test.environment())
        self.test.assertRegex(self.read_line(), "^READY")
        return self

    def __exit__(self, *_):
        self.end()

    def read_line(self):
        line = self.process.stdout.readline()
        if not line:
            self.test.fail(f"{' '.join(self.command)}: {self.process.communicate()[1]}")
        return line.rstrip("\n")

    def send(self, line):
        """Writes a line to the victim and returns the one that it answers."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read_line()

    def snap(self, tag):
        """Takes a snapshot now; returns its name."""
        self.test.done("snap", self.name, "--tag", tag)
        return f"{self.name}@{tag}"

    def end(self):
        """Ends the victim by closing its stdin; returns the exit status of `icecore run`."""
        if self.process.poll() is None:
            try:
                self.process.communicate(timeout=harness.DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.communicate()
                self.test.fail(f"{' '.join(self.command)}: did not end")
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        return self.process.returncode
