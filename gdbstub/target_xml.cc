// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target_xml.h"

namespace icecore::gdbstub {
namespace {

std::string register_xml(const Register& reg) {
  std::string xml = R"(<reg name=")" + reg.name + R"(" bitsize=")" + std::to_string(reg.size * 8) +
                    R"(" type=")" + reg.type + '"';
  if (!reg.group.empty()) xml += R"( group=")" + reg.group + '"';
  // lldb finds thread-local variables by it; gdb passes over the attribute.
  if (reg.name == "fs_base") xml += R"( generic="tp")";
  return xml + "/>\n";
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&apos;";
        break;
      default:
        // XML 1.0 has no way to write other control characters; gdb drops a document that has one.
        escaped += static_cast<unsigned char>(character) < 0x20 ? '?' : character;
    }
  }
  return escaped;
}

std::string target_xml(const RegisterLayout& layout) {
  std::string xml =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n"
      "<architecture>i386:x86-64</architecture>\n<osabi>GNU/Linux</osabi>\n";
  for (const RegisterFeature& feature : layout.features()) {
    xml += "<feature name=\"" + feature.name + "\">\n" + feature.types;
    for (std::size_t i = feature.first; i < feature.first + feature.count; ++i) {
      xml += register_xml(layout.registers()[i]);
    }
    xml += "</feature>\n";
  }
  return xml + "</target>\n";
}

}  // namespace icecore::gdbstub
