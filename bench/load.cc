// SPDX-License-Identifier: Apache-2.0
// Something to take snapshots of: prints READY, then does as told until it is killed.
//   memory MIB PERCENT   writes to PERCENT of its pages every 100 ms; tells its address after READY
//   threads N            N threads asleep
//   processes N          N child processes asleep
//   busy N               N child processes, each of which works a little every 10 ms
//   one-busy N           N child processes asleep but for one of them
//   busy-threads N       N threads, each of which works a little every 10 ms
//   spin SECONDS         counts for so long, prints how far it came, ends
//   copy PID ADDRESS MIB PERCENT   no load: prints the microseconds that process_vm_readv alone
//   takes
//                        for as many pages of that process, into memory that is there already
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kPage = 4096;

void memory(std::size_t mebibytes, double percent) {
  const std::size_t pages = mebibytes * 256;
  auto* data = static_cast<char*>(
      mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  // Content that neither compresses to nothing nor is random: words of a counter.
  for (std::size_t i = 0; i < pages * kPage / 8; ++i) {
    reinterpret_cast<std::uint64_t*>(data)[i] = i * 2654435761U;
  }
  std::printf("READY %p\n", static_cast<void*>(data));
  std::fflush(stdout);
  const auto dirty = static_cast<std::size_t>(static_cast<double>(pages) * percent / 100);
  for (std::uint64_t round = 1;; ++round) {
    for (std::size_t i = 0; i < dirty; ++i) data[(i * pages / dirty) * kPage + round % kPage] += 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void threads(int count) {
  std::vector<std::thread> all;
  for (int i = 1; i < count; ++i)
    all.emplace_back([] {
      for (;;) pause();
    });
  std::puts("READY");
  std::fflush(stdout);
  for (;;) pause();
}

void processes(int count) {
  for (int i = 1; i < count; ++i) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
  }
  std::puts("READY");
  std::fflush(stdout);
  for (;;) pause();
}

[[noreturn]] void work() {
  for (volatile unsigned long done = 0;;) {
    for (int j = 0; j < 10000; ++j) done = done + 1;
    usleep(10000);
  }
}

/// `working` of `count` processes work.
void busy(int count, int working) {
  for (int i = 1; i < count; ++i) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (i <= working) work();
      for (;;) pause();
    }
  }
  std::puts("READY");
  std::fflush(stdout);
  for (;;) pause();
}

void busy_threads(int count) {
  std::vector<std::thread> all;
  for (int i = 1; i < count; ++i) all.emplace_back(work);
  std::puts("READY");
  std::fflush(stdout);
  work();
}

void copy(int pid, std::uint64_t address, std::size_t mebibytes, double percent) {
  constexpr std::size_t kVectors = 512;
  const std::size_t pages = mebibytes * 256;
  const auto wanted = static_cast<std::size_t>(static_cast<double>(pages) * percent / 100);
  std::vector<char> buffer(wanted * kPage, 1);
  double best = 1e18;
  for (int round = 0; round < 5; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t done = 0; done < wanted;) {
      iovec from[kVectors];
      std::size_t count = 0;
      for (; count < kVectors && done + count < wanted; ++count) {
        from[count] = {reinterpret_cast<void*>(address + (done + count) * pages / wanted * kPage),
                       kPage};
      }
      iovec to{buffer.data() + done * kPage, count * kPage};
      if (process_vm_readv(pid, &to, 1, from, count, 0) < 0) std::exit(1);
      done += count;
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
  }
  std::printf("%.0f\n", best);
}

void spin(double seconds) {
  std::puts("READY");
  std::fflush(stdout);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  volatile std::uint64_t count = 0;
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 100000; ++i) count = count + 1;
  }
  std::printf("%llu\n", static_cast<unsigned long long>(count));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string what = argv[1];
  if (what == "memory" && argc > 3) memory(std::strtoul(argv[2], nullptr, 10), std::atof(argv[3]));
  if (what == "threads") threads(std::atoi(argv[2]));
  if (what == "processes") processes(std::atoi(argv[2]));
  if (what == "busy") busy(std::atoi(argv[2]), std::atoi(argv[2]));
  if (what == "one-busy") busy(std::atoi(argv[2]), 1);
  if (what == "busy-threads") busy_threads(std::atoi(argv[2]));
  if (what == "copy" && argc > 5) {
    copy(std::atoi(argv[2]), std::strtoull(argv[3], nullptr, 16),
         std::strtoul(argv[4], nullptr, 10), std::atof(argv[5]));
  }
  if (what == "spin") spin(std::atof(argv[2]));
}
