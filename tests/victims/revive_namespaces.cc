// SPDX-License-Identifier: Apache-2.0
// IPC and UTS namespaces of its own: semaphores, messages and shared memory with their ids, POSIX
// message queues, and a host name.
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include <array>
#include <cstring>

#include "revive_case.h"

namespace {

struct Message {
  long type;
  std::array<char, 64> text;
};

void send(int queue, long type, const char* text) {
  Message message{type, {}};
  std::strcpy(message.text.data(), text);
  if (::msgsnd(queue, &message, std::strlen(text) + 1, 0) != 0) std::exit(2);
}

std::string receive(int queue, long type) {
  Message message{};
  const ssize_t size = ::msgrcv(queue, &message, message.text.size(), type, IPC_NOWAIT);
  if (size < 0) return "none";
  return std::to_string(message.type) + " " + message.text.data();
}

std::string semaphores(int set) {
  std::array<unsigned short, 3> values{};
  semid_ds status{};
  if (::semctl(set, 0, GETALL, values.data()) != 0) return "gone";
  ::semctl(set, 0, IPC_STAT, &status);
  return std::to_string(values[0]) + " " + std::to_string(values[1]) + " " +
         std::to_string(values[2]) + " mode " + std::to_string(status.sem_perm.mode) + " owner " +
         std::to_string(status.sem_perm.uid);
}

std::string state_of(mqd_t queue) {
  mq_attr now{};
  struct stat status {};
  if (::mq_getattr(queue, &now) != 0 || ::fstat(queue, &status) != 0) return "gone";
  return std::to_string(now.mq_flags) + " " + std::to_string(now.mq_maxmsg) + " " +
         std::to_string(now.mq_msgsize) + " " + std::to_string(now.mq_curmsgs) + " mode " +
         std::to_string(status.st_mode) + " owner " + std::to_string(status.st_uid);
}

std::string names() {
  std::array<char, 65> host{};
  std::array<char, 65> domain{};
  ::gethostname(host.data(), host.size());
  ::getdomainname(domain.data(), domain.size());
  return std::string(host.data()) + "." + domain.data();
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  if (::unshare(CLONE_NEWIPC | CLONE_NEWUTS) != 0) return 2;
  ::sethostname("revived", 7);
  ::setdomainname("example", 7);
  const int first = ::semget(IPC_PRIVATE, 1, 0600);
  const int set = ::semget(0x1ce, 3, IPC_CREAT | 0640);
  ::semctl(first, 0, IPC_RMID);  // so that ids are not counted from the beginning
  std::array<unsigned short, 3> values{7, 0, 32000};
  ::semctl(set, 0, SETALL, values.data());
  const int queue = ::msgget(0x1cf, IPC_CREAT | 0600);
  send(queue, 5, "five");
  send(queue, 2, "two");
  send(queue, 5, "five again");
  const int segment = ::shmget(0x1d0, 4096, IPC_CREAT | 0600);
  auto* const memory = static_cast<char*>(::shmat(segment, nullptr, 0));
  std::strcpy(memory, "memory");
  mq_attr attributes{};
  attributes.mq_maxmsg = 5;
  attributes.mq_msgsize = 77;
  const mqd_t posix = ::mq_open("/revived", O_CREAT | O_RDWR | O_NONBLOCK, 0640, &attributes);
  ::fchown(posix, 1000, 0);
  const std::string posix_before = state_of(posix);
  const std::string before = semaphores(set);
  revive::ready();
  revive::wait_for_go();
  revive::expect_equal("names", names(), "revived.example");
  revive::expect_equal("semaphores", semaphores(set), before);
  revive::expect_equal("set by its key", ::semget(0x1ce, 3, 0), set);
  revive::expect_equal("queue by its key", ::msgget(0x1cf, 0), queue);
  revive::expect_equal("segment by its key", ::shmget(0x1d0, 0, 0), segment);
  revive::expect_equal("memory", std::string(memory), "memory");
  revive::expect_equal("message of type 2", receive(queue, 2), "2 two");
  revive::expect_equal("first message", receive(queue, 0), "5 five");
  revive::expect_equal("last message", receive(queue, 0), "5 five again");
  revive::expect_equal("end of the queue", receive(queue, 0), "none");
  revive::expect_equal("POSIX queue", state_of(posix), posix_before);
  const mqd_t by_name = ::mq_open("/revived", O_RDONLY);
  ::mq_send(posix, "hello", 5, 1);
  std::array<char, 77> text{};
  ::mq_receive(by_name, text.data(), text.size(), nullptr);
  revive::expect_equal("POSIX queue by its name", std::string(text.data()), "hello");
  revive::finish();
}
