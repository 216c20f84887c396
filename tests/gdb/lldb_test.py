#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a real lldb over snapshots of a small threaded program, without local files.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import shutil
import subprocess
import sys

import view_test
from view_test import LIMIT, expect


def lldb(recording, number, *commands):
    """What lldb prints for the commands. Not with --batch, which would end at the first SIGTRAP."""
    words = [recording.icecore, "gdb", "--lldb", f"rec@{number}", "--store", recording.store, "--", "--no-lldbinit",
             "--no-use-colors"]
    for command in commands:
        words += ["--one-line", command]
    result = subprocess.run(words, input="quit\n", stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=LIMIT, cwd="/")
    return result.stdout


def test_looking(recording):
    output = lldb(recording, 1, "thread list", "bt all", "target variable counter", "image list")
    # How far lldb gets beyond read() is its own affair: it does no better on a living process.
    expect(output, r"thread #1: .*name = 'victim'", r"thread #2: .*name = 'worker'", r"read", r"worker\(argument=",
           r"start_thread", r"clone3?", r"counter = 1\b", r"/victim", r"libc\.so\.6", r"ld-linux")


def test_thread_local_and_memory(recording):
    output = lldb(recording, 1, "thread select 2", "frame select 1", "frame variable", "expression thread_value",
                  "memory region $sp", "memory read --size 4 --count 4 --format d &constant")
    expect(output, r"argument = 0x0", r"= 41\b", r"rw-", r"\b1\s+2\s+3\s+4\b|\b1\b[\s\S]*\b4\b")


def test_travelling(recording):
    output = lldb(recording, 2, "target variable counter", "process continue", "target variable counter",
                  "process continue", "target variable counter", "process plugin packet monitor info")
    expect(output, r"counter = 1\b", r"counter = 2\b", r"counter = 3\b", r"rec@4")


if __name__ == "__main__":
    LLDB = next((name for name in ("lldb-19", "lldb") if shutil.which(name)), "lldb-19")
    sys.exit(view_test.run(test_looking, test_thread_local_and_memory, test_travelling, tools=("cc", LLDB)))
