// What refs and spool say, into the index's tables: the only way in.
#include "pool/index/importer.h"

#include <fmt/format.h>

#include "pool/clone/journal.h"
#include "pool/clone/trust_roots.h"
#include "pool/storage/bundle.h"
#include "pool/storage/extra_remote.h"
#include "pool/util/sha256.h"

namespace cultivar {

std::optional<std::string> under(const std::string& ref, const std::string& what) {
    for (const std::string& before : {std::string("refs/heads/"), fmt::format("refs/remotes/{}/", kRemote),
                                      fmt::format("refs/sources/{}/", source_of_ref(ref))}) {
        if (ref.starts_with(before + what)) return ref.substr(before.size() + what.size());
    }
    return std::nullopt;
}

bool is_archive(const std::string& ref) { return under(ref, "archive") == ""; }

Result<void> Index::take_logs(const std::vector<Ref>& refs, RefreshReport& report) {
    RecordChecks intake(*this, report);
    TRY(intake.prepare());
    TRY_ASSIGN(intake.tips, read_tips(*clone_));
    TRY_ASSIGN(auto lineage, check_ahead(refs));
    // Journals before ledgers: a verdict finds the claim that it is on.
    TRY_ASSIGN(std::vector<Log> journals, logs_of(refs, false));
    TRY(intake.read_ahead(journals));
    for (const Log& journal : journals) TRY(intake.take_log(journal));
    for (const Ref& ref : refs) {
        if (is_archive(ref.name) || under(ref.name, "bundle/")) TRY(take_bundles(ref, intake));
    }
    TRY(intake.flush());
    TRY(forget_verdicts_of_other_roots(report));
    TRY_ASSIGN(std::vector<Log> ledgers, logs_of(refs, true));
    for (const Log& ledger : ledgers) TRY(intake.take_log(ledger));
    if (lineage) TRY(lineage->give(*lineage_));
    std::vector<Ref> branches;
    for (const Ref& ref : refs) {
        if (under(ref.name, "candidates/")) branches.push_back(ref);
    }
    TRY(take_candidates(branches, intake.carried, report));
    return intake.moved ? write_tips(*clone_, intake.tips) : Result<void>();
}

// Who judges has changed: ledgers are read again from the beginning.
Result<void> Index::forget_verdicts_of_other_roots(RefreshReport& report) {
    auto roots = trusted_roots(*clone_);
    const std::string now = roots ? roots->now.digest : roots.error().message;
    TRY_ASSIGN(Statement get, db_->prepare("SELECT value FROM meta WHERE key = 'roots'"));
    TRY_ASSIGN(bool there, get.step());
    if (there && get.text(0) == now) return {};
    get.reset();
    TRY_ASSIGN(Statement set, db_->prepare("INSERT OR REPLACE INTO meta VALUES('roots', ?)"));
    TRY(set.bind(1, now).run());
    if (is_new_) return {};
    TRY(db_->execute(
        "INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE type = 'claim' AND candidate IS NOT NULL; "
        "DELETE FROM log WHERE ref LIKE '%/ledger/%'"));
    TRY_ASSIGN(Statement forget, db_->prepare("DELETE FROM verdict"));
    TRY(forget.run());
    report.verdicts -= static_cast<int>(db_->changes());  // what is met again is no news
    return {};
}

// A new index checks the pool's candidates while it takes its records.
Result<std::unique_ptr<LineageAhead>> Index::check_ahead(const std::vector<Ref>& refs) {
    TRY_ASSIGN(Statement any, db_->prepare("SELECT 1 FROM candidate_commit LIMIT 1"));
    TRY_ASSIGN(bool known, any.step());
    if (known) return nullptr;
    std::vector<Oid> commits;
    for (const Ref& ref : refs) {
        if (under(ref.name, "candidates/")) commits.push_back(ref.oid);
        if (!is_archive(ref.name)) continue;
        auto bundles = read_bundles(clone_->repo, ref.oid, "");
        if (!bundles) continue;  // take_bundles() says why
        for (const Bundle& bundle : *bundles)
            commits.insert(commits.end(), bundle.candidates.begin(), bundle.candidates.end());
    }
    if (commits.size() < kMuch) return nullptr;
    return std::make_unique<LineageAhead>(clone_->repo.git_dir(), clone_->task, std::move(commits));
}

// The name that an artifact's commit gives itself; what it holds is checked when it is loaded (pool/sync/artifact_store.h).
Result<void> Index::take_artifact(const Oid& commit) {
    TRY_ASSIGN(Commit raw, clone_->repo.read_commit(commit));
    constexpr std::string_view kWord = "artifact ";
    if (!raw.message.starts_with(kWord) || raw.message.size() < kWord.size() + 64) return {};
    const std::string digest = raw.message.substr(kWord.size(), 64);
    if (!is_hex(digest, 64)) return {};
    TRY_ASSIGN(std::optional<Oid> there, clone_->repo.ref("refs/artifacts/" + digest));
    return there ? Result<void>() : clone_->repo.set_ref("refs/artifacts/" + digest, commit, "");
}

// What a chain of bundles carries: candidates, and the journals of people who cannot push here.
Result<void> Index::take_bundles(const Ref& ref, RecordChecks& intake) {
    TRY_ASSIGN(LogPosition before, intake.known_tip(ref.name));
    if (before.oid == ref.oid) return {};
    const bool append_only = is_archive(ref.name);
    auto bundles = read_bundles(clone_->repo, ref.oid, append_only ? intake.tips[ref.name].oid : "");
    if (!bundles) {
        intake.report.refused.push_back({ref.name, bundles.error().message});
        const Oid good = intake.tips[ref.name].oid;
        if (!append_only || good.empty() || !ref.name.starts_with("refs/remotes/")) return {};
        return clone_->repo.set_ref(ref.name, good, ref.oid);
    }
    if (append_only && before.oid.empty()) {  // a rebuilt index begins at the beginning
        TRY_ASSIGN(bundles, read_bundles(clone_->repo, ref.oid, ""));
    }
    if (!append_only) ++intake.report.proposals;
    const std::string source = append_only ? "archive" : source_of_ref(ref.name);
    const std::string from = append_only ? "archive" : "refs/sources/" + source;
    for (const Bundle& bundle : *bundles) {
        for (const Oid& candidate : bundle.candidates) intake.carried.push_back({candidate, ref.name, append_only});
        for (const Oid& artifact : bundle.artifacts) TRY(take_artifact(artifact));
        for (const Oid& journal : bundle.journals) {
            TRY_ASSIGN(Commit tip, clone_->repo.read_commit(journal));
            const std::string& writer = tip.author.name;
            if (!is_writer(writer) || writer == clone_->writer) continue;
            TRY(intake.take_log({from + "/carried/" + writer, writer, journal, false, source}));
        }
    }
    return intake.follow(ref.name, {ref.oid, 0});
}

Result<void> Index::take_spool(RefreshReport& report) {
    TRY_ASSIGN(std::vector<std::string> lines, spooled_lines(*clone_));
    const std::string own_key = clone_->key.fingerprint();
    RecordChecks intake(*this, report);
    TRY(intake.prepare());
    for (std::string& line : lines) {
        TRY_ASSIGN(bool known, intake.holds(record_id(line)));
        if (!known) intake.add({std::move(line), clone_->writer}, {"", 0, "", own_key});
    }
    return intake.flush();
}

}  // namespace cultivar
