#include "pool/process/communicate.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPoll_ms = 100;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Stream {
    int fd;
    std::string& into;
    bool open = true;

    void drain(std::size_t limit_bytes) {
        char buffer[1 << 14];
        while (into.size() <= limit_bytes) {
            const ssize_t got = ::read(fd, buffer, sizeof buffer);
            if (got < 0 && errno == EINTR) continue;
            open = got > 0 || (got < 0 && errno == EAGAIN);
            if (got <= 0) return;
            into.append(buffer, static_cast<std::size_t>(got));
        }
    }
};

// An error if the child must end now.
Result<void> within(const CommunicateLimits& limits, const ProcessOutput& output, double silent_s, double total_s,
                    const std::function<bool()>& stop, std::string_view whom) {
    if (stop && stop()) return fail(Code::interrupted, fmt::format("interrupted while listening to {}", whom));
    if (silent_s > limits.silence_s)
        return fail(Code::git, fmt::format("stopped talking to {}: no progress for {:g} s", whom, limits.silence_s));
    if (total_s > limits.total_s)
        return fail(Code::git, fmt::format("stopped talking to {}: not done after {:g} s", whom, limits.total_s));
    if (output.out.size() > limits.message_bytes || output.err.size() > limits.message_bytes)
        return fail(Code::git,
                    fmt::format("stopped talking to {}: it said more than {} bytes", whom, limits.message_bytes), "",
                    Reason::too_large);
    return {};
}

}  // namespace

Result<void> read_both(const BothStreams& streams, std::size_t limit_bytes, ProcessOutput& output,
                       const std::function<bool()>& has_ended, const SilenceCheck& check) {
    Stream out{streams.output, output.out}, err{streams.error_output, output.err};
    auto progress = Clock::now();
    while (out.open || err.open) {
        const bool ended = has_ended();  // before the look: what was written before the end is seen by it
        pollfd fds[2] = {{out.open ? out.fd : -1, POLLIN, 0}, {err.open ? err.fd : -1, POLLIN, 0}};
        const int ready = ::poll(fds, 2, ended ? 0 : kPoll_ms);
        if (ready > 0) progress = Clock::now();
        if (out.open && fds[0].revents) out.drain(limit_bytes);
        if (err.open && fds[1].revents) err.drain(limit_bytes);
        if (ready == 0 && ended) break;
        TRY(check(seconds_since(progress)));
    }
    return {};
}

Result<ProcessOutput> communicate(Child& child, const CommunicateLimits& limits, const std::function<bool()>& stop,
                                  std::string_view whom, const OutputTaker& take) {
    ProcessOutput output;
    const auto started = Clock::now();
    const SilenceCheck check = [&](double silent_s) -> Result<void> {
        if (take) take(output.out);
        if (const auto attempt = child.attempt())
            return fail(Code::git, fmt::format("stopped talking to {}: its reader {}", whom, text_of(*attempt)));
        return within(limits, output, silent_s, seconds_since(started), stop, whom);
    };
    const auto heard = read_both(
        {child.output(), child.error_output()}, limits.message_bytes, output, [&] { return child.has_ended(); }, check);
    if (!heard) {
        child.signal_group(SIGTERM);
        child.reap();
        return fail(heard.error());
    }
    while (!child.has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const Child::End end = child.reap();
    if (take) take(output.out);
    output.exit_code = end.exit_code;
    output.signal = end.signal;
    return output;
}

}  // namespace cultivar
