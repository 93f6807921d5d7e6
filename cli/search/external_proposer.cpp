#include "cli/search/external_proposer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>

#include <fmt/format.h>

#include "cli/search/proposer_input.h"
#include "pool/process/child_process.h"
#include "pool/util/clock.h"

namespace cultivar {
namespace {

constexpr int kPollMs = 50;
constexpr int kDrainReads = 32;  // a pipe holds one; a process that escaped may go on writing
constexpr int kDeepest = 4;
constexpr std::size_t kTailBytes = 2048, kNoteBytes = 200, kMaxChanges = 256;
constexpr double kMostSeconds = 1e9, kMostUsd = 1e6, kMostJoules = 1e15;
constexpr std::int64_t kMostTokens = 1'000'000'000'000;
constexpr ChildLimits kLimits = {.memory_bytes = std::int64_t{8} << 30, .file_bytes = std::int64_t{1} << 30};

std::optional<Value> value_of(const Json& json) {
    if (json.is_boolean()) return Value(json.get<bool>());
    if (json.is_string()) return Value(json.get<std::string>());
    if (json.is_number_float()) return Value(json.get<double>());
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    if (json.is_number_integer()) return Value(json.get<std::int64_t>());
    return std::nullopt;
}

// A figure of the cost; none if it is out of range.
std::optional<double> figure_of(const Json& cost, const char* field, double most) {
    auto found = cost.find(field);
    if (found == cost.end() || !found->is_number()) return std::nullopt;
    const double figure = found->get<double>();
    return std::isfinite(figure) && figure >= 0 && figure <= most ? std::optional(figure) : std::nullopt;
}

void take_cost(const Json& json, Answer& answer) {
    auto cost = json.find("cost");
    if (cost == json.end() || !cost->is_object()) return;
    if (auto tokens = figure_of(*cost, "tokens", static_cast<double>(kMostTokens)))
        answer.tokens = static_cast<std::int64_t>(*tokens);
    answer.usd = figure_of(*cost, "price", kMostUsd);
    answer.joules = figure_of(*cost, "joules", kMostJoules);
    answer.seconds = figure_of(*cost, "seconds", kMostSeconds).value_or(0);
}

std::string take_suggestion(const Json& json, Suggestion& suggestion) {
    auto parent = json.find("parent"), changes = json.find("changes"), note = json.find("note");
    if (parent == json.end() || !parent->is_string()) return "its answer names no 'parent'";
    if (changes == json.end() || !changes->is_object()) return "its answer has no 'changes'";
    if (changes->size() > kMaxChanges) return "its answer changes too many genes";
    suggestion.parent = parent->get<std::string>();
    for (const auto& [name, json_value] : changes->items()) {
        auto value = value_of(json_value);
        if (!value) return fmt::format("its value for '{}' is no value of a gene", clean(name, 64));
        suggestion.changes.insert_or_assign(name, std::move(*value));
    }
    if (note != json.end() && note->is_string()) suggestion.note = clean(note->get<std::string>(), kNoteBytes);
    return {};
}

// The last line of the child's standard error that is not empty.
std::string last_line(std::string_view text) {
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    if (end == std::string_view::npos) return {};
    const std::size_t feed = text.find_last_of("\r\n", end);
    const std::size_t begin = feed == std::string_view::npos ? 0 : feed + 1;
    return clean(text.substr(begin, end + 1 - begin), kNoteBytes);
}

// One supervised call: its output, and the reason for which it was ended.
class Call {
public:
    explicit Call(Child child) : child_(std::move(child)) {}

