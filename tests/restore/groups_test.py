#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each group of state has a victim that sees for itself whether it came back equal."""
import ctypes
import os
import pathlib

import revival


def remove_segments_but(known):
    """What a test that failed halfway has left: a segment outlives those that attach it."""
    with open("/proc/sysvipc/shm", encoding="ascii") as now:
        left = [line.split() for line in now.readlines()[1:]]
    for row in left:
        if row[1] not in known and int(row[0]) & 0xfff00000 == 0x1ce00000:
            ctypes.CDLL(None).shmctl(int(row[1]), 0, None)


class Groups(revival.RevivalTest):
    def test_registers_of_threads_that_compute(self):
        self.check_group("cpu")

    def test_threads_and_their_sleeps(self):
        self.check_group("threads")

    def test_signals_and_timers(self):
        self.check_group("signals")

    def test_memory(self):
        self.check_group("memory")

    def test_huge_pages(self):
        pool = pathlib.Path("/proc/sys/vm/nr_hugepages")
        before = pool.read_text()
        if os.access(pool, os.W_OK):
            self.addCleanup(pool.write_text, before)
            pool.write_text(str(int(before) + 6))
        if int(pool.read_text()) < int(before) + 6:
            self.skipTest("this machine has no six huge pages")
        self.check_group("huge")

    def test_system_v_shared_memory(self):
        with open("/proc/sysvipc/shm", encoding="ascii") as before:
            known = {line.split()[1] for line in before}
        self.addCleanup(remove_segments_but, known)
        self.check_group("sysv")

    def test_ipc_and_uts_namespaces(self):
        self.check_group("namespaces")

    def test_inotify_and_fanotify(self):
        self.check_group("watches")

    def test_posix_message_queue_of_the_machine(self):
        name = f"/icecore-test-{os.getpid()}"
        self.addCleanup(ctypes.CDLL("librt.so.1").mq_unlink, name.encode())
        self.check_group("queues", name)

    def test_restartable_sequences(self):
        self.check_group("sequences")

    def test_seccomp_filters(self):
        self.check_group("seccomp")

    def test_tree(self):
        self.check_group("tree")

    def test_limits_and_rights_of_root(self):
        self.check_group("policy")

    def test_limits_and_rights_of_a_user(self):
        self.check_group("policy", "user")


revival.main()
