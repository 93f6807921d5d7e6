#include "pool/util/log.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxMessage_bytes = 4000;

std::shared_ptr<spdlog::logger> g_logger;
std::atomic<LogLevel> g_level{LogLevel::off};

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::off:
            return spdlog::level::off;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::trace:
            return spdlog::level::trace;
    }
    return spdlog::level::off;
}

// spdlog's own sink knows no progress line.
class ConsoleSink : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit ConsoleSink(std::function<void()> before_line) : before_line_(std::move(before_line)) {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        if (before_line_) before_line_();
        std::fwrite(line.data(), 1, line.size(), stderr);
    }
    void flush_() override { std::fflush(stderr); }

    std::function<void()> before_line_;
};

bool ends_authority(char c) {
    return c == '/' || c == '?' || c == '#' || c == '\'' || c == '"' || static_cast<unsigned char>(c) <= ' ';
}

std::string_view word_before(std::string_view text) {
    std::size_t begin = text.size();
    while (begin > 0 && (std::isalnum(static_cast<unsigned char>(text[begin - 1])) || text[begin - 1] == '+')) --begin;
    return text.substr(begin);
}

std::string mask_urls(std::string_view text) {
    constexpr std::string_view kMark = "://";
    std::string out;
    while (true) {
        const std::size_t mark = text.find(kMark);
        if (mark == std::string_view::npos) return out.append(text);
        const std::string_view scheme = word_before(text.substr(0, mark));
        const std::size_t begin = mark + kMark.size();
        out.append(text.substr(0, begin));
        text.remove_prefix(begin);
        const auto end = std::ranges::find_if(text, ends_authority);
        const std::string_view authority(text.data(), static_cast<std::size_t>(end - text.begin()));
        const std::size_t at = authority.rfind('@');
        if (at == std::string_view::npos) continue;
        const bool user_alone = scheme.ends_with("ssh") && authority.substr(0, at).find(':') == std::string_view::npos;
        if (user_alone) continue;
        out.append("***");
        text.remove_prefix(at);
    }
}

std::string mask_header(std::string text) {
    static constexpr std::string_view kHeader = "authorization:";
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    const auto found = std::search(text.begin(), text.end(), kHeader.begin(), kHeader.end(), same);
    if (found == text.end()) return text;
    text.erase(found + static_cast<std::ptrdiff_t>(kHeader.size()), text.end());
    return text + " ***";
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
    static constexpr std::pair<std::string_view, LogLevel> kNames[] = {{"off", LogLevel::off},
                                                                       {"warn", LogLevel::warn},
                                                                       {"info", LogLevel::info},
                                                                       {"debug", LogLevel::debug},
                                                                       {"trace", LogLevel::trace}};
    for (const auto& [name, level] : kNames) {
        if (text == name) return level;
    }
    return std::nullopt;
}

Result<void> open_log(LogOptions options) {
    close_log();
    std::vector<spdlog::sink_ptr> sinks;
    LogLevel most = LogLevel::off;
    if (options.console != LogLevel::off) {
        sinks.push_back(std::make_shared<ConsoleSink>(std::move(options.before_line)));
        sinks.back()->set_level(spdlog_level(options.console));
        most = options.console;
    }
    if (!options.file.empty() && options.file_level != LogLevel::off) {
        try {
            sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                options.file, options.file_bytes, std::max<std::size_t>(options.files, 1) - 1));
        } catch (const spdlog::spdlog_ex&) {
            return fail(Code::io, "cannot write the log '" + options.file + "'");
        }
        sinks.back()->set_level(spdlog_level(options.file_level));
        most = std::max(most, options.file_level);
    }
    if (sinks.empty()) return {};
    g_logger = std::make_shared<spdlog::logger>("cultivar", sinks.begin(), sinks.end());
    g_logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
    g_logger->set_error_handler([](const std::string&) {});  // a full disk must not disturb the command
    g_logger->set_level(spdlog_level(most));
    g_logger->flush_on(spdlog::level::trace);  // a line must survive the end of the process, however it comes
    g_level = most;
    return {};
}

void close_log() {
    g_level = LogLevel::off;
    g_logger.reset();
}

bool log_enabled(LogLevel level) { return level != LogLevel::off && level <= g_level.load(std::memory_order_relaxed); }

void write_log(LogLevel level, std::string_view message) {
    if (!log_enabled(level)) return;
    const std::string line = clean(mask_secrets(message), kMaxMessage_bytes);
    g_logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string mask_secrets(std::string_view text) { return mask_header(mask_urls(text)); }

}  // namespace cultivar
