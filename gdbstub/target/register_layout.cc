// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/register_layout.h"

#include <utility>

namespace icecore::gdbstub {
namespace {

constexpr std::string_view kCoreTypes = R"(<flags id="i386_eflags" size="4">
<field name="CF" start="0" end="0"/><field name="" start="1" end="1"/>
<field name="PF" start="2" end="2"/><field name="AF" start="4" end="4"/>
<field name="ZF" start="6" end="6"/><field name="SF" start="7" end="7"/>
<field name="TF" start="8" end="8"/><field name="IF" start="9" end="9"/>
<field name="DF" start="10" end="10"/><field name="OF" start="11" end="11"/>
<field name="NT" start="14" end="14"/><field name="RF" start="16" end="16"/>
<field name="VM" start="17" end="17"/><field name="AC" start="18" end="18"/>
<field name="VIF" start="19" end="19"/><field name="VIP" start="20" end="20"/>
<field name="ID" start="21" end="21"/></flags>
)";

constexpr std::string_view kSseTypes = R"(<vector id="v8bf16" type="bfloat16" count="8"/>
<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128"><field name="v8_bfloat16" type="v8bf16"/><field name="v4_float" type="v4f"/>
<field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/>
<field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/>
<field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/></union>
<flags id="i386_mxcsr" size="4">
<field name="IE" start="0" end="0"/><field name="DE" start="1" end="1"/>
<field name="ZE" start="2" end="2"/><field name="OE" start="3" end="3"/>
<field name="UE" start="4" end="4"/><field name="PE" start="5" end="5"/>
<field name="DAZ" start="6" end="6"/><field name="IM" start="7" end="7"/>
<field name="DM" start="8" end="8"/><field name="ZM" start="9" end="9"/>
<field name="OM" start="10" end="10"/><field name="UM" start="11" end="11"/>
<field name="PM" start="12" end="12"/><field name="FZ" start="15" end="15"/></flags>
)";

constexpr std::string_view kAvx512Types = R"(<vector id="v2ui128" type="uint128" count="2"/>
<vector id="v8bf16" type="bfloat16" count="8"/>
<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128"><field name="v8_bfloat16" type="v8bf16"/><field name="v4_float" type="v4f"/>
<field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/>
<field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/>
<field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/></union>
)";

struct Numbered {
  std::string prefix;
  unsigned first = 0;
  unsigned last = 0;
  std::string suffix;
};

void add_numbered(RegisterLayout& layout, const Numbered& names, std::size_t size,
                  const std::string& type, const std::string& group = "") {
  for (unsigned number = names.first; number <= names.last; ++number) {
    layout.add(names.prefix + std::to_string(number) + names.suffix, size, type, group);
  }
}

void add_core(RegisterLayout& layout) {
  layout.begin_feature("org.gnu.gdb.i386.core", std::string(kCoreTypes));
  for (const char* name : {"rax", "rbx", "rcx", "rdx", "rsi", "rdi"}) layout.add(name, 8, "int64");
  for (const char* name : {"rbp", "rsp"}) layout.add(name, 8, "data_ptr");
  add_numbered(layout, {"r", 8, 15, ""}, 8, "int64");
  layout.add("rip", 8, "code_ptr");
  layout.add("eflags", 4, "i386_eflags");
  for (const char* name : {"cs", "ss", "ds", "es", "fs", "gs"}) layout.add(name, 4, "int32");
  add_numbered(layout, {"st", 0, 7, ""}, 10, "i387_ext");
  for (const char* name : {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"}) {
    layout.add(name, 4, "int", "float");
  }
}

void add_avx512(RegisterLayout& layout) {
  layout.begin_feature("org.gnu.gdb.i386.avx512", std::string(kAvx512Types));
  add_numbered(layout, {"k", 0, 7, ""}, 8, "uint64");
  add_numbered(layout, {"zmm", 0, 15, "h"}, 32, "v2ui128");
  add_numbered(layout, {"xmm", 16, 31, ""}, 16, "vec128");
  add_numbered(layout, {"ymm", 16, 31, "h"}, 16, "uint128");
  add_numbered(layout, {"zmm", 16, 31, "h"}, 32, "v2ui128");
}

}  // namespace

void RegisterLayout::begin_feature(std::string name, std::string types) {
  features_.push_back({std::move(name), std::move(types), registers_.size(), 0});
}

void RegisterLayout::add(std::string name, std::size_t size, std::string type, std::string group) {
  registers_.push_back({std::move(name), size, std::move(type), std::move(group), size_});
  size_ += size;
  ++features_.back().count;
}

std::optional<std::size_t> RegisterLayout::find(std::string_view name) const {
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    if (registers_[i].name == name) return i;
  }
  return std::nullopt;
}

RegisterLayout amd64_linux_layout(const Amd64Sets& sets) {
  RegisterLayout layout;
  add_core(layout);
  layout.begin_feature("org.gnu.gdb.i386.sse", std::string(kSseTypes));
  add_numbered(layout, {"xmm", 0, 15, ""}, 16, "vec128");
  layout.add("mxcsr", 4, "i386_mxcsr", "vector");
  layout.begin_feature("org.gnu.gdb.i386.linux", "");
  layout.add("orig_rax", 8, "int");
  layout.begin_feature("org.gnu.gdb.i386.segments", "");
  layout.add("fs_base", 8, "int");
  layout.add("gs_base", 8, "int");
  if (sets.avx) {
    layout.begin_feature("org.gnu.gdb.i386.avx", "");
    add_numbered(layout, {"ymm", 0, 15, "h"}, 16, "uint128");
  }
  if (sets.avx512) add_avx512(layout);
  if (sets.pkeys) {
    layout.begin_feature("org.gnu.gdb.i386.pkeys", "");
    layout.add("pkru", 4, "int");
  }
  return layout;
}

}  // namespace icecore::gdbstub
