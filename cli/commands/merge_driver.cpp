#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"
#include "pool/git/text_merge.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

struct MergeDriverArguments {
    bool bases = false, source = false;
    std::string base, ours, theirs, path;
};

struct Contents {
    std::string base, ours, theirs;
};

Result<Contents> read_all(const MergeDriverArguments& options) {
    Contents contents;
    TRY_ASSIGN(contents.base, read_file(options.base, kMaxCandidateBytes));
    TRY_ASSIGN(contents.ours, read_file(options.ours, kMaxCandidateBytes));
    TRY_ASSIGN(contents.theirs, read_file(options.theirs, kMaxCandidateBytes));
    return contents;
}

// Stands for several common ancestors. It is no candidate, so that git always asks for the last merge, and it differs
// for other ancestors.
std::string several_bases(const Contents& contents) {
    return fmt::format("# several bases {}\n",
                       sha256_hex(contents.base + "\n" + contents.ours + "\n" + contents.theirs));
}

// `git merge` names the merged commits in its environment: GITHEAD_<commit>=NAME.
std::vector<Oid> heads_being_merged() {
    constexpr std::string_view kName = "GITHEAD_";
    std::vector<Oid> heads;
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view text(*entry);
        if (text.starts_with(kName) && text.size() > kName.size() + 40 && is_hex(text.substr(kName.size(), 40), 40))
            heads.emplace_back(text.substr(kName.size(), 40));
    }
    return heads;
}

bool holds(const Repo& repo, const Oid& commit, const std::string& toml) {
    auto file = repo.file(commit, "candidate.toml", kMaxCandidateBytes);
    return file && *file == toml;
}

// Empty where `git merge` does not run or does not merge two candidates' commits.
Result<std::optional<Cross>> cross_of_commits(Session& session, const Contents& contents) {
    const Repo& repo = session.clone->repo;
    TRY_ASSIGN(std::optional<Oid> ours, repo.ref("HEAD"));
    const std::vector<Oid> heads = heads_being_merged();
    if (!ours || heads.size() != 1 || !holds(repo, *ours, contents.ours) || !holds(repo, heads[0], contents.theirs))
        return std::optional<Cross>();
    Lineage& lineage = session.index->lineage();
    if (!lineage.read(*ours) || !lineage.read(heads[0])) return std::optional<Cross>();
    TRY_ASSIGN(Cross made, lineage.cross_of(*ours, heads[0]));
    return std::optional<Cross>(std::move(made));
}

Result<Cross> cross_of_files(Context& context, const Session& session, const Contents& contents) {
    const Clone& clone = *session.clone;
    auto read = [&](const std::string& toml, const char* whose) {
        return read_candidate(clone.task.space, clone.task_id, toml, whose);
    };
    TRY_ASSIGN(Candidate ours, read(contents.ours, "ours"));
    TRY_ASSIGN(Candidate theirs, read(contents.theirs, "theirs"));
    std::optional<Candidate> base;
    SourceFiles base_files;
    if (auto one = parse_canonical(clone.task.space, clone.task_id, contents.base)) base = std::move(*one);
    if (base) base_files = base->files;
    TRY_ASSIGN(SourceFiles files, merge_files(ours.files, theirs.files, {base_files}, [&](const FileVersions& file) {
                   return session.index->lineage().merged_file(file);
               }));
    context.ui.note(
        fmt::format("candidate.toml is merged by its contents over {}: these are not two candidates' "
                    "commits, 'cultivar cross' may choose otherwise",
                    base ? "one base" : "the defaults"));
    return cross_of_contents(clone.task.space, clone.task_id, ours, theirs, base, std::move(files));
}

// A conflict is an answer for git, which keeps our side in the file.
Result<int> conflict(Context& context, const Error& error) {
    context.ui.error(error);
    return kNo;
}

// One source file, of a candidate or of main: over the ancestor's, or over the task's where the candidates' ancestors have
// none. Git keeps our side with its marks where it conflicts.
Result<int> merge_source(Context& context, const MergeDriverArguments& options) {
    TRY_ASSIGN(std::string base, read_file(options.base, kMaxCommandFile_bytes));
    TRY_ASSIGN(const std::string ours, read_file(options.ours, kMaxCommandFile_bytes));
    TRY_ASSIGN(const std::string theirs, read_file(options.theirs, kMaxCommandFile_bytes));
    const std::string folder = std::string(kSourceFolder) + "/";
    if (base.empty() && options.path.starts_with(folder)) {
        TRY_ASSIGN(const Clone clone, open_clone(context));
        TRY_ASSIGN(const auto of_task, clone.command_file(options.path.substr(folder.size())));
        if (of_task) base = *of_task;
    }
    TRY_ASSIGN(const TextMerge merge, merge_texts(base, ours, theirs));
    TRY(write_file_atomically(options.ours, merge.text));
    return merge.clean ? kYes : kNo;
}

Result<int> merge_driver(Context& context, const MergeDriverArguments& options) {
    if (options.source) return merge_source(context, options);
    TRY_ASSIGN(Contents contents, read_all(options));
    if (options.bases) {
        TRY(write_file_atomically(options.ours, several_bases(contents)));
        return kYes;
    }
    auto session = open_session(context);
    if (!session) return conflict(context, session.error());
    auto made = cross_of_commits(*session, contents);
    if (!made) return conflict(context, made.error());
    if (!*made) {
        auto plain = cross_of_files(context, *session, contents);
        if (!plain) return conflict(context, plain.error());
        *made = std::move(*plain);
    }
    TRY(write_file_atomically(options.ours, (*made)->child.toml));
    return kYes;
}

}  // namespace

Action declare_merge_driver(Parser& parser) {
    auto options = std::make_shared<MergeDriverArguments>();
    parser.flag("--bases", options->bases, "merge common ancestors among themselves: a mark that git keeps to itself");
    parser.flag("--source", options->source, "merge a source file instead of candidate.toml");
    parser.positional("BASE", options->base, "the common ancestor's file (%O)");
    parser.positional("OURS", options->ours, "our file (%A); the result is written here");
    parser.positional("THEIRS", options->theirs, "their file (%B)");
    parser.positional("PATH", options->path, "the file's path in the repository (%P)", false);
    parser.example("git merge candidates/1a2b3c4d...", "git runs it; init and clone set it up");
    return [options](Context& context) { return merge_driver(context, *options); };
}

}  // namespace cultivar
