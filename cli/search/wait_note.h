// The wait of an exploration: told to its observer once it begins and once it ends, and kept in <state>/waiting.json meanwhile,
// {"since":UTC,"why":TEXT,"until":UTC or null}, for status and explain.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "cli/schedule/permission.h"
#include "cli/search/search_observer.h"

namespace cultivar {

struct WaitNote {
    std::string since, why, until;  // UTC; until: "" where nobody knows
};
// "carbon is 312 g/kWh, not < 200 g/kWh, until 2026-11-30T22:00:00Z by all that is known"
std::string refusal_text(const std::string& why, const std::string& until);
// "since 2026-11-30T20:00:00Z: carbon is 312 g/kWh, not < 200 g/kWh; until 2026-11-30T22:00:00Z by all that is known"
std::string wait_text(const WaitNote& note);
// Of an exploration under way; none: it does not wait.
std::optional<WaitNote> read_wait_note(const std::string& state_dir);

// Thread-safe.
class WaitTeller {
public:
    WaitTeller(SearchObserver& observer, const std::string& state_dir);
    WaitTeller(const WaitTeller&) = delete;
    WaitTeller& operator=(const WaitTeller&) = delete;
    ~WaitTeller();

    // The newest answer. A note that cannot be written is none.
    void take(const Permission& permission, std::int64_t now_unix_s);

private:
    void write(const Permission& permission) const;

    SearchObserver& observer_;
    const std::string path_;
    std::mutex mutex_;
    std::optional<std::int64_t> since_unix_s_;
    std::string written_;  // the last reason
};

}  // namespace cultivar
