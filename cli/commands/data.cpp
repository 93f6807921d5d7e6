#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "cli/app/argument_parser.h"
#include "cli/app/context.h"
#include "cli/app/json.h"
#include "cli/app/text_table.h"
#include "cli/commands/apart.h"
#include "cli/commands/data_manifest.h"
#include "cli/commands/data_of_command.h"
#include "cli/commands/registry.h"
#include "cli/runs/specification.h"
#include "cli/session/session.h"
#include "cli/verify/hold_out_book.h"
#include "cli/verify/hold_out_files.h"
#include "pool/util/text.h"
#include "train/data/import.h"
#include "train/data/shard_writer.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxModelBytes = 16 << 20;
constexpr const char* kModel = "tokenizer.model";

struct DataArguments {
    std::vector<std::string> words;
    std::string tokenizer, separator;
    std::optional<std::string> slice, full;
    bool hold_out = false;
};

Result<std::int64_t> size_or(const std::optional<std::string>& text, std::int64_t otherwise) {
    return text ? parse_size(*text) : Result<std::int64_t>(otherwise);
}

// The files of an import on their way into its folder: made beside it, so that an import that is stopped, or ends in an
// error, changes nothing there. One at a time in a clone.
class Staging {
public:
    // Errors: busy (another import is at work), io.
    static Result<Staging> begin(const Clone& clone, std::string folder) {
        TRY_ASSIGN(FileLock lock, FileLock::acquire(clone.state_dir + "import.lock",
                                                    fmt::format("pid {}: cultivar data import", ::getpid()), 0));
        folder.pop_back();
        Staging staging(std::move(lock), folder + "/", folder + ".new/");
        staging.clear();  // of one that was killed
        return staging;
    }
    Staging(Staging&& other) noexcept = default;
    Staging& operator=(Staging&&) = delete;
    ~Staging() {
        if (!made_.empty()) clear();
    }

    const std::string& made() const { return made_; }
    // From now on nobody else reads what is made. Errors: io.
    Result<void> make_private() {
        private_ = true;
        return open_folder(made_);
    }
    // Errors: io.
    Result<void> settle() {
        TRY(open_folder(folder_));
        std::error_code ec;
        for (fs::directory_iterator at(made_, ec), end; !ec && at != end; at.increment(ec)) {
            fs::rename(at->path(), folder_ + at->path().filename().string(), ec);
            if (ec) break;
        }
        return ec ? fail(Code::io, fmt::format("cannot fill '{}': {}", folder_, ec.message())) : Result<void>();
    }

private:
    Staging(FileLock lock, std::string folder, std::string made)
        : lock_(std::move(lock)), folder_(std::move(folder)), made_(std::move(made)) {}
    void clear() const {
        std::error_code ec;
        fs::remove_all(made_, ec);
    }
    Result<void> open_folder(const std::string& path) const {
        TRY(create_folder(path));
        std::error_code ec;
        if (private_) fs::permissions(path, fs::perms::owner_all, ec);
        return ec ? fail(Code::io, fmt::format("cannot close '{}' to others: {}", path, ec.message())) : Result<void>();
    }
    FileLock lock_;
    std::string folder_, made_;
    bool private_ = false;
};

