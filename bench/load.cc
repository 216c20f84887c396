// SPDX-License-Identifier: Apache-2.0
// Something to take snapshots of: prints READY, then does as told until it is killed.
//   memory MIB PERCENT   writes to PERCENT of its pages every 100 ms
//   threads N            N threads asleep
//   processes N          N child processes asleep
//   spin SECONDS         counts for so long, prints how far it came, ends
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

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
  std::puts("READY");
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
  if (what == "spin") spin(std::atof(argv[2]));
}
