// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gdbstub/target/register_layout.h"
#include "snapshot/model/process.pb.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Where the header of an XSAVE image lies; its first word is XSTATE_BV.
inline constexpr std::size_t kXsaveHeader = 512;

/// A thread's registers as the kernel gives and takes them.
struct RegisterImages {
  std::string general;  ///< user_regs_struct
  std::string xstate;   ///< the XSAVE image in standard format; empty when it is not held
};

/// Where each register of the layout lies in what the kernel gives: user_regs_struct, and the XSAVE
/// image with the component offsets of the machine that the thread ran on. gdb and
/// gdbserver assume Intel's offsets and show wrong upper halves on AMD; CPUID's are used here.
class RegisterCodec {
 public:
  explicit RegisterCodec(const model::Machine& machine);

  [[nodiscard]] const gdbstub::RegisterLayout& layout() const { return layout_; }
  /// A register whose bytes the snapshot does not have is unknown in the result.
  [[nodiscard]] gdbstub::RegisterValues decode(const model::Thread& thread) const;
  [[nodiscard]] gdbstub::RegisterValues decode(const RegisterImages& images) const;
  /// Puts the known registers of `values` into `images`, which must hold what decode() gave; what
  /// did not change is left as it is, so that unused components stay unused.
  struct Changed {
    bool general = false;
    bool xstate = false;
  };
  Changed encode(const gdbstub::RegisterValues& values, RegisterImages& images) const;

 private:
  enum class Source { UserRegs, Xstate, X87Tag };
  struct Place {
    Source source = Source::UserRegs;
    std::size_t offset = 0;
    std::size_t size = 0;       ///< bytes there; the rest of the register is zero
    unsigned component = 0;     ///< Xstate: the bit of XSTATE_BV that says whether it is in use
    std::uint32_t initial = 0;  ///< its value while the component is not in use
    std::uint32_t mask = 0;     ///< 0 for all bits
  };

  void place_user_regs();
  void place_legacy();
  void place_extended(const model::Machine& machine);
  void place(const std::string& name, const Place& place);
  void read(const Place& place, const RegisterImages& images, gdbstub::RegisterValues& values,
            std::size_t index) const;
  static void write(const Place& place, const gdbstub::Register& reg, const std::byte* value,
                    RegisterImages& images);

  gdbstub::RegisterLayout layout_;
  std::vector<Place> places_;  // one for each register of the layout
};

}  // namespace icecore::snapshot
