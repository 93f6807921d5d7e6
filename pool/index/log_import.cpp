// Journals and ledgers, followed from where they were last seen.
#include <fmt/format.h>

#include "pool/clone/trust_roots.h"
#include "pool/index/importer.h"
#include "pool/storage/extra_remote.h"

namespace cultivar {

// The journals or ledgers among the refs.
Result<std::vector<Index::Log>> Index::logs_of(const std::vector<Ref>& refs, bool ledger) {
    std::vector<Log> logs;
    for (const Ref& ref : refs) {
        const auto writer = under(ref.name, ledger ? "ledger/" : "journal/");
        if (!writer) continue;
        // Others' local branches are not theirs; of this clone's two, the local one holds all and more.
        const bool local = ref.name.starts_with("refs/heads/"), own = *writer == clone_->writer;
        if (local && !own) continue;
        if (!local && own) {
            TRY_ASSIGN(std::optional<Oid> here,
                       clone_->repo.ref(ledger ? clone_->ledger_ref() : clone_->journal_ref()));
            if (here) continue;
        }
        logs.push_back({ref.name, *writer, ref.oid, ledger, source_of_ref(ref.name)});
    }
    return logs;
}

// May this log be followed from where it was last seen? The fingerprint of the key that signed it. Errors: corrupt,
// with the reason.
Result<std::string> Index::RecordChecks::check(const Log& log, const LogPosition& seen,
                                               const std::vector<AllowedSigner>& verifiers) {
    const Repo& repo = index.clone_->repo;
    TRY_ASSIGN(std::string key, signer_of(repo, log.tip));
    if (key.substr(0, 8) != key_digits(log.writer))
        return fail(Code::corrupt,
                    key.empty() ? "is not signed by its writer" : "is signed by another key than its name says");
    if (log.ledger) {
        TRY_ASSIGN(Commit tip, repo.read_commit(log.tip));
        if (std::string why = why_not_allowed(verifiers, key, tip.author.unix_s); !why.empty())
            return fail(Code::corrupt, std::move(why));
    }
    if (seen.oid.empty() || seen.oid == log.tip) return key;
    // Eight digits of a key can be met by trying; all of it cannot.
    TRY_ASSIGN(std::string before, signer_of(repo, seen.oid));
    if (before != key) return fail(Code::corrupt, "is signed by another key than it was when it was last seen");
    auto extends = check_extends(repo, seen.oid, seen.records, log.tip);
    if (!extends && extends.error().code == Code::newer) return fail(extends.error());
    if (!extends) return fail(Code::corrupt, extends.error().message + " since it was last seen");
    return key;
}

Result<LogPosition> Index::RecordChecks::known_tip(const std::string& ref) {
    TRY_ASSIGN(bool known, get_tip_.bind(1, ref).step());
    LogPosition tip;
    if (known) tip = {get_tip_.text(0), static_cast<std::size_t>(get_tip_.whole(1))};
    get_tip_.reset();
    return tip;
}

Result<void> Index::RecordChecks::follow(const std::string& ref, const LogPosition& tip) {
    tips[ref] = tip;
    moved = true;
    return set_tip_.bind(1, ref).bind(2, tip.oid).bind(3, static_cast<std::int64_t>(tip.records)).run();
}

Result<void> Index::RecordChecks::read_ahead(const std::vector<Log>& logs) {
    std::vector<LogsAhead::Wanted> wanted;
    for (const Log& log : logs) {
        TRY_ASSIGN(LogPosition now, known_tip(log.ref));
        if (now.oid != log.tip) wanted.push_back({log.tip, now.records});
    }
    if (wanted.size() >= kMuch) ahead_.emplace(index.clone_->repo.git_dir(), std::move(wanted));
    return {};
}

Result<std::vector<LogSegment>> Index::RecordChecks::segments_of(const Oid& tip, std::size_t have) {
    auto read = ahead_ ? ahead_->take(tip, have) : std::nullopt;
    return read ? std::move(*read) : read_segments(index.clone_->repo, tip, have);
}

// This clone's own log was put together anew (pool/rejoin): what was read of it no longer holds.
Result<void> Index::RecordChecks::forget_own(const Log& log) {
    if (log.ledger) return {};  // verdicts are read again as they were
    auto with_writer = [&](const std::string& sql) -> Result<int> {
        TRY_ASSIGN(Statement statement, index.db_->prepare(sql));
        TRY(statement.bind(1, log.writer).run());
        return static_cast<int>(index.db_->changes());
    };
    TRY(
        with_writer("INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE writer = ? AND candidate IS "
                    "NOT NULL"));
    TRY(with_writer("DELETE FROM claim_run WHERE claim IN (SELECT id FROM record WHERE writer = ?)"));
    for (const auto& [type, count] : {std::pair{"run", &report.runs},
                                      {"claim", &report.claims},
                                      {"lease", &report.leases},
                                      {"retirement", &report.retirements}}) {
        TRY_ASSIGN(int gone, with_writer(fmt::format("DELETE FROM record WHERE writer = ? AND type = '{}' AND "
                                                     "refused IS NULL",
                                                     type)));
        *count -= gone;  // what is met again is no news
    }
    TRY(with_writer("DELETE FROM record WHERE writer = ?"));
    return index.count_again();
}

Result<void> Index::RecordChecks::take_log(const Log& log) {
    TRY_ASSIGN(LogPosition now, known_tip(log.ref));
    if (now.oid == log.tip) return {};
    if (!is_writer(log.writer)) return report.refused.push_back({log.ref, "is not a writer's name"}), Result<void>();
    std::size_t have = now.records;
    Repo& repo = index.clone_->repo;
    LogPosition seen = tips[log.ref];
    if (!seen.oid.empty() && !repo.has_object(seen.oid)) seen = {};
    if (log.ref.starts_with("refs/heads/") && !seen.oid.empty() &&
        !check_extends(repo, seen.oid, seen.records, log.tip)) {
        TRY(forget_own(log));
        seen = {};
        have = 0;
    }
    Oid tip = log.tip;
    auto roots = log.ledger ? trusted_roots(*index.clone_) : Roots();
    auto good = roots ? check(log, seen, roots->now.verifiers) : Result<std::string>(fail(roots.error()));
    auto read = good ? segments_of(tip, have) : fail(good.error());
    if (!read) {
        report.refused.push_back({log.ref, read.error().message});
        if (seen.oid.empty() || seen.oid == tip || !log.ref.starts_with("refs/remotes/")) return {};
        // Back to where it was good: nothing is lost, and a repaired remote can be followed again.
        TRY(repo.set_ref(log.ref, seen.oid, tip));
        tip = seen.oid;
        read = read_segments(repo, tip, have);
        if (!read) return {};
    }
    for (LogSegment& part : *read) {
        for (std::size_t i = 0; i < part.lines.size(); ++i) {
            ++have;
            if (log.ledger) {
                TRY(take_verdict(part.lines[i], log.writer));
            } else {
                add({std::move(part.lines[i]), log.writer},
                    {part.blob, part.first + i, log.source, good ? *good : std::string()});
            }
        }
    }
    TRY(follow(log.ref, {tip, have}));
    return pass_on();
}

}  // namespace cultivar
