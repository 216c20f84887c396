// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::cli {

/// Prints a tree to stdout for a person: what could not be held, processes, threads, memory, files.
class TreePrinter {
 public:
  enum class Extent { Summary, Everything };
  enum class Colour { No, Yes };
  /// The stack of a thread: lines that end in a newline, each after `indent`. May be empty.
  using Stack = std::function<std::string(const model::Thread& thread, const std::string& indent)>;
  /// Asked once for each process whose threads are printed.
  using StacksOf = std::function<Stack(const model::Process& process)>;

  /// `model` must outlive it.
  TreePrinter(const model::Snapshot& model, Extent extent, Colour colour, StacksOf stacks);

  void print() const;
  [[nodiscard]] std::string bold(const std::string& text) const;

 private:
  void print_limitations() const;
  void print_process(const model::Process& process) const;
  void print_threads(const model::Process& process) const;
  void print_mappings(const model::Process& process) const;
  void print_descriptors(const model::Process& process) const;
  [[nodiscard]] const model::OpenFile* open_file(std::uint32_t id) const;

  const model::Snapshot& model_;
  Extent extent_;
  Colour colour_;
  StacksOf stacks_;
};

}  // namespace icecore::cli
