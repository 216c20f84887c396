#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An editor in a pane of tmux: server, terminals, unsaved text and all."""
import os
import signal
import subprocess
from pathlib import Path

import program
import revival


@program.needs("tmux", "vim")
class Pane(revival.RevivalTest):
    def tmux(self, *words):
        """What a command of tmux says; empty when its server does not answer."""
        try:
            said = subprocess.run(["tmux", "-S", self.directory / "socket", "-f", "/dev/null", *words], check=False,
                                  capture_output=True, text=True, timeout=revival.LONG, stdin=subprocess.DEVNULL,
                                  close_fds=True, env={**self.environment(), "TERM": "xterm"})
        except subprocess.TimeoutExpired:
            return ""
        return said.stdout

    def screen_shows(self, text):
        return self.wait_for(lambda: text in self.tmux("capture-pane", "-p"), f"{text!r} on the screen")

    @staticmethod
    def members(root):
        """A process and all below it."""
        found = [root]
        for pid in found:
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return found

    def are_gone(self, pids):
        self.reap()
        return not any(Path(f"/proc/{pid}").exists() for pid in pids)

    def test_goes_on_with_its_unsaved_text(self):
        file = self.directory / "text"
        file.write_text("first\n")
        times = file.stat()
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", f"vim -u NONE -i NONE -n {file}")
        self.screen_shows("first")
        self.tmux("send-keys", "Ahello ")
        self.screen_shows("firsthello")
        server = int(self.tmux("display-message", "-p", "#{pid}"))
        pids = self.members(server)
        self.addCleanup(self.end_all, pids)
        self.snap(server, "pane", "--kill")
        self.wait_for(lambda: self.are_gone(pids), "end of the pane")
        for mode, options in revival.MODES.items():
            with self.subTest(mode=mode):
                (self.directory / "socket").unlink(missing_ok=True)
                file.write_text("first\n")
                os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # vim looks at it
                life = self.restore("pane", "--files", "keep", *options)
                self.screen_shows("firsthello")
                self.tmux("send-keys", "world", "Escape", ":wq", "Enter")
                self.wait_for(lambda: file.read_text() == "firsthello world\n", "the text in the file")
                # Its only program has ended, and so does the server.
                self.assertEqual(life.wait(revival.LONG), 0, life.said.read_text())
                self.wait_for(lambda: self.are_gone(pids), "end of the pane")

    @staticmethod
    def end_all(pids):
        for pid in pids:
            try:
                if Path(f"/proc/{pid}/comm").read_text().strip() in ("tmux: server", "vim"):
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


revival.main()
