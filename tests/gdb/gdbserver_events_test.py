#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What happens to processes, as a real gdb wants to be told of it by `icecore gdbserver`: signals, forks,
executions, system calls, several processes.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import subprocess

import built_program
from built_program import ICECORE, LIMIT, clean

PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int got;
void on_usr1(int signal, siginfo_t *info, void *context) { got = info->si_value.sival_int; }
int child_work(int x) { return x + 1; }
void waited(int status) { printf("child %d\n", WEXITSTATUS(status)); }
int main(int argc, char **argv) {
  struct sigaction action = {0};
  union sigval value = {.sival_int = 5};
  int status;
  action.sa_sigaction = on_usr1;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, 0);
  sigqueue(getpid(), SIGUSR1, value);
  printf("got %d\n", got);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) _exit(child_work(6));
  waitpid(child, &status, 0);
  waited(status);
  fflush(stdout);
  if (argc == 1) execl("/proc/self/exe", "again", "again", (char *)0);
  return 0;
}
"""


class EventsTest(built_program.BuiltProgramTest):
    NAME = "forking"
    SOURCE = PROGRAM

    def gdb(self, *commands, arguments=""):
        words = ["gdb", "-nx", "-q", "-batch", "-iex", "set sysroot", "-iex", "set confirm off",
                 "-iex", "set debuginfod enabled off", self.program,
                 "-ex", f"target extended-remote | {ICECORE} gdbserver - {self.program} {arguments}"]
        for command in commands:
            words += ["-ex", command]
        return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT, preexec_fn=clean, cwd=self.folder.name).stdout

    def test_a_signal_is_seen_and_changed(self):
        value = "$_siginfo._sifields._rt.si_sigval.sival_int"
        text = self.gdb("break fork", "continue", f"print {value}", f"print {value} = 77", "continue", "print got", "kill")
        self.expect(text, r"received signal SIGUSR1", r"\$1 = 5\b", r"\$2 = 77\b", r"\$3 = 77\b")

    def test_a_signal_is_passed_without_a_stop_or_swallowed(self):
        text = self.gdb("handle SIGUSR1 nostop noprint pass", "break fork", "continue", "print got", "kill")
        self.expect(text, r"Breakpoint 1, ", r"\$1 = 5\b")
        text = self.gdb("handle SIGUSR1 stop nopass", "break fork", "continue", "continue", "print got", "kill")
        self.expect(text, r"received signal SIGUSR1", r"Breakpoint 1, ", r"\$1 = 0\b")

    def test_a_child_is_followed(self):
        text = self.gdb("handle SIGUSR1 nostop noprint pass", "set follow-fork-mode child", "break child_work",
                        "continue", "print x", "continue", arguments="once")
        self.expect(text, r"Attaching after .* fork to child|New inferior 2", r"child_work \(x=6\)", r"\$1 = 6\b",
                    r"Inferior 2 .* exited with code 07")

    def test_both_sides_of_a_fork_are_kept(self):
        text = self.gdb("handle SIGUSR1 nostop noprint pass", "set detach-on-fork off", "set schedule-multiple on",
                        "break child_work", "break waited", "continue", "info inferiors", "continue",
                        *["inferior 1", "continue"] * 3, arguments="once")
        self.expect(text, r"child_work \(x=6\)", r"  1 +process \d+", r"\* 2 +process \d+")
        # The child's end and the parent's breakpoint come in either order.
        self.expect(text, r"Inferior 2 .* exited with code 07")
        self.expect(text, r"waited \(status=", r"Inferior 1 .* exited normally")

    def test_an_execution_is_caught(self):
        text = self.gdb("handle SIGUSR1 nostop noprint pass", "catch exec", "continue", "print $_exitcode", "delete",
                        "continue")
        self.expect(text, r"Catchpoint 1 \(exec'd .*forking\)", r"exited normally")

    def test_a_system_call_is_caught_at_both_ends(self):
        text = self.gdb("handle SIGUSR1 nostop noprint pass", "catch syscall rt_sigqueueinfo", "continue", "continue",
                        "print got", "kill")
        self.expect(text, r"call to syscall rt_sigqueueinfo", r"returned from syscall rt_sigqueueinfo")

    def test_a_fork_is_caught(self):
        text = self.gdb("handle SIGUSR1 nostop noprint pass", "catch fork", "continue", "kill")
        self.expect(text, r"Catchpoint 1 \(forked process \d+\)")

    def test_tables_of_the_system(self):
        text = self.gdb("info os", "info os processes", "info os threads", "info os files", "kill")
        self.expect(text, r"processes ", r"threads ", r"files ", r"forking", r"forking", r"file descriptor", r"forking")


if __name__ == "__main__":
    built_program.main("gdb")
