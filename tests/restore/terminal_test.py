#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A shell with an editor in its foreground and a stopped job, killed and restored on a person's own terminal."""
import os
import unittest

import harness
import program
import revival

try:
    import pexpect
except ImportError:
    pexpect = None

OUTER = "outer> "
INNER = "inner> "
# Like an editor: takes single keys in raw mode, draws itself again when it is told to.
EDITOR = """
import os, signal, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
text = ''
def draw(*_): os.write(1, f'[text {text}]'.encode())
signal.signal(signal.SIGWINCH, draw)
draw()
while (key := os.read(0, 1).decode()) != 'q':
    text += key
    draw()
termios.tcsetattr(0, termios.TCSADRAIN, before)
"""


@unittest.skipIf(pexpect is None, "needs python3-pexpect")
class OwnTerminal(revival.RevivalTest):
    def terminal(self):
        """A person's shell, outside of all trees."""
        terminal = program.spawn_terminal(self, ["bash", "--norc", "--noprofile", "-i"], OUTER,
                                          timeout=revival.LONG, echo=False)
        terminal.expect_exact(OUTER)
        return terminal

    def shell_with_an_editor(self, terminal):
        """Leaves the recording `shell`, and the terminal as the killed tree has left it."""
        editor = self.directory / "editor.py"
        editor.write_text(EDITOR, encoding="utf-8")
        terminal.sendline(f"PS1='{INNER}' {harness.ICECORE} run -q --every 10m --name shell -- bash --norc --noprofile -i")
        terminal.expect_exact(INNER)
        terminal.sendline("x=42; sleep 1000")
        self.wait_for(lambda: self.foreground(terminal) == "sleep", "sleep in the foreground")
        terminal.sendcontrol("z")
        terminal.expect_exact(INNER)
        terminal.sendline(f"python3 {editor}")
        terminal.expect_exact("[text ]")
        terminal.send("ab")
        terminal.expect_exact("[text ab]")
        self.done("snap", "--kill", "shell")
        terminal.expect_exact(OUTER)
        terminal.sendline("stty sane -echo")
        terminal.expect_exact(OUTER)
        revival.RevivalTest.reap()

    @staticmethod
    def foreground(terminal):
        try:
            with open(f"/proc/{os.tcgetpgrp(terminal.child_fd)}/comm", encoding="utf-8") as comm:
                return comm.read().strip()
        except OSError:
            return ""

    def goes_on(self, terminal, options):
        terminal.sendline(" ".join([harness.ICECORE, "restore", "-q", *options, "shell"]))
        terminal.expect_exact("[text ab]")  # drawn again
        terminal.send("c")  # no newline: the terminal is raw again
        terminal.expect_exact("[text abc]")
        terminal.send("q")
        terminal.expect_exact(INNER)
        terminal.sendline("echo $x; jobs; cat")
        terminal.expect(r"42\s+\[1\]\+  Stopped +sleep 1000")
        self.wait_for(lambda: self.foreground(terminal) == "cat", "cat in the foreground")
        terminal.sendcontrol("c")  # goes to cat alone
        terminal.expect_exact(INNER)
        # Without disown the shell warns of the job, where it has not seen its end yet, and stays.
        terminal.sendline("kill -9 %1; disown -a; exit 3")
        terminal.expect_exact(OUTER)
        terminal.sendline("echo status $?")
        terminal.expect_exact("status 3")
        terminal.expect_exact(OUTER)
        self.assertEqual(self.foreground(terminal), "bash")

    def test_the_shell_goes_on_with_its_editor_and_its_job(self):
        terminal = self.terminal()
        self.shell_with_an_editor(terminal)
        for mode, options in revival.MODES.items():
            with self.subTest(mode=mode):
                self.goes_on(terminal, options)
                revival.RevivalTest.reap()


revival.main()
