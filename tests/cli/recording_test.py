#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings as a person at a shell knows them: numbers, times, signals, states, and what is left."""
import contextlib
import os
import pathlib
import random
import signal
import statistics
import subprocess
import time

import harness
from background import Background

IDLE = harness.VICTIMS / "idle"
CHURN = harness.VICTIMS / "memory_churn"


class RecordingTest(harness.CliTest):
    def background(self, *words, program=None):
        return Background(self, *words, program=program)

    def victim(self, program=IDLE):
        victim = self.background(program=program)
        self.assertEqual(victim.read_line(), "READY")
        return victim

    def recorded_victim(self, name, *options):
        run = self.background("run", "--name", name, *options, "--", IDLE)
        self.assertEqual(run.read_line(), "READY")
        return run

    def wait_for(self, condition, what):
        deadline = time.monotonic() + harness.DEADLINE
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.01)
        self.fail(f"not seen: {what}")
        return None

    def snapshots(self, name):
        ended = self.icecore("list", name, "--json")
        return ended.json() if ended.status == 0 else []

    def numbers(self, name):
        return [s["number"] for s in self.snapshots(name)]

    def state(self, word):
        return self.done("state", word).out.split()[0]


class Numbers(RecordingTest):
    def test_numbers_grow_and_are_never_used_again(self):
        run = self.recorded_victim("n", "--every", "1h")
        for _ in range(4):
            self.done("snap", "n")
        self.assertEqual(self.numbers("n"), [1, 2, 3, 4])
        self.done("rm", "n@4", "n@2")
        self.done("gc")
        self.assertEqual(self.done("snap", "n").out, "n@5\n")
        self.assertEqual(self.numbers("n"), [1, 3, 5])
        self.assertEqual(run.end()[0], 0)
        self.done("rm", "n@5")
        victim = self.victim()
        self.assertEqual(self.done("snap", victim.pid, "--name", "n").out, "n@6\n")
        self.done("verify")

    def test_interval_does_not_drift(self):
        victim = self.victim()
        self.background("attach", "--every", "100ms", "--count", "20", "--name", "t", victim.pid).end()
        snapshots = self.snapshots("t")
        skipped = self.done("list", "t", "--skipped", "--json").json()
        self.assertEqual(len(snapshots), 20)
        # The second is the first that the interval asked for. A busy machine makes any of them late; with
        # drift the later ones would be later: each by what a snapshot takes, 2 ms and more.
        start = snapshots[1]["monotonic_ns"]
        late = [((s["monotonic_ns"] - start) / 1e6 + 50) % 100 - 50 for s in snapshots[2:]]
        half = len(late) // 2
        drift = statistics.median(late[half:]) - statistics.median(late[:half])
        self.assertLess(abs(drift), 15, (late, skipped))

    def test_late_snapshot_is_skipped_and_said_so(self):
        run = self.recorded_victim("s", "--every", "20ms")
        self.wait_for(lambda: self.snapshots("s"), "a snapshot")
        self.done("freeze", "s")
        # On a busy machine the snapshot before may still be being written for a while.
        self.wait_for(lambda: self.done("list", "s", "--skipped").out.count("the tree is frozen") >= 2, "two skips")
        before = self.numbers("s")
        self.done("thaw", "s")
        self.wait_for(lambda: len(self.numbers("s")) > len(before), "a snapshot after the thaw")
        self.assertRegex(self.done("list", "s", "--skipped").out, "the tree is frozen")
        self.assertEqual(run.end()[0], 0)
        numbers = self.numbers("s")
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_count_ends_attach_and_leaves_run_waiting(self):
        victim = self.victim()
        self.done("attach", "--every", "20ms", "--count", "3", "--name", "a", victim.pid)
        self.assertEqual(self.numbers("a"), [1, 2, 3])
        self.assertEqual(victim.ask("touch 1"), "DONE")
        run = self.recorded_victim("r", "--every", "20ms", "--count", "2")
        self.wait_for(lambda: len(self.numbers("r")) == 2, "two snapshots")
        self.assertEqual(run.ask("touch 1"), "DONE")
        self.assertEqual(run.end()[0], 0)
        self.assertEqual(self.numbers("r"), [1, 2])

    def test_tags_name_snapshots(self):
        self.recorded_victim("g", "--every", "1h")
        self.done("snap", "g", "--tag", "before")
        self.done("snap", "g")
        self.assertEqual(self.done("show", "g@before", "--json").json()["number"], 1)
        self.assertEqual([s["tag"] for s in self.snapshots("g")], ["before", ""])
        victim = self.victim()
        self.done("attach", "--count", "1", "--tag", "all", "--name", "h", victim.pid)
        self.assertEqual([s["tag"] for s in self.snapshots("h")], ["all"])

    def test_recording_in_which_nothing_was_taken_is_not_listed(self):
        self.assertEqual(self.icecore("run", "--every", "1h", "--", "true").status, 0)
        self.assertEqual(self.done("list", "--json").json(), [])
        self.assertEqual(list((self.store / "run").iterdir()), [])


