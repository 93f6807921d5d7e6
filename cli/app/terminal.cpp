#include "cli/app/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "pool/util/log.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr std::int64_t kClocksDiffer_s = 300;

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value && *value;
}

bool dumb() {
    const char* term = std::getenv("TERM");
    return !term || std::string_view(term) == "dumb";
}

constexpr std::size_t kUsualWidth = 80;

// Asked each time: a window may be resized.
std::size_t columns_of(int descriptor) {
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualWidth;
}

}  // namespace

void Ui::configure(const UiOptions& options) {
    options_ = options;
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const Color color = json() ? Color::never : options.color;
    const bool forced = color == Color::always || (color == Color::automatic && is_set("CLICOLOR_FORCE"));
    painted_ = color != Color::never && (forced || (terminal && !dumb() && !is_set("NO_COLOR")));
    moving_ = !quiet() && ::isatty(STDERR_FILENO) == 1 && !dumb();
}

std::size_t Ui::width() const {
    if (::isatty(STDOUT_FILENO) != 1) return 0;
    const char* columns = std::getenv("COLUMNS");
    const int width = columns ? std::atoi(columns) : 0;
    return width > 0 ? static_cast<std::size_t>(width) : columns_of(STDOUT_FILENO);
}

void Ui::print(std::string_view text) {
    clear_progress();
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void Ui::note(std::string_view line) {
    if (quiet()) return;
    clear_progress();
    fmt::print(stderr, "{}\n", mask_secrets(line));
}

void Ui::warn(std::string_view line) {
    clear_progress();
    fmt::print(stderr, "cultivar: warning: {}\n", mask_secrets(line));
}

void Ui::error(const Error& error) {
    clear_progress();
    fmt::print(stderr, "cultivar: {}\n", clean(mask_secrets(error.message), 2000));
    if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", clean(mask_secrets(error.hint)));
}

void Ui::progress(std::string_view line) {
    if (!moving_) return;
    const std::size_t width = std::max<std::size_t>(columns_of(STDERR_FILENO), 2);
    fmt::print(stderr, "\r\x1b[K{}", first_characters(mask_secrets(line), width - 1));
    drawn_ = true;
}

void Ui::clear_progress() {
    if (drawn_.exchange(false)) fmt::print(stderr, "\r\x1b[K");
}

std::string Ui::paint(Paint paint, std::string_view text) const {
    static constexpr const char* kCodes[] = {"", "32", "31", "2", "1"};
    if (!painted_ || paint == Paint::none) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<int>(paint)], text);
}

bool Ui::finish() {
    clear_progress();
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(next_sequence(text).length);
    return count;
}

std::string_view first_characters(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    for (; count > 0 && at < text.size(); --count) at += next_sequence(text.substr(at)).length;
    return text.substr(0, at);
}

std::string duration_text(double seconds) {
    auto whole = std::llround(seconds);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

bool is_to_come(const std::string& utc, std::int64_t now_s) { return utc > utc_text(now_s + kClocksDiffer_s); }

std::string time_text(const std::string& utc, std::int64_t now_s) { return is_to_come(utc, now_s) ? utc + " ?" : utc; }

std::string bytes_text(double bytes) {
    if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
    if (bytes < 1024 * 1024) return fmt::format("{:.1f} KiB", bytes / 1024);
    return fmt::format("{:.1f} MiB", bytes / 1024 / 1024);
}

std::string counted(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

namespace {

std::string joules_alone(double joules) {
    if (joules < 1000) return fmt::format("{:.0f} J", joules);
    if (joules < 1e6) return fmt::format("{:.1f} kJ", joules / 1e3);
    return fmt::format("{:.1f} MJ", joules / 1e6);
}

std::string method_text(double error, std::string_view method) {
    constexpr double kMeasured = 0.15, kEstimated = 0.9;
    if (method == "declared" || method == "shared" || method == "estimated") return std::string(method);
    if (!method.empty()) return error < kMeasured ? "measured" : "partly estimated";
    return error < kMeasured ? "measured" : error < kEstimated ? "partly estimated" : "estimated";
}

}  // namespace

std::string joules_text(double joules, double error, std::string_view method) {
    constexpr double kAFactor = 0.5;
    if (!(joules > 0)) return joules_alone(0);
    const std::string range =
        error < kAFactor ? fmt::format("{:.0f} %", 100 * error) : fmt::format("a factor of {:.2g}", 1 + error);
    return fmt::format("{} ({}, within {})", joules_alone(joules), method_text(error, method), range);
}

}  // namespace cultivar
