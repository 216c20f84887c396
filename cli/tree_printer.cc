// SPDX-License-Identifier: Apache-2.0
#include "cli/tree_printer.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "cli/descriptor_text.h"
#include "cli/mapping_text.h"
#include "cli/process_text.h"
#include "cli/quantities.h"
#include "cli/syscall_text.h"
#include "snapshot/capture/limitations.h"

namespace icecore::cli {
namespace {

constexpr int kDescriptorsShown = 16;

}  // namespace

TreePrinter::TreePrinter(const model::Snapshot& model, Extent extent, Colour colour,
                         StacksOf stacks)
    : model_(model), extent_(extent), colour_(colour), stacks_(std::move(stacks)) {}

void TreePrinter::print() const {
  print_limitations();
  std::cout << "\n" << bold("processes") << "\n" << process_tree_text(model_);
  for (const auto& process : model_.processes()) print_process(process);
}

std::string TreePrinter::bold(const std::string& text) const {
  return colour_ == Colour::Yes ? "\033[1m" + text + "\033[0m" : text;
}

void TreePrinter::print_limitations() const {
  if (model_.limitations().empty()) return;
  std::cout << "\n" << bold("what it could not hold") << "\n";
  for (const auto& limit : model_.limitations()) {
    std::cout << "  process " << limit.pid();
    if (limit.tid() != 0 && limit.tid() != limit.pid()) std::cout << " thread " << limit.tid();
    std::cout << ": " << limit.object() << ": " << limit.reason()
              << (snapshot::keeps_from_restore(limit) ? " (cannot be restored)" : "") << "\n";
  }
}

void TreePrinter::print_process(const model::Process& process) const {
  std::cout << "\n" << bold("process " + std::to_string(process.pid()) + " " + process.comm());
  const std::string state = state_text(process);
  if (!state.empty()) std::cout << " (" << state << ")";
  std::cout << "\n  parent " << process.parent_pid() << ", group " << process.process_group()
            << ", session " << process.session() << ", user " << process.credentials().uid()
            << "\n";
  if (!process.executable().empty()) {
    std::cout << "  runs " << process.executable()
              << (process.executable_deleted() ? " (deleted)" : "") << " in "
              << process.working_directory() << "\n";
  }
  print_threads(process);
  print_mappings(process);
  print_descriptors(process);
}

void TreePrinter::print_threads(const model::Process& process) const {
  const Stack stack = stacks_(process);
  for (const auto& thread : process.threads()) {
    std::cout << "  thread " << thread.tid() << " " << thread.name() << ": "
              << syscall_text(thread.system_call());
    if (thread.stop_signal() != 0) {
      std::cout << ", about to get " << signal_text(thread.stop_signal());
    }
    std::cout << "\n";
    std::cout << stack(thread, "    ");
  }
}

void TreePrinter::print_mappings(const model::Process& process) const {
  if (process.mappings().empty()) return;
  std::cout << "  " << count_text(static_cast<std::uint64_t>(process.mappings_size()), "mapping")
            << ": ";
  if (extent_ == Extent::Everything) {
    std::cout << "\n";
    for (const auto& mapping : process.mappings()) {
      std::cout << "    " << mapping_text(mapping) << "\n";
    }
    return;
  }
  std::string line;
  for (const auto& part : mapping_summary(process)) line += (line.empty() ? "" : ", ") + part;
  std::cout << line << "\n";
}

const model::OpenFile* TreePrinter::open_file(std::uint32_t id) const {
  for (const auto& file : model_.open_files()) {
    if (file.id() == id) return &file;
  }
  return nullptr;
}

void TreePrinter::print_descriptors(const model::Process& process) const {
  const int count = process.descriptors_size();
  if (count == 0) return;
  std::cout << "  " << count_text(static_cast<std::uint64_t>(count), "descriptor") << ":\n";
  const int shown = extent_ == Extent::Everything ? count : std::min(count, kDescriptorsShown);
  for (const auto& descriptor : process.descriptors()) {
    if (&descriptor - &process.descriptors(0) >= shown) break;
    const auto* file = open_file(descriptor.description());
    std::cout << "    " << descriptor.fd() << ": "
              << (file == nullptr ? "unknown" : open_file_text(*file)) << "\n";
  }
  if (shown < count) std::cout << "    ... and " << count - shown << " more: --all\n";
}

}  // namespace icecore::cli
