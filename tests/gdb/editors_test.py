#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Editors that drive gdb, on a program that icecore serves: breakpoint, continue, a step, and the way back.

ICECORE names the program under test. Editors that are missing are left out; exit status 77 when all are."""
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile

from view_test import SKIPPED

ICECORE = pathlib.Path(os.environ["ICECORE"])
VICTIM = ICECORE.parent.parent / "victims" / "time_travel"
SOURCE = pathlib.Path(os.environ["ICECORE_SOURCE_DIR"]) / "tests" / "victims" / "time_travel.cc"
SCRIPTS = pathlib.Path(__file__).parent / "editors"
EDITORS = {
    "vim": ["vim", "-u", "NONE", "-i", "NONE", "-n", "-S", SCRIPTS / "termdebug.vim"],
    "emacs": ["emacs", "-Q", "--batch", "-l", SCRIPTS / "gud.el"],
}


def run_on_terminal(words, environment):
    """What it writes there."""
    main, terminal = pty.openpty()
    with subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, cwd="/",
                          start_new_session=True) as process:
        os.close(terminal)
        text = b""
        try:
            while piece := os.read(main, 65536):
                text += piece
        except OSError:
            pass  # nobody has the terminal any more
        os.close(main)
    return text.decode(errors="replace")


def seen_by(words):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report"
        report.touch()
        environment = dict(os.environ, REPORT=str(report), VICTIM=str(VICTIM), VICTIM_SOURCE=str(SOURCE), TERM="xterm",
                           HOME=folder)
        text = run_on_terminal(words, environment)
        return (report.read_text() or text).replace("\r", "")


def main():
    here = {name: words for name, words in EDITORS.items() if shutil.which(name)}
    if not here or not shutil.which("gdb"):
        print("skipped: needs gdb and one of " + ", ".join(EDITORS))
        sys.exit(SKIPPED)
    for name, words in here.items():
        seen = seen_by(words)
        print(f"{name}:\n{seen}")
        if "NOT seen" in seen or "seen: the way back" not in seen:
            sys.exit(f"FAILED: {name}")


if __name__ == "__main__":
    main()
