// SPDX-License-Identifier: Apache-2.0
// Changes, without end, what belongs to its resting children: a limit, the position of a file that
// they share, the names of their working directory and of a file that they map. Before and after
// each change it writes down which one it is, so that whoever sees all of it in one moment sees
// them agree. One child wakes now and then, and opens or closes a descriptor of its own.
//   meddler DIRECTORY: READY and the address of the counters, in every process the same.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>

namespace {

constexpr int kOwnDescriptor = 70;

// {before, after} of limit, position, directory, mapped file, own descriptor.
alignas(4096) volatile std::uint64_t counters[512];

template <typename Change>
void change(int which, std::uint64_t number, Change apply) {
  counters[2 * which] = number;
  apply();
  counters[2 * which + 1] = number;
}

void be_restless(int wake) {
  char byte = 0;
  for (std::uint64_t number = 1; read(wake, &byte, 1) == 1; ++number) {
    change(4, number, [&] {
      if (number % 2 == 1) {
        dup2(0, kOwnDescriptor);
      } else {
        close(kOwnDescriptor);
      }
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string directory = argv[1];
  const auto name = [&](const char* stem, std::uint64_t number) {
    return directory + "/" + stem + std::to_string(number);
  };
  if (mkdir(name("d", 0).c_str(), 0700) != 0 || chdir(name("d", 0).c_str()) != 0) return 1;
  const int shared = open((directory + "/shared").c_str(), O_RDWR | O_CREAT, 0600);
  const int mapped = open(name("m", 0).c_str(), O_RDWR | O_CREAT, 0600);
  if (shared < 0 || mapped < 0 || ftruncate(mapped, 4096) != 0) return 1;
  if (mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, mapped, 0) == MAP_FAILED) return 1;
  int never[2];
  int wake[2];
  if (pipe(never) != 0 || pipe(wake) != 0) return 1;
  pid_t resting = 0;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (i == 1) be_restless(wake[0]);
      char byte = 0;
      while (read(never[0], &byte, 1) > 0) {
      }
      return 0;
    }
    if (i == 0) resting = child;
  }
  if (chdir("/") != 0) return 1;
  std::printf("READY %p\n", const_cast<void*>(static_cast<volatile void*>(counters)));
  std::fflush(stdout);
  rlimit limit{};
  getrlimit(RLIMIT_RTTIME, &limit);
  for (std::uint64_t number = 1;; ++number) {
    change(0, number, [&] {
      const rlimit next{number, limit.rlim_max};
      prlimit(resting, RLIMIT_RTTIME, &next, nullptr);
    });
    change(1, number, [&] { lseek(shared, static_cast<off_t>(number), SEEK_SET); });
    change(2, number, [&] { rename(name("d", number - 1).c_str(), name("d", number).c_str()); });
    change(3, number, [&] { rename(name("m", number - 1).c_str(), name("m", number).c_str()); });
    if (number % 64 == 0 && write(wake[1], "w", 1) != 1) return 1;
    usleep(50);
  }
}
