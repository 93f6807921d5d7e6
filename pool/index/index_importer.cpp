#include "pool/index/index_importer.h"

#include <set>

#include <fmt/format.h>

#include "pool/clone/journal.h"
#include "pool/clone/seeds.h"
#include "pool/clone/trust_roots.h"
#include "pool/index/commit_import.h"
#include "pool/index/derived_tables.h"
#include "pool/storage/artifact_commit.h"
#include "pool/storage/bundle.h"
#include "pool/storage/extra_remote.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

// "<before><folder><rest>" -> rest, for the refs that this clone, its remote and its sources have.
std::optional<std::string> under(const std::string& ref, const std::string& folder) {
    for (const std::string& before : {std::string("refs/heads/"), fmt::format("refs/remotes/{}/", kRemote),
                                      fmt::format("refs/sources/{}/", extra_remote_of_ref(ref))}) {
        if (ref.starts_with(before + folder)) return ref.substr(before.size() + folder.size());
    }
    return std::nullopt;
}

// Compares the whole name: anybody may push an `archive-of-mine`.
bool is_archive(const std::string& ref) { return under(ref, "archive") == ""; }

// A pull asks for `archiv*`, because a branch that is named in full must exist.
bool resembles_archive(const std::string& ref) {
    return ref.starts_with(fmt::format("refs/remotes/{}/archiv", kRemote)) && !is_archive(ref);
}

Result<void> refuse_once(const Ref& ref, LogImport& logs) {
    const Log as_log{ref.name, "", ref.oid, false, "", false};
    if (logs.was_refused(as_log)) return {};
    return logs.refuse(as_log, {Code::corrupt, "is no branch of a pool", ""});
}

}  // namespace

// The sources of the tables but for the spool, as text that changes with them.
Result<std::string> IndexImporter::everything_foreign(const std::vector<Ref>& refs) const {
    auto roots = trusted_roots(database_.clone());
    return fmt::format("{} {}", digest_of(refs), roots ? roots->now.digest : roots.error().message);
}

Result<void> IndexImporter::import_all(const std::vector<Ref>& refs) {
    TRY_ASSIGN(const std::string foreign, everything_foreign(refs));
    TRY_ASSIGN(const bool settled, database_.holds("settled", foreign));
    if (!settled) {
        TRY(take_refs(refs));
        // Refused refs are looked at once more, because the reason may pass.
        TRY(database_.set("settled", report_.refused.empty() ? foreign : ""));
    }
    TRY(take_spool());
    TRY(settle_seeds());
    if (database_.is_new()) TRY(database_.make_indexes());
    return derive_tables(database_);
}

// Refused logs and branches, and logs full of rubbish, are of no concern any more once their ref is gone. Good records
// stay: they are for ever.
Result<void> IndexImporter::forget_gone(const std::vector<Ref>& refs) {
    std::set<std::string> here;
    for (const Ref& ref : refs) here.insert(ref.name);
    for (const char* table : {"log", "branch"}) {
        const std::string full = table == std::string("log") ? fmt::format("OR rubbish >= {}", kMostRubbish) : "";
        TRY_ASSIGN(
            Statement get,
            database_.sql().prepare(fmt::format(
                "SELECT ref FROM {} WHERE (refused IS NOT NULL {}) AND ref NOT LIKE '%/carried/%'", table, full)));
        TRY_ASSIGN(const std::vector<std::string> refused, get.all([](Row& row) { return row.text(); }));
        TRY_ASSIGN(Statement forget, database_.sql().prepare(fmt::format("DELETE FROM {} WHERE ref = :ref", table)));
        for (const std::string& ref : refused) {
            if (!here.contains(ref)) TRY(forget.bind(":ref", ref).run());
        }
    }
    return {};
}

Result<void> IndexImporter::take_refs(const std::vector<Ref>& refs) {
    if (!database_.is_new()) TRY(forget_gone(refs));
    LogImport logs(database_, report_, now_s_);
    TRY(logs.prepare());
    TRY_ASSIGN(auto lineage, check_ahead(refs));
    // Journals before ledgers: a verdict finds the claim that it is on.
    TRY_ASSIGN(std::vector<Log> journals, logs_of(refs, false));
    TRY(logs.read_ahead(journals));
    for (const Log& journal : journals) TRY(logs.take(journal));
    for (const Ref& ref : refs) {
        if (is_archive(ref.name) || under(ref.name, "bundle/")) TRY(take_bundles(ref, logs));
        if (resembles_archive(ref.name)) TRY(refuse_once(ref, logs));
    }
    TRY(logs.flush());
    TRY(forget_verdicts_of_other_roots(logs));
    TRY_ASSIGN(std::vector<Log> ledgers, logs_of(refs, true));
    for (const Log& ledger : ledgers) TRY(logs.take(ledger));
    if (lineage) TRY(lineage->give(database_.lineage()));
    CommitImport commits(database_, report_);
    TRY(commits.prepare());
    for (const Ref& ref : refs) {
        if (under(ref.name, "candidates/")) TRY(commits.take_branch(ref));
    }
    for (const CarriedCommit& carried : carried_) TRY(commits.take_carried(carried));
    return logs.save_tips();
}

