#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person may get wrong: each is answered with one line, the right status, and no harm done."""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

import harness

IDLE = harness.VICTIMS / "idle"
NOBODY = 65534


class BadInput(harness.CliTest):
    def start(self, *command, **popen):
        popen.setdefault("env", self.environment())
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **popen)

        def stop():
            if process.poll() is None:
                process.kill()
            with contextlib.suppress(ValueError):
                process.communicate()

        self.addCleanup(stop)
        return process

    def victim(self):
        victim = self.start(IDLE)
        self.assertEqual(victim.stdout.readline(), "READY\n")
        return victim

    def unharmed(self, victim):
        victim.stdin.write("touch 2\n")
        victim.stdin.flush()
        self.assertEqual(victim.stdout.readline(), "DONE\n")

    def wait_for(self, condition, what):
        deadline = time.monotonic() + harness.DEADLINE
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.02)
        self.fail(f"not seen: {what}")
        return None

    def recorded(self, count=2):
        """A small recording named `r` to look at."""
        victim = self.victim()
        self.done("attach", "--every", "20ms", "--count", str(count), "--name", "r", victim.pid)
        return victim


class Pids(BadInput):
    VERBS = (("attach", "--count", "1"), ("snap",), ("freeze",))

    def refuse_all(self, status, pid, what, hint="."):
        for verb in self.VERBS:
            with self.subTest(verb=verb[0]):
                ended = self.refused(status, *verb, pid, what=what, hint=hint)
                self.assertEqual(sum(line.startswith("error: ") for line in ended.err.splitlines()), 1)
        self.assertFalse(self.store.exists())

    def test_process_that_does_not_exist(self):
        gone = self.start("true")
        gone.wait()
        self.refuse_all(1, gone.pid, what=f"process {gone.pid}: no such process")

    def test_word_that_is_no_pid(self):
        self.refused(2, "attach", "-5", what="-5")
        self.refused(2, "attach", "99999999999", what="99999999999")
        self.refused(2, "attach", "redis", what="redis")

    def test_kernel_thread(self):
        if os.path.exists("/proc/2/exe") and pathlib.Path("/proc/2/comm").read_text() != "kthreadd\n":
            self.skipTest("needs a kernel thread in sight")
        if not os.path.exists("/proc/2"):
            self.skipTest("needs a kernel thread in sight")
        self.refuse_all(3, 2, what="kernel thread")

    def test_icecore_itself_and_its_ancestors(self):
        self.refuse_all(3, os.getpid(), what=rf"process {os.getpid()} .*ancestor of icecore")
        script = 'exec "$0" snap $$'
        finished = subprocess.run(["sh", "-c", script, harness.ICECORE], env=self.environment(), text=True,
                                  capture_output=True, timeout=harness.DEADLINE, check=False)
        self.assertEqual(finished.returncode, 3, finished.stderr)
        self.assertRegex(finished.stderr, r"^error: process \d+ .* is icecore itself")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")
    def test_process_of_another_user(self):
        victim = self.victim()
        directory = tempfile.mkdtemp(prefix="icecore-nobody.")
        self.addCleanup(shutil.rmtree, directory, True)
        os.chmod(directory, 0o777)
        reachable = pathlib.Path(directory) / "icecore"
        shutil.copy(harness.ICECORE, reachable)
        for verb in self.VERBS:
            finished = subprocess.run(
                ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(reachable), *verb,
                 str(victim.pid)], env=self.environment(ICECORE_STORE=directory + "/store"), cwd=directory,
                capture_output=True, text=True, timeout=harness.DEADLINE, check=False)
            self.assertEqual(finished.returncode, 1, finished.stderr)
            self.assertRegex(finished.stderr, rf"^error: process {victim.pid} \(idle\) belongs to root")
            self.assertIn("hint:  sudo icecore", finished.stderr)
        self.unharmed(victim)

    @unittest.skipUnless(shutil.which("strace"), "needs strace")
    def test_process_that_is_traced_already(self):
        victim = self.victim()
        tracer = self.start("strace", "-qq", "-o", "/dev/null", "-p", victim.pid)
        status = pathlib.Path(f"/proc/{victim.pid}/status")
        self.wait_for(lambda: f"TracerPid:\t{tracer.pid}" in status.read_text(), "strace attached")
        self.refuse_all(1, victim.pid, what=r"already traced by process \d+ \(strace\)", hint="detach")
        self.unharmed(victim)

    @unittest.skipUnless(shutil.which("gdb"), "needs gdb")
    def test_process_that_a_debugger_holds_stopped(self):
        victim = self.victim()
        debugger = self.start("gdb", "-nx", "-q", "-p", victim.pid)
        status = pathlib.Path(f"/proc/{victim.pid}/status")
        self.wait_for(lambda: f"TracerPid:\t{debugger.pid}" in status.read_text(), "gdb attached")
        self.refuse_all(1, victim.pid, what=r"already traced by process \d+ \(gdb\)", hint="detach")
        self.assertIn(f"TracerPid:\t{debugger.pid}", status.read_text())
        debugger.communicate("detach\nquit\n", timeout=harness.DEADLINE)
        self.unharmed(victim)