class PassedOn(RecordingTest):
    def test_exit_status_is_the_programs_own(self):
        for status in (0, 1, 3, 125, 255):
            self.assertEqual(self.icecore("run", "--", "sh", "-c", f"exit {status}").status, status)

    def test_death_by_signal_is_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGUSR1):
            self.assertEqual(self.icecore("run", "--", "sh", "-c", f"kill -{int(number)} $$").status, -number)

    def test_signals_to_icecore_reach_the_program(self):
        script = "trap 'echo usr1' USR1; trap 'echo hup' HUP; trap 'echo term; exit 9' TERM; echo READY; " \
                 "while :; do read -t 0.05 line < /dev/zero; done"
        run = self.background("run", "-q", "--every", "50ms", "--name", "k", "--", "bash", "-c", script)
        self.assertEqual(run.read_line(), "READY")
        for number, word in ((signal.SIGUSR1, "usr1"), (signal.SIGHUP, "hup"), (signal.SIGTERM, "term")):
            run.process.send_signal(number)
            self.assertEqual(run.read_line(), word)
        self.assertEqual(run.end()[0], 9)

    def test_input_and_output_pass_through(self):
        sent = "".join(f"line {n}\n" for n in range(20000))
        run = self.background("run", "-q", "--every", "20ms", "--", "sh", "-c", "cat; echo over >&2")
        out, err = run.process.communicate(sent, timeout=harness.DEADLINE)
        self.assertEqual((run.process.returncode, out, err), (0, sent, "over\n"))