// "a\\n\\nb" from a shell is written with backslashes.
std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool escape = text[i] == '\\' && i + 1 < text.size();
        char next = escape ? text[i + 1] : '\0';
        if (next == 'n' || next == 't' || next == '\\') {
            out.push_back(next == 'n' ? '\n' : next == 't' ? '\t' : '\\');
            ++i;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

// A folder of Parameter Golf shards, or files of text.
Result<DataManifest> first_import(const DataArguments& options, const std::vector<std::string>& sources,
                                  const std::string& folder, const ImportProgress& progress) {
    ImportRequest request;
    TRY_ASSIGN(request.slice_bytes, size_or(options.slice, request.slice_bytes));
    TRY_ASSIGN(request.full_bytes, size_or(options.full, request.full_bytes));
    if (sources.size() == 1 && fs::is_directory(sources[0])) {
        if (options.tokenizer.empty())
            return fail(Code::usage, "shards need the tokenizer they were made with",
                        fmt::format("cultivar data import {} --tokenizer FILE.model", shell_word(sources[0])));
        return import_shards(sources[0], options.tokenizer, request.slice_bytes, folder, progress);
    }
    if (!options.tokenizer.empty() && options.tokenizer != "bpe" && options.tokenizer != "byte")
        return fail(Code::usage, fmt::format("--tokenizer = '{}': text takes bpe, byte", options.tokenizer));
    request.sources = sources;
    request.separator = unescaped(options.separator);
    request.tokenizer = options.tokenizer == "byte" ? TokenizerKind::byte : TokenizerKind::sentencepiece;
    return import_text(request, folder, progress);
}

Result<DataManifest> import_again(const Clone& clone, const std::vector<std::string>& sources,
                                  const std::string& folder, const ImportProgress& progress) {
    DataManifest expected = manifest_of(*clone.task.data);
    std::string model;
    if (!expected.tokenizer.name.empty()) {
        TRY_ASSIGN(std::optional<std::string> bytes, clone.repo.file(clone.main, kModel, kMaxModelBytes));
        if (!bytes) return fail(Code::corrupt, "main has no tokenizer.model, though pool.toml names one");
        model = std::move(*bytes);
    }
    if (!expected.sources.empty()) return import_text_again(sources, expected, model, folder, progress);
    if (sources.size() != 1)
        return fail(Code::usage, "this pool's data are shards: give their folder", "cultivar data import DIR");
    TRY(create_folder(folder));
    std::string model_path = folder + kModel;
    TRY(write_file_atomically(model_path, model));
    TRY_ASSIGN(DataManifest made, import_shards(sources[0], model_path, expected.slice_text_bytes, folder, progress));
    TRY(require_same(made, expected));
    return made;
}

void tell_manifest(Ui& ui, const DataManifest& manifest) {
    std::int64_t tokens = 0;
    for (const DataFile& file : manifest.train) tokens += file.tokens;
    if (manifest.documents > 0) {
        const TextRepairs& repairs = manifest.repairs;
        ui.print(fmt::format("{} documents, {} of text; {} duplicates dropped\n", manifest.documents,
                             bytes_text(static_cast<double>(manifest.text_bytes)), manifest.duplicates));
        ui.print(
            fmt::format("made valid: {} bytes that are not UTF-8 became {} U+FFFD, {} control characters dropped\n",
                        repairs.invalid_bytes, repairs.replacements, repairs.dropped_controls));
    }
    ui.print(fmt::format("{} tokens to train on, vocabulary {}\n", tokens, manifest.vocabulary));
    ui.print(
        fmt::format("validation: slice {} targets = {} bytes, full set {} targets = {} bytes ({:.6f} tokens a byte)\n",
                    manifest.slice_scored.tokens, manifest.slice_scored.bytes, manifest.full_scored.tokens,
                    manifest.full_scored.bytes, manifest.full_scored.tokens_per_byte()));
}

// The first import makes the pool's data: digests and tokenizer go to main.
Result<void> commit_data(Session& session, const DataManifest& manifest) {
    Clone& clone = *session.clone;
    Task task = clone.task;
    task.data = data_of(manifest);
    std::vector<std::pair<std::string, std::string>> files = {{"pool.toml", to_toml(task)}};
    if (!manifest.tokenizer.name.empty()) {
        TRY_ASSIGN(std::string model, read_file(data_path(clone.data_dir(), manifest.tokenizer), kMaxModelBytes));
        files.emplace_back(kModel, std::move(model));
    }
    TRY(clone.commit_main(files,
                          fmt::format("Bring in data: {} file{}", std::max<std::size_t>(1, manifest.sources.size()),
                                      manifest.sources.size() == 1 ? "" : "s")));
    TRY(clone.reload_task());
    TRY(session.index->refresh());
    return {};
}

Result<HoldOutRequest> hold_out_request(const Clone& clone, const Data& data, const std::vector<std::string>& sources) {
    HoldOutRequest request;
    request.sources = sources;
    request.separator = data.separator;
    request.targets = data.slice_score.targets;
    if (!data.tokenizer_sha256.empty()) {
        TRY_ASSIGN(std::optional<std::string> model, clone.repo.file(clone.main, kModel, kMaxModelBytes));
        if (!model) return fail(Code::corrupt, "main has no tokenizer.model, though pool.toml names one");
        request.model = std::move(*model);
    }
    for (const PoolFile& file : data.train) request.known.push_back(clone.data_dir() + file.name);
    request.known.push_back(clone.data_dir() + data.full.name);
    return request;
}

void tell_hold_out(Ui& ui, const HoldOutMade& made, const HoldOutRequest& request) {
    const std::size_t slices = made.slices.size();
    if (ui.json()) {
        ui.print(pretty(Json{{"schema", 1},
                             {"slices", slices},
                             {"targets", request.targets},
                             {"documents", made.documents},
                             {"duplicates", made.duplicates},
                             {"in_the_pool", made.known}}));
        return;
    }
    if (request.targets > 0)
        ui.print(fmt::format("{} slice{} of {} targets from {} documents; {} were in the pool's data and dropped\n",
                             slices, slices == 1 ? "" : "s", request.targets, made.documents, made.known));
    else
        ui.print(fmt::format("{} file{} in place of the validation file, each for {} claims or {} days\n", slices,
                             slices == 1 ? "" : "s", kSliceClaims, kSliceDays));
    ui.note("it stays on this machine; 'cultivar verify' scores claims on it too");
}

// Private to a verifier: it is never sent to the pool.
Result<int> import_hold_out(Context& context, const Session& session, const std::vector<std::string>& sources) {
    const Clone& clone = *session.clone;
    TRY_ASSIGN(const Data* data, need_data(clone));
    HoldOutRequest request;
    if (data) {
        TRY_ASSIGN(request, hold_out_request(clone, *data, sources));
    }
    TRY_ASSIGN(Staging staging, Staging::begin(clone, hold_out_folder(clone)));
    TRY(staging.make_private());
    const ApartWork work = [&](const ImportProgress& progress) -> Result<Json> {
        TRY_ASSIGN(const HoldOutMade slices, data ? make_hold_out(request, staging.made(), progress)
                                                  : copy_hold_out(clone, sources, staging.made()));
        return to_json(slices);
    };
    TRY_ASSIGN(const Json json, run_apart(context, work));
    const HoldOutMade made = hold_out_from(json);
    if (context.interrupted()) return fail(Code::interrupted, "interrupted; nothing was changed");
    TRY(staging.settle());
    TRY(HoldOut::settle(clone, made));
    tell_hold_out(context.ui, made, request);
    return kYes;
}

Result<int> import_data(Context& context, Session& session, const DataArguments& options) {
    std::vector<std::string> sources(options.words.begin() + 1, options.words.end());
    if (sources.empty()) return fail(Code::usage, "no files to import", "cultivar data import FILE...");
    Clone& clone = *session.clone;
    bool known = clone.task.data.has_value();
    bool asks = !options.tokenizer.empty() || !options.separator.empty() || options.slice || options.full;
    if (options.hold_out && asks)
        return fail(Code::usage,
                    "a hold-out is cut as the pool's own data are: tokenizer, separator and sizes are settled",
                    "cultivar data import --hold-out FILE...");
    if (options.hold_out) return import_hold_out(context, session, sources);
    if (clone.task.command && asks)
        return fail(Code::usage, "a pool with a command of its own takes files as they are",
                    "cultivar data import FILE...");
    if (clone.task.command) return import_command_data(context, session, sources);
    if (known && asks)
        return fail(Code::usage, "this pool has its data already: tokenizer, separator and sizes are settled",
                    "cultivar data import FILE...");
    TRY_ASSIGN(Staging staging, Staging::begin(clone, clone.data_dir()));
    const ApartWork work = [&](const ImportProgress& progress) -> Result<Json> {
        TRY_ASSIGN(const DataManifest files, known ? import_again(clone, sources, staging.made(), progress)
                                                   : first_import(options, sources, staging.made(), progress));
        return to_json(files);
    };
    TRY_ASSIGN(const Json made, run_apart(context, work));
    const DataManifest manifest = manifest_from(made);
    if (context.interrupted()) return fail(Code::interrupted, "interrupted; nothing was changed");
    TRY(staging.settle());
    if (!known) TRY(commit_data(session, manifest));
    if (context.ui.json()) {
        Json json = {{"schema", 1},
                     {"task", clone.task_id},
                     {"first", !known},
                     {"documents", manifest.documents},
                     {"duplicates", manifest.duplicates},
                     {"invalid_bytes", manifest.repairs.invalid_bytes},
                     {"replacements", manifest.repairs.replacements},
                     {"slice_targets", manifest.slice_scored.tokens},
                     {"slice_bytes", manifest.slice_scored.bytes},
                     {"full_targets", manifest.full_scored.tokens},
                     {"full_bytes", manifest.full_scored.bytes}};
        context.ui.print(pretty(json));
        return kYes;
    }
    tell_manifest(context.ui, manifest);
    context.ui.note(known ? "the same data as the pool's, by every digest"
                          : "settled for this pool; 'cultivar propose' shares it");
    return kYes;
}

std::vector<std::pair<std::string, PoolFile>> files_of(const Data& data) {
    std::vector<std::pair<std::string, PoolFile>> files;
    for (const PoolFile& file : data.train) files.emplace_back("train", file);
    files.emplace_back("slice", data.slice);
    files.emplace_back("full", data.full);
    files.emplace_back("bytes", data.byte_table);
    return files;
}

Result<int> list_data(Context& context, const Session& session) {
    const Clone& clone = *session.clone;
    if (clone.task.command) return list_command_data(context, clone);
    if (!clone.task.data) return fail(Code::not_found, "this pool has no data yet", "cultivar data import FILE...");
    Json rows = Json::array();
    TextTable table({{"part"}, {"file"}, {"tokens", true}, {"here"}, {"sha256"}});
    for (const auto& [part, file] : files_of(*clone.task.data)) {
        std::error_code ec;
        const bool here = fs::exists(clone.data_dir() + file.name, ec);
        if (ec) return fail(Code::io, fmt::format("cannot look for '{}': {}", file.name, ec.message()));
        rows.push_back(
            {{"part", part}, {"name", file.name}, {"sha256", file.sha256}, {"tokens", file.tokens}, {"here", here}});
        table.row({part, clean(file.name), file.tokens > 0 ? std::to_string(file.tokens) : "", here ? "yes" : "no",
                   file.sha256});
    }
    Json sources = Json::array();
    for (const PoolSource& source : clone.task.data->sources)
        sources.push_back({{"name", source.name}, {"sha256", source.sha256}});
    if (context.ui.json()) {
        context.ui.print(
            pretty(Json{{"schema", 1}, {"folder", clone.data_dir()}, {"files", rows}, {"sources", sources}}));
        return kYes;
    }
    context.ui.print(table.text(context.ui));
    for (const PoolSource& source : clone.task.data->sources)
        context.ui.print(fmt::format("made from {}  {}\n", clean(source.name), source.sha256));
    return kYes;
}

Result<int> check(Context& context, const Session& session) {
    if (session.clone->task.command) return check_command_data(context, *session.clone);
    if (!session.clone->task.data)
        return fail(Code::not_found, "this pool has no data yet", "cultivar data import FILE...");
    auto checked = check_data(session.clone->data_dir(), manifest_of(*session.clone->task.data));
    if (!checked && checked.error().code != Code::corrupt && checked.error().code != Code::not_found)
        return fail(checked.error());
    if (context.ui.json()) {
        Json json = {{"schema", 1},
                     {"good", checked.has_value()},
                     {"problem", checked ? Json(nullptr) : Json(checked.error().message)}};
        context.ui.print(pretty(json));
    } else if (checked) {
        context.ui.print("every file has its digest, and the validation parts their targets and bytes\n");
    } else {
        context.ui.error(checked.error());
    }
    return checked ? kYes : kNo;
}

Result<int> data(Context& context, const DataArguments& options) {
    std::string verb = options.words.empty() ? "" : options.words[0];
    if (verb != "import" && verb != "list" && verb != "check") {
        auto near = nearest(verb, {"import", "list", "check"});
        return fail(Code::usage,
                    verb.empty() ? "give one of import, list and check"
                                 : fmt::format("unknown 'data {}'{}", verb,
                                               near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0])),
                    "cultivar data --help");
    }
    TRY_ASSIGN(Session session, open_session(context));
    if (verb == "import") return import_data(context, session, options);
    if (options.words.size() > 1)
        return fail(Code::usage, fmt::format("'{}' is one argument too many", options.words[1]),
                    "cultivar data --help");
    return verb == "list" ? list_data(context, session) : check(context, session);
}

}  // namespace

Action declare_data(Parser& parser) {
    auto options = std::make_shared<DataArguments>();
    parser.positionals(
        "VERB", options->words,
        "import FILE...: text, .gz or .dz, a folder of Parameter Golf shards, or a command's files; list; check");
    parser.option("--tokenizer", options->tokenizer, "KIND",
                  "bpe (1,024 pieces, default), byte, or a .model file with shards");
    parser.option("--separator", options->separator, "TEXT",
                  "between documents; \\n and \\t are understood (default: blank lines)");
    parser.option("--slice-bytes", options->slice, "SIZE",
                  "text of the validation slice that scores runs (default 256KiB)");
    parser.option("--full-bytes", options->full, "SIZE",
                  "text of the full validation set that judges records (default 4MiB)");
    parser.flag("--hold-out", options->hold_out,
                "a verifier's private text or files, for scoring claims on; stays on this machine");
    parser.example("cultivar data import /usr/share/dictd/gcide.dict.dz", "a dictionary as the corpus");
    parser.example("cultivar data check", "digest everything again");
    return [options](Context& context) { return data(context, *options); };
}

}  // namespace cultivar
