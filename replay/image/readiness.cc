// SPDX-License-Identifier: Apache-2.0
#include "replay/image/readiness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <regex>

#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/http_probe.h"
#include "replay/image/shell_command.h"
#include "replay/image/tree_sockets.h"

namespace icecore::replay {
namespace {

/// 0 when `text` is no port.
int parse_port(std::string_view text) {
  int port = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), port);
  constexpr int kHighest = 65535;
  const bool whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  return whole && port > 0 && port <= kHighest ? port : 0;
}

class PortListens : public Readiness {
 public:
  /// 0: any.
  explicit PortListens(int port) : port_(port) {}
  bool holds(int root, const std::string& /*output*/) override {
    const auto ports = listening_ports(tree_sockets(root));
    return port_ == 0 ? !ports.empty() : std::ranges::find(ports, port_) != ports.end();
  }

 private:
  int port_;
};

class AnswersHttp : public Readiness {
 public:
  AnswersHttp(int port, std::string path) : port_(port), path_(std::move(path)) {}
  bool holds(int root, const std::string& /*output*/) override {
    const auto ports = port_ != 0 ? std::vector<int>{port_} : listening_ports(tree_sockets(root));
    return std::ranges::any_of(ports, [this](int port) { return answers_http(port, path_); });
  }

 private:
  int port_;
  std::string path_;
};

class LogMatches : public Readiness {
 public:
  explicit LogMatches(const std::string& pattern) {
    try {
      pattern_ = std::regex(pattern, std::regex::extended);
    } catch (const std::regex_error& error) {
      throw Error("--ready log:" + pattern + ": " + error.what())
          .set_exit_status(ExitStatus::WrongUsage);
    }
  }
  bool holds(int /*root*/, const std::string& output) override {
    line_ += output;
    for (std::size_t end = 0; (end = line_.find('\n')) != std::string::npos;) {
      if (std::regex_search(line_.substr(0, end), pattern_)) return true;
      line_.erase(0, end + 1);
    }
    return std::regex_search(line_, pattern_);
  }

 private:
  std::regex pattern_;
  std::string line_;
};

/// As systemd's: a datagram socket that the program sends "READY=1" to. An abstract name leaves no
/// file behind in the image.
class Notifies : public Readiness {
 public:
  Notifies() : name_("icecore-ready-" + std::to_string(::getpid())) {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(&address.sun_path[1], name_.data(), name_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    if (!socket_.valid() ||
        ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
      throw_errno("bind @" + name_);
    }
  }
  [[nodiscard]] std::vector<std::string> environment() const override {
    return {"NOTIFY_SOCKET=@" + name_};
  }
  bool holds(int /*root*/, const std::string& /*output*/) override {
    std::array<char, 4096> bytes{};
    for (ssize_t got = 0; (got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0)) >= 0;) {
      const std::string text =
          "\n" + std::string(bytes.data(), static_cast<std::size_t>(got)) + "\n";
      if (text.find("\nREADY=1\n") != std::string::npos && !ready_) ready_ = Clock::now();
      // Its descriptor is closed by being received by nobody, which lets the program go on.
      if (text.find("\nBARRIER=1\n") != std::string::npos) has_barrier_ = true;
    }
    return ready_ && (has_barrier_ || Clock::now() - *ready_ > kBarrierDelay);
  }

 private:
  using Clock = std::chrono::steady_clock;
  // systemd-notify(1) and sd_notify_barrier(3) send a pipe's end behind the message, and wait until
  // it is closed: in a snapshot before that the program would have a pipe to us.
  static constexpr auto kBarrierDelay = std::chrono::milliseconds(50);

  std::string name_;
  UniqueFd socket_;
  std::optional<Clock::time_point> ready_;
  bool has_barrier_ = false;
};

class CommandSucceeds : public Readiness {
 public:
  explicit CommandSucceeds(std::string command) : command_(std::move(command)) {}
  bool holds(int root, const std::string& /*output*/) override {
    if (!running_) running_ = std::make_unique<ShellCommand>(command_, root);
    const auto status = running_->ended();
    if (status) running_.reset();
    return status == 0;
  }

 private:
  std::string command_;
  std::unique_ptr<ShellCommand> running_;
};

/// SIGUSR1 must be blocked already.
class Signals : public Readiness {
 public:
  Signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_.valid()) throw_errno("signalfd");
  }
  [[nodiscard]] std::vector<std::string> environment() const override {
    return {"ICECORE_READY_PID=" + std::to_string(::getpid())};
  }
  bool holds(int /*root*/, const std::string& /*output*/) override {
    signalfd_siginfo signal{};
    return ::read(signals_.get(), &signal, sizeof signal) == sizeof signal;
  }

 private:
  UniqueFd signals_;
};

[[noreturn]] void throw_unknown(const std::string& text) {
  throw Error("--ready " + text +
              ": must be port, port:N, http:/PATH, http:N/PATH, log:REGEX, "
              "notify, exec:COMMAND or signal")
      .set_exit_status(ExitStatus::WrongUsage);
}

std::unique_ptr<Readiness> parse_http(const std::string& text, const std::string& rest) {
  const auto slash = rest.find('/');
  if (slash == std::string::npos) throw_unknown(text);
  const int port = slash == 0 ? 0 : parse_port(rest.substr(0, slash));
  if (slash != 0 && port == 0) throw_unknown(text);
  return std::make_unique<AnswersHttp>(port, rest.substr(slash));
}

}  // namespace

std::unique_ptr<Readiness> Readiness::parse(const std::string& text) {
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (text == "port") return std::make_unique<PortListens>(0);
  if (text == "notify") return std::make_unique<Notifies>();
  if (text == "signal") return std::make_unique<Signals>();
  if (kind == "port" && parse_port(rest) != 0) {
    return std::make_unique<PortListens>(parse_port(rest));
  }
  if (kind == "http") return parse_http(text, rest);
  if (kind == "log" && !rest.empty()) return std::make_unique<LogMatches>(rest);
  if (kind == "exec" && !rest.empty()) return std::make_unique<CommandSucceeds>(rest);
  throw_unknown(text);
}

}  // namespace icecore::replay