class Programs(BadInput):
    def test_program_that_is_not_there(self):
        self.refused(127, "run", "--", "no-such-program", what="run no-such-program: No such file", hint="command -v")

    def test_program_that_cannot_be_executed(self):
        text = self.directory / "text"
        text.write_text("no program")
        self.refused(126, "run", "--", text, what="text: Permission denied")
        self.refused(126, "run", "--", self.directory, what="Permission denied")
        self.assertEqual(self.done("list", "--json").json(), [])

    def test_no_program_at_all(self):
        self.refused(2, "run", what="no program")


class Stores(BadInput):
    def test_unknown_names_say_which_are_near(self):
        self.recorded()
        self.refused(1, "show", "rr@1", what='"?rr"?', why="r")
        self.refused(1, "show", "r@7", what="7", why="1")
        self.refused(1, "gdb", "r@nope", what="nope")
        self.refused(1, "list", "x", what='"x"')
        self.refused(2, "show", "r@", what="r@")

    def test_directory_that_is_no_store_is_left_alone(self):
        self.store.mkdir()
        (self.store / "letter").write_text("dear")
        victim = self.victim()
        for verb in (("list",), ("snap", victim.pid), ("gc",), ("verify",)):
            ended = self.refused(10, *verb, what=re.escape(str(self.store)))
            self.assertIn("hint:", ended.err)
        self.refused(10, "run", "--", "true", what=re.escape(str(self.store)))
        self.assertEqual([file.name for file in self.store.iterdir()], ["letter"])
        self.unharmed(victim)

    def test_store_that_is_a_file(self):
        self.store.write_text("dear")
        self.refused(10, "list", what=re.escape(str(self.store)))
        self.assertEqual(self.store.read_text(), "dear")

    def test_store_of_a_newer_format(self):
        self.recorded()
        with contextlib.closing(sqlite3.connect(self.store / "index.db")) as index:
            index.execute("PRAGMA user_version = 999")
        for verb in (("list",), ("run", "--", "true"), ("verify",)):
            ended = self.icecore(*verb)
            self.assertNotEqual(ended.status, 0)
            self.assertRegex(ended.err, r"^error: .*(999|newer)")
            self.assertIn("hint:", ended.err)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root and unshare")
    def test_read_only_store_can_be_looked_at_but_not_written(self):
        victim = self.recorded()
        script = ('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77; '
                  '"$0" list r --json > /dev/null || exit 78; "$0" show r@1 > /dev/null || exit 79; '
                  '"$0" snap ' + str(victim.pid))
        finished = subprocess.run(["unshare", "-m", "sh", "-c", script, harness.ICECORE, str(self.store)],
                                  env=self.environment(), capture_output=True, text=True, timeout=harness.DEADLINE,
                                  check=False)
        if finished.returncode == 77:
            self.skipTest("needs the right to mount")
        self.assertEqual(finished.returncode, 1, finished.stderr)
        self.assertRegex(finished.stderr, r"^error: .*(Read-only|read-only|readonly)")
        self.unharmed(victim)
        self.done("verify")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root and unshare")
    def test_full_disk_costs_no_snapshot_that_was_there_and_no_program(self):
        """A store of 3 MiB, and a program that dirties more of it than there is."""
        self.store.mkdir()
        dirty = ("import os, sys\nkept = []\nfor i in range(60):\n    kept.append(os.urandom(300000))\n"
                 "    import time; time.sleep(0.05)\nprint('survived')\n")
        script = ('mount -t tmpfs -o size=3m,mode=0700 none "$1" || exit 77; '
                  '"$0" run --every 50ms --name full -- python3 -c "$2"; echo "status $?"; '
                  '"$0" verify && echo clean; "$0" list full --json | grep -c \'"number"\'; "$0" list full --skipped')
        finished = subprocess.run(["unshare", "-m", "sh", "-c", script, harness.ICECORE, str(self.store), dirty],
                                  env=self.environment(), capture_output=True, text=True, timeout=55, check=False)
        if finished.returncode == 77:
            self.skipTest("needs the right to mount")
        self.assertIn("survived\nstatus 0\n", finished.stdout, finished.stderr)
        self.assertIn("clean\n", finished.stdout, finished.stdout + finished.stderr)
        self.assertRegex(finished.stderr, "(?i)no space left|disk is full|full")


