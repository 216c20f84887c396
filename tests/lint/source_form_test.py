#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the form of every source file: SPDX line, #pragma once, length, ASCII-clean ends."""
import pathlib
import sys

FOLDERS = ["base", "store", "gdbstub", "snapshot", "replay", "cli", "share", "tests", "bench"]
SUFFIXES = {".h", ".cc", ".proto", ".py", ".sql"}
LONGEST = 500  # split a file before; tables are exempt
TABLES = {"replay/syscall_table.h"}
VAGUE_NAMES = {"util", "utils", "common", "helper", "helpers", "misc"}


def complaints_of(path, text):
    lines = text.split("\n")
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
        yield "its first lines must have the SPDX-License-Identifier"
    if path.endswith(".h") and "#pragma once" not in lines:
        yield "has no #pragma once"
    if len(lines) > LONGEST and path not in TABLES:
        yield f"has {len(lines)} lines, more than {LONGEST}: split it"
    if pathlib.PurePath(path).stem in VAGUE_NAMES:
        yield "has a name that says nothing"
    if any(line != line.rstrip() for line in lines):
        yield "has spaces at the end of a line"
    if not text.endswith("\n"):
        yield "does not end in a newline"


def check_the_check():
    good = "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n"
    if list(complaints_of("base/x.h", good)):
        sys.exit("the check complains of a good file")
    for bad in (good + "x\n" * LONGEST, "#pragma once\n", good + "int x; \n", good + "int x;"):
        if not list(complaints_of("base/x.h", bad)):
            sys.exit(f"the check does not see what is wrong with {bad[-40:]!r}")


def main():
    check_the_check()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = 0
    files = 0
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SUFFIXES or "corpus" in file.parts:
                continue
            files += 1
            path = file.relative_to(root).as_posix()
            for complaint in complaints_of(path, file.read_text(encoding="utf-8")):
                print(f"{path}: {complaint}")
                found += 1
    print(f"{files} files, {found} complaints")
    if files == 0:
        sys.exit("no files were found: wrong directory?")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
