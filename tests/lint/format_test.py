#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that clang-format 14 would change nothing. Exit status 77 (skipped) where there is none."""
import pathlib
import re
import shutil
import subprocess
import sys

FOLDERS = ["base", "store", "gdbstub", "snapshot", "replay", "cli", "tests", "bench"]
WANTED = 14  # versions differ in what they call formatted; Debian 12 has this one
SKIPPED = 77


def find_clang_format():
    for name in (f"clang-format-{WANTED}", "clang-format"):
        program = shutil.which(name)
        if not program:
            continue
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"version (\d+)", version)
        if found and int(found.group(1)) == WANTED:
            return program
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    program = find_clang_format()
    if not program:
        print(f"skipped: needs clang-format {WANTED} (apt install clang-format-{WANTED})")
        return SKIPPED
    files = sorted(
        str(file.relative_to(root))
        for folder in FOLDERS
        for file in (root / folder).rglob("*")
        if file.suffix in (".h", ".cc")
    )
    if not files:
        sys.exit("no files were found: wrong directory?")
    result = subprocess.run([program, "--dry-run", "--Werror", *files], cwd=root, capture_output=True, text=True)
    unformatted = sorted({line.split(":")[0] for line in result.stderr.splitlines() if ": error:" in line})
    for file in unformatted:
        print(f"{file}: not formatted; mend with: clang-format -i {file}")
    print(f"{len(files)} files, {len(unformatted)} not formatted")
    return 1 if result.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
