# SPDX-License-Identifier: Apache-2.0
"""How copies of an image live and end: with their root, and with all that they are told."""
import os
import pathlib
import signal
import socket
import subprocess
import unittest

import harness
from background import Background
from image_runs import PYTHON, ImageTest, Run, free_port, get, poll_until

# A master that listens and workers that answer, as gunicorn and nginx have them; the master ends at once when told
# to, as it does when it crashes, and leaves its workers behind.
PREFORK = """
import os, signal, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
for _ in range(int(sys.argv[2])):
    if os.fork() == 0:
        while True:
            connection = listener.accept()[0]
            connection.recv(1000)
            connection.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nworker %d of %d' % (os.getpid(), os.getppid()))
            connection.close()
signal.signal(signal.SIGTERM, lambda *_: os._exit(9))
while True: signal.pause()
"""

# A program that gives up its rights before it serves.
OTHER_USER = """
import os, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
while True:
    connection = listener.accept()[0]
    connection.recv(1000)
    try: text = open(os.environ['ICECORE_COPY_FILE']).read()
    except OSError as error: text = str(error)
    connection.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n' + text.encode())
    connection.close()
"""


def damage(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x20]))


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class ImageLives(ImageTest):
    def test_a_copy_ends_with_its_root_and_its_port_is_free(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 2)
        for _ in range(2):
            with Run(self, "fork") as run:
                self.assertRegex(get(port), r"worker \d+ of \d+")
                self.assertEqual(run.end()[0], 9)
            socket.create_server(("127.0.0.1", port)).close()

    def test_a_kept_image_of_a_service_that_forks_starts_with_all_its_workers(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 3)
        keeper = Background(self, "image", "warm", "-q", "fork")
        poll_until((self.store / "images" / "fork.bank").exists)
        base = free_port(2)
        with Run(self, "fork", "--copies", 2, "--port", f"{port}={base}") as run:
            for i, pid in enumerate(run.pids()):
                self.assertRegex(get(base + i), r"worker \d+ of \d+")
                children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                self.assertEqual(len(children), 3)
        keeper.process.terminate()
        self.assertEqual(keeper.end()[0], 0)

    def test_a_start_from_disk_reads_ahead_what_the_service_had_touched(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 2)
        images = self.store / "images"
        lines = [line.split(" ", 2) for line in (images / "fork.touched").read_text().splitlines()]
        touched = {path: int(size) for _, size, path in lines}
        self.assertGreater(touched[os.path.realpath(PYTHON)], 1 << 20)
        self.assertEqual((images / "fork.touched").stat().st_mode & 0o777, 0o600)
        with (images / "fork.touched").open("a") as file:
            file.write("0 4096 /no/such/file\nno number\n")
        with (images / "fork.memory").open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with Run(self, "fork"):
            self.assertRegex(get(port), r"worker \d+ of \d+")

    def test_memory_is_what_it_must_be_while_it_is_still_being_brought(self):
        self.build("moving", harness.VICTIMS / "moving_memory", 128, ready="log:READY")
        order = self.store / "images" / "moving.order"
        # Without an order, then with one: it has nothing to say when the machine has let the program wait for so long
        # that all was there.
        while not order.exists():
            self.move_memory()
        self.move_memory()
        self.assertEqual(order.stat().st_mode & 0o777, 0o600)
        self.done("image", "rm", "moving")
        self.assertEqual(list((self.store / "images").glob("moving.*")), [])

    def move_memory(self):
        run = subprocess.Popen([harness.ICECORE, "image", "run", "-q", "moving"], env=self.environment(), text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        run.stdin.write("go\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.readline(), "0 wrong, child 0\n")
        poll_until(lambda: not self.pagers())
        self.assertEqual(run.communicate("end\n", timeout=harness.DEADLINE), ("", None))
        self.assertEqual(run.returncode, 0)

    def test_nothing_brings_memory_to_a_copy_whose_starter_was_killed(self):
        self.build("moving", harness.VICTIMS / "moving_memory", 256, ready="log:READY")
        for _ in range(3):
            with Run(self, "moving") as run:
                self.assertEqual(run.end(signal.SIGKILL)[0], -signal.SIGKILL)
            poll_until(lambda: not self.pagers())
        limited = self.icecore("image", "run", "moving", "--mem", "1G", "--cpu", "1", "--after", "exit 7")
        if limited.status != 3:  # cgroups can be made
            self.assertIn("--after exit 7", limited.err)
            self.assertEqual(self.pagers(), [])
            self.assertEqual(self.cgroups_of_icecore("moving"), [])

    def pagers(self):
        """Processes that bring memory from this test's store."""
        found = []
        for maps in pathlib.Path("/proc").glob("[0-9]*/maps"):
            try:
                named = (maps.parent / "comm").read_text() == "icecore-pager\n"
                found += [maps.parent.name] if named and str(self.store) in maps.read_text() else []
            except OSError:
                continue  # it has ended
        return found

    def test_a_damaged_image_is_refused_by_name_and_nothing_is_left(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 2)
        memory = self.store / "images" / "fork.memory"
        damage(memory, memory.stat().st_size // 2)
        with Run(self, "fork"):  # made of the store, which has all of it too
            self.assertRegex(get(port), r"worker \d+ of \d+")
        memory.unlink()
        for pack in (self.store / "packs").iterdir():
            for at in range(4096, pack.stat().st_size, 4096):
                damage(pack, at)
        refused = self.icecore("image", "run", "fork")
        self.assertEqual(refused.status, 1)
        self.assertRegex(refused.err, r"\Aerror: .*\.pack.*\n(hint: .*\n)?\Z")
        socket.create_server(("127.0.0.1", port)).close()
        verified = self.icecore("image", "verify", "fork")
        self.assertEqual(verified.status, 1, verified.out)
        self.assertIn(".pack", verified.out + verified.err)

    def test_a_copy_whose_starter_was_killed_gives_its_port_to_the_next(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 20)
        for _ in range(3):
            with Run(self, "fork") as run:
                self.assertRegex(get(port), r"worker \d+ of \d+")
                self.assertEqual(run.end(signal.SIGKILL)[0], -signal.SIGKILL)

    def test_a_program_that_has_given_up_its_rights_can_read_what_it_is_told(self):
        port = free_port()
        self.build("other", PYTHON, "-c", OTHER_USER, port)
        with Run(self, "other", "--arg", "hello"):
            self.assertEqual(get(port), "image other\ncopy 1\narg hello\n")

    def test_a_copy_has_no_more_memory_and_processor_time_than_it_was_given(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 2)
        self.refused(1, "image", "run", "fork", "--mem", "1M", what="holds .* MiB, and --mem allows 1.0 MiB", hint="--mem")
        tried = self.icecore("image", "run", "fork", "--mem", "200M", "--cpu", "0.5", "--after", "exit 7")
        if tried.status == 3:
            self.skipTest("needs cgroups that can be made: " + tried.err)
        self.assertIn("--after exit 7", tried.err)
        self.assertEqual(self.cgroups_of_icecore(), [])
        with Run(self, "fork", "--mem", "200M", "--cpu", "0.5") as run:
            self.assertRegex(get(port), r"worker \d+ of \d+")
            self.assertIn("icecore-fork-", pathlib.Path(f"/proc/{run.pids()[0]}/cgroup").read_text())
            self.assertNotIn("icecore-fork-", pathlib.Path(f"/proc/{run.process.pid}/cgroup").read_text())
            limits = {file.read_text().split()[0] for directory in self.cgroups_of_icecore()
                      for name in ["memory.max", "memory.limit_in_bytes", "cpu.max", "cpu.cfs_quota_us"]
                      for file in directory.glob(name)}
            self.assertEqual(limits, {str(200 << 20), "50000"})
        self.assertEqual(self.cgroups_of_icecore(), [])

    @staticmethod
    def cgroups_of_icecore(name="fork"):
        return list(pathlib.Path("/sys/fs/cgroup").rglob(f"icecore-{name}-*"))

    def test_copies_with_networks_and_host_names_of_their_own_have_the_same_port(self):
        port = free_port()
        self.build("fork", PYTHON, "-c", PREFORK, port, 1)
        ask = f"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:{port}').read())"
        with Run(self, "fork", "--net", "own", "--hostname", "elsewhere", "--copies", 2) as run:
            for pid in run.pids():
                name = subprocess.run(["nsenter", "-t", str(pid), "-u", "uname", "-n"], capture_output=True, text=True,
                                      timeout=harness.DEADLINE, check=True)
                self.assertEqual(name.stdout, "elsewhere\n")
                inside = subprocess.run(["nsenter", "-t", str(pid), "-n", PYTHON, "-c", ask], capture_output=True,
                                        text=True, timeout=harness.DEADLINE, check=False)
                self.assertRegex(inside.stdout, r"worker \d+ of \d+", inside.stderr)
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))


if __name__ == "__main__":
    harness.main()
