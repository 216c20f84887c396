// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace icecore::gdbstub {

/// What a command answers: one packet now, or nothing until the target stops, or nothing at all.
struct Reply {
  enum class Kind { Packet, WhenStopped, Nothing };
  Kind kind = Kind::Packet;
  std::string payload;
  /// Text for the user, sent before the payload. Only in answer to qRcmd.
  std::string console = {};

  static Reply packet(std::string payload) { return {Kind::Packet, std::move(payload)}; }
  static Reply ok() { return packet("OK"); }
  /// "I do not know this packet."
  static Reply unsupported() { return packet(""); }
  static Reply when_stopped() { return {Kind::WhenStopped, {}}; }
  static Reply nothing() { return {Kind::Nothing, {}}; }
};

/// A packet that does not say what its kind must say.
class MalformedPacket : public Error {
 public:
  explicit MalformedPacket(const std::string& what);
};

/// Memory that cannot be read or written. Answered by a number alone, since gdb takes any other
/// text for bytes of memory.
class MemoryError : public Error {
 public:
  using Error::Error;
};

}  // namespace icecore::gdbstub
