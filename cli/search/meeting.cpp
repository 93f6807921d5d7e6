#include "cli/search/meeting.h"

#include <algorithm>

#include "pool/sync/propose.h"
#include "pool/sync/pull.h"

namespace cultivar {
namespace {

constexpr double kPullEvery_s = 30 * 60;
constexpr double kPatienceAfterStop_s = 20;  // schedulers kill 30 s after they asked
constexpr double kLeastPush_s = 10;

}  // namespace

Result<void> Meeting::pull() {
    pulled_s_ = clock_.now_s();
    TRY_ASSIGN(remote_, has_remote(*session_.clone));
    if (!remote_) return {};
    auto git = open_transport(session_.clone->repo.git_dir(), [this] { return observer_.interrupted(); });
    auto pulled = cultivar::pull(*session_.clone, *session_.index, *git);
    slowest_s_ = std::max(slowest_s_.load(), clock_.now_s() - pulled_s_);
    if (pulled) return observer_.pulled(*pulled), Result<void>();
    if (pulled.error().code != Code::git) return fail(pulled.error());
    observer_.offline(pulled.error().message);
    return {};
}

Result<bool> Meeting::again_if_due() {
    if (shared_ && !has_git_program())
        return false;  // libgit2 is run in a copy of this process, which must have one thread
    const std::unique_lock alone(meeting_, std::try_to_lock);
    if (!alone || clock_.now_s() - pulled_s_ <= kPullEvery_s) return false;
    TRY(pull());
    TRY(push());
    return true;
}

Result<void> Meeting::push() {
    return push_unless([this] { return observer_.interrupted(); });
}

Result<void> Meeting::push_after_stop() {
    const double end_s = clock_.now_s() + kPatienceAfterStop_s;
    auto pushed = push_unless([this, end_s] { return clock_.now_s() > end_s; });
    if (pushed || pushed.error().code != Code::interrupted) return pushed;
    observer_.not_proposed("the remote took too long");
    return {};
}

Result<void> Meeting::push_unless(const std::function<bool()>& stop) {
    TRY_ASSIGN(remote_, has_remote(*session_.clone));
    if (!propose_ || !remote_) return {};
    const double begun_s = clock_.now_s();
    auto git = open_transport(session_.clone->repo.git_dir(), stop);
    auto sent = propose(*session_.clone, *session_.index, *git, {});
    slowest_s_ = std::max(slowest_s_.load(), clock_.now_s() - begun_s);
    if (sent) return observer_.proposed(*sent), Result<void>();
    if (sent.error().code != Code::git) return fail(sent.error());
    observer_.not_proposed(sent.error().message);
    return {};
}

double Meeting::push_s() const { return propose_ && remote_ ? std::max(kLeastPush_s, slowest_s_.load()) : 0; }

}  // namespace cultivar
