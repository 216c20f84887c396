#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`icecore gdbserver` where a real gdb expects gdbserver: command line, messages, and what its packets do.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import re
import select
import subprocess

import built_program
from built_program import ICECORE, LIMIT, clean

PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int total;
void count(int i) {
  total += i;
}
void *worker(void *gate) {
  char byte;
  if (read(*(int *)gate, &byte, 1) == 1) count(100);
  return 0;
}
int main(int argc, char **argv) {
  int gate[2];
  if (argc > 1 && !strcmp(argv[1], "threads")) {
    pthread_t thread;
    if (pipe(gate)) return 9;
    pthread_create(&thread, 0, worker, &gate[0]);
    count(1);
    if (write(gate[1], "x", 1) != 1) return 9;
    pthread_join(thread, 0);
    return 0;
  }
  for (int i = 0; i < 10; i++) count(i);
  printf("total %d name %s\n", total, getenv("ICECORE_NAME"));
  fflush(stdout);
  if (argc > 1 && !strcmp(argv[1], "abort")) abort();
  return argc > 1 ? atoi(argv[1]) : 0;
}
"""


class Server:
    """An `icecore gdbserver`; what it says on stderr is collected."""

    def __init__(self, *words, **options):
        self.process = subprocess.Popen([ICECORE, "gdbserver", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, preexec_fn=clean, **options)
        self.said = ""
        self.output = ""
        self.port = re.search(r"Listening on port (\d+)", self.hear("Listening on port \\d+\n")).group(1)

    def hear(self, pattern, after=0):
        """What was said once `pattern` is in it."""
        while not re.search(pattern, self.said[after:]):
            if not select.select([self.process.stderr], [], [], LIMIT)[0]:
                raise AssertionError(f"no {pattern!r} in {self.said!r}")
            piece = os.read(self.process.stderr.fileno(), 4096).decode()
            if not piece:
                raise AssertionError(f"ended without {pattern!r}: {self.said!r}")
            self.said += piece
        return self.said

    def end(self):
        """Waits for its end; returns the exit status."""
        out, err = self.process.communicate(timeout=LIMIT)
        self.output, self.said = out.decode(), self.said + err.decode()
        return self.process.returncode

    def terminate(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.end()
        self.process.stdout.close()
        self.process.stderr.close()


class GdbserverTest(built_program.BuiltProgramTest):
    NAME = "counter"
    SOURCE = PROGRAM

    def serve(self, *words, **options):
        server = Server(*words, **options)
        self.addCleanup(server.terminate)
        return server

    def gdb(self, *commands, before=()):
        """Runs gdb over the commands; returns what it printed."""
        words = ["gdb", "-nx", "-q", "-batch", "-iex", "set sysroot", "-iex", "set debuginfod enabled off"]
        for command in before:
            words += ["-iex", command]
        words.append(self.program)
        for command in commands:
            words += ["-ex", command]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT, preexec_fn=clean, cwd=self.folder.name)
        return done.stdout

    def test_program_runs_to_its_end(self):
        server = self.serve("localhost:0", self.program, "7")
        text = self.gdb(f"target remote :{server.port}", "break count if i == 3", "info breakpoints", "continue",
                        "print i", "delete", "continue")
        self.assertRegex(text, r"stop only if i == 3 \((target|host) evals\)|stop only if i == 3")
        self.assertRegex(text, r"\$1 = 3\b")
        self.assertRegex(text, r"exited with code 07")
        self.assertEqual(server.end(), 0)
        self.assertEqual(server.output, "total 45 name (null)\n")
        self.assertRegex(server.said, r"\AProcess \S+/counter created; pid = \d+\nListening on port \d+\n"
                                      r"Remote debugging from host (127\.0\.0\.1|::1), port \d+\n\n"
                                      r"Child exited with status 7\n\Z")

    def test_death_by_signal(self):
        server = self.serve(":0", self.program, "abort")
        text = self.gdb(f"target remote :{server.port}", "continue", "print $_siginfo.si_signo", "continue")
        self.assertRegex(text, r"received signal SIGABRT")
        self.assertRegex(text, r"\$1 = 6\b")
        self.assertRegex(text, r"terminated with signal SIGABRT")
        server.end()
        self.assertIn("\nChild terminated with signal = 0x6 (SIGABRT)\n", server.said)

    def test_conditions_are_evaluated_here(self):
        server = self.serve(":0", self.program)
        text = self.gdb(f"target remote :{server.port}", "set breakpoint condition-evaluation target",
                        "break main", "continue", "break count if total * 2 + i / 3 > 50 && i != 9",
                        "set debug remote 1", "continue",
                        "set debug remote 0", "print i", "kill")
        self.assertRegex(text, r"\$1 = 8\b")
        self.assertRegex(text, r"Sending packet: \$Z0,[0-9a-f]+,1;X")
        stops = re.findall(r"Packet received: T05swbreak", text)
        self.assertEqual(len(stops), 1, "hits that do not count must not reach gdb")
        server.end()

    def test_dprintf_prints_on_gdbs_console(self):
        server = self.serve(":0", self.program)
        text = self.gdb(f"target remote :{server.port}", "set dprintf-style agent",
                        'dprintf count,"here %d of %d\\n", i, total', "continue")
        self.assertEqual(re.findall(r"here (\d+) of (\d+)", text)[:4], [("0", "0"), ("1", "0"), ("2", "1"), ("3", "3")])
        self.assertRegex(text, r"exited normally")
        server.end()

    def test_detach_kill_and_exit_are_told(self):
        for command, message in (("detach", r"Detaching from process \d+\n\Z"),
                                 ("kill", r"port \d+\n\Z"),
                                 ("monitor exit", r"Killing process\(es\): \d+\n\Z")):
            server = self.serve(":0", self.program)
            self.gdb(f"target remote :{server.port}", command)
            self.assertEqual(server.end(), 0, command)
            self.assertRegex(server.said, message, command)

    def test_once_ends_and_else_the_connection_is_reopened(self):
        once = self.serve("--once", ":0", self.program)
        self.gdb(f"target remote :{once.port}", "disconnect")
        self.assertEqual(once.end(), 0)
        self.assertRegex(once.said, r"Killing process\(es\): \d+\n\Z")
        server = self.serve(":0", self.program)
        self.gdb(f"target remote :{server.port}", "break main", "continue", "disconnect")
        server.hear(r"Remote side has terminated connection\.  GDBserver will reopen the connection\.\n"
                    r"Listening on port \d+\n")
        text = self.gdb(f"target remote :{server.port}", "info symbol $pc", "continue")
        self.assertRegex(text, r"main")
        self.assertRegex(text, r"exited normally")
        self.assertEqual(server.end(), 0)

    def test_clients_start_programs(self):
        server = self.serve("--multi", ":0")
        text = self.gdb(f"target extended-remote :{server.port}", f"set remote exec-file {self.program}",
                        "set environment ICECORE_NAME=two words", "set args 3", "run", "set args 'threads'", "run",
                        "start", "info inferiors", "kill", f"set cwd {self.folder.name}", "starti", "info proc cwd",
                        "kill", "monitor exit", before=("set confirm off",))
        self.assertRegex(text, r"exited with code 03")
        self.assertRegex(text, r"exited normally")
        self.assertRegex(text, r"Temporary breakpoint 1, main")
        self.assertIn(f"cwd = '{os.path.realpath(self.folder.name)}'", text)
        server.end()
        self.assertEqual(server.output, "total 45 name two words\n")
        self.assertRegex(server.said, r"Process \S+ created; pid = \d+\n")

    def test_clients_attach_and_let_go(self):
        with subprocess.Popen(["sleep", "1000"], preexec_fn=clean) as sleeper:
            try:
                server = self.serve("--attach", ":0", str(sleeper.pid))
                text = self.gdb(f"target remote :{server.port}", "info inferiors", "detach")
                self.assertIn(f"process {sleeper.pid}", text)
                self.assertEqual(server.end(), 0)
                self.assertRegex(server.said, rf"\AAttached; pid = {sleeper.pid}\n")
                server = self.serve("--multi", ":0")
                text = self.gdb(f"target extended-remote :{server.port}", f"attach {sleeper.pid}", "info inferiors",
                                "detach", "monitor exit")
                self.assertRegex(text, rf"\[Inferior 1 \(process {sleeper.pid}\) detached\]")
                server.end()
                with open(f"/proc/{sleeper.pid}/status", encoding="ascii") as status:
                    self.assertIn("State:\tS", status.read())
            finally:
                sleeper.kill()

    def test_threads_stop_one_by_one(self):
        server = self.serve(":0", self.program, "threads")
        text = self.gdb(f"target remote :{server.port}", "break count", "continue", "info threads", "thread",
                        "continue", "info threads", "print i", "delete", "continue",
                        before=("set non-stop on", "set pagination off"))
        self.assertRegex(text, r"hit Breakpoint 1, count \(i=1\)")
        self.assertRegex(text, r"\(running\)")
        server.terminate()

    def test_standard_streams(self):
        text = self.gdb(f"target remote | {ICECORE} gdbserver - {self.program} 4", "continue")
        self.assertIn("Remote debugging using stdio", text)
        self.assertIn("exited with code 04", text)

    def test_machine_interface(self):
        """What VS Code, Emacs and others send."""
        server = self.serve("--once", "localhost:0", self.program, "5")
        with subprocess.Popen(["gdb", "-q", "-nx", "-i=mi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, preexec_fn=clean) as gdb:
            def ask(line, *answers):
                gdb.stdin.write(line + "\n")
                gdb.stdin.flush()
                for answer in answers:
                    seen = []
                    while not (seen and re.search(answer, seen[-1])):
                        seen.append(gdb.stdout.readline())
                        self.assertTrue(seen[-1], f"{line}: gdb ended: {seen}")
                return seen[-1]
            try:
                ask("1-gdb-set mi-async on", r"^1\^done")
                ask("2-gdb-set sysroot /", r"^2\^done")
                ask(f"3-file-exec-and-symbols {self.program}", r"^3\^done")
                ask(f"4-target-select remote localhost:{server.port}", r"^4\^connected")
                ask("5-break-insert -f -c i==2 count", r"^5\^done,bkpt=")
                ask("6-exec-continue", r"^6\^running", r'^\*stopped,reason="breakpoint-hit".*name="i",value="2"')
                ask("7-data-evaluate-expression total", r'^7\^done,value="1"')
                ask("8-exec-next", r"^8\^running", r'^\*stopped,reason="end-stepping-range"')
                ask("9-break-delete 1", r"^9\^done")
                ask("10-exec-continue", r"^10\^running", r'^\*stopped,reason="exited",exit-code="05"')
                ask("11-gdb-exit", r"^11\^exit")
            finally:
                gdb.kill()
        self.assertEqual(server.end(), 0)

    def test_wrapper_and_shell(self):
        for words in (("--wrapper", "env", "ICECORE_NAME=wrapped", "--"),
                      ("--no-startup-with-shell", "--wrapper", "env", "ICECORE_NAME=wrapped", "--")):
            server = self.serve(*words, ":0", self.program)
            text = self.gdb(f"target remote :{server.port}", "continue")
            self.assertIn("exited normally", text)
            server.end()
            self.assertEqual(server.output, "total 45 name wrapped\n", words)

    def test_wrong_command_lines(self):
        for words, message in (((), "COMM is missing"), ((":0",), "PROG is missing"), (("/dev/ttyS0", "x"), "serial"),
                               (("nonsense", "x"), "no address"), (("--attach", ":0", "x"), "no process id"),
                               (("--attach", ":0"), "one PID"), ((":0", "/nonexistent/program"), "nonexistent")):
            done = subprocess.run([ICECORE, "gdbserver", *words], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=LIMIT, preexec_fn=clean)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(message, done.stderr, words)


if __name__ == "__main__":
    built_program.main("gdb")
