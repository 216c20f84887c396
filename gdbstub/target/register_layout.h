// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::gdbstub {

struct Register {
  std::string name;
  std::size_t size = 0;    ///< bytes
  std::string type;        ///< as target.xml has it
  std::string group;       ///< "", "general", "float", "vector" ...
  std::size_t offset = 0;  ///< into RegisterValues::bytes and the `g` packet
};

/// A group of registers that gdb knows by name: "org.gnu.gdb.i386.core".
struct RegisterFeature {
  std::string name;
  std::string types;  ///< XML of the types that its registers use
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Which registers a target has, in the order in which they are numbered and sent.
class RegisterLayout {
 public:
  void begin_feature(std::string name, std::string types);
  void add(std::string name, std::size_t size, std::string type, std::string group = "");

  [[nodiscard]] const std::vector<RegisterFeature>& features() const { return features_; }
  [[nodiscard]] const std::vector<Register>& registers() const { return registers_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

 private:
  std::vector<RegisterFeature> features_;
  std::vector<Register> registers_;
  std::size_t size_ = 0;
};

/// The registers of one thread: bytes in the layout's order, and for each register whether its
/// value is known (else the client shows it as unavailable).
struct RegisterValues {
  explicit RegisterValues(const RegisterLayout& layout)
      : bytes(layout.size()), known(layout.registers().size(), false) {}
  std::vector<std::byte> bytes;
  std::vector<bool> known;
};

/// Register sets that not every amd64 machine has.
struct Amd64Sets {
  bool avx = false;
  bool avx512 = false;
  bool pkeys = false;
};
[[nodiscard]] RegisterLayout amd64_linux_layout(const Amd64Sets& sets);

}  // namespace icecore::gdbstub
