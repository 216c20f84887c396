// SPDX-License-Identifier: Apache-2.0
#include "replay/files/lock_line.h"

#include <sstream>

namespace icecore::replay {
namespace {

std::optional<LockLine::Kind> kind_of(const std::string& word) {
  if (word == "POSIX") return LockLine::Kind::Posix;
  if (word == "OFDLCK") return LockLine::Kind::Description;
  if (word == "FLOCK") return LockLine::Kind::Flock;
  if (word == "LEASE") return LockLine::Kind::Lease;
  return std::nullopt;
}

/// Byte ranges conflict among themselves, whole files among themselves.
bool is_of_ranges(LockLine::Kind kind) {
  return kind == LockLine::Kind::Posix || kind == LockLine::Kind::Description;
}

}  // namespace

bool LockLine::goes_with(const LockLine& other) const {
  if (file != other.file) return true;
  if (kind != other.kind && !(is_of_ranges(kind) && is_of_ranges(other.kind))) return true;
  if (!exclusive && !other.exclusive) return true;
  return end < other.start || other.end < start;
}

std::optional<LockLine> parse_lock_line(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string number;
  std::string kind;
  std::string mode;
  std::string type;
  std::string end;
  LockLine lock;
  words >> number;
  if (number == "lock:") words >> number;
  words >> kind >> mode >> type >> lock.pid >> lock.file >> lock.start >> end;
  const auto known = kind_of(kind);
  if (!words || !known) return std::nullopt;
  lock.kind = *known;
  lock.exclusive = type == "WRITE";
  lock.settled = mode != "BREAKING" && mode != "BREAKER";
  lock.end = end == "EOF" ? ~std::uint64_t{0} : std::stoull(end);
  return lock;
}

}  // namespace icecore::replay
