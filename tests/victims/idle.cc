// SPDX-License-Identifier: Apache-2.0
// Waits for lines: "touch N" writes N pages, "threads N" starts N sleeping threads, "fork" starts a
// child that does nothing, "spin" starts a busy thread, "pid" tells the pid, "quit" ends.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

std::vector<char> memory;
volatile unsigned long spins = 0;

void touch(std::size_t pages) {
  memory.resize(pages * 4096);
  for (std::size_t i = 0; i < memory.size(); i += 4096)
    memory[i] = static_cast<char>(memory[i] + 1);
}

void obey(const char* word, std::size_t count) {
  if (std::strcmp(word, "quit") == 0) std::exit(0);
  if (std::strcmp(word, "touch") == 0) touch(count);
  if (std::strcmp(word, "spin") == 0)
    std::thread([] {
      for (;;) spins = spins + 1;
    }).detach();
  if (std::strcmp(word, "threads") == 0) {
    for (; count > 0; --count)
      std::thread([] {
        for (;;) ::pause();
      }).detach();
  }
  if (std::strcmp(word, "fork") == 0) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    std::printf("%d\n", child);
  } else if (std::strcmp(word, "pid") == 0) {
    std::printf("%d\n", ::getpid());
  } else {
    std::printf("DONE\n");
  }
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("READY\n");
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    char word[64] = "";
    unsigned long count = 0;
    if (std::sscanf(line, "%63s %lu", word, &count) > 0) obey(word, count);
  }
}
