# SPDX-License-Identifier: Apache-2.0
"""What an operator of images asks for beyond starting them: readiness, advice, streams, files, clocks, bad luck."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

import harness
import program
from image_runs import PYTHON, SERVICES, ImageTest, Run, free_port, get, poll_until

# Holds what ties a program to its moment: a pid file, a secret, a timer of the calendar.
TIED = """
import ctypes, os, struct, sys, time
open('tied.pid', 'w').write(str(os.getpid()))
libc = ctypes.CDLL(None)
timer = libc.timerfd_create(0, 0)
libc.timerfd_settime(timer, 1, struct.pack('qqqq', 0, 0, int(time.time()) + 3600, 0), None)
print('up', flush=True)
time.sleep(1000)
"""

# Answers every line of its input with clocks, and ends with 3 at the end of it.
CLOCKS = """
import socket, sys, time
print('up', flush=True)
for line in sys.stdin:
    print(time.monotonic(), time.time(), socket.gethostname(), flush=True)
sys.exit(3)
"""

# Answers 503 until it has been asked three times.
SLOW = """
import http.server, sys
class Slow(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Slow.asked += self.path == '/health'
        self.send_response(200 if Slow.asked >= 3 else 503)
        self.end_headers()
        self.wfile.write(b'%d' % Slow.asked)
    def log_message(self, *_): pass
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Slow).serve_forever()
"""


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class ImageOperator(ImageTest):
    def here(self):
        os.chdir(self.directory)
        self.addCleanup(os.chdir, "/")

    def test_ready_is_when_the_named_port_listens_or_its_page_is_well(self):
        port = free_port()
        self.build("slow", PYTHON, "-c", SLOW, port, ready=f"http:{port}/health")
        with Run(self, "slow"):
            self.assertGreaterEqual(int(get(port)), 3)
        self.build("port", PYTHON, "-c", SLOW, port, ready=f"port:{port}")
        never = self.icecore("image", "build", "never", "--ready", f"port:{free_port()}", "--timeout", "1s", "--", PYTHON,
                             "-c", SLOW, port)
        self.assertEqual(never.status, 1)
        self.assertIn("not ready in time (port:", never.err)

    @program.needs("systemd-notify")
    def test_ready_is_when_systemd_notify_says_so_and_has_its_answer(self):
        self.build("told", "/bin/sh", "-c", "systemd-notify --ready; read line; exit 5", ready="notify")
        self.assertEqual(self.icecore("image", "run", "told").status, 5)

    def test_a_warming_that_fails_is_told_with_the_last_output(self):
        failed = self.icecore("image", "build", "x", "--ready", "log:up", "--warm", "exit 9", "--", "sh", "-c",
                              "echo up and alive; exec sleep 99")
        self.assertEqual(failed.status, 1)
        self.assertRegex(failed.err, r"(?s)the warming ended with exit status 9: exit 9.*up and alive")
        self.assertEqual(self.done("image", "list", "--json").json()["images"], [])

    def test_what_ties_it_to_its_moment_is_told_with_advice(self):
        self.here()
        built = self.done("image", "build", "tied", "--ready", "log:up", "--", PYTHON, "-c", TIED, API_TOKEN="x")
        for line in [r"secret: \$API_TOKEN is in the environment", r"pid file: .*/tied.pid names process \d+",
                     "time: 1 of its timers wait for a moment of the calendar", "directory: process"]:
            self.assertRegex(built.err, "advice: " + line)
            self.assertRegex(self.done("image", "show", "tied").out, line)
        self.assertNotIn("API_TOKEN is", self.done("image", "build", "plain", "--ready", "log:up", "--", "sh", "-c",
                                                   "echo up; exec sleep 99").err)

    def test_streams_clocks_and_exit_status_are_those_of_the_start(self):
        self.build("clocks", PYTHON, "-c", CLOCKS, ready="log:up")
        built = time.monotonic()
        starts = []
        for _ in range(2):
            ended = subprocess.run([harness.ICECORE, "image", "run", "-q", "clocks"], input="now\n", capture_output=True,
                                   env=self.environment(), text=True, timeout=harness.DEADLINE, check=False)
            self.assertEqual(ended.returncode, 3, ended.stderr)
            monotonic, wall, host = ended.stdout.split()
            self.assertAlmostEqual(float(wall), time.time(), delta=30)
            self.assertEqual(host, socket.gethostname())
            starts.append(float(monotonic))
        # Both go on from the moment of the image, whenever they are started.
        self.assertLess(abs(starts[0] - starts[1]), 20)
        self.assertLess(abs(starts[0] - built), 20)

    def test_files_are_the_copys_own_unless_shared(self):
        self.here()
        port = free_port()
        self.build("hello", PYTHON, SERVICES / "hello.py", port)
        with Run(self, "hello", "--files", "shared"):
            self.assertEqual(get(port, "/write"), "5")
        self.assertEqual((self.directory / "hello.log").read_text(), "line\n")

    def test_signals_reach_the_service_and_a_deadly_one_is_passed_on(self):
        script = "trap 'echo hup' HUP; trap 'echo usr1; exit 4' USR1; echo up; while :; do sleep 1; done"
        self.build("sh", "/bin/sh", "-c", script, ready="log:^up")
        with Run(self, "sh") as run:
            run.process.send_signal(signal.SIGHUP)
            self.assertEqual(run.process.stdout.readline(), "hup\n")
            self.assertEqual(run.end(signal.SIGUSR1)[:2], (4, "usr1\n"))
        with Run(self, "sh") as run:
            os.kill(run.pids()[0], signal.SIGKILL)
            self.assertIn(run.process.wait(timeout=harness.DEADLINE), (-signal.SIGKILL, 128 + signal.SIGKILL))

    @program.needs("systemd-socket-activate")
    def test_the_socket_of_a_service_manager_is_taken_over(self):
        self.here()
        port = free_port()
        self.build("hello", PYTHON, SERVICES / "hello.py", port)
        given = free_port()
        manager = subprocess.Popen(["systemd-socket-activate", "-l", f"127.0.0.1:{given}", f"-EICECORE_STORE={self.store}",
                                    harness.ICECORE, "image", "run", "-q", "hello"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        self.addCleanup(manager.wait)
        self.addCleanup(manager.terminate)
        poll_until(lambda: self.listens(given))
        self.assertIn("hello from pid", get(given))

    def test_a_program_that_was_installed_anew_is_compared_once_and_not_used_when_it_differs(self):
        program_file = self.directory / "sh"
        program_file.write_bytes(pathlib.Path("/bin/sh").resolve().read_bytes())
        program_file.chmod(0o755)
        self.build("sh", program_file, "-c", "echo up; read line; exit 6", ready="log:^up")
        self.assertEqual(self.icecore("image", "run", "sh").status, 6)
        self.assertFalse((self.store / "same").exists())
        again = self.directory / "again"
        shutil.copy(program_file, again)
        again.rename(program_file)
        for _ in range(2):
            self.assertEqual(self.icecore("image", "run", "sh").status, 6)
        notes = [note.read_text() for note in (self.store / "same").iterdir()]
        self.assertEqual(len(notes), 1)
        self.assertIn(f" {program_file.stat().st_ino} ", notes[0])
        with program_file.open("r+b") as file:
            file.seek(0x1000)
            file.write(bytes(65536))  # would crash
        self.assertEqual(self.icecore("image", "run", "sh").status, 6)
        self.done("gc")
        self.assertFalse((self.store / "same").exists())

    @staticmethod
    def listens(port):
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    def test_a_program_that_is_gone_is_in_its_image_and_a_missing_directory_is_named(self):
        away = self.directory / "away"
        away.mkdir()
        program_file = away / "sh"
        program_file.write_bytes(pathlib.Path("/bin/sh").resolve().read_bytes())
        program_file.chmod(0o755)
        self.build("gone", program_file, "-c", "echo up; read line; exit 6", ready="log:^up")
        program_file.unlink()
        self.assertEqual(self.icecore("image", "run", "gone").status, 6)
        os.chdir(away)
        self.addCleanup(os.chdir, "/")
        self.build("nowhere", PYTHON, "-c", "f = open('log', 'a'); print('up', flush=True); input()", ready="log:up")
        os.chdir("/")
        shutil.rmtree(away)
        refused = self.icecore("image", "run", "nowhere")
        self.assertNotEqual(refused.status, 0)
        self.assertIn(str(away), refused.err)

    def test_a_disk_without_room_is_named_when_a_copy_cannot_be_started(self):
        disk = self.directory / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400M", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.store = disk / "store"
        self.build("sh", "/bin/sh", "-c", "echo up; read line; exit 6", ready="log:^up")
        with (disk / "filler").open("wb") as filler:
            with self.assertRaises(OSError):
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
        full = self.icecore("image", "run", "sh")
        if full.status != 6:  # its index needs a page in some file systems
            self.assertRegex(full.err, rf"\Aerror: .*{disk}.*: No space left on device")
        (disk / "filler").unlink()
        self.assertEqual(self.icecore("image", "run", "sh").status, 6)
        self.done("image", "rm", "sh")  # before its store goes

    def test_the_description_is_for_programs_too(self):
        self.build("sh", "/bin/sh", "-c", "echo up; exec sleep 99", ready="log:^up")
        shown = json.loads(self.done("image", "show", "sh", "--json").out)
        self.assertEqual((shown["name"], shown["command"]), ("sh", ["/bin/sh", "-c", "echo up; exec sleep 99"]))


if __name__ == "__main__":
    harness.main()
