// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "snapshot/register_codec.h"

namespace icecore::snapshot {
namespace {

/// FXSAVE keeps one bit per register: whether it holds anything (the full tag is not 3).
std::uint8_t abridged_tags(std::uint32_t full) {
  unsigned word = 0;
  for (unsigned physical = 0; physical < 8; ++physical) {
    if ((full >> (2 * physical) & 3U) != 3U) word |= 1U << physical;
  }
  return static_cast<std::uint8_t>(word);
}

void set_in_use(std::string& xstate, unsigned component) {
  std::uint64_t in_use = 0;
  std::memcpy(&in_use, xstate.data() + kXsaveHeader, sizeof in_use);
  in_use |= std::uint64_t{1} << component;
  std::memcpy(xstate.data() + kXsaveHeader, &in_use, sizeof in_use);
}

}  // namespace

RegisterCodec::Changed RegisterCodec::encode(const gdbstub::RegisterValues& values,
                                             RegisterImages& images) const {
  const gdbstub::RegisterValues before = decode(images);
  Changed changed;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const gdbstub::Register& reg = layout_.registers()[i];
    if (!values.known[i] || !before.known[i]) continue;
    const std::byte* wanted = values.bytes.data() + reg.offset;
    if (std::equal(wanted, wanted + reg.size, before.bytes.data() + reg.offset)) continue;
    write(places_[i], reg, wanted, images);
    (places_[i].source == Source::UserRegs ? changed.general : changed.xstate) = true;
  }
  return changed;
}

void RegisterCodec::write(const Place& place, const gdbstub::Register& reg, const std::byte* value,
                          RegisterImages& images) {
  const bool general = place.source == Source::UserRegs;
  std::string& image = general ? images.general : images.xstate;
  if (place.source == Source::X87Tag) {
    std::uint32_t full = 0;
    std::memcpy(&full, value, std::min(sizeof full, reg.size));
    image[place.offset] = static_cast<char>(abridged_tags(full));
  } else {
    std::memcpy(image.data() + place.offset, value, place.size);
  }
  // The kernel gives unused components in their initial state, so that the rest of it is right.
  if (!general) set_in_use(image, place.component);
}

}  // namespace icecore::snapshot
