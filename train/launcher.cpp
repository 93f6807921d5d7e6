#include "train/launcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/child.h"
#include "train/data/text.h"

namespace cultivar {
namespace {

using How = Outcome::How;

constexpr int kPollMs = 50;
constexpr int kDrainReads = 32;  // a pipe holds one read; an escaped descendant may go on writing
constexpr std::size_t kTailBytes = 2048;
constexpr std::size_t kMaxMessageBytes = 300;
constexpr std::size_t kReadBytes = 64 * 1024;

// Foreign words made fit for a record: short, valid, without control characters.
std::string one_line(std::string_view words) {
    std::string line = valid_utf8(words.substr(0, kMaxMessageBytes));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    }
    return line;
}

// The trainer's standard error on disk, bounded, and its end in memory.
class Log {
public:
    static Result<Log> open(const std::string& path) {
        Log log;
        log.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (log.descriptor_ < 0)
            return fail(Code::io, fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
        return log;
    }
    Log(Log&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Log& operator=(Log&&) = delete;
    ~Log() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    // A full disk loses the log, not the run.
    void add(std::string_view bytes) {
        tail_.append(bytes);
        if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
        bytes = bytes.substr(0, room_bytes_);
        room_bytes_ -= bytes.size();
        while (!bytes.empty()) {
            const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
            if (wrote <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(wrote));
        }
    }

    // The last line that says anything.
    std::string last_line() const {
        const std::size_t end = tail_.find_last_not_of(" \t\r\n");
        if (end == std::string::npos) return {};
        const std::size_t feed = tail_.find_last_of("\r\n", end);
        const std::size_t begin = feed == std::string::npos ? 0 : feed + 1;
        return one_line(std::string_view(tail_).substr(begin, end + 1 - begin));
    }

private:
    Log() = default;
    int descriptor_ = -1;
    std::size_t room_bytes_ = kMaxLogBytes;
    std::string tail_;
};

bool looks_like_event(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line[first] == '{' && line.find("\"event\"") != std::string_view::npos;
}

// One run under supervision.
class Supervision {
public:
    Supervision(const LaunchOptions& options, const Clock& clock, const Listener& listener, Child child, Log log)
        : options_(options), clock_(clock), listener_(listener), child_(std::move(child)), log_(std::move(log)) {
        started_s_ = last_event_s_ = clock_.now_s();
    }

    Outcome run(const std::function<bool()>& should_stop) {
        while (!child_.has_ended()) {
            wait_for_output();
            read_output();
            read_errors();
            if (!ending_ && should_stop()) ask_to_leave(How::stopped, "stopped");
            enforce_limits();
        }
        // The child is gone but not yet reaped: silence its kin, then take what is left in the pipes.
        child_.signal_group(SIGKILL);
        for (int reads = 0; reads < kDrainReads && read_output(); ++reads) continue;
        for (int reads = 0; reads < kDrainReads && read_errors(); ++reads) continue;
        return conclude(child_.reap());
    }

private:
    void wait_for_output() {
        std::array<pollfd, 2> pipes{
            {{output_open_ ? child_.output() : -1, POLLIN, 0}, {errors_open_ ? child_.error_output() : -1, POLLIN, 0}}};
        ::poll(pipes.data(), pipes.size(), kPollMs);
    }

    // One read; false when there is nothing to read now.
    bool read_output() {
        const std::string_view bytes = read_some(child_.output(), output_open_);
        for (std::size_t at = 0; at < bytes.size() && !broken_;) {
            const std::size_t feed = std::min(bytes.find('\n', at), bytes.size());
            line_.append(bytes.substr(at, feed - at));
            if (line_.size() > kMaxEventBytes)
                give_up(fmt::format("wrote a line of over {} bytes", kMaxEventBytes));
            else if (feed < bytes.size()) {
                take_line();
                line_.clear();
            }
            at = feed + 1;
        }
        return !bytes.empty() && !broken_;
    }

    bool read_errors() {
        const std::string_view bytes = read_some(child_.error_output(), errors_open_);
        log_.add(bytes);
        return !bytes.empty() && !broken_;
    }

    std::string_view read_some(int descriptor, bool& open) {
        if (!open) return {};
        const ssize_t got = ::read(descriptor, buffer_.data(), buffer_.size());
        if (got == 0) open = false;
        return got > 0 ? std::string_view(buffer_.data(), static_cast<std::size_t>(got)) : std::string_view{};
    }

    void take_line() {
        if (!looks_like_event(line_)) {
            noise_bytes_ += line_.size() + 1;
            if (noise_bytes_ > static_cast<std::size_t>(kMaxNoiseBytes)) {
                give_up(fmt::format("wrote over {} bytes that are not events", kMaxNoiseBytes));
            }
            return;
        }
        const auto event = parse_event(line_);
        if (!event) return give_up(event.error().message);
        last_event_s_ = clock_.now_s();
        if (outcome_.done || outcome_.error) return;  // nothing counts after the last word
        if (const auto* done = std::get_if<DoneEvent>(&*event)) outcome_.done = *done;
        if (const auto* error = std::get_if<ErrorEvent>(&*event)) outcome_.error = *error;
        if (listener_(*event) == Advice::stop_hopeless && !ending_) ask_to_leave(How::hopeless, "stopped as hopeless");
    }

    void ask_to_leave(How why, std::string message) {
        end_for(why, std::move(message));
        child_.signal_group(SIGTERM);
        kill_at_s_ = clock_.now_s() + options_.grace_s;
    }

    void kill(How why, std::string message) {
        end_for(why, std::move(message));
        child_.signal_group(SIGKILL);
    }

    void give_up(std::string message) {
        broken_ = true;
        kill(How::died, std::move(message));
    }

    void end_for(How why, std::string message) {
        ending_ = why;
        outcome_.message = std::move(message);
    }

    void enforce_limits() {
        const double now_s = clock_.now_s();
        const bool spoke_last = outcome_.done || outcome_.error;
        if (kill_at_s_ && now_s >= *kill_at_s_) child_.signal_group(SIGKILL);
        if (ending_) return;
        if (spoke_last && now_s - last_event_s_ >= options_.grace_s) {
            kill(How::died, fmt::format("did not leave within {:g} s of its last event", options_.grace_s));
        } else if (!spoke_last && now_s - last_event_s_ >= options_.hang_s) {
            kill(How::hung, fmt::format("no event for {:g} s", options_.hang_s));
        } else if (now_s - started_s_ >= options_.wall_limit_s) {
            kill(How::too_long, fmt::format("still there after {:g} s", options_.wall_limit_s));
        }
    }

    Outcome conclude(const Child::End& end) {
        outcome_.wall_s = clock_.now_s() - started_s_;
        outcome_.exit_code = end.exit_code;
        outcome_.signal = end.signal;
        outcome_.cpu_s = end.cpu_s;
        outcome_.peak_rss_bytes = end.peak_rss_bytes;
        if (outcome_.done && end.exit_code == 0 && !broken_) {
            outcome_.how = How::done;
            outcome_.message.clear();
        } else if (outcome_.error && !broken_) {
            outcome_.how = How::error_event;
            outcome_.message = one_line(outcome_.error->kind + ": " + outcome_.error->message);
        } else if (ending_) {
            outcome_.how = *ending_;
        } else {
            outcome_.how = How::died;
            outcome_.message = end.signal ? fmt::format("killed by signal {} ({})", end.signal, ::strsignal(end.signal))
                                          : fmt::format("left with exit code {}", end.exit_code);
            if (!outcome_.done) outcome_.message += " and no result";
        }
        const std::string last = log_.last_line();
        const bool its_own_fault =
            outcome_.how == How::died || outcome_.how == How::hung || outcome_.how == How::too_long;
        if (its_own_fault && !last.empty()) outcome_.message += ": " + last;
        return outcome_;
    }

    const LaunchOptions& options_;
    const Clock& clock_;
    const Listener& listener_;
    Child child_;
    Log log_;
    Outcome outcome_;
    std::array<char, kReadBytes> buffer_{};
    std::string line_;
    bool output_open_ = true, errors_open_ = true;
    bool broken_ = false;        // it broke the protocol; nothing more is read
    std::optional<How> ending_;  // asked to leave or killed, and why
    std::optional<double> kill_at_s_;
    double started_s_ = 0, last_event_s_ = 0;
    std::size_t noise_bytes_ = 0;
};

}  // namespace

Result<Outcome> run_trainer(const LaunchOptions& options, const Clock& clock, const Listener& listener,
                            const std::function<bool()>& should_stop) {
    std::vector<std::string> argv = options.command;
    if (std::find(argv.begin(), argv.end(), kSpecificationWord) == argv.end())
        argv.insert(argv.end(), {"run", std::string(kSpecificationWord)});
    std::replace(argv.begin(), argv.end(), std::string(kSpecificationWord), options.spec_path);
    TRY_ASSIGN(Log log, Log::open(options.log_path));
    TRY_ASSIGN(Child child, Child::start(argv, options.nice));
    return Supervision(options, clock, listener, std::move(child), std::move(log)).run(should_stop);
}

}  // namespace cultivar
