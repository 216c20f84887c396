// SPDX-License-Identifier: Apache-2.0
// Does a hundred random things to its memory for each "step SEED": maps, unmaps, moves, grows,
// writes, zeroes, gives back, protects, shares. "large SEED" does one to 16 MiB in one piece.
// "fork" leaves a child that shares its pages; "exec" starts anew.
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kPage = 4096;

struct Region {
  char* data;
  std::size_t pages;
  bool writable;
};
std::vector<Region> regions;
std::mt19937_64 random_numbers;

std::size_t below(std::size_t limit) { return random_numbers() % limit; }

void add(void* data, std::size_t pages) {
  if (data != MAP_FAILED) regions.push_back({static_cast<char*>(data), pages, true});
}

void map_something() {
  const std::size_t pages = 1 + below(64);
  const std::size_t size = pages * kPage;
  const int both = PROT_READ | PROT_WRITE;
  switch (below(6)) {
    case 0:
    case 1:
      add(mmap(nullptr, size, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), pages);
      break;
    case 2:
      add(mmap(nullptr, size, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0), pages);
      break;
    case 3: {
      const int fd = memfd_create("churn", 0);
      if (ftruncate(fd, static_cast<off_t>(size)) == 0) {
        add(mmap(nullptr, size, both, below(2) == 0 ? MAP_SHARED : MAP_PRIVATE, fd, 0), pages);
      }
      close(fd);
      break;
    }
    case 4: {
      const int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
      void* at = shmat(id, nullptr, 0);
      shmctl(id, IPC_RMID, nullptr);
      if (at != reinterpret_cast<void*>(-1)) add(at, pages);
      break;
    }
    default: {
      // The program's own file, privately: pages not written stay the file's.
      FILE* self = std::fopen("/proc/self/exe", "r");
      const std::size_t few = 1 + below(4);
      add(mmap(nullptr, few * kPage, both, MAP_PRIVATE, fileno(self), 0), few);
      std::fclose(self);
    }
  }
}

void change(Region& region) {
  char* page = region.data + below(region.pages) * kPage;
  switch (below(10)) {
    case 0:
      if (region.writable) std::memset(page, 0, kPage);
      break;
    case 1:
      madvise(page, kPage, MADV_DONTNEED);
      break;
    case 2:
      region.writable = !region.writable;
      mprotect(region.data, region.pages * kPage,
               region.writable ? PROT_READ | PROT_WRITE : (below(2) == 0 ? PROT_NONE : PROT_READ));
      break;
    case 3: {
      const std::size_t pages = 1 + below(64);
      void* moved = mremap(region.data, region.pages * kPage, pages * kPage, MREMAP_MAYMOVE);
      if (moved != MAP_FAILED) {
        region.data = static_cast<char*>(moved);
        // What grew behind a file's end cannot be touched.
        region.pages = pages < region.pages ? pages : region.pages;
      }
      break;
    }
    default:
      if (!region.writable) break;
      for (std::size_t i = 0; i < 1 + below(20); ++i) {
        page[below(kPage)] = static_cast<char>(random_numbers());
      }
  }
}

void step(std::uint64_t seed) {
  random_numbers.seed(seed);
  for (int i = 0; i < 100; ++i) {
    const std::size_t choice = below(10);
    if (regions.empty() || (choice == 0 && regions.size() < 200)) {
      map_something();
    } else if (choice == 1) {
      const std::size_t index = below(regions.size());
      munmap(regions[index].data, regions[index].pages * kPage);
      regions.erase(regions.begin() + static_cast<std::ptrdiff_t>(index));
    } else if (choice == 2) {
      char* heap = static_cast<char*>(std::malloc(1 + below(200000)));
      heap[0] = 1;
      if (below(2) == 0) std::free(heap);
    } else {
      change(regions[below(regions.size())]);
    }
  }
}

/// Memory that is all there: large enough to be looked at in one piece.
void change_large() {
  constexpr std::size_t kPages = 4096;
  static char* large = nullptr;
  if (large == nullptr) {
    large = static_cast<char*>(
        mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::memset(large, 1, kPages * kPage);
  }
  const auto page = [] { return large + below(kPages) * kPage; };
  switch (below(8)) {
    case 0:  // in more places than are worth single looks
      for (std::size_t i = 0; i < kPages; i += 2) large[i * kPage] += 1;
      return;
    case 1:  // all of it again
      std::memset(large, static_cast<int>(below(256)), kPages * kPage);
      return;
    case 2:
      madvise(page(), kPage, MADV_DONTNEED);
      madvise(large, below(kPages) * kPage, MADV_DONTNEED);
      return;
    default:
      for (std::size_t i = 0; i < below(20); ++i) page()[below(kPage)] += 1;
      madvise(page(), kPage, MADV_DONTNEED);
      // Given back, and seen as zeros.
      madvise(large + kPage, kPage, MADV_DONTNEED);
      if (*static_cast<volatile char*>(large + kPage) != 0) std::abort();
  }
}

}  // namespace

int main(int, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::puts("READY");
  char line[100];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strncmp(line, "step", 4) == 0) step(std::strtoull(line + 4, nullptr, 10));
    if (std::strncmp(line, "large", 5) == 0) {
      random_numbers.seed(std::strtoull(line + 5, nullptr, 10));
      change_large();
    }
    if (std::strcmp(line, "fork\n") == 0 && fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      step(static_cast<std::uint64_t>(getpid()));
      for (;;) pause();
    }
    if (std::strcmp(line, "exec\n") == 0) execv("/proc/self/exe", arguments);
    if (std::strcmp(line, "quit\n") == 0) return 0;
    std::puts("DONE");
  }
}
