// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace icecore::gdbstub {

/// What a client asks about a process before it can find symbols.
class ProcessFacts {
 public:
  virtual ~ProcessFacts() = default;
  /// The file that the process runs, as its path was.
  virtual std::string executable(std::int32_t pid) = 0;
  virtual std::vector<std::byte> auxiliary_vector(std::int32_t pid) = 0;
  virtual std::int32_t parent(std::int32_t pid) = 0;
  /// A client that goes leaves attached processes alone and kills created ones.
  enum class Origin { Attached, Created };
  [[nodiscard]] virtual Origin origin(std::int32_t /*pid*/) { return Origin::Attached; }
  virtual std::string host_name() = 0;
  virtual std::string kernel_release() = 0;
};

}  // namespace icecore::gdbstub
