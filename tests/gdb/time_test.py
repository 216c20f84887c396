#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a real gdb back in time in a living program: `icecore serve -- PROGRAM`, reverse commands,
breakpoints and watchpoints in reverse, forward again, and what is refused in the past.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import time

from line_gdb import LineGdb
from view_test import LIMIT, SKIPPED

ICECORE = pathlib.Path(os.environ["ICECORE"])
VICTIM = ICECORE.parent.parent / "victims" / "time_travel"


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def icecore_of(gdb):
    """The icecore that gdb has started, by way of a shell."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            name = (process / "comm").read_text().strip()
            parent = int(fields[1])
            if name != "icecore":
                continue
            shell = int(pathlib.Path(f"/proc/{parent}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if gdb in (parent, shell):
            return int(process.name)
    sys.exit("FAILED: no icecore under gdb")


def wait_for_work(gdb):
    """Until icecore has computed for a while: gdb waits for it then."""
    stat = pathlib.Path(f"/proc/{icecore_of(gdb)}/stat")

    def ticks():
        return sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))

    enough = ticks() + 20
    deadline = time.monotonic() + LIMIT
    while ticks() < enough:
        expect(time.monotonic() < deadline, "icecore searches")
        select.select([], [], [], 0.01)


class Gdb(LineGdb):
    """On a program that icecore serves through gdb's own pipe."""

    def __init__(self, *arguments, victim=VICTIM, first="set sysroot"):
        super().__init__(victim)
        self.ask("set sysroot", first)
        program = " ".join((str(victim),) + arguments)
        self.ask(f"target remote | {ICECORE} serve --stdio -- {program}")

    def state(self):
        """General registers, and what the stack frame holds."""
        return self.ask("info registers rip rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15") + \
            self.ask("x/48xg $rsp")

    def __exit__(self, *_):
        self.end("kill")


def test_steps_back_and_forward():
    """Through printf, and AVX string functions, with equal registers and memory at every step."""
    with Gdb("10") as gdb:
        gdb.ask("break counted", "continue", "delete", f"source {pathlib.Path(__file__).with_name('step_states.py')}")
        answer = gdb.ask("python walk(200)")
        expect("200 steps back and forward again: all equal" in answer, answer)
        expect("in the present" in gdb.ask("monitor when"), "the present again")


def test_a_timer_that_fires_all_the_time():
    """The program gets on, and no alarm is another than it was."""
    with Gdb(victim=VICTIM.with_name("time_timer")) as gdb:
        gdb.ask("handle SIGALRM nostop noprint pass", "break finished", "continue")
        alarms, mixed = gdb.number("alarms"), gdb.ask("output mixed")
        expect(alarms > 5, f"alarms came: {alarms}")
        expect(gdb.number("strange") == 0, "what sent them")
        gdb.ask("break on_alarm")
        for number in range(alarms - 1, alarms - 4, -1):
            expect("on_alarm" in gdb.ask("reverse-continue"), f"back to alarm {number}")
            expect(gdb.number("alarms") == number, "one at a time")
        gdb.ask("delete", "continue")
        expect(gdb.ask("output mixed") == mixed, "the present has not moved")


def test_visits_in_a_loop():
    with Gdb("1000000") as gdb:
        gdb.ask("break counted", "continue", "break tick")
        expect("tick (round=999999)" in gdb.ask("reverse-continue"), "the last visit in a long loop")
        expect("tick (round=999998)" in gdb.ask("reverse-continue"), "the one before")
        expect("count (rounds=" in gdb.ask("delete", "reverse-finish"), "back to the caller")
        expect("in the past" in gdb.ask("monitor when"), "where it is")
        expect("Cannot access memory" in gdb.ask("set var counter = 7"), "no changes in the past")
        gdb.ask("break tick if round == 999990")
        expect("tick (round=999990)" in gdb.ask("reverse-continue"), "a condition in reverse")
        expect(gdb.number("counter") == 124999, "memory as it was")
        expect("No more reverse-execution history" in gdb.ask("delete", "continue"), "the present is the end")
        expect("in the present" in gdb.ask("monitor when"), "where it is now")
        expect("No more reverse-execution history" in gdb.ask("reverse-continue"), "the beginning")


