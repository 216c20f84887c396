// SPDX-License-Identifier: Apache-2.0
// Goes deep into named functions on command and blocks there: inlined, in a signal handler, after a
// call through a null pointer, in code without unwind information; one thread waits on a condition.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace deep {

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
bool waiting = false;

// Says that the wanted place is reached and stays there until stdin ends.
void block() {
  ::write(STDOUT_FILENO, "DONE\n", 5);
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

__attribute__((always_inline)) inline int inlined_inner(int depth) {
  block();
  return depth + 1;
}
__attribute__((always_inline)) inline int inlined_outer(int depth) {
  return inlined_inner(depth) * 2;
}

struct Walker {
  int steps = 0;
  int walk(int depth) {
    ++steps;
    return depth == 0 ? inlined_outer(steps) : walk(depth - 1) + 1;
  }
};

void on_signal(int) { block(); }

void* wait_for_ever(void*) {
  pthread_mutex_lock(&mutex);
  waiting = true;
  pthread_cond_broadcast(&condition);
  while (true) pthread_cond_wait(&condition, &mutex);
  return nullptr;
}

void handle(int signal) {
  static char stack[65536];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  sigaction(signal, &action, nullptr);
}

using Function = void (*)();

void call_null() {
  handle(SIGSEGV);
  Function volatile function = nullptr;
  function();
}

// push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret: as a JIT compiler makes it, without CFI.
void call_through_jit() {
  const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
  void* page =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, code, sizeof code);
  reinterpret_cast<void (*)(Function)>(page)(block);
}

}  // namespace deep

int main() {
  pthread_t thread;
  pthread_mutex_lock(&deep::mutex);
  pthread_create(&thread, nullptr, deep::wait_for_ever, nullptr);
  // When this mutex comes back, the thread has released it, inside pthread_cond_wait.
  while (!deep::waiting) pthread_cond_wait(&deep::condition, &deep::mutex);
  pthread_mutex_unlock(&deep::mutex);
  ::write(STDOUT_FILENO, "READY\n", 6);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const std::string command(line);
    if (command == "walk\n") deep::Walker{}.walk(3);
    if (command == "signal\n") {
      deep::handle(SIGUSR1);
      raise(SIGUSR1);
    }
    if (command == "null\n") deep::call_null();
    if (command == "jit\n") deep::call_through_jit();
  }
}
