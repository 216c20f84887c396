// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/limitations.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "snapshot/capture/file_kind.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/capture/root_process.h"
#include "snapshot/capture/seccomp_filters.h"
#include "snapshot/proc/smaps.h"

namespace icecore::snapshot {
namespace {

using model::Limitation;
using model::OpenFile;

// ---- the table: open files that no restore brings back

bool of_kind(const OpenFile& file, OpenFile::Kind kind) { return file.kind() == kind; }

// Devices that have no state of their own: every open of them is alike.
bool is_plain_device(const OpenFile& file) {
  constexpr unsigned kMemoryDevices = 1;
  constexpr std::array kMinors = {3U, 5U, 7U, 8U, 9U, 11U};  // null zero full random urandom kmsg
  return gnu_dev_major(file.identity().rdev()) == kMemoryDevices &&
         std::ranges::find(kMinors, gnu_dev_minor(file.identity().rdev())) != kMinors.end();
}

bool is_inet_stream(const OpenFile& file) {
  return file.has_socket() && file.socket().type() == SOCK_STREAM &&
         (file.socket().domain() == AF_INET || file.socket().domain() == AF_INET6);
}

bool is_known_domain(const model::Socket& socket) {
  constexpr std::array kDomains = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  return std::ranges::find(kDomains, socket.domain()) != kDomains.end();
}

bool is_half_open(const OpenFile& file) {
  return is_inet_stream(file) &&
         (file.socket().state() == "SYN_SENT" || file.socket().state() == "SYN_RECV");
}

bool is_bpf_program(const OpenFile& file) {
  return of_kind(file, OpenFile::BPF) && !file.target().ends_with("bpf-map");
}

struct FileRow {
  bool (*applies)(const OpenFile&);
  std::string_view reason;
};

// The first that applies counts.
constexpr std::array kFileTable = {
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::IO_URING); },
            "requests that the kernel works on cannot be read back from it"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::USERFAULTFD); },
            "page faults that wait for this program's answer cannot be saved"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::PERF_EVENT); },
            "counters of the processor and kernel cannot be set to an earlier value"},
    FileRow{is_bpf_program, "the kernel does not give a loaded BPF program or link back"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::BPF); },
            "what is in a BPF map is not held"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::TUNTAP); },
            "the network interface behind it is not held"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::OTHER_ANON); },
            "icecore does not know this kind of kernel object"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::UNKNOWN); },
            "icecore does not know this kind of file"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::BLOCK_DEVICE); },
            "what is on a block device is not part of a snapshot"},
    FileRow{[](const OpenFile& f) {
              return of_kind(f, OpenFile::CHARACTER_DEVICE) && !is_plain_device(f);
            },
            "the device's driver keeps state that cannot be read"},
    FileRow{[](const OpenFile& f) { return f.has_socket() && !is_known_domain(f.socket()); },
            "sockets of this family are not supported"},
    FileRow{is_half_open, "the connection is just being opened"},
    FileRow{[](const OpenFile& f) { return is_inet_stream(f) && f.peer_outside(); },
            "the connection leads out of the tree, and its other end lives on without it"},
    FileRow{[](const OpenFile& f) { return f.has_socket() && f.peer_outside(); },
            "the socket is connected to a process outside the tree"},
    FileRow{[](const OpenFile& f) {
              return f.has_socket() && f.socket().state() != "LISTEN" &&
                     f.socket().receive_queue() > 0 && !f.socket().messages_held();
            },
            "what waits in its receive queue is not held"},
    FileRow{[](const OpenFile& f) { return f.has_socket() && f.socket().unsent() > 0; },
            "what it has sent and has not arrived is not held"},
    FileRow{[](const OpenFile& f) {
              const bool watches = of_kind(f, OpenFile::INOTIFY) || of_kind(f, OpenFile::FANOTIFY);
              return watches && f.unread_bytes() > 0;
            },
            "the events that wait in it cannot be put back"},
    FileRow{[](const OpenFile& f) { return f.posix_queue().notified_pid() != 0; },
            "what the next message in it is told by is not held"},
    FileRow{[](const OpenFile& f) { return of_kind(f, OpenFile::PIPE) && f.peer_outside(); },
            "a process outside the tree holds its other end"},
    FileRow{[](const OpenFile& f) {
              return f.unread_bytes() > f.unread().size() && !f.peer_outside() &&
                     of_kind(f, OpenFile::PIPE) && (f.flags() & O_ACCMODE) != O_WRONLY;
            },
            "it holds more unread bytes than a snapshot keeps"},
};

