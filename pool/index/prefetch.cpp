#include "pool/index/prefetch.h"

#include <algorithm>

namespace cultivar {
namespace {

constexpr std::size_t kLogsAtOnce = 4;

}  // namespace

LogsAhead::LogsAhead(std::string git_dir, std::vector<Wanted> wanted)
    : git_dir_(std::move(git_dir)), wanted_(std::move(wanted)), thread_([this] { read(); }) {}

LogsAhead::~LogsAhead() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void LogsAhead::read() {
    auto repo = Repo::discover(git_dir_);
    for (std::size_t i = 0; repo && i < wanted_.size(); ++i) {
        auto segments = read_segments(*repo, wanted_[i].tip, wanted_[i].from);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || done_.size() < kLogsAtOnce; });
        if (stop_) break;
        if (i >= next_) done_.push_back(std::move(segments));
        changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

std::optional<Result<std::vector<LogSegment>>> LogsAhead::take(const Oid& tip, std::size_t from) {
    auto wanted = std::find_if(wanted_.begin() + static_cast<std::ptrdiff_t>(next_), wanted_.end(),
                               [&](const Wanted& one) { return one.tip == tip && one.from == from; });
    if (wanted == wanted_.end()) return std::nullopt;
    std::unique_lock lock(mutex_);
    for (const auto place = static_cast<std::size_t>(wanted - wanted_.begin());; ++next_) {
        changed_.wait(lock, [this] { return ended_ || !done_.empty(); });
        if (done_.empty()) return std::nullopt;
        auto read = std::move(done_.front());
        done_.pop_front();
        changed_.notify_all();
        if (next_ != place) continue;
        ++next_;
        return read;
    }
}

LineageAhead::LineageAhead(std::string git_dir, const Task& task, std::vector<Oid> commits)
    : git_dir_(std::move(git_dir)), task_(task), commits_(std::move(commits)), thread_([this] { read(); }) {}

LineageAhead::~LineageAhead() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
}

void LineageAhead::read() {
    auto repo = Repo::discover(git_dir_);
    if (!repo) return;
    repo_.emplace(std::move(*repo));
    lineage_.emplace(*repo_, task_);
    for (const Oid& commit : commits_) {
        if (stop_) return;
        [[maybe_unused]] auto good = lineage_->read(commit);
    }
}

Result<void> LineageAhead::give(Lineage& to) {
    thread_.join();
    return lineage_ ? to.adopt(*lineage_) : Result<void>();
}

}  // namespace cultivar
