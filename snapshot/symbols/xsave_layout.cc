// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/xsave_layout.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace icecore::symbols {
namespace {

// Where the kernel tells readers of cores which components there are (struct _fpx_sw_bytes).
constexpr std::size_t kMaskOffset = 464;
// XSTATE_BV: which of them are in use.
constexpr std::size_t kHeaderOffset = 512;
constexpr std::size_t kLegacyAndHeader = 576;
constexpr std::uint64_t kLegacyMask = 3;

struct Component {
  unsigned number;
  std::size_t offset;
  std::size_t size;
};

// CPUID leaf 0xD of Intel's processors; gdb's x86-xsave-layout has the same.
constexpr std::array kIntel = {
    Component{2, 576, 256},    // AVX
    Component{3, 960, 64},     // MPX bounds
    Component{4, 1024, 64},    // MPX configuration
    Component{5, 1088, 64},    // AVX-512 opmask
    Component{6, 1152, 512},   // upper halves of ZMM0-15
    Component{7, 1664, 1024},  // ZMM16-31
    Component{9, 2688, 8},     // PKRU
};

void keep_bits(std::string& image, std::size_t offset, std::uint64_t kept) {
  std::uint64_t mask = 0;
  std::memcpy(&mask, image.data() + offset, sizeof mask);
  mask &= kept;
  std::memcpy(image.data() + offset, &mask, sizeof mask);
}

}  // namespace

std::string in_intel_layout(const std::string& xstate, const model::Machine& machine) {
  if (xstate.size() <= kLegacyAndHeader) return xstate;
  std::string image = xstate.substr(0, kLegacyAndHeader);
  std::uint64_t moved = kLegacyMask;
  for (const Component& to : kIntel) {
    const auto from =
        std::ranges::find(machine.xsave_components(), to.number, &model::XsaveComponent::number);
    if (from == machine.xsave_components().end()) continue;
    if (std::size_t{from->offset()} + to.size > xstate.size() || from->size() != to.size) continue;
    image.resize(to.offset, '\0');
    image.append(xstate, from->offset(), to.size);
    moved |= std::uint64_t{1} << to.number;
  }
  keep_bits(image, kMaskOffset, moved);
  keep_bits(image, kHeaderOffset, moved);
  return image;
}

}  // namespace icecore::symbols
