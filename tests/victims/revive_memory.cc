// SPDX-License-Identifier: Apache-2.0
// Mappings of every kind that a program can make by itself; their list, flags and contents must
// come back equal, and those that relatives share must still be shared.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "revive_case.h"

namespace {

constexpr std::size_t kPage = 4096;

char* map(std::size_t pages, int protection, int flags, int fd = -1, off_t offset = 0) {
  void* const memory = ::mmap(nullptr, pages * kPage, protection, flags, fd, offset);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    std::exit(2);
  }
  return static_cast<char*>(memory);
}

char* anonymous(std::size_t pages) {
  // A page of nothing around it, so that it is not merged with its neighbours.
  map(1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
  return map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

/// maps, with the flags of each mapping; without what differs from one process to the next.
std::string layout() {
  std::istringstream smaps(revive::read_file("/proc/self/smaps"));
  std::string text;
  std::string line;
  while (std::getline(smaps, line)) {
    const bool heading = line.find('-') != std::string::npos && line.find(':') > 20;
    if (line.starts_with("VmFlags")) {
      // Write-protection by a userfaultfd is ours while the original is recorded.
      for (const std::string flag : {" uw", " sd"}) {
        if (const auto at = line.find(flag); at != std::string::npos) line.erase(at, 3);
      }
      text += line + "\n";
    } else if (heading) {
      std::istringstream words(line);
      std::string range, protection, offset, device, inode, name;
      words >> range >> protection >> offset >> device >> inode;
      std::getline(words >> std::ws, name);  // its column depends on the inode
      // Shared memory is made anew: another inode.
      const bool shared = protection[3] == 's';
      text +=
          range + " " + protection + " " + (shared ? "" : device + " " + inode) + " " + name + "\n";
    }
  }
  return text;
}

std::uint32_t sum(const char* memory, std::size_t pages) {
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < pages * kPage; ++i) {
    total = total * 31 + static_cast<unsigned char>(memory[i]);
  }
  return total;
}

void scribble(char* memory, std::size_t pages, unsigned seed) {
  for (std::size_t i = 0; i < pages * kPage; ++i) {
    seed = seed * 1103515245 + 12345;
    memory[i] = static_cast<char>(seed >> 16);
  }
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  std::vector<std::pair<char*, std::size_t>> held;
  const auto keep = [&](char* memory, std::size_t pages, unsigned seed) {
    scribble(memory, pages, seed);
    held.emplace_back(memory, pages);
    return memory;
  };
  keep(anonymous(100), 100, 1);
  char* const readonly = keep(anonymous(5), 5, 2);
  ::mprotect(readonly, 5 * kPage, PROT_READ);
  char* const hidden = keep(anonymous(5), 5, 3);
  ::mprotect(hidden, 5 * kPage, PROT_NONE);
  char* const sparse = anonymous(1 << 18);  // 1 GiB, of which little is there
  for (std::size_t i = 0; i < 40; ++i) sparse[i * 6000 * kPage + i] = static_cast<char>(i + 1);
  ::madvise(keep(anonymous(4), 4, 4), 4 * kPage, MADV_DONTFORK);
  ::madvise(keep(anonymous(4), 4, 5), 4 * kPage, MADV_WIPEONFORK);
  ::madvise(keep(anonymous(4), 4, 7), 4 * kPage, MADV_MERGEABLE);
  ::madvise(keep(anonymous(1024), 1024, 8), 1024 * kPage, MADV_HUGEPAGE);
  ::madvise(keep(anonymous(4), 4, 9), 4 * kPage, MADV_NOHUGEPAGE);
  ::madvise(keep(anonymous(4), 4, 10), 4 * kPage, MADV_RANDOM);
  ::mlock(keep(anonymous(4), 4, 11), 4 * kPage);
  char* const named = keep(anonymous(4), 4, 12);
  ::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, 4 * kPage, "a name");
  char* const guarded = keep(anonymous(8), 8, 13);
  held.pop_back();
  const bool has_guards = ::madvise(guarded + 2 * kPage, 2 * kPage, 102) == 0;
  const char beside_guard[] = {guarded[kPage], guarded[5 * kPage]};
  keep(map(6, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE), 6, 14);
  ::madvise(anonymous(4), 4 * kPage, MADV_DONTDUMP);  // reserved only: nothing of it is lost
  constexpr int kDroppable = 0x08;                    // MAP_DROPPABLE, Linux 6.11
  void* const droppable =
      ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, kDroppable | MAP_ANONYMOUS, -1, 0);
  if (droppable != MAP_FAILED) std::memset(droppable, 1, kPage);
  map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN);
  char* const shared = keep(map(20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS), 20, 15);
  const int memfd = ::memfd_create("a memfd", MFD_ALLOW_SEALING);
  if (::ftruncate(memfd, 10 * kPage) != 0) return 2;
  char* const through_fd = keep(map(10, PROT_READ | PROT_WRITE, MAP_SHARED, memfd), 10, 16);
  char* const second_view = map(4, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 2 * kPage);
  ::close(memfd);
  const int self = ::open("/proc/self/exe", O_RDONLY);
  char* const program = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, self);
  ::close(self);
  scribble(program + kPage, 1, 17);
  held.emplace_back(program, 4);
  // Thousands of small ones.
  for (int i = 0; i < 2000; ++i) {
    char* const small = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    ::mprotect(small + kPage, kPage, PROT_READ);
    if (i % 100 == 0) keep(small, 1, static_cast<unsigned>(i));
  }
  const pid_t child = ::fork();
  if (child == 0) {
    // A relative that shares what is shared, and differs in one page.
    held[0].first[5 * kPage] = 'C';
    const std::uint32_t own = sum(held[0].first, held[0].second);
    while (shared[0] != 'G') ::usleep(2000);
    shared[kPage] = 'X';
    ::_exit(own == sum(held[0].first, held[0].second) ? 0 : 1);
  }
  shared[0] = 'W';
  std::vector<std::uint32_t> sums;
  ::mprotect(hidden, 5 * kPage, PROT_READ);
  for (const auto& [memory, pages] : held) sums.push_back(sum(memory, pages));
  ::mprotect(hidden, 5 * kPage, PROT_NONE);
  // The heap must have grown for two of them before one is kept.
  std::string after = layout();
  std::string before = layout();
  before = layout();
  after = layout();
  before = layout();
  void* const brk = ::sbrk(0);
  revive::ready();
  revive::wait_for_go();

  void* const brk_now = ::sbrk(0);
  after = layout();
  if (after != before) {
    std::istringstream a(before);
    std::istringstream b(after);
    std::string x, y, heading;
    for (int told = 0; told < 12 && (std::getline(a, x), std::getline(b, y)) && a;) {
      if (!x.starts_with("VmFlags")) heading = x;
      if (x == y) continue;
      ++told;
      revive::differs(heading + "\n was: " + x + "\n is:  " + y);
    }
  }
  ::mprotect(hidden, 5 * kPage, PROT_READ);
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (sum(held[i].first, held[i].second) != sums[i]) {
      revive::differs("the contents of memory " + std::to_string(i));
    }
  }
  for (std::size_t i = 0; i < 40; ++i) {
    if (sparse[i * 6000 * kPage + i] != static_cast<char>(i + 1)) revive::differs("sparse memory");
  }
  revive::expect_equal("the program break", brk_now, brk);
  second_view[0] = 'V';
  if (through_fd[2 * kPage] != 'V') revive::differs("two views of a memfd");
  if (has_guards && (guarded[kPage] != beside_guard[0] || guarded[5 * kPage] != beside_guard[1])) {
    revive::differs("beside a guard");
  }
  shared[0] = 'G';
  int status = -1;
  ::waitpid(child, &status, 0);
  revive::expect_equal("the child's memory or end", status, 0);
  revive::expect_equal("memory shared with the child", shared[kPage], 'X');
  // It must be able to go on using all of it.
  scribble(held[0].first, 100, 99);
  void* const more = std::malloc(10 << 20);
  std::memset(more, 1, 10 << 20);
  revive::finish();
}
