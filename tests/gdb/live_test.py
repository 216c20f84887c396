#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a real gdb over a program that `icecore serve` has started or attached to.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile

import live
from serving_test import Gdb
from view_test import LIMIT, SKIPPED, expect


class Case:
    def __init__(self, icecore, folder):
        self.icecore = icecore
        self.program = live.build_program(folder)

    def gdb(self, wish, *commands):
        """A whole session over the program, started with `wish`."""
        with live.Stub(self.icecore, "--", self.program, wish) as stub:
            return live.gdb_batch(stub.address, self.program, *commands)

    def idle(self):
        """The program, running by itself."""
        process = subprocess.Popen([self.program, "idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=live.close_inherited)
        assert process.stdout.readline() == "READY\n"
        return process


def test_break_step_call_and_change(case):
    out = case.gdb("work", "break work", "continue", "backtrace", "next", "print counter", "finish", "step",
                   "print twice(21)", "set var counter = 100", "continue", "print counter", "print $rip == work",
                   "delete", "continue")
    expect(out, r"Breakpoint 1, (0x\w+ in )?work \(amount=0\)", r"#1 .* main \(", r"Value returned is", r"= 42\b",
           r"work \(amount=2\)", r"= 100\b", r"exited with code 07")


def test_conditions_and_temporary_breakpoints(case):
    out = case.gdb("work", "break work if amount == 6", "tbreak main", "continue", "continue", "print amount",
                   "info breakpoints", "continue")
    expect(out, r"Temporary breakpoint 2, main", r"work \(amount=6\)", r"= 6\b", r"exited with code 07")


def test_watchpoints(case):
    out = case.gdb("work", "break main", "continue", "watch counter", "rwatch handled", "continue", "continue",
                   "delete", "continue")
    expect(out, r"Hardware watchpoint 2: counter", r"Old value = 0\s+New value = 2", r"New value = 6",
           r"exited with code 07")


def test_registers_of_all_sets(case):
    out = case.gdb("work", "break work", "continue", "set var $xmm3.v4_int32[1] = 7", "set var $rbx = 0x1234",
                   "set var $st0 = 1.5", "stepi", "print $xmm3.v4_int32[1]", "print/x $rbx", "print $st0",
                   "set var $ymm5.v8_int32[7] = 9", "stepi", "print $ymm5.v8_int32[7]", "print $fs_base != 0")
    expect(out, r"\$\d+ = 7\b", r"= 0x1234\b", r"= 1\.5\b", r"= 9\b", r"= 1\b")
    out = case.gdb("work", "break work", "continue", "set var $zmm17.v16_int32[15] = 11", "stepi",
                   "print $zmm17.v16_int32[15]")
    if "avx512f" in open("/proc/cpuinfo", encoding="utf-8").read():
        expect(out, r"= 11\b")


def test_threads(case):
    out = case.gdb("threads", "break work if counter >= 150", "continue", "info threads", "print counter",
                   "print thread_value", "thread 1", "print thread_value", "delete", "continue")
    expect(out, r"hit Breakpoint 1, work", r"\* [234] ", r"= 1[5-9]\d\b", r"= 50\b", r"= 40\b", r"exited with code 03")


def test_no_thread_passes_a_breakpoint_unseen(case):
    out = case.gdb("threads", "break work if counter >= 1000", "break work if counter == 299", "catch syscall exit_group",
                   "continue", "print counter", "continue", "print counter")
    expect(out, r"hit Breakpoint 2, ", r"= 299\b", r"Catchpoint 3", r"= 300\b")


def test_every_thread_is_watched(case):
    out = case.gdb("threads", "break main", "continue", "watch counter if counter > 200", "continue",
                   "print counter", "delete", "continue")
    expect(out, r"Thread [234] .*hit Hardware watchpoint", r"= 20\d\b", r"exited with code 03")


def test_forks(case):
    out = case.gdb("fork", "break in_child", "break work", "continue", "print counter", "continue")
    expect(out, r"Breakpoint 2, .*work \(amount=5\)", r"= 0\b", r"exited with code 05")
    out = case.gdb("fork", "set follow-fork-mode child", "break in_child", "continue", "next", "print counter",
                   "continue")
    expect(out, r"hit Breakpoint 1, .*in_child", r"exited with code 05")
    out = case.gdb("fork", "set detach-on-fork off", "catch fork", "continue", "delete", "next", "info inferiors",
                   "inferior 2", "break in_child", "continue")
    expect(out, r"Catchpoint 1 \(forked process", r"\n\s+2 +process \d+", r"in_child")


def test_vfork_and_execution(case):
    out = case.gdb("vfork", "break work", "continue", "print amount", "continue")
    expect(out, r"work \(amount=1\)", r"= 1\b", r"exited with code 07")
    out = case.gdb("exec", "catch exec", "continue", "break twice", "continue", "print value")
    expect(out, r"Catchpoint 1 \(exec'd .*program\)", r"Breakpoint 2, .*twice", r"= 0\b")


def test_system_calls_and_signals(case):
    out = case.gdb("work", "catch syscall getppid", "continue", "continue", "continue")
    expect(out, r"\(call to syscall getppid\)", r"\(returned from syscall getppid\)", r"exited with code 07")
    out = case.gdb("signals", "continue", "print $_siginfo.si_signo", "continue")
    expect(out, r"received signal SIGUSR1", r"= 10\b", r"exited with code 012")
    out = case.gdb("signals", "handle SIGUSR1 nostop noprint pass", "continue")
    expect(out, r"exited with code 012")
    out = case.gdb("signals", "handle SIGUSR1 stop nopass", "continue", "continue")
    expect(out, r"received signal SIGUSR1", r"exited normally")


def test_interrupt(case):
    with live.Stub(case.icecore, "--", case.program, "loop") as stub:
        gdb = Gdb(stub.address)
        gdb.ask(f"file {case.program}")
        gdb.ask("break main")
        gdb.ask("continue")
        gdb.say("continue &", "echo \\nRUNS\\n")
        while "RUNS" not in gdb.process.stdout.readline():
            pass
        gdb.say("interrupt")
        line = ""
        while "SIGINT" not in line:
            line = gdb.process.stdout.readline()
        expect(gdb.ask("backtrace"), r"main \(")
        gdb.end("kill")


def test_attached_process_runs_on(case):
    process = case.idle()
    try:
        with live.Stub(case.icecore, "--attach", process.pid) as stub:
            out = live.gdb_batch(stub.address, case.program, "backtrace", "set var counter = 20", "break work", "detach")
            expect(out, r"main \(", r"detached")
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "42\n"
        assert live.state_of(process.pid)[1] == 0
    finally:
        process.kill()
        process.wait(LIMIT)


def test_killed_stub_leaves_what_it_should(case):
    process = case.idle()
    try:
        with live.Stub(case.icecore, "--attach", process.pid) as stub:
            stub.process.kill()
            stub.process.wait(LIMIT)
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "2\n"
    finally:
        process.kill()
        process.wait(LIMIT)
    with live.Stub(case.icecore, "--", case.program, "loop") as stub:
        children = f"/proc/{stub.process.pid}/task/{stub.process.pid}/children"
        with open(children, encoding="utf-8") as file:
            pid = int(file.read().split()[0])
        handle = os.pidfd_open(pid)
        stub.process.send_signal(signal.SIGKILL)
        assert select.select([handle], [], [], LIMIT)[0], "the program outlived the stub"
        os.close(handle)


def guard_of(stub):
    """The process that makes whole what a killed stub was attached to."""
    with open(f"/proc/{stub.process.pid}/task/{stub.process.pid}/children", encoding="utf-8") as children:
        for child in children.read().split():
            with open(f"/proc/{child}/comm", encoding="utf-8") as name:
                if name.read() == "icecore-guard\n":
                    return os.pidfd_open(int(child))
    sys.exit("FAILED: nobody guards the attached process")


def test_killed_stub_leaves_no_trap(case):
    """Neither a breakpoint, nor a watchpoint, nor the trap flag of a step."""
    for commands in (["break work", "continue &"], ["watch counter", "continue &"], ["break work", "continue", "stepi"]):
        process = case.idle()
        try:
            with live.Stub(case.icecore, "--attach", process.pid) as stub:
                gdb = Gdb(stub.address)
                gdb.ask(f"file {case.program}")
                gdb.say(*commands, "echo \\nTOLD\\n")
                if "stepi" in commands:
                    process.stdin.write("go\n")
                    process.stdin.flush()
                while "TOLD" not in gdb.process.stdout.readline():
                    pass
                guard = guard_of(stub)
                stub.process.kill()
                stub.process.wait(LIMIT)
                assert select.select([guard], [], [], LIMIT)[0], "the guard stays"
                os.close(guard)
                if "stepi" not in commands:
                    process.stdin.write("go\n")
                    process.stdin.flush()
                answer = process.stdout.readline()
                assert answer == "2\n", (commands, answer, process.poll())
                gdb.process.kill()
                gdb.process.communicate()
        finally:
            process.kill()
            process.wait(LIMIT)


def test_links_do_not_lead_to_other_files(case):
    folder = case.program.parent
    (folder / "secret").write_text("secret", encoding="ascii")
    (folder / "secret.debug").symlink_to(folder / "secret")
    (folder / "real.debug").write_text("debug", encoding="ascii")
    out = case.gdb("work", f"remote get {folder}/real.debug {folder}/two", f"remote get {folder}/secret.debug {folder}/one")
    expect(out, r"Permission denied")
    assert (folder / "two").read_text(encoding="ascii") == "debug"
    assert not (folder / "one").exists() or not (folder / "one").read_bytes()


def test_clients_start_programs(case):
    with live.Stub(case.icecore, "--multi") as stub:
        out = live.gdb_batch(stub.address, case.program, f"set remote exec-file {case.program}",
                             "set args signals", "break handler", "run", "continue", "backtrace", "kill", "info inferiors")
        expect(out, r"received signal SIGUSR1", r"handler \(signal=10\)")


def main():
    icecore = os.environ.get("ICECORE")
    if not icecore:
        sys.exit("ICECORE must name the program under test")
    for tool in ("gdb", "cc"):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        case = Case(icecore, folder)
        wanted = sys.argv[1:]
        for name, test in sorted(globals().items()):
            if not name.startswith("test_") or (wanted and name not in wanted):
                continue
            test(case)
            print(f"{name}: ok", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
