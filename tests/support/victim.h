// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/deadline.h"

namespace icecore::test {

/// A small program of tests/victims, running: started by the constructor, which returns when it has
/// written READY; killed and reaped by the destructor, and by the kernel should the test die first.
/// Its stdin and stdout are pipes to the test; it leads its own process group, and whatever it left
/// running in that group is killed too.
class Victim {
 public:
  explicit Victim(const std::string& name, const std::vector<std::string>& arguments = {});
  Victim(Victim&& other) noexcept;
  Victim& operator=(Victim&&) = delete;
  ~Victim();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// What followed READY on its line.
  [[nodiscard]] const std::string& greeting() const { return greeting_; }

  /// Writes `line` and returns the line that the victim answers.
  std::string send(std::string_view line);
  /// Writes `line` only, for victims that answer later or are stopped.
  void write_line(std::string_view line);
  std::string read_line();
  /// Whether read_line() would not have to wait.
  [[nodiscard]] bool has_answered() const;

  /// Closes the victim's stdin, waits for its end and returns the wait status.
  int wait();

 private:
  void receive(const Deadline& deadline);
  void kill_and_reap();

  pid_t pid_ = -1;
  UniqueFd to_victim_;
  UniqueFd from_victim_;
  std::string received_;
  std::string greeting_;
};

/// The text of /proc/PID/task/*/{stack,wchan,status}: what every thread of a process hangs in.
std::string describe_threads(pid_t pid);

}  // namespace icecore::test
