// SPDX-License-Identifier: Apache-2.0
// Has a POSIX message queue open in the IPC namespace that it shares with its starter: the second
// argument is its name. A message waits in it, and does so afterwards.
#include <mqueue.h>

#include <array>

#include "revive_case.h"

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  revive::begin(argv);
  mq_attr attributes{};
  attributes.mq_maxmsg = 3;
  attributes.mq_msgsize = 100;
  const mqd_t queue = ::mq_open(argv[2], O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attributes);
  const mqd_t reader = ::mq_open(argv[2], O_RDONLY);
  if (queue < 0 || reader < 0 || ::mq_send(queue, "waits", 5, 7) != 0) return 2;
  revive::ready();
  revive::wait_for_go();

  mq_attr now{};
  ::mq_getattr(queue, &now);
  revive::expect_equal("its flags", now.mq_flags, O_NONBLOCK);
  ::mq_getattr(reader, &now);
  revive::expect_equal("the flags of another description", now.mq_flags, 0);
  revive::expect_equal("its size", now.mq_maxmsg, 3);
  revive::expect_equal("messages", now.mq_curmsgs, 1);
  std::array<char, 100> text{};
  unsigned priority = 0;
  ::mq_receive(queue, text.data(), text.size(), &priority);
  revive::expect_equal("the message", std::string(text.data()), "waits");
  revive::expect_equal("its priority", priority, 7U);
  ::mq_send(queue, "waits", 5, 7);
  revive::finish();
}
