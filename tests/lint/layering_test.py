#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the include arrows of docs/architecture.md: who may know whom, and one door per library."""
import pathlib
import re
import sys

# A folder may include itself and these. The longest matching folder counts; a folder that is named
# here does not open its subfolders, unless it ends in "/".
ARROWS = {
    "base": [],
    "store": ["base"],
    "gdbstub": ["base", "gdbstub/target", "gdbstub/commands"],
    "gdbstub/target": ["base"],
    "gdbstub/commands": ["base", "gdbstub", "gdbstub/target"],
    "snapshot": ["base", "store", "gdbstub/target", "snapshot/"],
    "snapshot/model": [],
    "snapshot/proc": ["base", "snapshot/model"],
    "snapshot/tracing": ["base", "snapshot/model", "snapshot/proc"],
    "snapshot/symbols": ["base", "snapshot/model", "snapshot/symbols/decoding"],
    "snapshot/symbols/decoding": ["base"],
    "snapshot/capture": ["base", "store", "snapshot", "snapshot/model", "snapshot/proc", "snapshot/tracing",
                         "snapshot/symbols"],
    "replay": ["base", "store", "snapshot/", "gdbstub/target", "replay/"],
    "replay/restore": ["base", "store", "snapshot/", "replay/files"],
    "replay/translate": ["base", "snapshot/tracing", "snapshot/proc", "replay/restore"],
    "replay/record": ["base", "snapshot/tracing", "snapshot/proc"],
    "replay/timeline": ["base", "snapshot/", "gdbstub/target", "replay/record", "replay/translate", "replay/restore",
                        "replay/live"],
    "replay/live": ["base", "store", "snapshot/", "gdbstub/target", "replay/restore", "replay/files"],
    "replay/files": ["base", "store", "snapshot/", "replay/restore"],
    "cli": ["base", "store", "gdbstub/", "snapshot/", "replay/", "cli/"],
    "cli/doctor": ["base", "snapshot/tracing", "cli"],
}

# Headers of other libraries, and the only places that may see them.
DOORS = [
    (r"sqlite3\.h", ["store/"]),
    (r"(zstd|lz4|lz4frame|lz4hc)\.h", ["store/"]),
    (r"llvm-c/blake3\.h|llvm/Support/BLAKE3\.h", ["store/", "snapshot/symbols/"]),
    (r"llvm(-c)?/.*", ["snapshot/symbols/"]),
    (r"capstone/.*", ["snapshot/symbols/"]),
    (r"(libelf|gelf|dwarf)\.h|elfutils/.*", ["snapshot/symbols/"]),
    (r"(sys|linux)/ptrace\.h", ["snapshot/tracing/"]),
    (r"boost/.*", ["cli/command_line.cc"]),
    (r"nlohmann/.*", ["cli/"]),
    (r"httplib\.h", []),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
OWN = {folder.split("/")[0] for folder in ARROWS}


def folder_of(path):
    """The longest folder of ARROWS that holds `path`."""
    parts = path.split("/")[:-1]
    while parts:
        if "/".join(parts) in ARROWS:
            return "/".join(parts)
        parts.pop()
    return None


def allowed(source, target):
    if target == source:
        return True
    for arrow in ARROWS[source]:
        if target == arrow or (arrow.endswith("/") and (target + "/").startswith(arrow)):
            return True
    return False


def complaints_of(path, text):
    """What is wrong with the includes of one file, as lines."""
    source = folder_of(path)
    for match in INCLUDE.finditer(text):
        included = match.group(2)
        line = text.count("\n", 0, match.start()) + 1
        for pattern, doors in DOORS:
            if re.fullmatch(pattern, included):
                if not any(path.startswith(door) for door in doors):
                    yield f"{path}:{line}: <{included}> may be included only in {' '.join(doors) or 'nothing'}"
                break
        if match.group(1) == '"' and included.split("/")[0] in OWN:
            target = folder_of(included)
            if target is None or not allowed(source, target):
                yield f"{path}:{line}: {source} must not include {included}"


def check_the_check():
    """The rules must be able to fail."""
    bad = {
        "base/x.h": '#include "store/store.h"',
        "gdbstub/x.cc": '#include "snapshot/stored_snapshot.h"',
        "gdbstub/y.cc": '#include <sys/ptrace.h>',
        "snapshot/x.cc": '#include "gdbstub/session.h"',
        "cli/x.cc": "#include <boost/program_options.hpp>",
    }
    good = {"cli/command_line.cc": "#include <boost/program_options.hpp>", "replay/x.cc": '#include "snapshot/proc/maps.h"'}
    for path, text in bad.items():
        if not list(complaints_of(path, text)):
            sys.exit(f"the check does not see that {path} must not have {text}")
    for path, text in good.items():
        if list(complaints_of(path, text)):
            sys.exit(f"the check forbids {text} in {path}")


def main():
    check_the_check()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = 0
    files = 0
    for folder in sorted(OWN):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cc"):
                continue
            files += 1
            for complaint in complaints_of(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")):
                print(complaint)
                found += 1
    print(f"{files} files, {found} forbidden includes")
    if files == 0:
        sys.exit("no files were found: wrong directory?")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
