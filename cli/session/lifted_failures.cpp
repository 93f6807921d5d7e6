#include "cli/session/lifted_failures.h"

#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kMostBytes = 4 << 20;

std::string path_of(const Session& session) { return session.clone->state_dir + "lifted"; }

}  // namespace

std::string worker_digest(const Session& session) {
    if (session.clone->task.command) return "";
    auto worker = find_worker(session.settings);
    if (!worker) return "";
    auto digest = sha256_file_hex(*worker);
    return digest ? *digest : "";
}

LiftedFailures LiftedFailures::read(const Session& session) {
    LiftedFailures lifted;
    auto text = read_file(path_of(session), kMostBytes);
    if (!text) return lifted;
    for (std::size_t at = 0; at < text->size();) {
        const std::size_t feed = std::min(text->find('\n', at), text->size());
        std::string id = text->substr(at, feed - at);
        if (is_hex(id, kIdDigits)) lifted.records_.insert(std::move(id));
        at = feed + 1;
    }
    return lifted;
}

bool LiftedFailures::lifted(const Session& session, const RunRow& row) {
    if (row.run.status != RunStatus::failed) return false;
    if (row.run.failure == FailureKind::machine || by_hand(row.id)) return true;
    if (row.run.failed_worker.empty()) return false;
    if (!worker_known_) worker_ = worker_digest(session), worker_known_ = true;
    return !worker_.empty() && worker_ != row.run.failed_worker;
}

Result<void> lift_failures(const Session& session, const std::vector<std::string>& records) {
    auto before = read_file(path_of(session), kMostBytes);
    if (!before && before.error().code == Code::io) return fail(before.error());
    std::string text = before ? *before : "";
    for (const std::string& record : records) text += record + "\n";
    return write_file_atomically(path_of(session), text);
}

}  // namespace cultivar