class Debuggers(BadInput):
    def serve(self):
        self.recorded()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        server = self.start(harness.ICECORE, "serve", "r@1", "--listen", f"127.0.0.1:{self.port}")
        self.wait_for(self.listening, "a listening server")
        return server

    def listening(self):
        wanted = f"0100007F:{self.port:04X} 00000000:0000 0A"
        return wanted in pathlib.Path("/proc/net/tcp").read_text()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def packet(self, connection, body):
        text = body.encode()
        connection.sendall(b"$" + text + b"#%02x" % (sum(text) % 256))
        received = b""
        while not re.search(rb"\$[^#]*#..", received):
            got = connection.recv(4096)
            if not got:
                self.fail(f"closed after {received!r}")
            received += got
        return received

    def served(self):
        try:
            with self.connect() as good:
                good.sendall(b"$qSupported:multiprocess+#c6")
                return b"PacketSize" in good.recv(4096)
        except OSError:
            return False

    def misbehave(self, *pieces):
        server = self.serve()
        with self.connect() as bad:
            with contextlib.suppress(OSError):  # it may hang up on us
                for piece in pieces:
                    bad.sendall(piece)
        # One at a time: the next is served as soon as the server has seen the bad one go.
        self.wait_for(self.served, "an answer to the next client")
        self.assertIsNone(server.poll())
        self.done("verify")

    def test_client_that_says_nothing_and_leaves(self):
        self.misbehave()

    def test_client_that_sends_garbage(self):
        self.misbehave(bytes(range(256)) * 50, b"GET / HTTP/1.0\r\n\r\n", b"$#zz$}#7d")

    def test_client_that_sends_a_huge_packet(self):
        self.misbehave(b"$m" + b"f" * 5_000_000)

    def test_client_that_leaves_within_a_packet(self):
        self.misbehave(b"+$qSupp")

    def test_second_debugger_is_told_or_waits(self):
        self.serve()
        with self.connect() as first, self.connect() as second:
            self.assertIn(b"PacketSize", self.packet(first, "qSupported:multiprocess+"))
            second.settimeout(1)
            with contextlib.suppress(OSError):  # refused at once, or left waiting; served never
                second.sendall(b"$qSupported:multiprocess+#c6")
                self.assertNotIn(b"PacketSize", second.recv(4096))
            self.assertRegex(self.packet(first, "?"), rb"\$[TS]")


harness.main()
