// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::test {

/// A victim of tests/victims (or a program by its full path) that obeys one-word lines; killed and
/// reaped by the destructor.
class LiveVictim {
 public:
  explicit LiveVictim(const std::string& name);
  LiveVictim(const LiveVictim&) = delete;
  LiveVictim& operator=(const LiveVictim&) = delete;
  ~LiveVictim();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] static std::string path(const std::string& name);
  /// Sends one command and waits for its DONE.
  void command(const std::string& word);

 private:
  void expect_line(const std::string& wanted);
  void wait_until_blocked() const;

  pid_t pid_ = -1;
  UniqueFd to_child_;
  UniqueFd from_child_;
};

/// A living process as a ProcessImage: all its threads are ptrace-stopped while this exists.
class LiveImage : public symbols::ProcessImage {
 public:
  explicit LiveImage(pid_t pid);
  ~LiveImage() override;

  [[nodiscard]] const model::Process& process() const override { return process_; }
  [[nodiscard]] const model::Machine& machine() const override { return machine_; }
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> out) const override;
  [[nodiscard]] UniqueFd open_module(const model::Mapping& mapping) const override;
  [[nodiscard]] UniqueFd open_debug(const model::Mapping& mapping) const override;

  model::Process& mutable_process() { return process_; }
  /// Where debug information is looked for; empty for nowhere.
  std::string debug_directory = "/usr/lib/debug";

 private:
  void stop_threads();
  void capture_thread(pid_t tid);

  model::Process process_;
  model::Machine machine_;
  std::vector<pid_t> threads_;
  UniqueFd memory_;
};

}  // namespace icecore::test
