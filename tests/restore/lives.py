# SPDX-License-Identifier: Apache-2.0
"""Victims with several lives: started, snapshotted, killed, restored; asked the same each time."""
import subprocess

import harness


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
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class LivesTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.files = self.directory / "files"
        self.files.mkdir()

    def start(self, victim, *words):
        life = Life(self, [harness.VICTIMS / victim, *words], None)
        life.greeting = life.read_line()
        self.assertTrue(life.greeting.startswith("READY"), life.greeting)
        return life

    def suspend(self, life, *options):
        self.done("snap", "--kill", "--name", "victim", *options, life.pid)
        life.process.wait(harness.DEADLINE)

    def restore(self, *options):
        return Life(self, [harness.ICECORE, "restore", *options, "victim"], self.environment())
