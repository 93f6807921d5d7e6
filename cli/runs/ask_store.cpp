#include "cli/runs/ask_store.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr double kLeaseBudgets = 1.5;
constexpr std::size_t kShortestPrefix = 4, kIdDigits = 32;
constexpr std::size_t kMaxAskBytes = 1 << 20;

std::string asked_root(const Session& session) {
    return std::filesystem::absolute(session.clone->state_dir + "asked/").string();
}

// None where there is none, or where its text is none. Errors: io, corrupt (too long).
Result<std::optional<LeasedRun>> read_ask(const Session& session, const std::string& candidate) {
    using Found = std::optional<LeasedRun>;
    auto text = read_file(asked_dir(session, candidate) + "ask.json", kMaxAskBytes);
    if (!text) return text.error().code == Code::not_found ? Result<Found>(Found()) : fail(text.error());
    auto planned = parse_planned_run(session, *text);
    if (!planned || planned->child.id != candidate) return Found();
    auto json = Json::parse(*text, nullptr, false);
    auto until = json.find("until");
    if (until == json.end() || !until->is_number_integer()) return Found();
    return Found(LeasedRun{std::move(*planned), until->get<std::time_t>()});
}

Error not_asked(Session& session, const std::string& prefix) {
    auto candidate = session.index->resolve_candidate(prefix);
    if (!candidate) return {Code::not_found, fmt::format("nobody asked for '{}' here", prefix), "cultivar ask"};
    auto runs = session.index->runs(*candidate);
    const bool told =
        runs && std::ranges::any_of(*runs, [&](const RunRow& row) { return row.run.writer == session.clone->writer; });
    if (told)
        return {Code::not_found, fmt::format("'{}' was told already, or nobody asked for it", short_id(*candidate)),
                "cultivar log " + short_id(*candidate)};
    return {Code::not_found,
            fmt::format("nobody asked for '{}' here: a configuration of your own is imported, then asked for", prefix),
            "cultivar import FILE.toml && cultivar ask"};
}

}  // namespace

std::time_t lease_end(double budget_s, std::time_t now) {
    return now + static_cast<std::time_t>(std::ceil(kLeaseBudgets * budget_s));
}

std::string asked_dir(const Session& session, const std::string& candidate) {
    return asked_root(session) + candidate + "/";
}

Result<std::vector<LeasedRun>> open_asks(const Session& session) {
    std::vector<LeasedRun> asks;
    std::error_code ec;
    std::filesystem::directory_iterator at(asked_root(session), ec);
    if (ec == std::errc::no_such_file_or_directory) return asks;
    for (; !ec && at != std::filesystem::directory_iterator(); at.increment(ec)) {
        const std::string name = at->path().filename().string();
        if (!is_hex(name, kIdDigits)) continue;
        TRY_ASSIGN(std::optional<LeasedRun> ask, read_ask(session, name));
        if (ask) asks.push_back(std::move(*ask));
    }
    if (ec) return fail(Code::io, fmt::format("cannot read '{}': {}", asked_root(session), ec.message()));
    std::ranges::sort(asks, {}, [](const LeasedRun& ask) { return ask.planned.child.id; });
    return asks;
}

Result<void> save_ask(const Session& session, const LeasedRun& ask) {
    const std::string dir = asked_dir(session, ask.planned.child.id);
    std::error_code ec;
    std::filesystem::create_directories(dir, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", dir, ec.message()));
    Json json = to_json(session, ask.planned);
    json["until"] = static_cast<std::int64_t>(ask.until);
    return write_file_atomically(dir + "ask.json", json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<void> remove_ask(const Session& session, const std::string& candidate) {
    const std::string dir = asked_dir(session, candidate);
    std::error_code ec;
    std::filesystem::remove(dir + "ask.json", ec);  // first: a folder without it, after a kill, is no ask
    std::filesystem::remove_all(dir, ec);
    if (ec) return fail(Code::io, fmt::format("cannot clear '{}': {}", dir, ec.message()));
    return {};
}

Result<LeasedRun> find_ask(Session& session, const std::string& prefix) {
    if (prefix.size() < kShortestPrefix)
        return fail(Code::usage,
                    fmt::format("'{}' is too short: an id takes {} digits or more", prefix, kShortestPrefix));
    TRY_ASSIGN(std::vector<LeasedRun> asks, open_asks(session));
    std::erase_if(asks, [&](const LeasedRun& ask) { return !ask.planned.child.id.starts_with(prefix); });
    if (asks.empty()) return fail(not_asked(session, prefix));
    if (asks.size() > 1)
        return fail(Code::usage, fmt::format("'{}' names {} asks: give more digits", prefix, asks.size()));
    TRY_ASSIGN(bool recorded, already_recorded(session, asks.front().planned));
    if (!recorded) return std::move(asks.front());
    TRY(remove_ask(session, asks.front().planned.child.id));
    return fail(not_asked(session, prefix));
}

}  // namespace cultivar
