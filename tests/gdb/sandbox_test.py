#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a snapshot restored under gdb can reach of the machine, and what it finds that is no longer as it was.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import errno
import fcntl
import os
import select
import shutil
import signal
import socket
import unittest.mock

import built_program
import live
import recorded_program
from built_program import LIMIT

PROGRAM = r"""
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int tcp = -1, stream = -1, datagrams = -1;
int open_error(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT, 0644);
  return fd < 0 ? errno : 0;
}
int read_error(int fd) {
  char byte;
  long got = read(fd, &byte, 1);
  return got < 0 ? errno : -(int)got;
}
int send_error(int fd) { return send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? errno : 0; }
int to_unix(int type, const char *path) {
  struct sockaddr_un to = {AF_UNIX};
  int fd = socket(AF_UNIX, type, 0);
  strcpy(to.sun_path, path);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) exit(1);
  return fd;
}
int to_unix_error(const char *path) {
  struct sockaddr_un to = {AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  strcpy(to.sun_path, path);
  return connect(fd, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}
int main(int argc, char **argv) {
  if (argc > 3) {
    struct sockaddr_in to = {AF_INET, htons(atoi(argv[1])), {htonl(INADDR_LOOPBACK)}};
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(tcp, (struct sockaddr *)&to, sizeof to)) return 1;
    stream = to_unix(SOCK_STREAM, argv[2]);
    datagrams = to_unix(SOCK_DGRAM, argv[3]);
  }
  puts("before");
  fflush(stdout);
  close(3);
  for (int round = 0;; round++) {
    printf("round %d\n", round);
    fflush(stdout);
    usleep(1000);
  }
}
"""


