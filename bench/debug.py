#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a real gdb hits breakpoints and steps, over icecore and over gdbserver, side by side.

ICECORE names the program under test. Prints one table; each figure is the best of three runs."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

LIMIT = 300  # seconds for any one run
HITS = 2000
STEPS = 2000
SKIPS = 20000  # hits whose condition, evaluated by the stub, is false
SOURCE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "gdb" / "live_program.c"

SCRIPT = f"""
import time, gdb
def timed(name, command, count):
    start = time.monotonic()
    gdb.execute(command, to_string=True)
    print('RATE', name, count / (time.monotonic() - start))
gdb.execute('set pagination off')
gdb.execute('break work')
gdb.execute('continue')
gdb.execute('ignore 1 {HITS}', to_string=True)
timed('breakpoint_hits', 'continue', {HITS})
gdb.execute('delete')
timed('steps', 'stepi {STEPS}', {STEPS})
gdb.execute('break work if counter % {2 * SKIPS} == 0')
gdb.execute('continue')
timed('false_conditions', 'continue', {SKIPS})
gdb.execute('kill')
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve_icecore(program):
    stub = subprocess.Popen([os.environ["ICECORE"], "serve", "--listen", ":0", "--", program, "loop"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return stub, stub.stdout.readline().strip()


def serve_gdbserver(program):
    port = free_port()
    stub = subprocess.Popen(["gdbserver", "--once", f"127.0.0.1:{port}", program, "loop"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
    for line in stub.stderr:
        if "Listening" in line:
            break
    return stub, f"127.0.0.1:{port}"


def rates(serve, program, script):
    """Name to rate per second, of one gdb session."""
    stub, address = serve(program)
    try:
        out = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex", "set sysroot", "-ex", f"target remote {address}",
                              "-x", script, program], capture_output=True, text=True, timeout=LIMIT, check=False,
                             stdin=subprocess.DEVNULL)
    finally:
        stub.kill()
        stub.wait()
    found = {name: float(rate) for name, rate in re.findall(r"RATE (\w+) (\S+)", out.stdout)}
    if not found:
        sys.exit(out.stdout + out.stderr)
    return found


def main():
    if not os.environ.get("ICECORE"):
        sys.exit("ICECORE must name the program under test")
    servers = {"icecore": serve_icecore}
    if shutil.which("gdbserver"):
        servers["gdbserver"] = serve_gdbserver
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "program")
        subprocess.run(["cc", "-g", "-O0", "-pthread", "-o", program, SOURCE], check=True)
        script = pathlib.Path(folder) / "bench.py"
        script.write_text(SCRIPT, encoding="utf-8")
        best = {}
        for _ in range(3):
            for name, serve in servers.items():
                for what, rate in rates(serve, program, script).items():
                    best[what, name] = max(rate, best.get((what, name), 0))
    print("per second".ljust(20) + "".join(name.rjust(12) for name in servers))
    for what in dict.fromkeys(key[0] for key in best):
        print(what.ljust(20) + "".join(f"{best.get((what, name), 0):12.0f}" for name in servers))


if __name__ == "__main__":
    main()