// The journals or ledgers among the refs.
Result<std::vector<Log>> IndexImporter::logs_of(const std::vector<Ref>& refs, bool ledger) {
    const Clone& clone = database_.clone();
    std::vector<Log> logs;
    for (const Ref& ref : refs) {
        const auto writer = under(ref.name, ledger ? "ledger/" : "journal/");
        if (!writer) continue;
        // Others' local branches are not theirs; of this clone's two, the local one holds all and more.
        const bool local = ref.name.starts_with("refs/heads/"), own = *writer == clone.writer;
        if (local && !own) continue;
        if (!local && own) {
            TRY_ASSIGN(std::optional<Oid> here, clone.repo.ref(ledger ? clone.ledger_ref() : clone.journal_ref()));
            if (here) continue;
        }
        logs.push_back({ref.name, *writer, ref.oid, ledger, extra_remote_of_ref(ref.name)});
    }
    return logs;
}

// When the trust roots changed, ledgers are read again from the beginning; their verdicts are not counted as new.
Result<void> IndexImporter::forget_verdicts_of_other_roots(LogImport& logs) {
    auto roots = trusted_roots(database_.clone());
    const std::string now = roots ? roots->now.digest : roots.error().message;
    TRY_ASSIGN(const bool same, database_.holds("roots", now));
    if (same) return {};
    TRY(database_.set("roots", now));
    if (database_.is_new()) return {};
    TRY(database_.sql().execute(
        "INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE type = 'claim' AND candidate IS NOT NULL"));
    TRY(logs.forget_ledgers());
    TRY(database_.sql().execute("DELETE FROM rerun"));
    TRY_ASSIGN(Statement forget, database_.sql().prepare("DELETE FROM verdict"));
    TRY(forget.run());
    report_.verdicts -= static_cast<int>(database_.sql().changes());
    return {};
}

// A new index checks the pool's candidates in a thread of its own while it takes its records. Null: they are few.
Result<std::unique_ptr<LineageAhead>> IndexImporter::check_ahead(const std::vector<Ref>& refs) {
    Clone& clone = database_.clone();
    TRY_ASSIGN(Statement one, database_.sql().prepare("SELECT 1 FROM candidate_commit LIMIT 1"));
    TRY_ASSIGN(const bool known, one.any());
    if (known) return nullptr;
    std::vector<Oid> commits;
    for (const Ref& ref : refs) {
        if (under(ref.name, "candidates/")) commits.push_back(ref.oid);
        if (!is_archive(ref.name)) continue;
        auto bundles = read_archive(clone.repo, ref.oid, "");
        if (!bundles) continue;  // take_bundles() reports the reason
        for (const Bundle& bundle : *bundles)
            commits.insert(commits.end(), bundle.candidates.begin(), bundle.candidates.end());
    }
    if (commits.size() < kWorthAThread) return nullptr;
    return std::make_unique<LineageAhead>(clone.repo.git_dir(), clone.task, std::move(commits));
}

// Sets the ref of an artifact to its commit, by the digest in its message. Its content is checked when it is loaded
// (pool/storage/artifact_commit.h).
Result<void> IndexImporter::take_artifact(const Oid& commit) {
    Repo& repo = database_.clone().repo;
    TRY_ASSIGN(Commit raw, repo.read_commit(commit));
    constexpr std::string_view kWord = "artifact ";
    if (!raw.message.starts_with(kWord) || raw.message.size() < kWord.size() + 64) return {};
    const std::string digest = raw.message.substr(kWord.size(), 64);
    if (!is_hex(digest, 64)) return {};
    TRY_ASSIGN(std::optional<Oid> there, repo.ref(artifact_ref(digest)));
    return there ? Result<void>() : repo.set_ref(artifact_ref(digest), commit, "");
}

