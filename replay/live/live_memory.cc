// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/live/trap_guard.h"

namespace icecore::replay {
namespace {

std::string hex(std::uint64_t address) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(address));
  return text.data();
}

}  // namespace

LiveMemory::LiveMemory(int pid, TrapGuard* guard)
    : pid_(pid),
      file_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC)),
      guard_(guard) {
  if (!file_.valid()) throw_errno("open the memory of process " + std::to_string(pid));
}

std::size_t LiveMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto part = out.subspan(done);
    const ssize_t got =
        ::pread(file_.get(), part.data(), part.size(), static_cast<off_t>(address + done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  const auto end = traps_.lower_bound(address + done);
  for (auto trap = traps_.lower_bound(address); trap != end; ++trap) {
    out[trap->first - address] = trap->second.original;
  }
  return done;
}

bool LiveMemory::write_raw(std::uint64_t address, std::span<const std::byte> bytes) const {
  return ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(address)) ==
         static_cast<ssize_t>(bytes.size());
}

void LiveMemory::write(std::uint64_t address, std::span<const std::byte> bytes) {
  std::vector<std::byte> image(bytes.begin(), bytes.end());
  const auto first = traps_.lower_bound(address);
  const auto end = traps_.lower_bound(address + bytes.size());
  for (auto trap = first; trap != end; ++trap) image[trap->first - address] = kInt3;
  if (!image.empty() && !write_raw(address, image)) {
    throw_errno("write " + std::to_string(bytes.size()) + " bytes at " + hex(address));
  }
  for (auto trap = first; trap != end; ++trap) {
    trap->second.original = bytes[trap->first - address];
  }
}

void LiveMemory::put(std::uint64_t address, std::byte value) const {
  [[maybe_unused]] const bool done = write_raw(address, std::span(&value, 1));
}

void LiveMemory::insert_trap(std::uint64_t address, int holder) {
  const auto known = traps_.find(address);
  if (known != traps_.end()) {
    known->second.holders.insert(holder);
    return;
  }
  Trap trap;
  const bool known_byte = read(address, std::span(&trap.original, 1)) == 1;
  if (known_byte && guard_ != nullptr) guard_->keep(pid_, address, trap.original);
  if (!known_byte || !write_raw(address, std::span(&kInt3, 1))) {
    const int error = errno;
    if (guard_ != nullptr) guard_->drop(pid_, address);
    throw_errno("insert a breakpoint at " + hex(address), error);
  }
  trap.holders.insert(holder);
  traps_.emplace(address, std::move(trap));
}

void LiveMemory::remove_trap(std::uint64_t address, int holder) {
  const auto known = traps_.find(address);
  if (known == traps_.end()) return;
  known->second.holders.erase(holder);
  if (!known->second.holders.empty()) return;
  put(address, known->second.original);
  if (guard_ != nullptr) guard_->drop(pid_, address);
  traps_.erase(known);
}

void LiveMemory::remove_traps(int holder) {
  std::vector<std::uint64_t> addresses;
  for (const auto& [address, trap] : traps_) addresses.push_back(address);
  for (const auto address : addresses) remove_trap(address, holder);
}

void LiveMemory::clean_copy_of(const LiveMemory& original) {
  for (const auto& [address, trap] : original.traps_) put(address, trap.original);
}

LiveMemory::Lift::Lift(LiveMemory& memory, std::uint64_t address)
    : memory_(memory), address_(address) {
  const auto trap = memory_.traps_.find(address_);
  if (trap != memory_.traps_.end()) memory_.put(address_, trap->second.original);
}

LiveMemory::Lift::~Lift() {
  if (memory_.has_trap(address_)) memory_.put(address_, kInt3);
}

}  // namespace icecore::replay
