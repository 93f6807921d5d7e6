#include "train/launch/trainer_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/process/stop_signals.h"
#include "pool/util/text.h"
#include "train/launch/folder_size.h"
#include "train/launch/kept_output.h"
#include "train/launch/line_splitter.h"
#include "train/protocol/json_numbers.h"

namespace cultivar {
namespace {

using How = Outcome::How;

constexpr int kPollMs = 50;
constexpr int kDrainReads = 32;  // one read empties a pipe, but an escaped descendant may go on writing
constexpr std::size_t kTailBytes = 2048;
constexpr std::size_t kMaxMessageBytes = 300;
constexpr std::size_t kReadBytes = 64 * 1024;

constexpr double kLookEvery_s = 1;
constexpr int kSignalExit = 128;
constexpr int kStopLooks = 10;
constexpr double kStopLook_s = 0.02;
constexpr std::size_t kMaxRefused = 100;
constexpr int kMostTold = 64;              // at once
constexpr double kProgressEvery_s = 0.05;  // more of it costs more than it tells
constexpr std::int64_t kMaxThreads = 4096;
constexpr FolderLimits kFolderLimits;
constexpr std::uint64_t kLeastRoom_bytes = 1 << 20;
constexpr int kCannotRun = 126, kNotFound = 127;  // exit codes of shells and of the program loader

// Makes foreign text fit for a record: short, valid, without control characters.
std::string one_line(std::string_view words) {
    std::string line = valid_utf8(cut(words, kMaxMessageBytes));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    }
    return line;
}

// Keeps the trainer's standard error: its start on disk, bounded, and its end in memory.
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

    // A full disk costs the log, not the run.
    void add(std::string_view bytes) {
        tail_.append(bytes);
        if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
        bytes = bytes.substr(0, room_bytes_);
        room_bytes_ -= bytes.size();
        while (!bytes.empty()) {
            const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
            no_room_ = no_room_ || (wrote < 0 && (errno == ENOSPC || errno == EDQUOT));
            if (wrote <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(wrote));
        }
    }

    bool no_room() const { return no_room_; }  // the disk had no room for some of it

    // The last line that is not empty.
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
    bool no_room_ = false;
    std::string tail_;
};

bool looks_like_event(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line[first] == '{' && line.find("\"event\"") != std::string_view::npos;
}

// Some languages write NaN and Infinity into their JSON.
FailureCause fault_of_event(std::string_view line) {
    return has_no_number(line) ? FailureCause::not_finite : FailureCause::unreadable;
}

bool has_no_room(const std::string& path) {
    struct statvfs room {};
    return ::statvfs(path.c_str(), &room) == 0 &&
           (room.f_bavail * room.f_frsize < kLeastRoom_bytes || (room.f_files > 0 && room.f_favail == 0));
}

// Did a signal to stop end it, or did it leave as one asks?
bool was_asked_to_stop(const Child::End& end) {
    return std::ranges::any_of(
        kStopSignals, [&](int signal) { return end.signal == signal || end.exit_code == kSignalExit + signal; });
}

// Supervises one run.
class Supervision {
public:
    Supervision(const LaunchOptions& options, const Clock& clock, const Listener& listener, Child child, Log log)
        : options_(options), clock_(clock), listener_(listener), child_(std::move(child)), log_(std::move(log)) {
        started_s_ = last_event_s_ = looked_s_ = clock_.now_s();
        free_disk_at_start_bytes_ = free_disk_bytes(options_.work_dir);
        free_memory_at_start_bytes_ = free_memory_bytes();
    }

    Outcome run(const std::function<bool()>& should_stop) {
        while (!child_.has_ended()) {
            wait_for_output();
            read_output();
            read_errors();
            hold_to_sandbox();
            if (!ending_ && should_stop()) ask_to_leave(How::stopped, "stopped");
            enforce_limits();
        }
        // The child has ended but is not reaped: kill the rest of its group, then read the rest of the pipes.
        child_.signal_group(SIGKILL);
        for (int reads = 0; reads < kDrainReads && read_output(); ++reads) continue;
        for (int reads = 0; reads < kDrainReads && read_errors(); ++reads) continue;
        finish_lines();
        const Child::End end = child_.reap();
        if (!ending_ && was_asked_to_stop(end) && comes_true(should_stop)) end_for(How::stopped, "stopped");
        return conclude(end);
    }

private:
    void wait_for_output() {
        std::array<pollfd, 3> pipes{{{output_open_ ? child_.output() : -1, POLLIN, 0},
                                     {errors_open_ ? child_.error_output() : -1, POLLIN, 0},
                                     {child_.reports(), POLLIN, 0}}};
        ::poll(pipes.data(), pipes.size(), kPollMs);
    }

    // Reads once; false if there is nothing to read now.
    bool read_output() {
        const std::string_view bytes = read_some(child_.output(), output_open_);
        if (options_.figures) take_bytes(bytes, false);
        if (options_.figures && !options_.figures->reads_events()) return !bytes.empty() && !broken_;
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
        if (options_.figures) take_bytes(bytes, true);
        return !bytes.empty() && !broken_;
    }

