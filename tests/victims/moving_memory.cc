// SPDX-License-Identifier: Apache-2.0
// Fills MEGABYTES of anonymous memory in four parts, says READY, and at the first line that it
// reads gives one part up and takes it again, unmaps a second, moves a third, and forks: it and its
// child say whether every page is what it must be. A second line ends it.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t kPage = 4096;

std::uint64_t* map_part(std::size_t size) {
  void* part = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (part == MAP_FAILED) std::exit(2);
  return static_cast<std::uint64_t*>(part);
}

/// How many pages are not what was written into them (or not zero).
std::size_t wrong_pages(const std::uint64_t* part, std::size_t size, std::uint64_t seed) {
  std::size_t wrong = 0;
  for (std::size_t page = 0; page < size / kPage; ++page) {
    const std::uint64_t wanted = seed == 0 ? 0 : seed * 1'000'003 + page;
    const std::uint64_t* words = part + page * kPage / sizeof *part;
    if (words[0] != wanted || words[kPage / sizeof *part - 1] != wanted) ++wrong;
  }
  return wrong;
}

}  // namespace

int main(int, char** words) {
  const std::size_t size = static_cast<std::size_t>(std::atoi(words[1])) << 18U;
  std::uint64_t* parts[4];
  for (std::uint64_t i = 0; i < 4; ++i) {
    parts[i] = map_part(size);
    for (std::size_t page = 0; page < size / kPage; ++page) {
      std::uint64_t* at = parts[i] + page * kPage / sizeof *at;
      at[0] = at[kPage / sizeof *at - 1] = (i + 1) * 1'000'003 + page;
    }
  }
  std::printf("READY\n");
  std::fflush(stdout);
  char line[16];
  if (std::fgets(line, sizeof line, stdin) == nullptr) return 3;
  ::madvise(parts[0], size, MADV_DONTNEED);
  ::munmap(parts[1], size);
  std::uint64_t* fresh = map_part(size);
  void* moved = ::mremap(parts[2], size, size * 2, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return 2;
  parts[2] = static_cast<std::uint64_t*>(moved);
  const pid_t child = ::fork();
  const std::size_t wrong = wrong_pages(parts[0], size, 0) + wrong_pages(fresh, size, 0) +
                            wrong_pages(parts[2], size, 3) +
                            wrong_pages(parts[2] + size / sizeof(std::uint64_t), size, 0) +
                            wrong_pages(parts[3], size, 4);
  if (child == 0) ::_exit(wrong == 0 ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::printf("%zu wrong, child %d\n", wrong, status);
  std::fflush(stdout);
  while (std::fgets(line, sizeof line, stdin) != nullptr) break;
  return 0;
}
