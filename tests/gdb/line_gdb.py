# SPDX-License-Identifier: Apache-2.0
"""A real gdb that obeys line by line."""
import re
import subprocess
import sys

QUIET = ("set pagination off", "set confirm off", "set style enabled off", "set debuginfod enabled off")


class LineGdb:
    """`words` follow gdb's own; `command` begins the line instead, for what starts a gdb by itself."""

    def __init__(self, *words, command=("gdb", "-nx", "-q"), **options):
        self.process = subprocess.Popen([*map(str, command), *map(str, words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", **options)
        self.ask(*QUIET)

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, *lines):
        """What gdb answers to the last of `lines`."""
        text = ""
        for line in lines:
            self.say(line, "echo \\nANSWERED\\n")
            text = self.answer()
        return text

    def answer(self):
        """What comes before the end of an answer that was asked for."""
        text = ""
        for line in self.process.stdout:
            if line.strip().endswith("ANSWERED"):
                return text
            text += line
        sys.exit(f"FAILED: gdb ended after:\n{text}")

    def number(self, expression):
        return int(re.search(r"= (-?\d+)", self.ask(f"p {expression}")).group(1))

    def end(self, *last_lines, limit=50):
        self.say(*last_lines, "quit")
        self.process.communicate(timeout=limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
