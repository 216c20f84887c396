// SPDX-License-Identifier: Apache-2.0
// System V shared memory: one segment with a key that a child shares, one that is marked for
// removal, one attached for reading only, and one with a part that may not be written.
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include <cstring>

#include "revive_case.h"

namespace {

constexpr std::size_t kPage = 4096;

struct Segment {
  int id = -1;
  char* memory = nullptr;
};

Segment attach(key_t key, std::size_t size, int flags = 0) {
  Segment segment;
  segment.id = ::shmget(key, size, IPC_CREAT | IPC_EXCL | 0640);
  segment.memory = static_cast<char*>(::shmat(segment.id, nullptr, flags));
  if (segment.id < 0 || segment.memory == reinterpret_cast<char*>(-1)) {
    std::perror("shm");
    std::exit(2);
  }
  return segment;
}

std::string status(int id) {
  shmid_ds status{};
  if (::shmctl(id, IPC_STAT, &status) != 0) return "gone";
  return "key " + std::to_string(status.shm_perm.__key) + " size " +
         std::to_string(status.shm_segsz) + " mode " + std::to_string(status.shm_perm.mode) +
         " owner " + std::to_string(status.shm_perm.uid) + ":" +
         std::to_string(status.shm_perm.gid) + " attached " + std::to_string(status.shm_nattch);
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  const Segment keyed = attach(0x1ce00000 + ::getpid(), 3 * kPage + 100);
  const Segment removed = attach(IPC_PRIVATE, 2 * kPage);
  ::shmctl(removed.id, IPC_RMID, nullptr);
  const Segment split = attach(IPC_PRIVATE, 4 * kPage);
  std::strcpy(split.memory, "first");
  std::strcpy(split.memory + 2 * kPage, "third");
  ::mprotect(split.memory + kPage, 2 * kPage, PROT_READ);
  const auto* const readonly = static_cast<char*>(::shmat(split.id, nullptr, SHM_RDONLY));
  std::strcpy(keyed.memory + 3 * kPage, "keyed");
  std::strcpy(removed.memory, "removed");
  shmid_ds settings{};
  ::shmctl(keyed.id, IPC_STAT, &settings);
  settings.shm_perm.uid = 12;
  settings.shm_perm.gid = 34;
  ::shmctl(keyed.id, IPC_SET, &settings);

  const pid_t child = ::fork();
  if (child == 0) {
    while (keyed.memory[0] != 'G') ::usleep(2000);
    keyed.memory[1] = 'X';
    ::_exit(std::strcmp(removed.memory, "removed") == 0 ? 0 : 1);
  }
  const std::string before = status(keyed.id) + "\n" + status(removed.id) + "\n" + status(split.id);
  revive::ready();
  revive::wait_for_go();
  revive::expect_equal(
      "segments", status(keyed.id) + "\n" + status(removed.id) + "\n" + status(split.id), before);
  revive::expect_equal("keyed", std::string(keyed.memory + 3 * kPage), "keyed");
  revive::expect_equal("removed", std::string(removed.memory), "removed");
  revive::expect_equal("third page", std::string(readonly + 2 * kPage), "third");
  std::strcpy(split.memory + 3 * kPage, "written");
  revive::expect_equal("seen by the other view", std::string(readonly + 3 * kPage), "written");
  keyed.memory[0] = 'G';
  int ended = 0;
  ::waitpid(child, &ended, 0);
  revive::expect_equal("child", ended, 0);
  revive::expect_equal("written by the child", keyed.memory[1], 'X');
  ::shmctl(keyed.id, IPC_RMID, nullptr);
  ::shmctl(split.id, IPC_RMID, nullptr);
  revive::finish();
}