    // Of a program with rules for its output.
    void take_bytes(std::string_view bytes, bool from_errors) {
        (from_errors ? kept_errors_ : kept_output_).add(bytes);
        written_bytes_ += bytes.size();
        if (written_bytes_ > static_cast<std::size_t>(kMaxNoiseBytes) && !broken_) {
            outcome_.failure = FailureCause::output;
            give_up(fmt::format("wrote over {} MiB of output", kMaxNoiseBytes >> 20));
        }
        (from_errors ? error_lines_ : output_lines_).add(bytes, [&](std::string_view line) {
            take_figures(line, from_errors);
        });
    }

    void take_figures(std::string_view line, bool from_errors) {
        const auto progress = options_.figures->take_line(line, from_errors);
        if (!progress || outcome_.done || outcome_.error) return;
        const double elapsed_s = clock_.now_s() - started_s_;
        if (elapsed_s < next_progress_s_) return;
        next_progress_s_ = elapsed_s + kProgressEvery_s;
        last_event_s_ = clock_.now_s();
        const StepEvent step{progress->step, elapsed_s, elapsed_s, progress->score, 0};
        if (listener_(step) == Advice::stop_hopeless && !ending_) ask_to_leave(How::hopeless, "stopped as hopeless");
    }

    void finish_lines() {
        if (!options_.figures) return;
        for (const bool from_errors : {false, true}) {
            (from_errors ? error_lines_ : output_lines_).finish([&](std::string_view line) {
                take_figures(line, from_errors);
            });
        }
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
        if (!event && options_.figures) outcome_.failure = fault_of_event(line_);
        if (!event) return give_up(event.error().message);
        last_event_s_ = clock_.now_s();
        if (outcome_.done || outcome_.error) return;  // events after the last one are ignored
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

    void hold_to_sandbox() {
        if (!options_.sandbox) return;
        answer_reports();
        if (ending_) return;
        const double now_s = clock_.now_s();
        if (now_s - looked_s_ < kLookEvery_s) return;
        looked_s_ = now_s;
        hold_to_room();
    }

    // Also while it is leaving.
    void answer_reports() {
        for (int told = 0; told < kMostTold; ++told) {
            const auto attempt = child_.attempt();
            if (!attempt) return;
            if (outcome_.refused.size() < kMaxRefused) outcome_.refused.insert(*attempt);
            if (!ending_ && !options_.sandbox->command) return give_up(text_of(*attempt));
        }
    }

    void hold_to_room() {
        const GroupUse use = child_.use(options_.work_dir);
        const std::int64_t memory_limit = options_.limits.memory_bytes, disk_limit = options_.work_dir_bytes;
        const std::int64_t memory =
            counted_bytes(use.memory_bytes, use.may_hold_more_memory, free_memory_at_start_bytes_, free_memory_bytes());
        if (memory_limit > 0 && memory > memory_limit)
            return give_up(fmt::format("took over {} bytes of memory", memory_limit));
        if (use.threads > kMaxThreads) return give_up(fmt::format("started over {} threads", kMaxThreads));
        if (disk_limit <= 0) return;
        FolderLimits limits = kFolderLimits;
        limits.bytes = disk_limit;
        const std::int64_t disk =
            counted_bytes(folder_bytes(options_.work_dir, limits) + use.unlinked_bytes, use.may_hold_more_disk,
                          free_disk_at_start_bytes_, free_disk_bytes(options_.work_dir));
        if (disk > disk_limit)
            give_up(
                fmt::format("filled its folder with over {} bytes or {} files, or hid some", disk_limit, limits.files));
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
            outcome_.failure = FailureCause::time;
            const std::string message = fmt::format("still running after {:g} s", options_.wall_limit_s);
            options_.term_first ? ask_to_leave(How::too_long, message) : kill(How::too_long, message);
        }
    }

    // A scheduler signals all processes of a job: the trainer may have left before this process hears of the stop.
    bool comes_true(const std::function<bool()>& should_stop) const {
        for (int look = 0; look < kStopLooks; ++look) {
            if (should_stop()) return true;
            clock_.sleep_s(kStopLook_s);
        }
        return false;
    }

    Outcome conclude(const Child::End& end) {
        outcome_.wall_s = clock_.now_s() - started_s_;
        outcome_.exit_code = end.exit_code;
        outcome_.signal = end.signal;
        outcome_.cpu_s = end.cpu_s;
        outcome_.peak_rss_bytes = end.peak_rss_bytes;
        if (options_.figures) take_results(end);
        const bool in_time = !ending_ || (options_.term_first && *ending_ == How::too_long);
        const bool is_enough = !options_.expects_result && in_time;
        if ((outcome_.done || is_enough) && end.exit_code == 0 && !broken_) {
            outcome_.how = How::done;
            outcome_.message.clear();
        } else if (outcome_.error && !broken_) {
            outcome_.how = How::error_event;
            outcome_.message = one_line(outcome_.error->kind + ": " + outcome_.error->message);
        } else if (ending_) {
            outcome_.how = *ending_;
        } else {
            outcome_.how = How::died;
            outcome_.message = end.signal ? death(end.signal) : fmt::format("left with exit code {}", end.exit_code);
            if (!outcome_.done) outcome_.message += " and no result";
        }
        const std::string last = log_.last_line();
        const bool its_own_fault =
            outcome_.how == How::died || outcome_.how == How::hung || outcome_.how == How::too_long;
        if (its_own_fault && !last.empty()) outcome_.message += ": " + last;
        outcome_.cause = cause();
        return outcome_;
    }