def test_goes_back_from_system_calls():
    """From where one was entered, has come back, and from the last one."""
    with Gdb("10") as gdb:
        gdb.ask("catch syscall write", "continue", "delete", "break finish")
        gdb.ask("reverse-stepi")
        expect("in the past" in gdb.ask("monitor when"), "a step back from its entry")
        expect("No more reverse-execution history" in gdb.ask("delete", "continue"), "forward to it")
        gdb.ask("catch syscall write", "continue", "delete", "reverse-stepi")
        expect("in the past" in gdb.ask("monitor when"), "a step back from its return")
        gdb.ask("continue", "catch syscall exit_group", "continue", "delete", "break finish")
        answer = gdb.ask("reverse-continue")
        expect("finish ()" in answer, "from where the program ends:\n" + answer)
        expect("No more reverse-execution history" in gdb.ask("delete", "continue"), "forward to its end")
        expect("exited normally" in gdb.ask("continue"), "which comes")


def test_writer_of_a_smashed_word():
    with Gdb("10") as gdb:
        gdb.ask("break finish", "continue", "watch -l *victim_word")
        answer = gdb.ask("reverse-continue")
        expect("in fill (" in answer, "reverse-continue leads to the writer:\n" + answer)
        expect(gdb.number("*(long *)victim_word") == 0x1122334455667700, "the word is whole there")
        gdb.ask("delete", "monitor goto present", "stepi")
        address = re.search("0x[0-9a-f]+", gdb.ask("p/x (long)victim_word")).group(0)
        expect("changed at event" in gdb.ask(f"monitor back-to {address},8"), "monitor back-to")
        gdb.ask("stepi")
        expect("fill (" in gdb.ask("frame"), "stepi arrives there")


def test_says_why_there_is_no_history():
    with Gdb("10") as gdb:
        expect("it has not run yet" in gdb.ask("reverse-continue"), "nothing before the first instruction")
        gdb.ask("break counted", "continue", "monitor record off")
        expect("record off" in gdb.ask("reverse-stepi"), "nothing is recorded when that is not wanted")


def test_debugger_changes_are_a_part_of_history():
    with Gdb("1000") as gdb:
        gdb.ask("break tick if round == 500", "continue")
        before = gdb.state()
        counter = gdb.number("counter")
        gdb.ask("set var counter = 7777", "call (void)tick(8)", "print (int)puts(\"said by the debugger\")")
        expect(gdb.number("counter") == 7778, "what the debugger did to it")
        gdb.ask("delete", "break counted", "continue", "delete", "break tick if round == 503")
        expect("tick (round=503)" in gdb.ask("reverse-continue"), "behind the changes")
        expect(gdb.number("counter") == 7778, "they are in the past")
        gdb.ask("delete", "break tick if round == 500")
        expect("tick (round=500)" in gdb.ask("reverse-continue"), "at the changes")
        expect(gdb.number("counter") in (7778, counter), "in front of them or behind")
        gdb.ask("delete", "reverse-stepi")
        expect(gdb.number("counter") == counter, "one step back goes over all of them")
        gdb.ask("watch counter")
        gdb.ask("continue")
        expect(gdb.number("counter") != counter, "forward the changes come again")
        gdb.ask("delete", "continue", "stepi", "reverse-stepi")
        expect("in the past" in gdb.ask("monitor when"), "the present goes on from them")
        expect(before != gdb.state(), "it is elsewhere now")


