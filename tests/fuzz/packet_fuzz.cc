// SPDX-License-Identifier: Apache-2.0
// The packet layer, from raw bytes to replies, over a fake target. Each line of the input is also
// sent as a framed packet, so that the fuzzer need not find checksums.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gdbstub/session.h"
#include "tests/gdbstub/fake_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::gdbstub;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  FakeTarget target;
  Session session(target);
  session.receive(input);
  session.output().clear();
  std::string_view rest = input;
  while (!rest.empty() && !session.has_ended()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    session.receive(frame(line));
    target.events.push_back({{10, 10}, Signalled{}});
    session.take_event();
    // Two packets and an ack are all that one packet may cause, but for text on the console.
    if (session.output().size() > 4 * kPacketSize) std::abort();
    session.output().clear();
  }
  return 0;
}
