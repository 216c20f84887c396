// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"

namespace icecore::store {

/// Stored bytes are not what was written: names the file and the offset of the damaged record.
class CorruptStore : public Error {
 public:
  CorruptStore(std::string file, std::uint64_t offset, const std::string& what)
      : Error(file + ": damaged at offset " + std::to_string(offset) + ": " + what),
        file_(std::move(file)),
        offset_(offset),
        damage_(what) {
    set_hint("icecore verify");
  }

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  /// What is wrong, without the place.
  [[nodiscard]] const std::string& damage() const { return damage_; }

 private:
  std::string file_;
  std::uint64_t offset_;
  std::string damage_;
};

}  // namespace icecore::store