// ---- filling them in

class Listing {
 public:
  explicit Listing(model::Snapshot& snapshot) : snapshot_(snapshot) {}

  void add(int pid, int tid, std::string object, std::string_view reason,
           Limitation::Effect effect) {
    Limitation& limitation = *snapshot_.add_limitations();
    limitation.set_pid(pid);
    limitation.set_tid(tid);
    limitation.set_object(std::move(object));
    limitation.set_reason(std::string(reason));
    limitation.set_effect(effect);
  }

  // "fd 7 (socket 127.0.0.1:80 - 10.0.0.1:4444)"
  void add_file(int pid, int fd, const OpenFile& file, std::string_view reason) {
    std::string text = "fd " + std::to_string(fd) + " (" + std::string(kind_text(file.kind()));
    if (file.has_socket()) {
      if (!file.socket().local_text().empty()) text += " " + file.socket().local_text();
      if (!file.socket().remote_text().empty()) text += " - " + file.socket().remote_text();
    } else if (file.target().starts_with('/')) {
      text += " " + file.target();
    } else if (file.kind() == OpenFile::OTHER_ANON) {
      text += " " + file.target();
    }
    add(pid, 0, text + ")", reason, Limitation::VIEW_ONLY);
  }

 private:
  model::Snapshot& snapshot_;
};

// The reason of the first row of the table that applies; empty when all is well.
std::string_view reason_against(const OpenFile& file) {
  const auto row = std::ranges::find_if(
      kFileTable, [&](const FileRow& candidate) { return candidate.applies(file); });
  return row == kFileTable.end() ? std::string_view() : row->reason;
}

void list_files(const model::Snapshot& snapshot, Listing& listing) {
  std::set<std::uint32_t> told;
  for (const model::Process& process : snapshot.processes()) {
    for (const model::FileDescriptor& descriptor : process.descriptors()) {
      const auto index = static_cast<int>(descriptor.description()) - 1;
      if (index < 0 || index >= snapshot.open_files_size()) continue;
      const OpenFile& file = snapshot.open_files(index);
      if (!told.insert(file.id()).second) continue;
      // Whoever restores the tree gives it his own streams instead.
      constexpr int kStandardError = 2;
      const bool standard =
          process.pid() == snapshot.root_pid() && descriptor.fd() <= kStandardError;
      if (standard && file.peer_outside()) continue;
      const std::string_view reason = reason_against(file);
      if (!reason.empty()) listing.add_file(process.pid(), descriptor.fd(), file, reason);
    }
  }
}

std::string_view not_held_reason(const model::Mapping& mapping) {
  if (is_secret_memory(mapping)) return "memfd_secret: the kernel itself cannot read it";
  if (proc::has_vm_flag(mapping.flags(), "io") || proc::has_vm_flag(mapping.flags(), "pf")) {
    return "it is the memory of a device";
  }
  return "the program asked not to have it dumped (MADV_DONTDUMP)";
}