    // A program that ends well, at its limit too, is done with the score that its rules find.
    void take_results(const Child::End& end) {
        outcome_.output = kept_output_.text();
        outcome_.errors = kept_errors_.text();
        const bool may_count = !ending_ || *ending_ == How::too_long;
        if (broken_ || !may_count) return;
        if (end.exit_code != 0) {
            if (outcome_.failure == FailureCause::unknown)
                outcome_.failure = end.signal ? FailureCause::signal : FailureCause::exit_code;
            return;
        }
        const Figures figures = options_.figures->finish(options_.work_dir);
        outcome_.metrics = figures.metrics;
        if (!options_.expects_result) return;
        if (options_.figures->reads_events()) {
            if (outcome_.done || outcome_.error || ending_) return;
            outcome_.failure = FailureCause::no_score;
            return end_for(How::died,
                           "it printed no line {\"event\":\"done\",\"score\":...}, and no rule 'score' of its "
                           "task finds one elsewhere");
        }
        if (figures.score) {
            outcome_.done.emplace().score = figures.score;
        } else if (!ending_) {
            outcome_.failure = failure_of(figures.fault);
            end_for(How::died, figures.message);
        }
    }

    static FailureCause failure_of(Figures::Fault fault) {
        switch (fault) {
            case Figures::Fault::several_scores:
                return FailureCause::several_scores;
            case Figures::Fault::not_finite:
                return FailureCause::not_finite;
            case Figures::Fault::unreadable:
                return FailureCause::unreadable;
            default:
                return FailureCause::no_score;
        }
    }

    Outcome::Cause cause() const {
        using Cause = Outcome::Cause;
        if (outcome_.how != How::died && outcome_.how != How::error_event) return Cause::unknown;
        if (log_.no_room() || has_no_room(options_.spec_path)) return Cause::disk_full;
        if (outcome_.how == How::error_event) {
            const std::string& kind = outcome_.error->kind;
            if (kind == "machine") return Cause::device;
            return kind == "diverged" || kind == "artifact" || kind == "unfit" ? Cause::candidate : Cause::unknown;
        }
        const bool by_a_limit = outcome_.signal == SIGXFSZ || outcome_.signal == SIGXCPU;
        if (outcome_.signal != 0 && !ending_ && !by_a_limit) return Cause::signal;
        if (outcome_.exit_code == kCannotRun || outcome_.exit_code == kNotFound) return Cause::cannot_start;
        return Cause::candidate;
    }

    std::string death(int signal) const {
        if (signal == SIGXFSZ && options_.limits.file_bytes > 0)
            return fmt::format("wrote a file of over {} bytes", options_.limits.file_bytes);
        if (signal == SIGXCPU && options_.limits.processor_s > 0)
            return fmt::format("took over {} s of processor time", options_.limits.processor_s);
        return fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
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
    std::optional<How> ending_;  // set when it was asked to stop or killed: the reason
    std::optional<double> kill_at_s_;
    double started_s_ = 0, last_event_s_ = 0, looked_s_ = 0;
    std::int64_t free_disk_at_start_bytes_ = 0, free_memory_at_start_bytes_ = 0;
    std::size_t noise_bytes_ = 0;
    LineSplitter output_lines_{kMaxEventBytes}, error_lines_{kMaxEventBytes};
    KeptOutput kept_output_, kept_errors_;
    double next_progress_s_ = 0;
    std::size_t written_bytes_ = 0;  // of both streams, where rules read them
};

}  // namespace

Result<Outcome> run_trainer(const LaunchOptions& options, const Clock& clock, const Listener& listener,
                            const std::function<bool()>& should_stop) {
    std::vector<std::string> argv = options.command;
    if (!options.figures && std::find(argv.begin(), argv.end(), kSpecificationWord) == argv.end())
        argv.insert(argv.end(), {"run", std::string(kSpecificationWord)});
    std::replace(argv.begin(), argv.end(), std::string(kSpecificationWord), options.spec_path);
    std::optional<Sandbox> sandbox;
    if (options.sandbox && !argv.empty()) {
        TRY_ASSIGN(sandbox, Sandbox::for_program(*options.sandbox, argv[0], options.parts));
    }
    TRY_ASSIGN(Log log, Log::open(options.log_path));
    ChildPlace place = options.place;
    place.group_ends_within_s = options.grace_s;
    TRY_ASSIGN(Child child, Child::start(argv, options.nice, options.limits, sandbox ? &*sandbox : nullptr, place));
    if (options.began) options.began(child.group());
    return Supervision(options, clock, listener, std::move(child), std::move(log)).run(should_stop);
}

}  // namespace cultivar
