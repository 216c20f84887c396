// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace icecore {

/// The process's exit status for each kind of failure, as the command line documents it.
enum class ExitStatus : int {
  Done = 0,
  Failed = 1,
  WrongUsage = 2,
  Refused = 3,
  NoSuchStore = 10,
  Locked = 11,
  Cancelled = 130,
};

/// A failure that nobody nearby can go on from. The text is one line: object, operation, cause.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string what, int errno_value = 0)
      : std::runtime_error(std::move(what)), errno_value_(errno_value) {}

  /// The errno behind the failure, 0 when there is none.
  [[nodiscard]] int errno_value() const { return errno_value_; }

  /// A remedy: ideally a command to paste. Empty when there is none.
  [[nodiscard]] const std::string& hint() const { return hint_; }
  /// Why it is so, when the first line alone would leave the reader asking. May be empty.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] ExitStatus exit_status() const { return exit_status_; }

  Error& set_hint(std::string hint) {
    hint_ = std::move(hint);
    return *this;
  }
  Error& set_why(std::string why) {
    why_ = std::move(why);
    return *this;
  }
  Error& set_exit_status(ExitStatus status) {
    exit_status_ = status;
    return *this;
  }

 private:
  int errno_value_;
  std::string hint_;
  std::string why_;
  ExitStatus exit_status_ = ExitStatus::Failed;
};

/// The caller asked for something that is not supported; nothing was changed. Exit status 3.
class Refused : public Error {
 public:
  explicit Refused(std::string what) : Error(std::move(what)) {
    set_exit_status(ExitStatus::Refused);
  }
};

/// Throws an Error "what: strerror(errno)". `what` names the operation and the object: "open /x".
[[noreturn]] void throw_errno(const std::string& what);
[[noreturn]] void throw_errno(const std::string& what, int errno_value);

/// Runs `body`; a failure inside it is re-thrown with "context: " before its text, all else kept.
template <typename Body>
decltype(auto) with_context(const std::string& context, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    Error outer(context + ": " + error.what(), error.errno_value());
    outer.set_hint(error.hint()).set_why(error.why()).set_exit_status(error.exit_status());
    throw outer;
  }
}

}  // namespace icecore
