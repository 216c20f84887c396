// SPDX-License-Identifier: Apache-2.0
// Feeds words to the grammar of snapshot names, ranges and listening addresses.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "gdbstub/address.h"
#include "store/snapshot_name.h"

namespace {

/// Runs `parse`; what is no such word must end in an Error and in nothing else.
template <typename Parse>
void expect_error_at_most(const Parse& parse) {
  try {
    parse();
  } catch (const icecore::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view word(reinterpret_cast<const char*>(data), size);
  expect_error_at_most([&] { (void)icecore::store::parse_snapshot_name(word); });
  expect_error_at_most([&] { (void)icecore::store::parse_snapshot_range(word); });
  expect_error_at_most([&] { (void)icecore::gdbstub::parse_listen_address(word); });
  return 0;
}
