#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each group of state has a victim that sees for itself whether it came back equal."""
import revival


class Groups(revival.RevivalTest):
    def test_registers_of_threads_that_compute(self):
        self.check_group("cpu")

    def test_threads_and_their_sleeps(self):
        self.check_group("threads")

    def test_signals_and_timers(self):
        self.check_group("signals")

    def test_memory(self):
        self.check_group("memory")

    def test_tree(self):
        self.check_group("tree")

    def test_limits_and_rights_of_root(self):
        self.check_group("policy")

    def test_limits_and_rights_of_a_user(self):
        self.check_group("policy", "user")


revival.main()
