#include "cli/schedule/grid_refresh.h"

#include <sys/stat.h>

#include <chrono>

namespace cultivar {
namespace {

// None: there is no such file.
std::optional<std::int64_t> written_at(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional<std::int64_t>(status.st_mtime) : std::nullopt;
}

}  // namespace

GridRefresh::~GridRefresh() { ends_ = true; }  // the future waits for its thread

std::vector<FetchedFile> GridRefresh::due() {
    std::vector<FetchedFile> files;
    auto all = fetched_files(factor_file_);
    if (!all) return files;  // reading the series tells the fault
    const std::int64_t now_s = clock_.unix_s();
    for (FetchedFile& one : *all) {
        const auto written_s = written_at(one.path);
        const auto tried = tried_s_.find(one.path);
        const bool is_fresh = written_s && now_s - *written_s < kFetchEvery_s;
        const bool was_tried = tried != tried_s_.end() && now_s - tried->second < kFetchEvery_s;
        if (is_fresh || was_tried) continue;
        tried_s_[one.path] = now_s;
        files.push_back(std::move(one));
    }
    return files;
}

std::string GridRefresh::fetch_all(const std::vector<FetchedFile>& files, const std::function<bool()>& stop) const {
    std::string trouble;
    for (const FetchedFile& file : files) {
        const auto done = fetch_(file, stop);
        if (!done && done.error().code != Code::interrupted) trouble = done.error().message;
    }
    return trouble;
}

void GridRefresh::now(const std::function<bool()>& interrupted) { trouble_ = fetch_all(due(), interrupted); }

void GridRefresh::poll() {
    if (running_.valid()) {
        if (running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
        trouble_ = running_.get();
    }
    std::vector<FetchedFile> files = due();
    if (files.empty()) return;
    running_ = std::async(std::launch::async, [this, files = std::move(files)] {
        return fetch_all(files, [this] { return ends_.load(); });
    });
}

}  // namespace cultivar
