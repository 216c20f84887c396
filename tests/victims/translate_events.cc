// SPDX-License-Identifier: Apache-2.0
// Does what its argument says: "loop N" calls sched_yield(2) with addresses that a test needs, then
// a function that writes a variable N times, "faults" raises every signal that an instruction can
// raise and prints what its handler sees, "patch" changes code of its own, "jit" has code that is
// writable.
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

volatile std::uint64_t written = 0;
sigjmp_buf back;
std::string seen;

__attribute__((noinline)) void visit(std::uint64_t i) { written = written * 3 + i; }

void loop(std::uint64_t count) {
  void* stack = nullptr;
  asm("mov %%rsp, %0" : "=r"(stack));
  // The third: where its calls keep their return address.
  syscall(SYS_sched_yield, visit, &written, static_cast<char*>(stack) - 8);
  for (std::uint64_t i = 0; i < count; ++i) visit(i);
  seen = std::to_string(written);
}

void handle(int signal, siginfo_t* info, void* context) {
  constexpr std::uint64_t kArithmeticFlags = 0x8d5;
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  char line[200];
  std::snprintf(line, sizeof line, "%d %d %p rip %llx rsp %llx rcx %llx flags %llx\n", signal,
                info->si_code, info->si_addr, static_cast<unsigned long long>(registers[REG_RIP]),
                static_cast<unsigned long long>(registers[REG_RSP]),
                static_cast<unsigned long long>(registers[REG_RCX]),
                static_cast<unsigned long long>(registers[REG_EFL]) & kArithmeticFlags);
  seen += line;
  siglongjmp(back, 1);
}

void read_null() {
  // Behind an instruction that all flags are dead at, in the block that ends in the jump.
  asm volatile("xor %%eax, %%eax\ncmp $5, %%eax\nmov (%%rax), %%rcx\njne 1f\n1:\n"
               :
               :
               : "rax", "rcx", "cc");
}
void compare_null() {
  asm volatile("xor %%eax, %%eax\nstc\ncmp (%%rax), %%rcx\njne 1f\n1:\n" : : : "rax", "cc");
}
void divide() {
  asm volatile("xor %%ecx, %%ecx\nmov $7, %%eax\ncltd\nidiv %%ecx\n"
               :
               :
               : "rax", "rcx", "rdx", "cc");
}
void undefined() { asm volatile("ud2"); }
void breakpoint() { asm volatile("int3"); }
void privileged() { asm volatile("hlt"); }
void jump_to_null() { asm volatile("xor %%eax, %%eax\njmp *%%rax\n" : : : "rax", "cc"); }
void call_to_null() { asm volatile("xor %%eax, %%eax\ncall *%%rax\n" : : : "rax", "cc"); }
void jump_to_nowhere() {
  asm volatile("movabs $0x4141414141414141, %%rax\njmp *%%rax\n" : : : "rax");
}
void call_to_nowhere() {
  asm volatile("movabs $0x4141414141414141, %%rax\ncall *%%rax\n" : : : "rax");
}
void return_to_nowhere() {
  asm volatile("movabs $0x4141414141414141, %%rax\npush %%rax\nret\n" : : : "rax");
}
void return_from_nowhere() { asm volatile("mov $64, %%rsp\nret\n" : : : "memory"); }
void call_through_null() { asm volatile("xor %%eax, %%eax\ncall *8(%%rax)\n" : : : "rax", "cc"); }
void repeat_into_null() {
  asm volatile("xor %%edi, %%edi\nmov $100, %%ecx\nrep stosb\n" : : : "rdi", "rcx", "memory");
}

void faults() {
  static char stack[65536];
  stack_t other{};
  other.ss_sp = stack;
  other.ss_size = sizeof stack;
  sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
    sigaction(signal, &action, nullptr);
  for (int round = 0; round < 3; ++round) {
    for (void (*fault)() :
         {read_null, compare_null, divide, undefined, breakpoint, privileged, jump_to_null,
          call_to_null, jump_to_nowhere, call_to_nowhere, return_to_nowhere, return_from_nowhere,
          call_through_null, repeat_into_null}) {
      if (sigsetjmp(back, 1) == 0) fault();
    }
  }
}

/// mov eax, VALUE; ret
void write_function(unsigned char* code, unsigned char value) {
  const unsigned char bytes[] = {0xb8, value, 0, 0, 0, 0xc3};
  std::memcpy(code, bytes, sizeof bytes);
}

unsigned call_function(void* code) {
  unsigned (*function)() = nullptr;
  std::memcpy(&function, &code, sizeof code);
  return function();
}

void patch() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (unsigned char value = 1; value < 6; ++value) {
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    write_function(static_cast<unsigned char*>(page), value);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    for (int i = 0; i < 100; ++i) written = written + call_function(page);
  }
  munmap(page, 4096);
  seen = std::to_string(written);
}

void jit() {
  void* page =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (unsigned char value = 1; value < 6; ++value) {
    write_function(static_cast<unsigned char*>(page), value);
    written = written + call_function(page);
  }
  seen = std::to_string(written);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : "";
  if (what == "loop") loop(std::strtoul(arguments[2], nullptr, 10));
  if (what == "faults") faults();
  if (what == "patch") patch();
  if (what == "jit") jit();
  std::puts(seen.c_str());
}
