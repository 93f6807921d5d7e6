#include "cli/search/wait_note.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "pool/util/file.h"
#include "pool/util/text.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostNote_bytes = 64 << 10, kMostReason = 1000;

std::string note_path(const std::string& state_dir) { return state_dir + "waiting.json"; }

}  // namespace

std::optional<WaitNote> read_wait_note(const std::string& state_dir) {
    const auto text = read_file(note_path(state_dir), kMostNote_bytes);
    if (!text) return std::nullopt;
    try {
        const Json json = Json::parse(*text);
        const Json& until = json.at("until");
        return WaitNote{json.at("since").get<std::string>(), json.at("why").get<std::string>(),
                        until.is_null() ? "" : until.get<std::string>()};
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::string refusal_text(const std::string& why, const std::string& until) {
    return clean(why, kMostReason) +
           (until.empty() ? "" : fmt::format(", until {} by all that is known", clean(until, 40)));
}

std::string wait_text(const WaitNote& note) {
    return fmt::format("since {}: {}", clean(note.since, 40), refusal_text(note.why, note.until));
}

WaitTeller::WaitTeller(SearchObserver& observer, const std::string& state_dir)
    : observer_(observer), path_(note_path(state_dir)) {
    std::error_code ec;
    std::filesystem::remove(path_, ec);  // of one that was killed
}

WaitTeller::~WaitTeller() {
    std::error_code ec;
    std::filesystem::remove(path_, ec);
}

void WaitTeller::take(const Permission& permission, std::int64_t now_unix_s) {
    const std::lock_guard alone(mutex_);
    if (permission.is_given) {
        if (!since_unix_s_) return;
        observer_.going_on(static_cast<double>(now_unix_s - *since_unix_s_));
        since_unix_s_.reset();
        written_.clear();
        std::error_code ec;
        std::filesystem::remove(path_, ec);
        return;
    }
    if (!since_unix_s_) {
        since_unix_s_ = now_unix_s;
        observer_.waiting(permission);
    }
    if (permission.why != written_) write(permission);
    written_ = permission.why;
}

void WaitTeller::write(const Permission& permission) const {
    const Json note = {{"since", utc_text(*since_unix_s_)},
                       {"why", permission.why},
                       {"until", permission.until_unix_s ? Json(utc_text(*permission.until_unix_s)) : Json(nullptr)}};
    [[maybe_unused]] const auto written =
        write_file_unsynced(path_, note.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace cultivar
