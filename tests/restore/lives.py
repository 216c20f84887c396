# SPDX-License-Identifier: Apache-2.0
"""Victims that talk, through several lives: started, snapshotted, ended, restored, and asked the same."""
import subprocess

import harness
import revival


class Life:
    """A victim, or the icecore that restored it, with pipes for stdin and stdout."""

    def __init__(self, test, words, environment):
        self.process = subprocess.Popen(
            [*map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        test.addCleanup(self.end)

    @property
    def pid(self):
        return self.process.pid

    def read_line(self):
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.read_line()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(revival.LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class LivesTest(revival.RevivalTest):
    def setUp(self):
        super().setUp()
        self.files = self.directory / "files"
        self.files.mkdir()

    def start_talking(self, victim, *words):
        life = Life(self, [harness.VICTIMS / victim, *words], None)
        greeting = life.read_line()
        self.assertTrue(greeting.startswith("READY"), greeting)
        return life

    def suspend(self, life, *options):
        """The one snapshot of the recording "victim"; it ends with it."""
        self.snap(life.pid, "victim", "--kill", *options)
        life.process.wait(revival.LONG)
        self.reap()

    def revive(self, *options):
        return Life(self, [harness.ICECORE, "restore", *options, "victim"], self.environment())
