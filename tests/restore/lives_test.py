#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person does with `icecore restore`: many lives, suspend and resume, refusals, and no traces."""
import os
import pathlib
import signal
import subprocess
import time

import revival


# Ends with status 5 when the memory says so.
COUNTING_IN_NAMED_MEMORY = """
import mmap, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
os.ftruncate(fd, 4096)
memory = mmap.mmap(fd, 4096)
memory[1:4] = b'12x'
memory[0:1] = b'R'
while memory[0:1] == b'R': time.sleep(0.01)
sys.exit(5)
"""


def processes():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class Lives(revival.RevivalTest):
    def idle(self):
        """A small victim that only waits; its snapshot is idle@1, and it lives on."""
        process, place = self.victim("policy")
        self.snap(process.pid, "idle")
        return process, place

    def leftovers(self, before):
        time.sleep(0.2)
        self.reap()
        return {pid: name_of(pid) for pid in processes() - before
                if name_of(pid).startswith(("revive", "icecore-init", "a new name"))}

    def test_lives_beside_the_original_and_beside_each_other(self):
        original, place = self.idle()
        lives = [self.restore("idle") for _ in range(5)]
        for life in lives:
            self.wait_for(lambda life=life: "runs as process" in life.said.read_text(), "life")
        self.assertIsNone(original.poll())
        self.assertEqual([life.poll() for life in lives], [None] * 5)
        (place / "go").touch()
        for life in lives:
            self.assertEqual(life.wait(revival.LONG), 0, life.said.read_text())
        self.assertEqual(original.wait(revival.LONG), 0)

    def test_named_memory_is_not_shared_with_the_original(self):
        name = f"/dev/shm/icecore-test-{os.getpid()}"
        self.addCleanup(pathlib.Path(name).unlink, missing_ok=True)
        program = self.start("python3", "-c", COUNTING_IN_NAMED_MEMORY, name)
        self.wait_for(lambda: os.path.exists(name) and pathlib.Path(name).read_bytes()[:1] == b"R", "memory")
        self.snap(program.pid, "memory")
        pathlib.Path(name).write_bytes(b"E" + bytes(4095))  # the original ends itself
        self.assertEqual(program.wait(revival.LONG), 5)
        pathlib.Path(name).unlink()
        life = self.restore("memory", "--pidfile", self.directory / "pid")
        pid = int(self.wait_for(lambda: (self.directory / "pid").exists() and
                                (self.directory / "pid").read_text(), "pid file"))
        own = pathlib.Path(f"/proc/{pid}/root{name}")
        self.assertEqual(own.read_bytes()[:5], b"R12x\0")
        self.assertFalse(os.path.exists(name))
        own.write_bytes(b"E" + bytes(4095))
        self.assertEqual(life.wait(revival.LONG), 5, life.said.read_text())

    def test_ten_lives_in_a_row(self):
        process, place = self.idle()
        process.kill()
        process.wait()
        for _ in range(10):
            self.revived(self.restore("idle"), place)

    def test_suspend_and_resume(self):
        process, place = self.victim("threads")
        pid = process.pid
        self.snap(pid, "t", "--kill")
        self.assertEqual(process.wait(), -signal.SIGKILL)
        pidfile = self.directory / "pid"
        self.done("restore", "--in-place", "--detach", "--pidfile", pidfile, "t")
        self.assertEqual(pidfile.read_text(), f"{pid}\n")
        (place / "go").touch()
        self.wait_for((place / "result").exists, "result")
        self.assertEqual((place / "result").read_text(), "equal\n")

    def test_stopped_until_it_is_continued(self):
        process, place = self.idle()
        process.kill()
        process.wait()
        life = self.restore("idle", "--stopped", "--pidfile", self.directory / "pid")
        pid = int(self.wait_for(lambda: (self.directory / "pid").exists() and
                                (self.directory / "pid").read_text(), "pid file"))
        stat = pathlib.Path(f"/proc/{pid}/stat")
        # It stops when it is given a processor.
        self.wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", "a stopped process")
        os.kill(pid, signal.SIGCONT)
        self.revived(life, place)

    def test_signals_and_status_are_passed_on(self):
        process, _ = self.idle()
        process.kill()
        process.wait()
        life = self.restore("idle")
        self.wait_for(lambda: "runs as process" in life.said.read_text(), "life")
        life.send_signal(signal.SIGTERM)
        self.assertEqual(life.wait(revival.LONG), -signal.SIGTERM)

    def test_the_tree_ends_with_its_restorer(self):
        process, _ = self.idle()
        process.kill()
        process.wait()
        before = processes()
        life = self.restore("idle")
        self.wait_for(lambda: "runs as process" in life.said.read_text(), "life")
        life.kill()
        life.wait()
        self.assertEqual(self.wait_for(lambda: not self.leftovers(before), "end of the tree"), True)

    def test_a_taken_pid_is_refused_with_its_owner_and_nothing_is_left(self):
        original, _ = self.idle()
        before = processes()
        self.refused(3, "restore", "--in-place", "idle", what=rf"pid {original.pid} is taken by",
                     hint="leave out --in-place")
        self.assertEqual(self.leftovers(before), {})
        self.assertIsNone(original.poll())

    def test_whatever_fails_leaves_nothing(self):
        process, _ = self.victim("tree")
        self.snap(process.pid, "t", "--kill")
        process.wait()
        self.reap()
        before = processes()
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        # The pid of a grandchild, taken while most of the tree can be made.
        shown = self.done("show", "--json", "t").json()
        last = max(each["pid"] for each in shown["processes"])
        squatter = self.squat(last)
        try:
            self.refused(3, "restore", "--in-place", "t", what=rf"pid {last} is taken")
        finally:
            os.kill(squatter, signal.SIGKILL)
            os.waitpid(squatter, 0)
        self.assertEqual(self.leftovers(before), {})
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), mounts)

    @staticmethod
    def squat(pid):
        """A child of ours with that pid."""
        for _ in range(50):
            pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            if child == pid:
                return child
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        raise AssertionError(f"could not get pid {pid}")

    def test_check_tells_before(self):
        process, place = self.idle()
        self.assertIn("can be restored", self.done("restore", "--check", "idle").out)
        outside = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   pass_fds=(self.pipe_end(),))
        self.addCleanup(self.end, outside)
        self.addCleanup(outside.stdin.close)
        self.snap(outside.pid, "piped")
        ended = self.icecore("restore", "--check", "piped")
        self.assertEqual(ended.status, 3, ended.out)
        self.assertRegex(ended.out, r"fd \d+ \(pipe.*\): ")
        self.assertFalse(self.icecore("restore", "--check", "--json", "piped").json()["restorable"])
        (place / "go").touch()
        process.wait()

    def pipe_end(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        return write

    def test_a_restored_tree_is_snapshotted_and_restored_again(self):
        process, place = self.victim("memory")
        self.snap(process.pid, "m", "--kill")
        process.wait()
        self.reap()
        for number in range(1, 6):
            life = self.restore(f"m@{number}", "--pidfile", self.directory / "pid")
            self.wait_for(lambda life=life: "runs as process" in life.said.read_text(), "life")
            self.snap(int((self.directory / "pid").read_text()), "m", "--kill")
            life.wait()
            self.reap()
        self.revived(self.restore("m@6"), place)
        self.done("verify")


revival.main()
