#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a real gdb over what a program loaded: libraries that come by dlopen between two snapshots,
the vdso, separate debug information. All files are gone when gdb looks.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from view_test import LIMIT, SKIPPED, expect

LIBRARY = """
int plugin_value = 40;
int plugin_work(int more) { return plugin_value += more; }
"""
PROGRAM = """
#include <dlfcn.h>
#include <stdio.h>
struct Order { int number; const char* name; } order = {7, "seven"};
int main(int count, char** words) {
  void* library = 0;
  puts("READY");
  fflush(stdout);
  for (char line[8]; fgets(line, sizeof line, stdin);) {
    if (line[0] == 'o') library = dlopen(words[1], RTLD_NOW);
    if (line[0] == 'w') ((int (*)(int))dlsym(library, "plugin_work"))(2);
    if (line[0] == 'c') dlclose(library);
    puts("DONE");
    fflush(stdout);
  }
  return count;
}
"""


def run(*words):
    subprocess.run([str(word) for word in words], check=True, timeout=LIMIT, stdout=subprocess.DEVNULL)


class Recording:
    """N@1 before the library is there, N@2 with it, N@3 after work in it, N@4 without it again."""

    def __init__(self, icecore, folder):
        self.icecore, self.folder = icecore, folder
        self.store = folder / "store"
        (folder / "plugin.c").write_text(LIBRARY)
        (folder / "program.c").write_text(PROGRAM)
        (folder / ".debug").mkdir()
        program, plugin, debug = folder / "program", folder / "plugin.so", folder / ".debug" / "program.debug"
        run("cc", "-g", "-O0", "-shared", "-fPIC", "-o", plugin, folder / "plugin.c")
        run("cc", "-g", "-O0", "-o", program, folder / "program.c", "-ldl")
        run("objcopy", "--only-keep-debug", program, debug)
        run("objcopy", "--strip-debug", f"--add-gnu-debuglink={debug}", program)
        with subprocess.Popen([program, plugin], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
            try:
                assert victim.stdout.readline() == "READY\n"
                for word in ("", "open", "work", "close"):
                    if word:
                        victim.stdin.write(word + "\n")
                        victim.stdin.flush()
                        assert victim.stdout.readline() == "DONE\n"
                    run(icecore, "snap", "--store", self.store, "--name", "rec", victim.pid)
            finally:
                victim.kill()
        for file in (program, plugin, debug, folder / "plugin.c", folder / "program.c"):
            file.unlink()

    def gdb(self, number, *commands):
        words = [self.icecore, "gdb", f"rec@{number}", "--store", self.store, "--", "-nx", "-batch"]
        for command in commands:
            words += ["-ex", command]
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
                              cwd="/", stdin=subprocess.DEVNULL).stdout


def test_libraries_follow_the_travel(recording):
    output = recording.gdb(1, "print plugin_value", "continue", "info sharedlibrary", "print plugin_value",
                           "continue", "print plugin_value", "continue", "print plugin_value",
                           "reverse-continue", "print plugin_value", "info line plugin_work")
    expect(output, r'No symbol "plugin_value"', r"/plugin\.so", r"\$1 = 40\b", r"\$2 = 42\b",
           r'No symbol "plugin_value"', r"\$3 = 42\b", r'Line 3 of ".*plugin\.c"')


def test_separate_debug_information(recording):
    output = recording.gdb(2, "print order", "frame function main", "info locals")
    expect(output, r'number = 7, name = 0x\w+ "seven"', r"main \(count=2, words=0x", r"library = 0x")


def test_vdso(recording):
    output = recording.gdb(1, "info symbol __vdso_clock_gettime", "x/i __vdso_clock_gettime")
    expect(output, r"clock_gettime in section \.text of (system-supplied DSO|.*vdso)", r"<(__vdso_)?clock_gettime>")


def main():
    icecore = os.environ.get("ICECORE")
    if not icecore:
        sys.exit("ICECORE must name the program under test")
    for tool in ("gdb", "cc", "objcopy"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording(icecore, pathlib.Path(folder))
        for test in (test_libraries_follow_the_travel, test_separate_debug_information, test_vdso):
            test(recording)
            print(f"{test.__name__}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
