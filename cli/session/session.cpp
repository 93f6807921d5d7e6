#include "cli/session/session.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "cli/session/sandboxed_reader.h"
#include "pool/clone/local_index.h"
#include "pool/clone/own_index.h"

namespace cultivar {
Result<Session> open_session(const std::string& folder, std::function<bool()> interrupted) {
    TRY_ASSIGN(Clone clone, open_clone(folder));
    return open_session(std::move(clone), std::move(interrupted));
}

Result<Session> open_session(Clone clone, std::function<bool()> interrupted) {
    Session session;
    session.clone = std::make_unique<Clone>(std::move(clone));
    const auto pool_value = [&](const std::string& name) -> Result<std::optional<std::string>> {
        if (session.clone->not_ours) return std::optional<std::string>();
        return session.clone->repo.config(name);
    };
    TRY_ASSIGN(session.settings, Settings::load(pool_value));
    TRY_ASSIGN(Index index, Index::open(*session.clone, reader_apart(std::move(interrupted), *session.clone)));
    session.index = std::make_unique<Index>(std::move(index));
    return session;
}

Result<std::optional<RunRow>> first_result(Session& session, const std::string& candidate) {
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(candidate));
    const auto found =
        std::ranges::find_if(runs, [](const RunRow& row) { return row.run.status == RunStatus::done && !row.refused; });
    return found == runs.end() ? std::optional<RunRow>() : std::optional(std::move(*found));
}

Result<std::optional<RunRow>> settled_by(Session& session, const std::string& candidate) {
    if (!session.clone->task.noiseless) return std::optional<RunRow>();
    std::set<std::string> accepted;
    TRY_ASSIGN(const std::vector<ClaimRow> claims, session.index->claims(candidate));
    for (const ClaimRow& row : claims) {
        if (row.problem.empty() && row.verdict && row.verdict->result == VerdictResult::accepted)
            accepted.insert(row.claim.runs.begin(), row.claim.runs.end());
    }
    TRY_ASSIGN(std::vector<RunRow> runs, session.index->runs(candidate));
    for (RunRow& row : runs) {
        const bool counts = row.run.status == RunStatus::done && !row.refused;
        if (counts && (row.run.writer == session.clone->writer || accepted.contains(row.id)))
            return std::optional(std::move(row));
    }
    return std::optional<RunRow>();
}

Result<void> remove_index(const std::string& folder) {
    TRY_ASSIGN(const Repo repo, Repo::discover(folder));
    TRY(repo.check_owner());
    const std::string state_dir = repo.git_dir() + "cultivar/";
    std::vector<std::string> folders;
    if (const auto own = own_index(state_dir, repo.git_dir())) folders.push_back(*own);
    if (!network_file_system(state_dir).empty()) {
        if (const auto local = local_index(repo.git_dir(), network_file_system)) folders.push_back(local->folder);
    }
    for (const std::string& in : folders) {
        for (const char* tail : {"", "-wal", "-shm"}) {
            const std::string path = in + "index.sqlite" + tail;
            std::error_code ec;
            std::filesystem::remove(path, ec);
            if (ec) return fail(Code::io, fmt::format("cannot remove '{}': {}", path, ec.message()));
        }
    }
    return {};
}

std::string change_against(Session& session, const CandidateRow& row, const std::string& parent) {
    const Clone& clone = *session.clone;
    auto child = parse_canonical(clone.task.space, clone.task_id, row.toml);
    if (!child) return "";
    auto before = make_candidate(clone.task.space, clone.task_id, {});
    if (!parent.empty()) {
        auto from = session.index->candidate(parent);
        if (!from || !*from) return "";
        before = parse_canonical(clone.task.space, clone.task_id, (*from)->toml);
    }
    return before ? change_text(candidate_changes(clone.task.space, *before, *child)) : "";
}

}  // namespace cultivar
