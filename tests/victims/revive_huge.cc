// SPDX-License-Identifier: Apache-2.0
// Memory of huge pages that was asked for by name: private, shared, and a memfd; and guard regions
// in memory that is locked. Wants 6 huge pages of the machine.
#include <sys/mman.h>

#include <array>
#include <cstring>

#include "revive_case.h"

namespace {

constexpr std::size_t kHuge = 2 << 20;
constexpr std::size_t kPage = 4096;

char* map(std::size_t size, int flags, int fd = -1) {
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) std::exit(77);
  return static_cast<char*>(memory);
}

/// Where in the address space pages are huge, or have guards.
std::string layout() {
  std::istringstream smaps(revive::read_file("/proc/self/smaps"));
  std::string text, line, range;
  while (std::getline(smaps, line)) {
    if (line.find('-') != std::string::npos && line.find(':') > 20) range = line.substr(0, 30);
    if (line == "KernelPageSize:     2048 kB") text += range + " huge\n";
    if (line.starts_with("VmFlags:") && line.find(" gu ") != std::string::npos) {
      text += range + line + "\n";
    }
  }
  return text;
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  const int memfd = ::memfd_create("huge", MFD_HUGETLB);
  if (memfd < 0 || ::ftruncate(memfd, kHuge) != 0) return 77;
  const std::array<char*, 3> memories{map(2 * kHuge, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB),
                                      map(kHuge, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB),
                                      map(kHuge, MAP_SHARED, memfd)};
  for (char* const memory : memories) std::strcpy(memory + 5 * kPage, "huge");
  std::strcpy(memories[0] + kHuge + kPage, "second");
  char* const guarded = map(16 * kPage, MAP_PRIVATE | MAP_ANONYMOUS);
  std::memset(guarded, 7, 16 * kPage);
  constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, Linux 6.13
  ::madvise(guarded + 4 * kPage, 2 * kPage, kGuardInstall);
  ::mlock(guarded, 16 * kPage);  // says that it could not lock all
  const std::string before = layout();
  revive::ready();
  revive::wait_for_go();

  revive::expect_equal("huge and guarded memory", layout(), before);
  for (char* const memory : memories) {
    revive::expect_equal("a huge page", std::string(memory + 5 * kPage), "huge");
  }
  revive::expect_equal("another", std::string(memories[0] + kHuge + kPage), "second");
  revive::expect_equal("beside a guard", guarded[7 * kPage], 7);
  revive::expect_equal("a larger memfd", ::ftruncate(memfd, 2 * kHuge), 0);
  revive::finish();
}
