// Refreshes the files of grid data by the user's own commands while an exploration lasts: each at most every 15 minutes, in the
// background, so that runs under way are not held up.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "energy/factors/fetch.h"
#include "pool/util/clock.h"

namespace cultivar {

inline constexpr std::int64_t kFetchEvery_s = 15 * 60;

class GridRefresh {
public:
    using Fetch = std::function<Result<void>(const FetchedFile& file, const std::function<bool()>& stop)>;
    // `clock` must outlive it.
    GridRefresh(std::string factor_file, const Clock& clock, Fetch fetch = fetch_file)
        : factor_file_(std::move(factor_file)), clock_(clock), fetch_(std::move(fetch)) {}
    GridRefresh(const GridRefresh&) = delete;
    GridRefresh& operator=(const GridRefresh&) = delete;
    ~GridRefresh();

    // The same at once, on this thread; an interruption ends it.
    void now(const std::function<bool()>& interrupted);
    // Begins in the background whatever is due. Cheap.
    void poll();
    // Of the last fetches, one line; "": they did well.
    const std::string& trouble() const { return trouble_; }

private:
    std::vector<FetchedFile> due();
    std::string fetch_all(const std::vector<FetchedFile>& files, const std::function<bool()>& stop) const;

    std::string factor_file_;
    const Clock& clock_;
    Fetch fetch_;
    std::map<std::string, std::int64_t> tried_s_;  // by path
    std::string trouble_;
    std::atomic<bool> ends_ = false;
    std::future<std::string> running_;
};

}  // namespace cultivar
