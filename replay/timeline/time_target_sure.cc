// SPDX-License-Identifier: Apache-2.0
// Going back in processes that nobody can run again exactly: from one kept moment to another.
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "replay/timeline/time_target.h"

namespace icecore::replay {
namespace {

using gdbstub::ReachedHistoryEnd;
using gdbstub::Signalled;
using gdbstub::ThreadDescription;

std::string age(const SureMoment& moment) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - moment.time();
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.2f s ago", seconds.count());
  return text.data();
}

}  // namespace

std::vector<ThreadDescription> TimeTarget::threads() {
  auto all = live_.threads();
  if (!sure_) return all;
  std::vector<ThreadDescription> then;
  for (const auto& [tid, state] : sure_->threads()) {
    const auto known = std::ranges::find(all, gdbstub::ThreadId{pid_, tid}, &ThreadDescription::id);
    then.push_back(known == all.end() ? ThreadDescription{{pid_, tid}, {}, -1} : *known);
  }
  const auto of_past = [this](const ThreadDescription& one) { return one.id.pid == pid_; };
  const auto place = std::ranges::find_if(all, of_past);
  const auto index = place - all.begin();
  std::erase_if(all, of_past);
  all.insert(all.begin() + std::min<std::ptrdiff_t>(index, std::ssize(all)), then.begin(),
             then.end());
  return all;
}

bool TimeTarget::goes_by_sure_moments(std::int32_t pid) const {
  return sure_ ? pid == pid_ : recording_.sure_moments(pid) != nullptr;
}

/// The newest moment before the current one; with watchpoints the newest at which a watched byte
/// was another.
void TimeTarget::go_to_sure_before(std::int32_t pid) {
  const SureMoments& moments = *recording_.sure_moments(pid);
  const Goal wanted = goal(pid);
  std::vector<std::string> values;
  const auto read = [](const WatchedMemory& watch, const auto& reader) {
    std::string value(watch.size, '\0');
    value.resize(reader(watch.address, std::as_writable_bytes(std::span(value))));
    return value;
  };
  for (const auto& watch : wanted.watches) {
    values.push_back(read(watch, [&](auto at, auto out) { return read_memory(pid, at, out); }));
  }
  pid_ = pid;
  for (std::uint64_t number = sure_ ? sure_number_ : moments.end(); number > moments.begin();) {
    const auto moment = moments.at(--number);
    bool differs = wanted.watches.empty();
    for (std::size_t i = 0; i < values.size() && !differs; ++i) {
      const auto then = [&](auto at, auto out) { return moment->read(at, out); };
      differs = read(wanted.watches[i], then) != values[i];
    }
    if (differs) return show_sure(number);
  }
  if (moments.begin() < moments.end()) show_sure(moments.begin());
  tell_stop(stop_.thread, ReachedHistoryEnd{ReachedHistoryEnd::Which::Begin});
}

void TimeTarget::show_sure(std::uint64_t number) {
  const SureMoments& moments = *recording_.sure_moments(pid_);
  sure_ = moments.at(number);
  sure_number_ = number;
  stepped_there_ = false;
  message_ = "not exact: " + recording_.why_not_exact(pid_) + "; this is moment " +
             std::to_string(number - moments.begin() + 1) + " of " +
             std::to_string(moments.end() - moments.begin()) + " that were kept, " + age(*sure_) +
             "\n";
  tell_stop({pid_, sure_->maker()}, Signalled{0});
}

/// Forward to the next moment, or to the present. gdb goes on from a breakpoint by a step first, in
/// which no other thread may stop, and continues then: the step moves, and what follows it stays.
void TimeTarget::go_on_in_sure_moment(const gdbstub::ResumeAction& action,
                                      gdbstub::ThreadId thread) {
  const bool stepped = std::exchange(stepped_there_, false);
  if (stepped) return tell_stop({pid_, sure_->maker()}, Signalled{0});
  const bool continues = action.kind == gdbstub::ResumeAction::Kind::Continue;
  const SureMoments* moments = recording_.sure_moments(pid_);
  if (moments == nullptr || sure_number_ + 1 >= moments->end()) {
    return_to_present();
    if (continues) return tell_sure_end();
    stepped_there_ = true;
    return tell_stop(thread, Signalled{SIGTRAP});
  }
  show_sure(sure_number_ + 1);
  if (continues || !sure_->threads().contains(thread.tid)) return;
  stepped_there_ = true;
  tell_stop(thread, Signalled{SIGTRAP});
}

void TimeTarget::tell_sure_end() {
  tell_stop(live_.current_stop().thread, ReachedHistoryEnd{ReachedHistoryEnd::Which::End});
}

std::string TimeTarget::list_sure(std::int32_t pid) const {
  const SureMoments& moments = *recording_.sure_moments(pid);
  std::string text = "the past of process " + std::to_string(pid) +
                     " is not exact: " + recording_.why_not_exact(pid) + "; kept are " +
                     std::to_string(moments.end() - moments.begin()) + " moments";
  if (moments.begin() < moments.end()) {
    text += ", from " + age(*moments.at(moments.begin())) + " to " +
            age(*moments.at(moments.end() - 1));
  }
  return text + "\n" + before_history();
}

}  // namespace icecore::replay
