// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/packet_framing.h"
#include "gdbstub/target/libraries.h"
#include "gdbstub/target/process_facts.h"
#include "gdbstub/target/signal_details.h"
#include "gdbstub/target/system_tables.h"
#include "gdbstub/target_xml.h"

namespace icecore::gdbstub::commands {
namespace {

/// "ANNEX:OFFSET,LENGTH". The annex may hold anything but a colon.
struct Piece {
  std::string_view annex;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
Piece parse_piece(std::string_view arguments) {
  PacketFields fields(arguments);
  Piece piece;
  piece.annex = fields.field(':');
  piece.offset = fields.number(',');
  piece.length = fields.number('\0');
  return piece;
}

/// Answers one piece of an object. The object is made when its first byte is asked for and kept for
/// the pieces that follow, so that they fit together.
Reply answer(Context& context, std::string_view object, const Piece& piece,
             const std::function<std::string()>& make) {
  SessionState& state = context.state;
  const std::string name = std::string(object) + ":" + std::string(piece.annex);
  if (piece.offset == 0 || state.transfer_name != name) {
    state.transfer = make();
    state.transfer_name = name;
  }
  if (piece.offset > state.transfer.size()) throw Error("an offset behind the end");
  const std::string_view rest = std::string_view(state.transfer).substr(piece.offset);
  const auto limit = std::min<std::uint64_t>(piece.length, kPacketSize - 16);
  const std::string_view part =
      rest.substr(0, escaped_prefix(as_bytes(rest.substr(0, limit)), limit));
  return Reply::packet((part.size() == rest.size() ? "l" : "m") + std::string(part));
}

std::int32_t pid_of(const Context& context, std::string_view annex) {
  if (annex.empty()) return context.state.general.pid;
  const std::uint64_t pid = PacketFields(annex).last_number();
  if (pid > 0x7fffffff) throw MalformedPacket("no process id");
  return static_cast<std::int32_t>(pid);
}

std::string threads_xml(const Context& context) {
  std::string xml = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (const ThreadDescription& thread : context.threads()) {
    xml += "<thread id=\"" + format_thread_id(thread.id, context.state.id_form()) + '"';
    if (thread.core >= 0) xml += " core=\"" + std::to_string(thread.core) + '"';
    if (!thread.name.empty()) xml += " name=\"" + xml_escaped(thread.name) + '"';
    xml += "/>\n";
  }
  return xml + "</threads>\n";
}

std::string libraries_xml(const LibraryList& list) {
  std::string xml = "<library-list-svr4 version=\"1.0\"";
  if (list.main_link_map != 0) xml += " main-lm=\"0x" + hex_number(list.main_link_map) + '"';
  xml += ">\n";
  for (const Library& library : list.libraries) {
    xml += "<library name=\"" + xml_escaped(library.name) + "\" lm=\"0x" +
           hex_number(library.link_map) + "\" l_addr=\"0x" + hex_number(library.load_bias) +
           "\" l_ld=\"0x" + hex_number(library.dynamic) + "\" lmid=\"0x" +
           hex_number(library.name_space) + "\"/>\n";
  }
  return xml + "</library-list-svr4>\n";
}

/// "start=LINKMAP;prev=LINKMAP[;lmid=...]": the list from `start` on, as far as it is one name
/// space. gdb asks so after a dlopen, when it knows what stands before.
LibraryList part_of(LibraryList list, std::string_view annex) {
  PacketFields fields(annex);
  std::uint64_t start = 0;
  while (!fields.empty()) {
    PacketFields word(fields.field(';'));
    if (word.field('=') == "start") start = word.last_number();
  }
  if (start == 0) return list;
  auto& all = list.libraries;
  const auto first = std::ranges::find(all, start, &Library::link_map);
  if (first == all.end()) throw Error("no library has its link map at 0x" + hex_number(start));
  all.erase(all.begin(), first);
  const std::uint64_t name_space = all.front().name_space;
  std::erase_if(all, [&](const Library& one) { return one.name_space != name_space; });
  list.main_link_map = 0;
  return list;
}

std::string table_xml(const std::string& type, const SystemTable& table) {
  std::string xml = "<?xml version=\"1.0\"?>\n<osdata type=\"" + type + "\">\n";
  for (const SystemTable::Row& row : table.rows) {
    xml += "<item>";
    for (const auto& [name, value] : row) {
      xml += "<column name=\"" + name + "\">" + xml_escaped(value) + "</column>";
    }
    xml += "</item>\n";
  }
  return xml + "</osdata>\n";
}

std::string osdata_xml(SystemTables& tables, std::string_view type) {
  if (!type.empty()) return table_xml(std::string(type), tables.table(type));
  SystemTable types;
  for (const SystemTableName& name : tables.names()) {
    types.rows.push_back(
        {{"Type", name.type}, {"Description", name.description}, {"Title", name.description}});
  }
  return table_xml("types", types);
}

}  // namespace

Reply transfer_features(Context& context, std::string_view arguments) {
  const Piece piece = parse_piece(arguments);
  if (piece.annex != "target.xml") throw Error("only target.xml is here");
  return answer(context, "features", piece,
                [&] { return target_xml(context.target.register_layout()); });
}

Reply transfer_threads(Context& context, std::string_view arguments) {
  return answer(context, "threads", parse_piece(arguments), [&] { return threads_xml(context); });
}

Reply transfer_auxv(Context& context, std::string_view arguments) {
  const Piece piece = parse_piece(arguments);
  const std::int32_t pid = context.state.general.pid;
  // The annex is empty, so the process is part of the object's name.
  return answer(context, "auxv" + std::to_string(pid), piece,
                [&] { return as_text(context.target.process_facts()->auxiliary_vector(pid)); });
}

Reply transfer_exec_file(Context& context, std::string_view arguments) {
  const Piece piece = parse_piece(arguments);
  return answer(context, "exec-file", piece, [&] {
    return context.target.process_facts()->executable(pid_of(context, piece.annex));
  });
}

Reply transfer_libraries(Context& context, std::string_view arguments) {
  const std::int32_t pid = context.state.general.pid;
  const Piece piece = parse_piece(arguments);
  return answer(context, "libraries" + std::to_string(pid), piece, [&] {
    return libraries_xml(part_of(context.target.libraries()->libraries(pid), piece.annex));
  });
}

/// ":OFFSET:BYTES", the annex being empty
Reply write_siginfo(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  if (!fields.field(':').empty()) throw MalformedPacket("an annex");
  const std::uint64_t offset = fields.number(':');
  const auto bytes = as_bytes(fields.rest());
  SignalDetails& details = *context.target.signal_details();
  std::vector<std::byte> whole = details.siginfo(context.state.general);
  if (offset > whole.size() || bytes.size() > whole.size() - offset) {
    throw MalformedPacket("more than a siginfo has");
  }
  std::ranges::copy(bytes, whole.begin() + static_cast<std::ptrdiff_t>(offset));
  details.write_siginfo(context.state.general, whole);
  context.state.transfer_name.clear();
  return Reply::packet(hex_number(bytes.size()));
}

Reply transfer_siginfo(Context& context, std::string_view arguments) {
  const ThreadId thread = context.state.general;
  return answer(context, "siginfo" + std::to_string(thread.tid), parse_piece(arguments),
                [&] { return as_text(context.target.signal_details()->siginfo(thread)); });
}

Reply transfer_osdata(Context& context, std::string_view arguments) {
  const Piece piece = parse_piece(arguments);
  return answer(context, "osdata", piece,
                [&] { return osdata_xml(*context.target.system_tables(), piece.annex); });
}

}  // namespace icecore::gdbstub::commands
