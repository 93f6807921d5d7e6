#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/import_source.h"
#include "cli/commands/registry.h"
#include "cli/format/messages.h"
#include "cli/session/session.h"
#include "pool/util/file.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

struct ImportArguments {
    std::string from, id, parent, patch;
};

struct Dropped {
    std::string gene, value, why;
};

struct Imported {
    Candidate candidate;
    std::vector<Dropped> dropped;
};

// The reason why a gene of another pool cannot be taken; "" if it can.
std::string obstacle(const Gene& theirs, const Value& value, const Gene* ours) {
    if (!ours) return "no such gene here";
    if (ours->type != theirs.type) return fmt::format("{} there, {} here", name(theirs.type), name(ours->type));
    return ours->accept(value) ? "" : "out of range: " + ours->range_text();
}

// The other pool's candidate in this pool's genes. Values are taken, not differences from the other pool's defaults.
Result<Imported> translate(const Task& task, const std::string& task_id, const Space& their_space,
                           const Candidate& theirs) {
    Imported imported;
    Genes taken;
    for (const Gene& gene : their_space.genes()) {
        if (!their_space.active(gene, theirs.genes)) continue;
        const Value& value = theirs.genes.at(gene.name);
        const std::string why = obstacle(gene, value, task.space.find(gene.name));
        if (why.empty())
            taken.emplace(gene.name, value);
        else
            imported.dropped.push_back({gene.name, to_toml(value), why});
    }
    auto made = make_candidate(task.space, task_id, taken);
    if (!made) return fail(Code::unfit, "the genes that this pool has: " + made.error().message);
    for (const auto& [gene, value] : taken) {
        if (!task.space.active(*task.space.find(gene), made->genes))
            imported.dropped.push_back({gene, to_toml(value), "not active here"});
    }
    if (taken.empty() || (made->toml.empty() && !imported.dropped.empty()))
        return fail(Code::unfit, "this pool has none of the genes that it changes", "cultivar genes");
    imported.candidate = std::move(*made);
    return imported;
}

Result<Imported> from_pool(const Context& context, const Session& session, const ImportArguments& options) {
    TRY_ASSIGN(Session other, open_session(options.from, [&context] { return context.interrupted(); }));
    TRY_ASSIGN(std::string id, other.index->resolve_candidate(options.id));
    TRY_ASSIGN(std::optional<CandidateRow> row, other.index->candidate(id));
    if (!row) return fail(Code::not_found, fmt::format("no candidate '{}' in '{}'", options.id, options.from));
    const Space& their_space = other.clone->task.space;
    TRY_ASSIGN(Candidate theirs, parse_canonical(their_space, other.clone->task_id, row->toml));
    TRY_ASSIGN(Imported imported, translate(session.clone->task, session.clone->task_id, their_space, theirs));
    for (const auto& [path, sha256] : theirs.files)
        imported.dropped.push_back({path, std::string(short_id(sha256)), "source files stay in their pool"});
    return imported;
}

Result<Imported> from_file(const Session& session, const std::string& path) {
    TRY_ASSIGN(std::string text, read_file(path, kMaxCandidateBytes));
    TRY_ASSIGN(Candidate candidate, read_candidate(session.clone->task.space, session.clone->task_id, text, path));
    if (!candidate.files.empty())
        return fail(Code::usage, fmt::format("{}: digests alone bring no files", path), "cultivar import --help");
    return Imported{std::move(candidate), {}};
}

// A seed is known before anybody ran it.
Result<bool> is_known(Session& session, const std::string& id) {
    TRY_ASSIGN(std::optional<CandidateRow> row, session.index->candidate(id));
    TRY_ASSIGN(std::vector<Seed> seeds, read_seeds(*session.clone));
    return row || std::any_of(seeds.begin(), seeds.end(), [&](const Seed& seed) { return seed.candidate.id == id; });
}