void list_mappings(const model::Process& process, Listing& listing) {
  for (const model::Mapping& mapping : process.mappings()) {
    const std::string name = mapping.name().empty() ? "" : " (" + mapping.name() + ")";
    const std::string object = "mapping " + mapping_range(mapping) + name;
    if (mapping.content() == model::Mapping::NOT_HELD && proc::has_vm_flag(mapping.flags(), "dp")) {
      // It may be empty at any time; a restored program finds it so.
      listing.add(process.pid(), 0, "droppable " + object, not_held_reason(mapping),
                  Limitation::INCOMPLETE);
    } else if (mapping.content() == model::Mapping::NOT_HELD) {
      listing.add(process.pid(), 0, object, not_held_reason(mapping), Limitation::INCOMPLETE);
    } else if (is_ring(mapping)) {
      listing.add(process.pid(), 0, object,
                  "requests that the kernel works on cannot be read back from it",
                  Limitation::VIEW_ONLY);
    } else if (proc::has_vm_flag(mapping.flags(), "um")) {
      listing.add(process.pid(), 0, object,
                  "a userfaultfd answers for its missing pages; those were not asked for",
                  Limitation::VIEW_ONLY);
    }
  }
}

/// Why a namespace of the tree's own cannot be made again; empty when it can.
std::string obstacle(const model::Snapshot& snapshot, const model::Namespace& space) {
  constexpr std::array<std::string_view, 3> kNotRestored = {"user", "mnt", "net"};
  if (std::ranges::find(kNotRestored, space.kind()) != kNotRestored.end()) {
    return "a namespace of this kind of the tree's own cannot be made again";
  }
  if (space.kind() != "ipc" && space.kind() != "uts") return {};
  const auto* root = root_process(snapshot);
  const bool is_roots =
      root != nullptr && std::ranges::any_of(root->namespaces(), [&](const auto& other) {
        return other.kind() == space.kind() && other.inode() == space.inode();
      });
  if (!is_roots) return "it is another than that of the tree's root";
  if (space.kind() == "uts") {
    return space.host_name().empty() ? "its host name could not be read" : "";
  }
  const auto held =
      std::ranges::find(snapshot.ipc_namespaces(), space.inode(), &model::IpcNamespace::inode);
  if (held == snapshot.ipc_namespaces().end()) return "what is in it could not be read";
  return held->not_held().empty() ? "" : held->not_held(0) + " in it are not held";
}

void list_process(const model::Snapshot& snapshot, const model::Process& process,
                  Listing& listing) {
  const std::string name = "process " + std::to_string(process.pid());
  if (process.tracer_pid() != 0) {
    listing.add(process.pid(), 0, name,
                "it is traced by process " + std::to_string(process.tracer_pid()) +
                    ", which cannot be made its tracer again",
                Limitation::VIEW_ONLY);
  }
  for (const model::Namespace& space : process.namespaces()) {
    if (space.shared_with_icecore() || space.made_by_icecore()) continue;
    const std::string reason = obstacle(snapshot, space);
    if (reason.empty()) continue;
    listing.add(process.pid(), 0, space.kind() + " namespace " + std::to_string(space.inode()),
                reason, Limitation::VIEW_ONLY);
  }
  for (const model::Thread& thread : process.threads()) {
    const std::string reason = seccomp_obstacle(process, thread);
    if (reason.empty()) continue;
    listing.add(process.pid(), thread.tid(), "thread " + std::to_string(thread.tid()), reason,
                Limitation::VIEW_ONLY);
  }
}

}  // namespace

void list_limitations(model::Snapshot& snapshot) {
  Listing listing(snapshot);
  list_files(snapshot, listing);
  for (const model::Process& process : snapshot.processes()) {
    list_process(snapshot, process, listing);
    list_mappings(process, listing);
  }
}

bool keeps_from_restore(const model::Limitation& limitation) {
  if (limitation.effect() == Limitation::VIEW_ONLY) return true;
  const std::string& object = limitation.object();
  return object.starts_with("mapping ") || object.starts_with("shared memory ") ||
         object.ends_with(" pages of memory");
}

}  // namespace icecore::snapshot