    Result<std::string> run(double limit_s, const std::function<bool()>& stop) {
        const double begun_s = clock_.now_s();
        while (wrong_.empty() && !child_.has_ended()) {
            if (stop()) return fail(Code::interrupted, "interrupted while the proposer was asked");
            if (clock_.now_s() - begun_s > limit_s) wrong_ = fmt::format("no answer within {:g} s", limit_s);
            std::array<pollfd, 2> pipes{{{child_.output(), POLLIN, 0}, {child_.error_output(), POLLIN, 0}}};
            if (!read_both()) ::poll(pipes.data(), pipes.size(), kPollMs);
            if (closed_) ::usleep(kPollMs * 1000);  // poll() would not wait for an end
        }
        child_.signal_group(SIGKILL);
        for (int reads = 0; reads < kDrainReads && read_both(); ++reads) continue;
        const Child::End end = child_.reap();
        if (wrong_.empty() && end.signal != 0) wrong_ = fmt::format("killed by signal {}", end.signal);
        if (wrong_.empty() && end.exit_code != 0) wrong_ = fmt::format("left with exit code {}", end.exit_code);
        if (wrong_.empty()) return std::move(answer_);
        const std::string last = last_line(errors_);
        return fail(Code::unfit, last.empty() ? wrong_ : wrong_ + ": " + last);
    }

private:
    bool read_both() {
        const bool some = read_some(child_.output(), answer_);
        if (answer_.size() > kMaxAnswerBytes && wrong_.empty())
            wrong_ = fmt::format("answered with over {} bytes", kMaxAnswerBytes);
        const bool more = read_some(child_.error_output(), errors_);
        if (errors_.size() > kTailBytes) errors_.erase(0, errors_.size() - kTailBytes);
        return (some || more) && wrong_.empty();
    }
    bool read_some(int descriptor, std::string& into) {
        const ssize_t got = ::read(descriptor, buffer_.data(), buffer_.size());
        if (got == 0) closed_ = true;
        if (got > 0) into.append(buffer_.data(), static_cast<std::size_t>(got));
        return got > 0;
    }

    SystemClock clock_;
    Child child_;
    std::array<char, 16 * 1024> buffer_{};
    std::string answer_, errors_, wrong_;
    bool closed_ = false;  // one of its pipes
};

}  // namespace

Answer parse_answer(std::string_view text) {
    Answer answer;
    bool too_deep = false;
    auto shallow = [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
    };
    Json json;
    try {
        json = Json::parse(text, shallow);
    } catch (const std::exception&) {
        answer.wrong = text.find_first_not_of(" \t\r\n") == std::string_view::npos ? "it gave no answer"
                                                                                   : "its answer is not JSON";
        return answer;
    }
    if (too_deep || !json.is_object()) {
        answer.wrong = "its answer is not a plain JSON object";
        return answer;
    }
    take_cost(json, answer);
    answer.wrong = take_suggestion(json, answer.suggestion);
    return answer;
}

Result<std::string> ExternalProposer::answer_to(const std::string& state_path) {
    TRY_ASSIGN(Child child,
               Child::start({"/bin/sh", "-c", "exec /bin/sh -c \"$1\" <\"$2\"", "sh", options_.command, state_path}, 0,
                            kLimits));
    return Call(std::move(child)).run(options_.limit_s, stop_);
}

Result<Suggestion> ExternalProposer::suggest(Session& session, const History& history, double budget_s) {
    call_ = {};
    call_.name = options_.name;
    TRY_ASSIGN(Json state, pool_state(session, history, budget_s, options_.name));
    const std::string path = session.clone->state_dir + "proposer.json";
    TRY(write_file_atomically(path, state.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n"));
    SystemClock clock;
    const double begun_s = clock.now_s();
    auto text = answer_to(path);
    call_.seconds = clock.now_s() - begun_s;
    if (!text) return fail(text.error());
    Answer answer = parse_answer(*text);
    call_.seconds = std::max(call_.seconds, answer.seconds);
    call_.tokens = answer.tokens;
    call_.usd = answer.usd;
    call_.joules = answer.joules;
    if (!answer.wrong.empty()) return fail(Code::unfit, std::move(answer.wrong));
    return std::move(answer.suggestion);
}

}  // namespace cultivar
