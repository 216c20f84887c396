// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace icecore::snapshot {

/// A signal frame (arch/x86/include/asm/sigframe.h: struct rt_sigframe) that brings a thread back
/// to `registers`, `xstate` and `mask` by rt_sigreturn(2). It is laid out before a thread runs
/// anything of ours, so that the thread finds its own way back if the tracer dies meanwhile: what
/// we make it run ends in rt_sigreturn when nobody stops it. A system call that was cut short
/// begins again.
///
/// `address` is where the bytes will lie, a multiple of 64; its first word is the return address
/// `return_to`, for code that comes here by `ret`. rt_sigreturn expects rsp = address + 8.
std::vector<std::byte> make_return_frame(const user_regs_struct& registers,
                                         const std::string& xstate, std::uint64_t mask,
                                         std::uint64_t address, std::uint64_t return_to);

}  // namespace icecore::snapshot
