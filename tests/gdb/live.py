# SPDX-License-Identifier: Apache-2.0
"""What the tests of living processes share: a program to debug, `icecore serve`, and a real gdb."""
import os
import pathlib
import select
import subprocess
import sys

LIMIT = 50  # seconds for any one program
HERE = pathlib.Path(__file__).resolve().parent


def build_program(folder):
    program = pathlib.Path(folder) / "program"
    subprocess.run(["cc", "-g", "-O0", "-pthread", "-o", program, HERE / "live_program.c"], check=True, timeout=LIMIT)
    return program


def close_inherited():
    """Descriptors of whoever runs the tests are none of the program's business."""
    os.closerange(3, 4096)


class Stub:
    """`icecore serve` with these words, from when it says where it listens."""

    def __init__(self, icecore, *words):
        self.process = subprocess.Popen([icecore, "serve", "--listen", ":0", *map(str, words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=close_inherited)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            sys.exit(f"FAILED: the stub did not start: {self.process.communicate()[1]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=LIMIT)


def gdb_batch(address, program, *commands):
    """What a gdb says that runs these commands, connected."""
    words = ["gdb", "-nx", "-q", "-batch", "-ex", "set pagination off", "-ex", "set confirm off",
             "-ex", "set sysroot", "-ex", "set breakpoint pending on", str(program),
             "-ex", f"target extended-remote {address}"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, cwd="/",
                          stdin=subprocess.DEVNULL, check=False)
    return done.stdout


def state_of(pid):
    """The state letter and the tracer of a process; None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return fields["State"][0], int(fields["TracerPid"])


def wait_for_end(handle):
    """Of the process that this pidfd is of."""
    ended = select.select([handle], [], [], LIMIT)[0]
    os.close(handle)
    if not ended:
        sys.exit("FAILED: a process does not end")
