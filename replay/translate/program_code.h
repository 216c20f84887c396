// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace icecore::replay {

/// A process's code as its memory has it, read once a page.
class ProgramCode {
 public:
  explicit ProgramCode(int pid) : pid_(pid) {}

  enum class Access {
    Executable,
    Absent,   ///< not mapped, or not executable: jumping there is a fault
    Changing  ///< executable, but others or the program itself can write it at any time
  };
  [[nodiscard]] Access access(std::uint64_t address);
  /// As many bytes from `address` on as are executable and asked for.
  std::size_t read(std::uint64_t address, std::span<std::uint8_t> out);
  /// Everything is read again when it is asked for.
  void forget();
  /// The mappings only.
  void forget_mappings() { ranges_.clear(); }
  /// Whether any of `[start, end)` has been read since forget().
  [[nodiscard]] bool has_read(std::uint64_t start, std::uint64_t end) const;

 private:
  static constexpr std::uint64_t kPage = 4096;
  struct Range {
    std::uint64_t start;
    std::uint64_t end;
    Access access;
  };
  using Page = std::array<std::uint8_t, kPage>;
  const Page* page(std::uint64_t address);

  int pid_;
  std::vector<Range> ranges_;
  std::map<std::uint64_t, Page> pages_;
};

}  // namespace icecore::replay
