// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace icecore::replay {

/// When a program that has been started is ready to become an image, as `--ready` says:
/// `port`, `port:8080`, `http:/health`, `http:8080/health`, `log:REGEX`, `notify` (READY=1 to
/// $NOTIFY_SOCKET), `exec:COMMAND` (exits with 0), `signal` (SIGUSR1 to us).
class Readiness {
 public:
  /// Throws Error (exit status 2) when `text` is none of these.
  static std::unique_ptr<Readiness> parse(const std::string& text);

  Readiness() = default;
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  virtual ~Readiness() = default;

  /// What the program needs in its environment: "K=V".
  [[nodiscard]] virtual std::vector<std::string> environment() const { return {}; }
  /// Asked again and again; `output` is what the program has written since the last time. Must not
  /// wait for long.
  virtual bool holds(int root, const std::string& output) = 0;
};

}  // namespace icecore::replay
