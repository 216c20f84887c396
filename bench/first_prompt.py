#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From `icecore gdb SNAPSHOT --live` to gdb's first prompt, for processes of several sizes.

    bench/first_prompt.py build/release/cli/icecore [MIB ...]

Least and median of ROUNDS sessions that end at the first prompt (gdb -batch); "view" is the same snapshot without
--live. The memory is random, which does not shrink. Needs root."""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 7
SOURCE = """
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words) {
  size_t size = (size_t)atol(words[count - 1]) << 20, got = 0;
  char *memory = malloc(size);
  int source = open("/dev/urandom", O_RDONLY);
  while (got < size) got += read(source, memory + got, size - got);
  close(source);
  if (write(1, "READY\\n", 6) != 6) return 1;
  for (;;) pause();
}
"""


def record(icecore, store, program, size):
    victim = subprocess.Popen([program, str(size)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, preexec_fn=lambda: os.closerange(3, 4096))
    victim.stdout.readline()
    subprocess.run([icecore, "snap", "--store", store, "--name", f"heap{size}", str(victim.pid)], check=True,
                   stdout=subprocess.DEVNULL)
    victim.kill()
    victim.wait()


def times(icecore, store, size, *words):
    found = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        subprocess.run([icecore, "gdb", f"heap{size}@1", "--store", store, *words, "--", "-nx", "-batch"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found.append(time.monotonic() - start)
    return min(found), statistics.median(found)


def main():
    icecore = sys.argv[1]
    sizes = [int(word) for word in sys.argv[2:]] or [1, 256, 1024]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "heap.c").write_text(SOURCE, encoding="ascii")
        program = folder / "heap"
        subprocess.run(["cc", "-O2", "-o", program, folder / "heap.c"], check=True)
        print(f"{'MiB':>6} {'live, least':>12} {'median':>8} {'view, least':>12} {'median':>8}   (seconds)")
        for size in sizes:
            record(icecore, folder / "store", program, size)
            live = times(icecore, folder / "store", size, "--live")
            view = times(icecore, folder / "store", size)
            print(f"{size:>6} {live[0]:>12.2f} {live[1]:>8.2f} {view[0]:>12.2f} {view[1]:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
