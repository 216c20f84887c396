// SPDX-License-Identifier: Apache-2.0
#include "replay/record/event.h"

#include "base/overloaded.h"

namespace icecore::replay {
namespace {

std::size_t size_of(const std::vector<MemoryWrite>& writes) {
  std::size_t size = 0;
  for (const auto& write : writes) size += sizeof write + write.bytes.size();
  return size;
}

}  // namespace

std::size_t size_of(const Event& event) {
  return sizeof event +
         std::visit(Overloaded{
                        [](const RecordedCall& call) { return size_of(call.writes); },
                        [](const LayoutCall& call) {
                          return size_of(call.call.writes) + call.content.size();
                        },
                        [](const SignalReturn& done) { return done.xstate.size(); },
                        [](const Interruption& taken) {
                          return size_of(taken.writes) + taken.xstate.size() +
                                 taken.xstate_before.size();
                        },
                        [](const TimestampRead&) { return std::size_t{0}; },
                    },
                    event);
}

}  // namespace icecore::replay
