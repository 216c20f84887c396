// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/copy_memory.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace icecore::replay {
namespace {

constexpr std::uint64_t kMebibyte = 1ULL << 20U;

/// A process that shares all of our memory until either writes.
class Copy {
 public:
  Copy() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_;
};

TEST(CopyMemory, IsTooMuchOnceTheProgramHasWrittenThatMuch) {
  std::string memory(16 * kMebibyte, 'a');
  CopyMemory small(8 * kMebibyte);
  CopyMemory large(64 * kMebibyte);
  EXPECT_FALSE(small.is_too_much(::getpid(), {}));
  EXPECT_FALSE(large.is_too_much(::getpid(), {}));
  const Copy first;
  const Copy second;
  const std::vector copies{first.pid(), second.pid()};
  EXPECT_FALSE(small.is_too_much(::getpid(), copies));
  for (std::size_t i = 0; i < memory.size(); i += 512) memory[i] = 'b';
  EXPECT_TRUE(small.is_too_much(::getpid(), copies));
  EXPECT_FALSE(large.is_too_much(::getpid(), copies));
  const auto bytes = memory_of_copies(::getpid(), copies);
  EXPECT_GT(bytes, 15 * kMebibyte);
  EXPECT_LT(bytes, 40 * kMebibyte);
}

}  // namespace
}  // namespace icecore::replay