class Requests(RecordingTest):
    def test_snap_by_name_and_by_pid_of_a_recorded_tree(self):
        run = self.recorded_victim("p", "--every", "1h")
        pid = run.ask("pid")
        self.assertEqual(self.done("snap", "p").out, "p@1\n")
        self.assertEqual(self.done("snap", pid).out, "p@2\n")
        self.assertEqual(self.done("snap", pid, "--json").json()["number"], 3)

    def test_snap_and_kill(self):
        run = self.recorded_victim("k", "--every", "1h")
        run.ask("fork")
        self.assertEqual(self.done("snap", "--kill", "k").out, "k@1\n")
        self.assertEqual(run.end()[0], -signal.SIGKILL)
        victim = self.victim()
        self.done("snap", "--kill", victim.pid, "--name", "alone")
        self.assertEqual(victim.end()[0], -signal.SIGKILL)
        self.assertEqual(self.snapshots("k")[0]["processes"], 2)
        self.done("verify")

    def check_freezing(self, word, victim):
        self.done("freeze", word)
        self.assertEqual(self.state(word), "FROZEN")
        victim.process.stdin.write("touch 1\n")
        victim.process.stdin.flush()
        self.done("thaw", word)
        self.assertEqual(victim.read_line(), "DONE")
        self.wait_for(lambda: self.state(word) == "RUNNING", "RUNNING")

    def test_freeze_thaw_and_state_by_name_and_by_pid(self):
        run = self.recorded_victim("f", "--every", "1h")
        pid = run.ask("pid")
        self.check_freezing("f", run)
        self.check_freezing(pid, run)
        self.assertEqual(self.done("state", "f", "--json").json()["root_pid"], int(pid))

    def test_freeze_of_a_process_that_nobody_records(self):
        victim = self.victim()
        self.assertEqual(self.state(victim.pid), "RUNNING")
        self.check_freezing(victim.pid, victim)
        self.assertEqual(victim.end()[0], 0)
        self.assertEqual(self.state(victim.pid), "DEAD")

    def test_frozen_tree_can_be_snapshotted_and_stays_frozen(self):
        run = self.recorded_victim("f", "--every", "1h")
        self.done("freeze", "f")
        self.assertEqual(self.done("snap", "f").out, "f@1\n")
        self.assertEqual(self.state("f"), "FROZEN")
        self.done("thaw", "f")
        self.assertEqual(run.end()[0], 0)

    def test_living_tree_is_shown_whether_it_runs_or_is_frozen(self):
        run = self.recorded_victim("f", "--every", "1h")
        pid = run.ask("pid")
        self.assertIn(f"process {pid} as it is now, RUNNING, recorded as f", self.done("show", "--live", pid).out)
        self.done("freeze", "f")
        text = self.done("show", "--live", "f").out
        self.assertIn("FROZEN", text)
        self.assertIn(": read(0,", text)
        self.assertNotIn("traced by", text)  # but by us
        self.assertEqual(self.state("f"), "FROZEN")
        shown = self.done("show", "--live", "--json", "f").json()
        self.assertEqual([process["pid"] for process in shown["processes"]], [int(pid)])
        self.done("thaw", "f")
        self.assertEqual(run.end()[0], 0)
        self.refused(1, "show", "--live", pid, what="no such process", hint="pgrep")
        self.refused(1, "show", "--live", "f", what="nobody records f", hint="icecore attach")


    def test_attach_leaves_no_trace(self):
        victim = self.victim()
        victim.ask("threads 3")
        victim.ask("touch 100")
        before = self.traces(victim.pid)
        self.done("attach", "--every", "20ms", "--count", "5", "--name", "trace", victim.pid)
        self.assertEqual(self.traces(victim.pid), before)
        self.assertEqual([path.name for path in self.directory.iterdir()], ["store"])
        self.assertEqual(list((self.store / "run").iterdir()), [])
        self.assertEqual(victim.ask("touch 100"), "DONE")

    def traces(self, pid):
        proc = pathlib.Path(f"/proc/{pid}")
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        flags = [line for line in (proc / "smaps").read_text().splitlines() if line.startswith("VmFlags")]
        self.assertFalse([line for line in flags if " uw" in line or " um" in line])
        return {"maps": (proc / "maps").read_text(), "flags": flags,
                "fds": {fd.name: os.readlink(fd) for fd in (proc / "fd").iterdir()},
                "children": (proc / f"task/{pid}/children").read_text(),
                "status": {key: status[key] for key in ("TracerPid", "SigPnd", "ShdPnd", "SigBlk", "SigIgn",
                                                        "SigCgt", "Threads", "VmLck", "Cpus_allowed", "Seccomp")},
                "threads": sorted(task.name for task in (proc / "task").iterdir())}

    def test_second_recorder_of_one_process_is_refused(self):
        victim = self.victim()
        self.background("attach", "--every", "50ms", "--name", "first", victim.pid)
        self.wait_for(lambda: self.snapshots("first"), "a snapshot")
        self.refused(1, "attach", victim.pid, what=f"process {victim.pid} .*recorded already.*first", hint="icecore snap first")
        other = self.environment(ICECORE_STORE=str(self.directory / "other"))
        before = len(self.snapshots("first"))
        # From another store it cannot be known: both take their snapshots, and neither harms the other.
        subprocess.run([harness.ICECORE, "attach", "--every", "20ms", "--count", "5", str(victim.pid)], env=other,
                       capture_output=True, timeout=harness.DEADLINE, check=False)
        self.wait_for(lambda: len(self.snapshots("first")) > before, "more snapshots")
        self.assertEqual(victim.ask("touch 3"), "DONE")
        self.done("verify")


class Killed(RecordingTest):
    def test_program_runs_on_when_its_recorder_is_killed_at_any_point(self):
        victim = self.victim(CHURN)
        chance = random.Random(7)
        for turn in range(12):
            recorder = self.background("attach", "-q", "--every", "10ms", "--name", "killed", victim.pid)
            before = len(self.snapshots("killed"))
            for step in range(chance.randrange(1, 30)):
                self.assertEqual(victim.ask(f"step {turn * 100 + step}"), "DONE")
            self.wait_for(lambda: len(self.snapshots("killed")) > before, "a snapshot")
            time.sleep(chance.random() * 0.05)  # not a wait: the random point
            recorder.process.kill()
            recorder.process.wait()
            self.assertEqual(victim.ask("step 1"), "DONE")
            self.done("verify")
        numbers = self.numbers("killed")
        self.assertEqual(numbers, sorted(set(numbers)))
        self.done("attach", "--count", "1", "--name", "killed", victim.pid)
        self.assertEqual(self.done("show", "killed@last", "--json").json()["recording"], "killed")
        self.assertEqual(victim.process.poll(), None)

    def test_frozen_tree_runs_on_when_the_one_who_holds_it_is_killed(self):
        victim = self.victim()
        self.done("freeze", victim.pid)
        holder = self.done("state", victim.pid, "--json").json()["recorder_pid"]
        self.assertGreater(holder, 1)  # 0 and below would be groups
        os.kill(holder, signal.SIGKILL)
        self.assertEqual(victim.ask("touch 1"), "DONE")
        self.wait_for(lambda: self.state(victim.pid) == "RUNNING", "RUNNING")


harness.main()
