// SPDX-License-Identifier: Apache-2.0
// Has something that no restore brings back: the second argument says what. Ends at once with 77
// where the machine has no such thing.
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <functional>
#include <map>

#include "revive_case.h"

namespace {

constexpr std::size_t kSize = 65536;

int ring() {
  io_uring_params parameters{};
  return static_cast<int>(::syscall(SYS_io_uring_setup, 8, &parameters));
}

/// The memory of a ring lives on without its descriptor.
int ring_memory() {
  const int fd = ring();
  void* const memory =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
  ::close(fd);
  return memory == MAP_FAILED ? -1 : 0;
}

int asynchronous_io() {
  aio_context_t context = 0;
  return static_cast<int>(::syscall(SYS_io_setup, 16, &context));
}

int missing_pages() {
  const int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{};
  api.api = UFFD_API;
  void* const memory =
      ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_register wanted{};
  wanted.range = {reinterpret_cast<std::uint64_t>(memory), kSize};
  wanted.mode = UFFDIO_REGISTER_MODE_MISSING;
  return ::ioctl(fd, UFFDIO_API, &api) == 0 ? ::ioctl(fd, UFFDIO_REGISTER, &wanted) : -1;
}

int bpf_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 8;
  attributes.max_entries = 16;
  return static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

int interface() {
  const int fd = ::open("/dev/net/tun", O_RDWR);
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  return ::ioctl(fd, TUNSETIFF, &request);
}

int counter() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  return static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

int secret() {
  constexpr long kMemfdSecret = 447;
  const int fd = static_cast<int>(::syscall(kMemfdSecret, 0));
  if (::ftruncate(fd, 4096) != 0) return -1;
  auto* const memory =
      static_cast<char*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (memory == MAP_FAILED) return -1;
  memory[0] = 's';
  return ::close(fd);
}

int undumped() {
  auto* const memory = static_cast<char*>(
      ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memory[0] = 's';
  return ::madvise(memory, kSize, MADV_DONTDUMP);
}

int packets() {
  constexpr int kPacketFamily = 17;
  return ::socket(kPacketFamily, SOCK_RAW, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  revive::begin(argv);
  const std::map<std::string, std::function<int()>> kinds{
      {"io_uring", ring},
      {"ring memory", ring_memory},
      {"aio", asynchronous_io},
      {"userfaultfd", missing_pages},
      {"bpf map", bpf_map},
      {"tap", interface},
      {"perf", counter},
      {"secret memory", secret},
      {"undumped memory", undumped},
      {"packet socket", packets},
  };
  if (kinds.at(argv[2])() < 0) return 77;
  revive::ready();
  revive::wait_for_go();
}
