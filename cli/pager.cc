// SPDX-License-Identifier: Apache-2.0
#include "cli/pager.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "base/unique_fd.h"
#include "cli/debugger.h"

namespace icecore::cli {
namespace {

std::string chosen_pager() {
  const char* wish = std::getenv("PAGER");  // NOLINT(concurrency-mt-unsafe): nobody sets it now
  if (wish != nullptr) return wish;
  return find_program("less") ? "less" : "";
}

}  // namespace

Pager::Pager(const Invocation& invocation) : colour_(invocation.colour(STDOUT_FILENO)) {
  if (::isatty(STDOUT_FILENO) != 1) return;
  const std::string program = chosen_pager();
  if (!program.empty() && program != "cat") start(program);
}

void Pager::start(const std::string& program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  ::setenv("LESS", "FRX", 0);  // as git: quit if it fits, keep colours, leave the screen alone
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, reading.get(), STDIN_FILENO);
  std::array<const char*, 4> words = {"sh", "-c", program.c_str(), nullptr};
  const int failure = ::posix_spawn(&pid_, "/bin/sh", &actions, nullptr,
                                    const_cast<char* const*>(words.data()), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    pid_ = -1;
    return;
  }
  std::cout.flush();
  ::dup2(writing.get(), STDOUT_FILENO);
}

Pager::~Pager() {
  if (pid_ < 0) return;
  std::cout.flush();
  ::close(STDOUT_FILENO);  // the pager sees the end of its input
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  // main flushes stdout once more; there must be something to flush to.
  (void)::open("/dev/null", O_WRONLY | O_CLOEXEC);
}

}  // namespace icecore::cli
