#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Java virtual machine with its compiler and collector threads at work."""
import program

SOURCE = """
import java.util.*;
import java.util.concurrent.*;

public class Sum {
  static long work(int seed) {
    Map<Integer, String> kept = new HashMap<>();
    long total = 0;
    for (int i = 0; i < 300000; i++) {
      kept.put(i % 5000, "value " + (i + seed));
      total += kept.get(i % 5000).length() + i % 7;
    }
    return total;
  }
  public static void main(String[] arguments) throws Exception {
    long expected = work(1), end = System.nanoTime() + 8_000_000_000L;
    ExecutorService pool = Executors.newFixedThreadPool(3);
    do {
      List<Future<Long>> results = new ArrayList<>();
      for (int i = 0; i < 3; i++) results.add(pool.submit(() -> work(1)));
      for (Future<Long> result : results)
        if (result.get() != expected) { System.out.println("wrong"); System.exit(3); }
    } while (System.nanoTime() < end);
    pool.shutdown();
    System.out.println("right");
  }
}
"""


@program.needs("java")
class Java(program.ProgramTest):
    def test_computes_what_it_should_while_snapshots_are_taken(self):
        source = self.directory / "Sum.java"
        source.write_text(SOURCE)
        java = self.record("java", ["java", "-Xmx200m", source], every="300ms")
        status, out, err = java.end(timeout=90)
        self.assertEqual((status, out), (0, "right\n"), err)
        snapshots = java.snapshots()
        self.assertGreaterEqual(len(snapshots), 3)
        self.assertGreater(max(s["threads"] for s in snapshots), 8)
        self.assertIn("GC Thread", self.done("show", "java@-1").out)
        self.verified()


program.main()
