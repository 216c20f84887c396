// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/server.h"

#include <poll.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "gdbstub/session.h"
#include "gdbstub/target/execution.h"

namespace icecore::gdbstub {
namespace {

/// A client that does not read its answers is not read from either, so its queue stays short.
constexpr std::size_t kLongestQueue = 1U << 20U;

enum class Outcome { ClientGone, ServerAsked };

bool is_ready(const pollfd& waited) { return waited.revents != 0; }

void wait(std::span<pollfd> descriptors) {
  while (::poll(descriptors.data(), descriptors.size(), -1) < 0) {
    if (errno != EINTR) throw_errno("poll");
  }
}

void refuse_client(const Listener& listener, const ServeOptions& options) {
  if (!listener.accept().valid()) return;
  const std::string line = "refused a client on " + listener.client_address() +
                           ": another debugger is attached; start a second server for it";
  log(Topic::Gdbstub, line);
  if (options.on_refused) options.on_refused(line);
}

/// One client's poll loop.
class Conversation {
 public:
  Conversation(const Connection& connection, Target& target, const ServeOptions& options)
      : connection_(connection),
        target_(target),
        options_(options),
        session_(target, options.on_news) {
    auto* reverse = target.reverse_execution();
    if (reverse != nullptr) reverse->listen_meanwhile([this] { return has_input(); });
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() {
    if (auto* reverse = target_.reverse_execution()) reverse->listen_meanwhile({});
  }

  Outcome run(const Listener* listener);
  [[nodiscard]] Session::Scope scope() const { return session_.scope(); }

 private:
  /// False when the client is gone or the session has ended.
  bool exchange_bytes(bool can_read);
  [[nodiscard]] bool has_input() const {
    pollfd input{connection_.input(), POLLIN, 0};
    return ::poll(&input, 1, 0) > 0;
  }
  [[nodiscard]] bool wants_input() { return session_.output().size() < kLongestQueue; }

  const Connection& connection_;
  Target& target_;
  const ServeOptions& options_;
  Session session_;
};

bool Conversation::exchange_bytes(bool can_read) {
  if (can_read) {
    std::string bytes;
    const auto outcome = connection_.receive(bytes);
    session_.receive(bytes);
    if (outcome == Connection::Outcome::Closed) return false;
  }
  if (connection_.send(session_.output()) == Connection::Outcome::Closed) return false;
  return !session_.has_ended();
}

Outcome Conversation::run(const Listener* listener) {
  const int listening = listener == nullptr ? -1 : listener->descriptor();
  while (true) {
    const short output_events = session_.output().empty() ? short{0} : short{POLLOUT};
    const short input_events = wants_input() ? short{POLLIN} : short{0};
    std::array<pollfd, 5> waited{{
        {wants_input() ? connection_.input() : -1, input_events, 0},
        {session_.output().empty() ? -1 : connection_.output(), output_events, 0},
        {session_.awaits_event() ? session_.event_descriptor() : -1, POLLIN, 0},
        {listening, POLLIN, 0},
        {options_.stop_descriptor, POLLIN, 0},
    }};
    wait(waited);
    if (is_ready(waited[4])) return Outcome::ServerAsked;
    if (is_ready(waited[2])) session_.take_event();
    if (!exchange_bytes(is_ready(waited[0]))) {
      return session_.ending() == SessionState::Ending::Exit ? Outcome::ServerAsked
                                                             : Outcome::ClientGone;
    }
    // Who comes right after our client has left must not be refused: what our client said last, its
    // going included, is heard first.
    if (is_ready(waited[3]) && !is_ready(waited[0])) refuse_client(*listener, options_);
  }
}

/// False when serving was asked to stop before a client came.
bool wait_for_client(const Listener& listener, const ServeOptions& options) {
  std::array<pollfd, 2> waited{{
      {listener.descriptor(), POLLIN, 0},
      {options.stop_descriptor, POLLIN, 0},
  }};
  wait(waited);
  return !is_ready(waited[1]);
}

/// Whether nobody is waited for any more after this client.
bool has_served(const ServeOptions& options, Target& target, Session::Scope scope) {
  switch (options.lifetime) {
    case ServeOptions::Lifetime::OneClient:
      return true;
    case ServeOptions::Lifetime::WhileProcesses:
      return scope == Session::Scope::ItsProcesses && target.threads().empty();
    case ServeOptions::Lifetime::UntilAsked:
      return false;
  }
  return false;
}

}  // namespace

void serve(const Connection& connection, Target& target, const ServeOptions& options) {
  Conversation(connection, target, options).run(nullptr);
  if (options.on_gone) options.on_gone("the debugger is gone");
}

void serve(const Listener& listener, const TargetFactory& make_target,
           const ServeOptions& options) {
  while (wait_for_client(listener, options)) {
    UniqueFd socket = listener.accept();
    if (!socket.valid()) continue;
    const Connection connection(std::move(socket));
    const auto target = make_target();
    if (options.on_client) options.on_client(peer_name(connection.input()));
    Conversation conversation(connection, *target, options);
    const Outcome outcome = conversation.run(&listener);
    if (options.on_gone) options.on_gone("the debugger is gone");
    if (outcome == Outcome::ServerAsked) return;
    if (has_served(options, *target, conversation.scope())) return;
    if (options.on_waiting_again) options.on_waiting_again();
  }
}

}  // namespace icecore::gdbstub