void print_json(Context& context, const Imported& imported, bool known, const std::string& branch,
                const std::optional<RunRow>& first) {
    Json dropped = Json::array();
    for (const Dropped& one : imported.dropped)
        dropped.push_back({{"gene", one.gene}, {"value", one.value}, {"why", one.why}});
    Json json = {{"schema", 1},
                 {"id", imported.candidate.id},
                 {"toml", imported.candidate.toml},
                 {"new", !known},
                 {"branch", branch.empty() ? Json() : Json(branch)},
                 {"first_result", first ? Json(first->id) : Json()},
                 {"dropped", dropped}};
    context.ui.print(pretty(json));
}

void print_text(Context& context, const Session& session, const Imported& imported, bool known) {
    const Task& task = session.clone->task;
    context.ui.print(
        fmt::format("{} {}\n", known ? "already in the pool:" : "imported", short_id(imported.candidate.id)));
    TextTable table({{"gene"}, {"default"}, {"value"}});
    if (auto defaults = task.space.complete({})) {
        for (const GeneChange& change : gene_changes(task.space, *defaults, imported.candidate.genes))
            table.row({change.gene, change.before, change.after});
    }
    if (!imported.candidate.toml.empty()) context.ui.print(table.text(context.ui));
    for (const Dropped& one : imported.dropped)
        context.ui.warn(clean(fmt::format("dropped {} = {}: {}", one.gene, one.value, one.why)));
    if (!known) context.ui.note("the next 'cultivar explore' runs it first");
}

// Changed source files make a child of the candidate that they come from.
Result<int> import_child(Context& context, const ImportArguments& options) {
    if (options.parent.empty())
        return fail(Code::usage, "--patch goes with --parent ID", "cultivar import --patch FILE --parent ID");
    if (!options.id.empty() || options.from.empty() == options.patch.empty())
        return fail(Code::usage, "--parent goes with one folder of files, or with --patch", "cultivar import --help");
    return import_source(context, options.from, options.patch, options.parent);
}

Result<int> import_candidate(Context& context, const ImportArguments& options) {
    if (!options.parent.empty() || !options.patch.empty()) return import_child(context, options);
    if (options.from.empty())
        return fail(Code::usage, "FROM is missing: cultivar import FILE.toml | FOLDER ID", "cultivar import --help");
    std::error_code ec;
    if (options.id.empty() && std::filesystem::is_directory(options.from, ec))
        return fail(Code::usage, fmt::format("'{}' is a folder: which of its candidates?", options.from),
                    fmt::format("cultivar import {} ID", shell_word(options.from)));
    TRY_ASSIGN(Session session, open_session(context));
    TRY_ASSIGN(Imported imported,
               options.id.empty() ? from_file(session, options.from) : from_pool(context, session, options));
    TRY(refuse_second_run(session, imported.candidate.id));
    TRY_ASSIGN(bool known, is_known(session, imported.candidate.id));
    TRY_ASSIGN(const std::optional<RunRow> first, first_result(session, imported.candidate.id));
    std::string branch;
    if (!known) {
        TRY_ASSIGN(CandidateCommit commit, session.index->lineage().write(imported.candidate, {}));
        TRY(ensure_candidate_branch(session.clone->repo, commit));
        TRY(session.index->refresh());
        branch = candidate_branch(imported.candidate.id, commit.oid);
    }
    if (context.ui.json())
        print_json(context, imported, known, branch, first);
    else
        print_text(context, session, imported, known);
    if (first && !context.ui.json()) tell_first_result(context.ui, session.clone->task, *first);
    return kYes;
}

}  // namespace

Action declare_import(Parser& parser) {
    auto options = std::make_shared<ImportArguments>();
    parser.positional(
        "FROM", options->from,
        "a file of genes in TOML, the folder of another pool's clone, or with --parent a folder of source files",
        false);
    parser.positional("ID", options->id, "which candidate of the other pool", false);
    parser.option("--parent", options->parent, "ID", "the candidate whose source files were changed");
    parser.option("--patch", options->patch, "FILE", "a unified diff of the parent's files; it must fit exactly");
    parser.example("cultivar import idea.toml", "a configuration of your own");
    parser.example("cultivar import ../other-pool 1a2b3c4d", "a candidate of another pool");
    parser.example("cultivar import better --parent 1a2b3c4d", "the child with the files of a folder that edit wrote");
    return [options](Context& context) { return import_candidate(context, *options); };
}

}  // namespace cultivar
