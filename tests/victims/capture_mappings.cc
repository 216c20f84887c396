// SPDX-License-Identifier: Apache-2.0
// Makes one mapping of each kind and tells their first addresses, "name=hex" each, behind READY.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t kSize = 16 * 4096;

// Away from other mappings of the same protection, so that the kernel merges none of them.
void* map(int protection, int flags, int fd) {
  char* area = static_cast<char*>(
      ::mmap(nullptr, kSize + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  return ::mmap(area + 4096, kSize, protection, flags | MAP_FIXED, fd, 0);
}

void tell(const char* name, const void* address) {
  if (address != MAP_FAILED) std::printf(" %s=%lx", name, reinterpret_cast<unsigned long>(address));
}

}  // namespace

int main() {
  std::printf("READY");
  constexpr int kReadWrite = PROT_READ | PROT_WRITE;
  tell("private", map(kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1));
  tell("none", map(PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1));
  tell("shared", map(kReadWrite, MAP_SHARED | MAP_ANONYMOUS, -1));
  void* undumped = map(kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  ::madvise(undumped, kSize, MADV_DONTDUMP);
  tell("undumped", undumped);
  void* guarded = map(kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (::madvise(static_cast<char*>(guarded) + 3 * 4096, 2 * 4096, 102) == 0) {  // GUARD_INSTALL
    tell("guarded", guarded);
  }
  const int memory = ::memfd_create("victim mem", 0);
  if (::ftruncate(memory, kSize) == 0) tell("memfd", map(kReadWrite, MAP_SHARED, memory));
  const int secret = static_cast<int>(::syscall(447, 0));  // memfd_secret
  if (secret >= 0 && ::ftruncate(secret, kSize) == 0)
    tell("secret", map(kReadWrite, MAP_SHARED, secret));
  char name[] = "/tmp/icecore\nvictim-XXXXXX";
  const int file = ::mkstemp(name);
  if (::ftruncate(file, kSize) == 0) tell("deleted", map(PROT_READ, MAP_PRIVATE, file));
  ::unlink(name);
  const int segment = ::shmget(IPC_PRIVATE, kSize, 0600);
  tell("sysv", ::shmat(segment, nullptr, 0));
  ::shmctl(segment, IPC_RMID, nullptr);
  std::printf("\n");
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
  }
}
