// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "gdbstub/packet_framing.h"
#include "gdbstub/session_state.h"

namespace icecore::gdbstub {

/// One client's conversation with a target, without any I/O: bytes go in, bytes come out. Whatever
/// the client sends, it neither throws nor keeps more than one packet.
class Session {
 public:
  explicit Session(Target& target, NewsSink news = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes what the client sent.
  void receive(std::string_view bytes);
  /// The bytes to send next; the caller removes what it has sent.
  [[nodiscard]] std::string& output() { return output_; }

  /// How long the client means to stay: as long as the processes, or to choose further ones.
  enum class Scope { ItsProcesses, Choosing };
  [[nodiscard]] Scope scope() const {
    return conversation_.extended ? Scope::Choosing : Scope::ItsProcesses;
  }

  /// True while a resumed target has not stopped, in all-stop mode.
  [[nodiscard]] bool is_running() const { return state_ == State::Running; }
  /// True while the client may be told of an event; then event_descriptor() is worth waiting for.
  [[nodiscard]] bool awaits_event() const;
  [[nodiscard]] int event_descriptor() const;
  /// To be called when event_descriptor() is readable.
  void take_event();

  [[nodiscard]] bool has_ended() const {
    return conversation_.ending != SessionState::Ending::None;
  }
  [[nodiscard]] SessionState::Ending ending() const { return conversation_.ending; }

 private:
  enum class State { Idle, Running };

  void handle(const Packet& packet);
  void handle_event(const WireEvent& event);
  void dispatch(const std::string& packet);
  void interrupt();
  void take_stop();
  void take_notification();
  /// Keeps the list of shown processes true to what has happened.
  void take_note(const StopEvent& event);
  void send(std::string_view payload);
  void notify(const StopEvent& event);
  void send_error(const Error& error);
  void send_console(std::string_view text);
  void enter(State state);

  Target& target_;
  SessionState conversation_;
  Context context_;
  PacketReader reader_;
  State state_ = State::Idle;
  std::string output_;
  std::string last_packet_;  // sent again when the client answers '-'
};

}  // namespace icecore::gdbstub