class SandboxTest(recorded_program.RecordedProgramTest):
    NAME = "reaching"
    SOURCE = PROGRAM

    def test_files_that_have_changed_are_taken_as_they_are(self):
        log = self.here / "log"
        gone = self.here / "gone"
        gone.mkdir()
        with open(log, "w", encoding="ascii") as out, open(gone / "errors", "w", encoding="ascii") as errors:
            self.record(stdout=out, stderr=errors)
        shutil.rmtree(gone)
        with open(log, "a", encoding="ascii") as out:
            out.write("more\n")
        before = log.read_text(encoding="ascii")
        text = self.live("break usleep", "continue", "continue", "info inferiors")
        self.expect(text, rf"note: not as they were: .*{log} \(it had \d+ bytes and has \d+\)", r"Breakpoint 1, usleep",
                    r"Breakpoint 1, usleep")
        self.expect(text, rf"{gone}/errors \(it is gone: zeros stand for what it had\)")
        self.assertEqual(text.count("note:"), 1, text)
        self.assertEqual(log.read_text(encoding="ascii"), before)
        self.assertFalse(gone.exists())

    def test_a_renamed_file_is_copied_to_where_it_was(self):
        log = self.here / "log"
        with open(log, "w", encoding="ascii") as out:
            self.record(stdout=out)
        rotated = log.rename(self.here / "log.1")
        with open(rotated, "a", encoding="ascii") as out:
            out.write("more\n")
        log.write_text("another\n", encoding="ascii")
        before = rotated.read_text(encoding="ascii")
        text = self.live("break usleep", "continue", "info proc", "python import os",
                         "python print('READS', os.readlink(f'/proc/{gdb.selected_inferior().pid}/fd/1'), "
                         "open(f'/proc/{gdb.selected_inferior().pid}/fd/1').read(8))")
        self.expect(text, rf"READS {log} before\n")
        self.assertEqual(rotated.read_text(encoding="ascii"), before)
        self.assertEqual(log.read_text(encoding="ascii"), "another\n")

    def test_the_machines_files_and_settings_cannot_be_written(self):
        self.record()
        outside, temporary = (f"{place}/icecore-sandbox-probe-{os.getpid()}" for place in ("/etc", "/tmp"))
        text = self.live("up", "break usleep", "continue", f'print open_error("{outside}")',
                         f'print open_error("{temporary}")', 'print open_error("/proc/sys/kernel/printk")',
                         'print open_error("/dev/null")')
        self.expect(text, rf"= {errno.EROFS}\b", r"= 0\b", rf"= {errno.EROFS}\b", r"= 0\b")
        self.assertFalse(os.path.exists(outside) or os.path.exists(temporary))

    def test_shared_files_are_the_machines(self):
        self.record()
        probe = self.here / "probe"
        text = self.live("break usleep", "continue", f'print open_error("{probe}")', words=("--share", "files"))
        self.expect(text, r"= 0\b")
        self.assertTrue(probe.exists())

    def test_connections_that_left_the_tree_are_reset(self):
        names = [str(self.here / name) for name in ("stream", "datagrams")]
        with socket.socket() as server, socket.socket(socket.AF_UNIX) as stream, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            server.bind(("127.0.0.1", 0))
            server.listen()
            stream.bind(names[0])
            stream.listen()
            datagrams.bind(names[1])
            datagrams.setblocking(False)
            self.record(server.getsockname()[1], *names)
            text = self.live("break usleep", "continue", "print read_error(tcp)", "print send_error(tcp)",
                             "print read_error(stream)", "print send_error(stream)", "print send_error(datagrams)",
                             f'print to_unix_error("{names[0]}")')
            self.expect(text, rf"= {errno.ECONNRESET}\b", rf"= {errno.EPIPE}\b", r"= 0\b", rf"= {errno.EPIPE}\b",
                        rf"= {errno.ECONNREFUSED}\b", rf"= {errno.ECONNREFUSED}\b")
            with self.assertRaises(BlockingIOError):
                datagrams.recv(1)

    def lives(self):
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{name}/exe") == os.path.realpath(self.program):
                    found.append(int(name))
            except OSError:
                pass
        return found

    def inhabitants(self, life):
        """Who lives in a namespace of `life`; not who only waits to be reaped."""
        def spaces(process):
            try:
                return {os.readlink(f"/proc/{process}/ns/{kind}") for kind in ("mnt", "pid", "net")}
            except OSError:
                return set()
        wanted = spaces(life)
        return [int(name) for name in os.listdir("/proc")
                if name.isdigit() and spaces(name) & wanted and (live.state_of(name) or "Z")[0] != "Z"]

    def test_killing_everybody_leaves_nothing(self):
        self.record()
        for doomed in (("icecore",), ("gdb",), ("icecore", "gdb")):
            gdb = self.live_gdb()
            gdb.ask("break usleep", "continue")
            # The process, copies of it to go back to, and their init.
            inhabitants = self.inhabitants(self.lives()[0])
            self.assertGreater(len(inhabitants), 1)
            handles = [os.pidfd_open(inhabitant) for inhabitant in inhabitants]
            with open(f"/proc/{gdb.process.pid}/task/{gdb.process.pid}/children", encoding="ascii") as children:
                pids = {"icecore": gdb.process.pid}
                for child in children.read().split():
                    with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                        pids[comm.read().strip()] = int(child)
            for name in doomed:
                os.kill(pids[name], signal.SIGKILL)
            if "gdb" not in doomed:
                gdb.process.stdin.close()
            for handle in handles:
                self.assertTrue(select.select([handle], [], [], LIMIT)[0], doomed)
                os.close(handle)
            gdb.process.wait(LIMIT)
            self.assertEqual(self.lives(), [], doomed)

    def test_directories_of_killed_sessions_are_removed_by_the_next(self):
        self.record()
        runtime = self.here / "runtime"
        old, used = (runtime / f"icecore-session.{name}" for name in ("abcdef", "ghijkl"))
        for directory in (old, used):
            directory.mkdir(parents=True)
            (directory / "begin.gdb").write_text("", encoding="ascii")
            os.utime(directory, (1, 1))
        in_use = os.open(used, os.O_RDONLY)
        fcntl.flock(in_use, fcntl.LOCK_EX)
        with unittest.mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(runtime)}):
            self.live("info inferiors")
        self.assertEqual(list(runtime.iterdir()), [used])
        os.close(in_use)


if __name__ == "__main__":
    built_program.main("gdb")
