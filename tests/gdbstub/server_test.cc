// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <mutex>
#include <thread>

#include "gdbstub/packet_framing.h"
#include "tests/gdbstub/fake_target.h"
#include "tests/support/deadline.h"
#include "tests/support/temp_directory.h"

namespace icecore::gdbstub {
namespace {

/// A client that sends and reads whole packets, without acknowledging them.
class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const timeval limit{test::kDeadline.count() / 1000, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
  }
  void send(const std::string& body) const {
    const std::string packet = frame(body);
    EXPECT_EQ(::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(packet.size()));
  }
  void send_bytes(const std::string& bytes) const {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Sends `bytes` again and again, reading nothing, until the server has had enough; returns how
  /// many bytes that were.
  [[nodiscard]] std::size_t flood(const std::string& bytes) const {
    std::size_t sent = 0;
    pollfd writable{socket_.get(), POLLOUT, 0};
    // A server that goes on reading would make this end in the deadline of the test.
    while (::poll(&writable, 1, 200) == 1) {
      const ssize_t count =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) sent += static_cast<std::size_t>(count);
    }
    return sent;
  }
  /// The body of the next packet; empty when the server has closed.
  [[nodiscard]] std::string receive() const {
    std::string text;
    while (text.find('#') == std::string::npos) {
      char byte = 0;
      if (::read(socket_.get(), &byte, 1) != 1) return {};
      text += byte;
    }
    return text.substr(text.find('$') + 1, text.find('#') - text.find('$') - 1);
  }
  void say_no_more() const { ::shutdown(socket_.get(), SHUT_WR); }

 private:
  UniqueFd socket_;
};

/// Reading its memory takes until the test says so.
class SlowTarget : public FakeTarget {
 public:
  SlowTarget(std::promise<void>& asked, std::shared_future<void> allowed)
      : asked_(asked), allowed_(std::move(allowed)) {}
  std::size_t read_memory(std::int32_t pid, std::uint64_t address,
                          std::span<std::byte> out) override {
    if (!was_asked_) asked_.set_value();
    was_asked_ = true;
    allowed_.wait();
    return FakeTarget::read_memory(pid, address, out);
  }

 private:
  std::promise<void>& asked_;
  std::shared_future<void> allowed_;
  bool was_asked_ = false;
};

class Server : public testing::Test {
 protected:
  Server() {
    EXPECT_EQ(::pipe(stop_), 0);
    options_.lifetime = ServeOptions::Lifetime::UntilAsked;
    options_.stop_descriptor = stop_[0];
    options_.on_refused = [this](const std::string& line) {
      const std::lock_guard guard(mutex_);
      refused_.push_back(line);
    };
  }
  ~Server() override {
    ::close(stop_[1]);
    if (thread_.joinable()) thread_.join();
    ::close(stop_[0]);
  }
  void start(const TargetFactory& make_target) {
    thread_ = std::thread([this, make_target] { serve(listener_, make_target, options_); });
  }
  std::vector<std::string> refused() {
    const std::lock_guard guard(mutex_);
    return refused_;
  }
  [[nodiscard]] const std::string& path() const { return listener_.client_address(); }

 private:
  test::TempDirectory directory_;
  Listener listener_{UnixAddress{(directory_.path() / "socket").string()}};
  ServeOptions options_;
  int stop_[2] = {-1, -1};
  std::mutex mutex_;
  std::vector<std::string> refused_;
  std::thread thread_;
};

TEST_F(Server, ClosesASecondClientAndKeepsTheFirst) {
  start([] { return std::make_unique<FakeTarget>(); });
  const Client first(path());
  first.send("?");
  EXPECT_TRUE(first.receive().starts_with("T05"));
  const Client second(path());
  EXPECT_EQ(second.receive(), "");
  first.send("m1000,2");
  EXPECT_EQ(first.receive(), "0001");
  ASSERT_EQ(refused().size(), 1U);
  EXPECT_NE(refused().front().find("another debugger is attached"), std::string::npos);
}

TEST_F(Server, ServesWhoComesAtTheMomentWhenTheFormerLeaves) {
  std::promise<void> asked;
  std::promise<void> allow;
  const std::shared_future<void> allowed = allow.get_future().share();
  bool is_first = true;
  start([&]() -> std::unique_ptr<Target> {
    if (!std::exchange(is_first, false)) return std::make_unique<FakeTarget>();
    return std::make_unique<SlowTarget>(asked, allowed);
  });
  const Client former(path());
  former.send("m1000,1");
  asked.get_future().wait();
  // When the server looks again, the former has left and the next is there.
  former.say_no_more();
  const Client next(path());
  next.send("?");
  allow.set_value();
  EXPECT_TRUE(next.receive().starts_with("T05"));
  EXPECT_TRUE(refused().empty());
}

TEST_F(Server, AFloodThatNobodyReadsAnswersOfCostsLittleAndEnds) {
  start([] { return std::make_unique<FakeTarget>(); });
  {
    const Client flooder(path());
    EXPECT_GT(flooder.flood(frame("m1000,1000")), 1000U);
  }
  const Client next(path());
  next.send("m1000,2");
  EXPECT_EQ(next.receive(), "0001");
}

TEST_F(Server, HalfAPacketAndAnEndCostNothing) {
  start([] { return std::make_unique<FakeTarget>(); });
  for (const char* half :
       {"$", "$m1000,", "$m1000,2#", "$m1000,2#1", "$vFile:pwrite:3,0,}", "\x03$Z0"}) {
    const Client client(path());
    client.send_bytes(half);
  }
  const Client next(path());
  next.send("?");
  EXPECT_TRUE(next.receive().starts_with("T05"));
}

TEST_F(Server, ServesManyOneAfterAnother) {
  start([] { return std::make_unique<FakeTarget>(); });
  for (int i = 0; i < 50; ++i) {
    const Client client(path());
    client.send("?");
    ASSERT_TRUE(client.receive().starts_with("T05")) << "client " << i;
  }
}

}  // namespace
}  // namespace icecore::gdbstub
