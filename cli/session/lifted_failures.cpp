#include "cli/session/lifted_failures.h"

#include <algorithm>
#include <filesystem>

#include "pool/process/executable_file.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kMostBytes = 4 << 20;

constexpr int kUnknownTries = 4;  // as many failures of unknown kind as are no chance any more

// Of the words and files of the command, and of the program on PATH that they start.
std::string command_program_digest(const PoolCommand& command) {
    Sha256 sha;
    sha.update(command_lines(command));
    const bool of_pool =
        command.run.empty() || command.run.front().starts_with("files/");  // its digest is in the lines
    const auto program =
        of_pool ? Result<ExecutableFile>(fail(Code::not_found, "")) : read_executable_file(command.run.front());
    const auto digest = program ? sha256_file_hex(program->path) : Result<std::string>("");
    sha.update(digest ? *digest : "");
    return sha.finish_hex();
}

std::string path_of(const Session& session) { return session.clone->state_dir + "lifted"; }

}  // namespace

std::string worker_digest(const Session& session) {
    if (const auto& command = session.clone->task.command) return command_program_digest(*command);
    auto worker = find_worker(session.settings);
    if (!worker) return "";
    auto digest = sha256_file_hex(*worker);
    return digest ? *digest : "";
}

Result<LiftedFailures> LiftedFailures::read(const Session& session, const std::vector<RunRow>& own_runs) {
    LiftedFailures lifted;
    auto text = read_file(path_of(session), kMostBytes);
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    for (std::size_t at = 0; text && at < text->size();) {
        const std::size_t feed = std::min(text->find('\n', at), text->size());
        std::string id = text->substr(at, feed - at);
        if (is_hex(id, kIdDigits)) lifted.records_.insert(std::move(id));
        at = feed + 1;
    }
    const auto names_worker = [](const RunRow& row) { return !row.run.failed_worker.empty(); };
    if (std::ranges::any_of(own_runs, names_worker)) lifted.worker_ = worker_digest(session);
    for (const RunRow& row : own_runs) lifted.unknown_[row.run.candidate].count += lifted.is_unknown(row);
    return lifted;
}

bool LiftedFailures::answered(const RunRow& row) const {
    if (row.run.failure == FailureKind::machine || by_hand(row.id)) return true;
    return !row.run.failed_worker.empty() && !worker_.empty() && worker_ != row.run.failed_worker;
}

bool LiftedFailures::is_unknown(const RunRow& row) const {
    return row.run.status == RunStatus::failed && row.run.failure == FailureKind::unknown && !answered(row);
}

bool LiftedFailures::lifted(const RunRow& row) {
    if (row.run.status != RunStatus::failed) return false;
    if (!is_unknown(row)) return answered(row);
    Unknown& of_candidate = unknown_[row.run.candidate];
    return of_candidate.count < kUnknownTries && of_candidate.met++ > 0;
}

std::uintmax_t lifted_bytes(const Session& session) {
    std::error_code ec;
    const std::uintmax_t bytes = std::filesystem::file_size(path_of(session), ec);
    return ec ? 0 : bytes;
}

Result<void> lift_failures(const Session& session, const std::vector<std::string>& records) {
    auto before = read_file(path_of(session), kMostBytes);
    if (!before && before.error().code != Code::not_found) return fail(before.error());
    std::string text = before ? *before : "";
    for (const std::string& record : records) text += record + "\n";
    return write_file_atomically(path_of(session), text);
}

}  // namespace cultivar
