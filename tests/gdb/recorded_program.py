# SPDX-License-Identifier: Apache-2.0
"""A small program of which there is a snapshot, and debuggers on lives of it: icecore gdb --live."""
import os
import pathlib
import subprocess

import built_program
from built_program import ICECORE, LIMIT
from line_gdb import LineGdb


class RecordedProgramTest(built_program.BuiltProgramTest):
    """Each test records the program by itself, with the arguments and streams that it likes, in self.here."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("restoring needs root")
        self.here = pathlib.Path(self.folder.name) / self.id().rsplit(".", 1)[-1]
        self.here.mkdir()
        self.store = self.here / "store"

    def record(self, *words, command=None, **streams):
        """Makes rec@1 of the program where it has closed descriptor 3, and ends it."""
        told, tell = os.pipe()

        def keep_one():
            os.dup2(tell, 3)
            os.closerange(4, 4096)
        for name in ("stdin", "stdout", "stderr"):
            streams.setdefault(name, subprocess.DEVNULL)
        original = subprocess.Popen([*(command or [self.program]), *map(str, words)], preexec_fn=keep_one,
                                    close_fds=False, **streams)
        os.close(tell)
        try:
            os.read(told, 1)
            subprocess.run([ICECORE, "snap", "--store", self.store, "--name", "rec", str(original.pid)], check=True,
                           timeout=LIMIT, stdout=subprocess.DEVNULL)
        finally:
            os.close(told)
            original.kill()
            original.wait(LIMIT)

    def live_words(self, *words):
        return [ICECORE, "gdb", "rec@1", "--live", "--store", self.store, *words, "--", "-nx"]

    def live(self, *commands, words=()):
        """What a whole session over a life says."""
        line = self.live_words(*words) + ["-batch", "-ex", "set pagination off"]
        for command in commands:
            line += ["-ex", command]
        return subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT, check=False, cwd="/").stdout

    def live_gdb(self, *words):
        """One that obeys line by line."""
        gdb = LineGdb(command=self.live_words(*words))
        self.addCleanup(self.reap, gdb.process)
        return gdb

    @staticmethod
    def reap(process):
        process.kill()
        process.wait(LIMIT)
        process.stdin.close()
        process.stdout.close()
