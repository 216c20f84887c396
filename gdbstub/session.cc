// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/session.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/overloaded.h"
#include "gdbstub/command_table.h"
#include "gdbstub/hex.h"
#include "gdbstub/stop_reply.h"
#include "gdbstub/target/execution.h"

namespace icecore::gdbstub {
namespace {

constexpr std::size_t kConsolePiece = 16384;
constexpr std::size_t kLoggedBytes = 200;

std::string shortened(std::string_view packet) {
  std::string text;
  for (const char byte : packet.substr(0, kLoggedBytes)) {
    text += byte >= 0x20 && byte < 0x7f ? byte : '.';
  }
  if (packet.size() > kLoggedBytes) text += "... (" + std::to_string(packet.size()) + " bytes)";
  return text;
}

}  // namespace

Session::Session(Target& target, NewsSink news) : target_(target), context_{target, conversation_} {
  conversation_.news = std::move(news);
  conversation_.console =
      std::make_shared<const ConsoleSink>([this](const std::string& text) { send_console(text); });
  if (!target.threads().empty()) conversation_.show(target.current_stop().thread);
}

void Session::receive(std::string_view bytes) {
  while (!bytes.empty() && !has_ended()) {
    const auto event = reader_.next(bytes);
    if (event) handle_event(*event);
  }
}

void Session::handle_event(const WireEvent& event) {
  std::visit(Overloaded{
                 [&](const Packet& packet) { handle(packet); },
                 [](const Ack&) {},
                 [&](const Nack&) {
                   if (conversation_.acknowledge) output_ += last_packet_;
                 },
                 [&](const Interrupt&) { interrupt(); },
                 [&](const BadChecksum&) {
                   if (conversation_.acknowledge) output_ += '-';
                 },
                 [&](const TooLong&) {
                   if (conversation_.acknowledge) output_ += '+';
                   send_error(MalformedPacket("longer than PacketSize"));
                 },
             },
             event);
}

void Session::handle(const Packet& packet) {
  if (conversation_.acknowledge) output_ += '+';
  if (log_enabled(Topic::Gdbstub)) log(Topic::Gdbstub, "<- " + shortened(packet.payload));
  try {
    dispatch(packet.payload);
  } catch (const Error& error) {
    send_error(error);
  } catch (const std::exception& error) {
    send_error(Error(error.what()));
  }
  if (std::exchange(conversation_.stop_acknowledging, false)) conversation_.acknowledge = false;
}

void Session::dispatch(const std::string& packet) {
  // While the target runs, only an interrupt is legal in all-stop; a second resume would lose a
  // stop.
  if (is_running() && packet != "vCtrlC") throw Error("the target is running");
  const Command* command = find_command(packet, target_);
  if (command == nullptr) {
    send("");
    return;
  }
  const Reply reply =
      command->run(context_, std::string_view(packet).substr(command->packet.size()));
  switch (reply.kind) {
    case Reply::Kind::Packet:
      send_console(reply.console);
      send(reply.payload);
      break;
    case Reply::Kind::WhenStopped:
      enter(State::Running);
      if (event_descriptor() < 0) take_event();
      break;
    case Reply::Kind::Nothing:
      break;
  }
  if (!conversation_.non_stop) return;
  if (const auto told = conversation_.notifications.tell()) notify(*told);
}

void Session::interrupt() {
  log(Topic::Gdbstub, "<- interrupt");
  Execution* execution = target_.execution();
  if (execution == nullptr) return;
  try {
    execution->interrupt();
  } catch (const Error& error) {
    // Nothing is awaited of a target that stands still.
    if (is_running()) send_error(error);
  }
}

int Session::event_descriptor() const {
  Execution* execution = target_.execution();
  return execution == nullptr ? -1 : execution->event_descriptor();
}

bool Session::awaits_event() const {
  if (conversation_.non_stop) return !conversation_.notifications.is_outstanding();
  return is_running();
}

void Session::take_event() {
  try {
    if (conversation_.non_stop) {
      take_notification();
    } else if (is_running()) {
      take_stop();
    }
  } catch (const std::exception& error) {
    enter(State::Idle);
    send_error(Error(error.what()));
  }
}

void Session::take_stop() {
  const auto event = target_.execution()->next_event();
  if (!event) return;
  enter(State::Idle);
  conversation_.general = event->thread;
  conversation_.transfer_name.clear();
  take_note(*event);
  send_console(target_.execution()->take_message());
  send(stop_reply(context_, *event));
}

// One at a time: as long as the target has not told of a stop, it does not resume that thread by an
// action that was sent before the client knew.
void Session::take_notification() {
  if (!awaits_event()) return;
  const auto event = target_.execution()->next_event();
  if (!event) return;
  take_note(*event);
  conversation_.notifications.add(*event);
  if (const auto told = conversation_.notifications.tell()) notify(*told);
}

void Session::take_note(const StopEvent& event) {
  const std::int32_t pid = event.thread.pid;
  std::visit(Overloaded{
                 [&](const Forked& fork) {
                   auto& shown = conversation_.processes;
                   if (std::ranges::find(shown, fork.child.pid) == shown.end()) {
                     shown.push_back(fork.child.pid);
                   }
                 },
                 [&](const ProcessExited& exit) {
                   conversation_.forget({SessionNews::Kind::Exited, pid, exit.code});
                 },
                 [&](const ProcessKilled& killed) {
                   conversation_.forget({SessionNews::Kind::KilledBySignal, pid, killed.signal});
                 },
                 [](const auto&) {},
             },
             event.reason);
}

void Session::notify(const StopEvent& event) {
  const std::string payload = "Stop:" + stop_reply(context_, event);
  if (log_enabled(Topic::Gdbstub)) log(Topic::Gdbstub, "-> %" + shortened(payload));
  output_ += frame_notification(payload);
}

void Session::send(std::string_view payload) {
  if (log_enabled(Topic::Gdbstub)) log(Topic::Gdbstub, "-> " + shortened(payload));
  last_packet_ = frame(payload);
  output_ += last_packet_;
}

void Session::send_console(std::string_view text) {
  while (!text.empty()) {
    send("O" + to_hex(text.substr(0, kConsolePiece)));
    text.remove_prefix(std::min(text.size(), kConsolePiece));
  }
}

// gdb takes "E." and text from everybody but its memory readers; lldb wants the text in hex, and
// only when it has asked for text.
void Session::send_error(const Error& error) {
  constexpr int kNoNumber = 1;
  const int errno_value = error.errno_value();
  const auto number =
      static_cast<std::byte>(errno_value > 0 && errno_value < 256 ? errno_value : kNoNumber);
  const std::string code = "E" + to_hex(std::span(&number, 1));
  if (conversation_.client == SessionState::Client::Lldb) {
    send(conversation_.error_strings ? code + ";" + to_hex(error.what()) : code);
  } else if (dynamic_cast<const MemoryError*>(&error) != nullptr) {
    send(code);
  } else {
    send(std::string("E.") + error.what());
  }
}

void Session::enter(State state) {
  if (state == state_) return;
  state_ = state;
  log(Topic::Gdbstub, state == State::Running ? "the target runs" : "the target stands still");
}

}  // namespace icecore::gdbstub
