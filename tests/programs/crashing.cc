// SPDX-License-Identifier: Apache-2.0
// Dies as its arguments say: "segv" or "abort", in "main", a "thread" or a "child".
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

int* volatile nowhere = nullptr;

void write_nowhere(int value) {
  *nowhere = value;  // the line that faults
}

void die(const std::string& how) {
  if (how == "segv") write_nowhere(42);
  if (how == "abort") std::abort();
}

}  // namespace

int main(int, char** arguments) {
  const std::string how = arguments[1];
  const std::string where = arguments[2];
  std::printf("READY\n");
  std::fflush(stdout);
  std::getchar();
  if (where == "main") die(how);
  if (where == "thread") std::thread(die, how).join();
  const pid_t child = ::fork();
  if (child == 0) die(how);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::printf("child died of %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return 7;
}
