// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace icecore::gdbstub {

/// The bytes of one client: a socket, or stdin and stdout. Never blocks.
class Connection {
 public:
  enum class Outcome { Open, Closed };

  explicit Connection(UniqueFd socket);
  /// The process's own standard streams, which it leaves open and as it found them.
  static Connection standard_streams();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  [[nodiscard]] int input() const { return input_; }
  [[nodiscard]] int output() const { return output_; }

  /// Appends what has arrived to `bytes`.
  Outcome receive(std::string& bytes) const;
  /// Sends from the front of `bytes` what can be sent now and removes it.
  Outcome send(std::string& bytes) const;

 private:
  Connection(int input, int output);

  UniqueFd owned_;
  int input_ = -1;
  int output_ = -1;
  int input_flags_ = -1;  // to be put back; -1 when the descriptors are ours
  int output_flags_ = -1;
};

}  // namespace icecore::gdbstub