// A chain of bundles carries candidates, artifacts, and the journals of contributors without the right to push.
Result<void> IndexImporter::take_bundles(const Ref& ref, LogImport& logs) {
    Repo& repo = database_.clone().repo;
    const LogPosition before = logs.indexed_tip(ref.name);
    if (before.oid == ref.oid) return {};
    const bool append_only = is_archive(ref.name);
    const Oid good = logs.seen_tip(ref.name).oid;
    const Log as_log{ref.name, "", ref.oid, false, "", false};
    const bool known = logs.was_refused(as_log);
    auto bundles = known         ? Result<std::vector<Bundle>>()
                   : append_only ? read_archive(repo, ref.oid, good)
                                 : read_bundles(repo, ref.oid, "");
    const bool anew = append_only && before.oid.empty() && !good.empty();  // a rebuilt index begins at the beginning
    if (!known && bundles && anew) bundles = read_archive(repo, ref.oid, "");
    if (known || !bundles) {
        if (append_only) logs.put_back(as_log, good);
        return known ? Result<void>() : logs.refuse(as_log, bundles.error());
    }
    if (!append_only) ++report_.proposals;
    const std::size_t waiting = logs.waiting();
    for (const Bundle& bundle : *bundles) TRY(take_bundle(bundle, ref, logs));
    if (logs.waiting() > waiting) return {};  // read again until all of it is taken
    return logs.follow(ref.name, {ref.oid, 0});
}

Result<void> IndexImporter::take_bundle(const Bundle& bundle, const Ref& ref, LogImport& logs) {
    const Clone& clone = database_.clone();
    const bool archive = is_archive(ref.name);
    const std::string source = archive ? "archive" : extra_remote_of_ref(ref.name);
    const std::string from = archive ? "archive" : "refs/sources/" + source;
    for (const Oid& candidate : bundle.candidates) carried_.push_back({candidate, ref.name, archive});
    for (const Oid& artifact : bundle.artifacts) {
        auto taken = take_artifact(artifact);
        if (!taken) report_.refuse(ref.name, taken.error().message);
    }
    for (const Oid& journal : bundle.journals) {
        auto tip = clone.repo.read_commit(journal);
        if (!tip) {
            report_.refuse(ref.name, tip.error().message);
            continue;
        }
        const std::string& writer = tip->author.name;
        if (!is_writer(writer) || writer == clone.writer) continue;
        TRY(logs.take({from + "/carried/" + writer, writer, journal, false, source, true}));
    }
    return {};
}

// A seed has no parents, whatever a stranger says of it.
Result<void> IndexImporter::settle_seeds() {
    const auto seeds = read_seeds(database_.clone());
    if (!seeds) return {};  // of concern to explorers
    TRY_ASSIGN(Statement settle, database_.sql().prepare("UPDATE candidate SET said = '', parents = '', belief = :seed "
                                                         "WHERE id = :id AND belief < :seed"));
    for (const Seed& seed : *seeds)
        TRY(settle.bind(":seed", static_cast<int>(Belief::seed)).bind(":id", seed.candidate.id).run());
    return {};
}

Result<void> IndexImporter::take_spool() {
    const Clone& clone = database_.clone();
    TRY_ASSIGN(const std::string before, database_.get("spool"));
    TRY_ASSIGN(SpoolTail tail, spooled_since(clone, before));
    std::vector<std::string>& lines = tail.lines;
    const std::string own_key = clone.key.fingerprint();
    RecordImport records(database_, report_, now_s_);
    TRY(records.prepare());
    LogTally tally;
    std::vector<std::string> ids;
    for (const std::string& line : lines) ids.push_back(record_id(line));
    TRY_ASSIGN(const std::set<std::string> unknown, records.unknown(ids));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (unknown.contains(ids[i]))
            records.add({std::move(lines[i]), clone.writer}, {"", 0, "", own_key, &tally, 0, true});
    }
    TRY(records.flush());
    // Under a name that no ref has.
    if (!tail.goes_on) TRY(database_.sql().execute("DELETE FROM log WHERE ref = 'spool'"));
    TRY_ASSIGN(Statement put, database_.sql().prepare(
                                  "INSERT INTO log(ref, unreadable, later, other_task) VALUES('spool', :unreadable, "
                                  ":later, :other_task) ON CONFLICT(ref) DO UPDATE SET unreadable = unreadable + "
                                  ":unreadable, later = later + :later, other_task = other_task + :other_task"));
    put.bind(":unreadable", tally.unreadable).bind(":later", tally.later);
    TRY(put.bind(":other_task", tally.other_task).run());
    return tail.mark == before ? Result<void>() : database_.set("spool", tail.mark);
}

}  // namespace cultivar