def test_several_threads_go_back_to_kept_moments():
    with Gdb(victim=VICTIM.with_name("time_threads")) as gdb:
        gdb.ask("break turn", "continue", "continue", "continue")
        # Each stop was looked at for longer than keeping it takes.
        totals = []
        for _ in range(4):
            totals.append(gdb.number("total"))
            gdb.ask("info threads", "bt", "continue")
        present = gdb.number("total")
        answer = gdb.ask("reverse-continue")
        expect("not exact: it has 2 threads" in answer, "it says so, and why:\n" + answer)
        seen = gdb.number("total")
        expect(seen in totals, f"a moment that was: {seen} of {totals}")
        expect(gdb.ask("info threads").count("Thread ") == 2, "both threads as they were")
        expect("Cannot access memory" in gdb.ask("set var total = 3"), "nothing can be changed")
        expect("in the past" in gdb.ask("monitor when"), "where it is")
        expect("moments" in gdb.ask("monitor list"), "what is kept")
        gdb.ask("watch total")
        gdb.ask("reverse-continue")
        expect(gdb.number("total") < seen, "a watchpoint leads to where the bytes were others")
        gdb.ask("delete")
        for _ in range(50):
            if "No more reverse-execution history" in gdb.ask("continue"):
                break
        expect(gdb.number("total") == present, "the present has not moved")
        gdb.ask("reverse-continue", "reverse-stepi", "break turn")
        for _ in range(50):
            if "No more reverse-execution history" in gdb.ask("continue"):
                break
        else:
            sys.exit("FAILED: continue gets stuck at a breakpoint")
        gdb.ask("delete")
        expect("finished ()" in gdb.ask("break finished", "continue"), "and goes on")
        expect(gdb.number("total") == 190, "to its end")


def test_conditions_and_an_interrupt():
    with Gdb("1000000") as gdb:
        gdb.ask("break counted", "continue", "delete", "break tick if round == 994000")
        expect("tick (round=994000)" in gdb.ask("reverse-continue"), "6,000 visits at which a condition was false")
        gdb.ask("delete", "break tick if round > 1000000")
        gdb.say("reverse-continue", "echo \\nANSWERED\\n")
        wait_for_work(gdb.process.pid)
        gdb.process.send_signal(signal.SIGINT)
        answer = gdb.answer()
        expect("KiB for each second" in gdb.ask("monitor list"), "what history costs")
        expect("SIGINT" in answer, "Ctrl-C ends a search:\n" + answer)
        expect(gdb.number("round") == 994000, "nothing has moved")
        expect("No more reverse-execution history" in gdb.ask("delete", "continue"), "forward to the present")
        gdb.ask("break finish")
        expect("finish ()" in gdb.ask("continue"), "the interrupt is not kept for later")


PARENT = """import os, sys
print(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), flush=True)
try:
    while True:
        print(*os.wait(), flush=True)
except ChildProcessError:
    pass
"""


def test_the_parent_of_an_attached_process_sees_no_copies():
    with subprocess.Popen([sys.executable, "-c", PARENT, VICTIM, "100000000000"], stdout=subprocess.PIPE,
                          text=True) as parent:
        pid = int(parent.stdout.readline())
        try:
            with LineGdb(VICTIM) as gdb:
                gdb.ask("set sysroot", f"target extended-remote | {ICECORE} serve --stdio --attach {pid}", "break tick",
                        "continue", "continue", "reverse-continue")
                expect("in the past" in gdb.ask("monitor when"), "it can be gone back to")
                gdb.ask("continue", "delete", "detach")
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        finally:
            os.kill(pid, signal.SIGKILL)
        expect(children == "", "no copy remains as a child: " + children)
        expect(parent.stdout.read().split() == [str(pid), str(int(signal.SIGKILL))], "one child has ended")


def next_back_over_printf(first):
    with Gdb("10", first=first) as gdb:
        gdb.ask("break smash", "continue", "delete", "reverse-finish")
        line = gdb.ask("frame")
        expect("main (" in line and "smash" in line, "reverse-finish stops at the call:\n" + line)
        answer = gdb.ask("reverse-next")
        expect("counted();" in answer, "reverse-next goes over a call of printf:\n" + answer)
        answer = gdb.ask("reverse-next")
        expect("count(" in answer, "and over a loop:\n" + answer)


def test_next_back_over_printf():
    next_back_over_printf("set debug-file-directory /usr/lib/debug")


def test_next_back_over_what_binds_a_call_lazily():
    """gdb knows it by where ld.so's code lies, and goes through it by single steps."""
    next_back_over_printf("set debug-file-directory /nowhere")


def main():
    if not shutil.which("gdb") or not VICTIM.exists():
        print("skipped: needs gdb and the victims of the tests")
        sys.exit(SKIPPED)
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"{name}: done", flush=True)


if __name__ == "__main__":
    main()
