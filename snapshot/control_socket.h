// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::snapshot {

/// How other icecore processes talk to a living recorder: a unix socket in the store
/// (`run/NAME.sock`, 0600), one request line, one reply line. "snap TAG", "freeze", "thaw", "stop";
/// "ok TEXT" or "error WHAT".
class ControlServer {
 public:
  explicit ControlServer(const std::filesystem::path& socket);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

  struct Client {
    UniqueFd fd;
    std::string received;
  };
  struct Request {
    int client = 0;  ///< its descriptor; for reply() and closed()
    std::string verb;
    std::string argument;
  };

  /// Descriptors to poll for input.
  [[nodiscard]] std::vector<int> descriptors() const;
  /// Takes in what has arrived, without blocking; clients that hang up are dropped.
  std::vector<Request> receive();
  void reply(int client, std::string_view line);
  [[nodiscard]] bool connected(int client) const;

 private:
  bool read_client(Client& client, std::vector<Request>& requests);

  std::filesystem::path path_;
  UniqueFd listener_;
  std::vector<Client> clients_;
};

/// Sends one request and waits for its reply. nullopt when nobody listens there; throws Error with
/// the recorder's words when it refuses, or when it goes away before it answered.
std::optional<std::string> ask_recorder(const std::filesystem::path& socket,
                                        std::string_view request);

}  // namespace icecore::snapshot
