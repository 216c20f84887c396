// SPDX-License-Identifier: Apache-2.0
// Has memory of the rarer kinds and tells the addresses: READY dontdump=A huge=B guarded=C
// secret=D, in decimal; 0 where the kernel has no such thing. All pages begin with the word
// "content".
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr std::size_t kSize = 4U << 20U;
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, Linux 6.13

char* map_filled() {
  auto* data = static_cast<char*>(
      mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  for (std::size_t i = 0; i < kSize; i += 4096) std::strcpy(data + i, "content");
  return data;
}

char* map_huge() {
  auto* space = static_cast<char*>(
      mmap(nullptr, 2 * kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const auto address = (reinterpret_cast<std::uintptr_t>(space) + kSize - 1) & ~(kSize - 1);
  auto* data = reinterpret_cast<char*>(address);
  madvise(data, kSize, MADV_HUGEPAGE);
  for (std::size_t i = 0; i < kSize; i += 4096) std::strcpy(data + i, "content");
  return data;
}

char* map_secret() {
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, 0));
  if (fd < 0 || ftruncate(fd, 4096) != 0) return nullptr;
  void* data = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return nullptr;
  std::strcpy(static_cast<char*>(data), "content");
  return static_cast<char*>(data);
}

}  // namespace

int main() {
  char* dontdump = map_filled();
  madvise(dontdump, kSize, MADV_DONTDUMP);
  char* huge = map_huge();
  char* guarded = map_filled();
  if (madvise(guarded + 8192, 4096, kGuardInstall) != 0) guarded = nullptr;
  std::printf("READY dontdump=%zu huge=%zu guarded=%zu secret=%zu\n",
              reinterpret_cast<std::size_t>(dontdump), reinterpret_cast<std::size_t>(huge),
              reinterpret_cast<std::size_t>(guarded), reinterpret_cast<std::size_t>(map_secret()));
  std::fflush(stdout);
  char line[100];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    std::puts("DONE");
    std::fflush(stdout);
  }
}
