#include "pool/types/task_parser.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "pool/types/record.h"
#include "pool/util/sha256.h"
#include "pool/util/toml_table.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxFileName_bytes = 255;
constexpr double kMostShare = 1000;  // of the search that verification may take: a tiny pool may check it all

Result<std::vector<std::int64_t>> whole_numbers(TomlTable& table, const TomlEntry& entry) {
    std::vector<std::int64_t> out;
    for (const Value& value : entry.values) {
        auto* whole = std::get_if<std::int64_t>(&value);
        if (!whole) return fail(table.wrong(entry, "a list of whole numbers was expected"));
        out.push_back(*whole);
    }
    return out;
}

Result<void> read_range(TomlTable& table, const std::string& key, Gene& gene) {
    const TomlEntry* entry = table.take(key);
    if (!entry) return {};
    std::vector<double> ends;
    for (const Value& value : entry->values) {
        if (auto* whole = std::get_if<std::int64_t>(&value)) ends.push_back(static_cast<double>(*whole));
        if (auto* real = std::get_if<double>(&value)) ends.push_back(*real);
    }
    bool finite = std::all_of(ends.begin(), ends.end(), [](double end) { return std::isfinite(end); });
    if (entry->values.size() != 2 || ends.size() != 2 || !finite || ends[0] > ends[1])
        return fail(table.wrong(*entry, "'range' takes [low, high]"));
    gene.low = ends[0];
    gene.high = ends[1];
    return {};
}

Result<Gene> read_gene(TomlTable& table, const std::string& name) {
    Gene gene;
    gene.name = name;
    const std::string at = "gene." + name + ".";
    std::string type;
    TRY(table.read(at + "type", type, true));
    constexpr std::array kTypes = {GeneType::integer, GeneType::real, GeneType::boolean, GeneType::choice};
    auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](GeneType one) { return cultivar::name(one) == type; });
    if (found == kTypes.end())
        return fail(table.wrong(*table.take(at + "type"),
                                fmt::format("'{}' is no type: integer, real, boolean, choice", type)));
    gene.type = *found;
    const TomlEntry* value = table.take(at + "default");
    if (!value || value->is_array)
        return fail(Code::usage, fmt::format("{}: gene '{}' has no default", table.where(), name));
    gene.default_value = value->values.front();
    TRY(read_range(table, at + "range", gene));
    TRY(table.read(at + "log", gene.log_scale));
    TRY(table.read(at + "multiple_of", gene.multiple_of));
    TRY(table.read(at + "structural", gene.structural));
    TRY(table.read(at + "since", gene.since));
    TRY(table.read(at + "unit", gene.unit));
    TRY(table.read(at + "help", gene.help));
    for (const char* list : {"levels", "choices", "equals"}) {
        const TomlEntry* entry = table.take(at + list);
        if (entry && entry->values.size() > kMaxGeneValues)
            return fail(table.wrong(*entry, fmt::format("'{}' takes at most {} values", list, kMaxGeneValues)));
    }
    if (const TomlEntry* levels = table.take(at + "levels")) {
        TRY_ASSIGN(gene.levels, whole_numbers(table, *levels));
        if (gene.levels.empty() || !std::is_sorted(gene.levels.begin(), gene.levels.end()))
            return fail(table.wrong(*levels, "'levels' takes ascending whole numbers"));
        gene.low = static_cast<double>(gene.levels.front());
        gene.high = static_cast<double>(gene.levels.back());
    }
    if (const TomlEntry* choices = table.take(at + "choices")) {
        for (const Value& choice : choices->values) {
            auto* word = std::get_if<std::string>(&choice);
            if (!word || word->size() > kMaxChoice_bytes)
                return fail(
                    table.wrong(*choices, fmt::format("'choices' takes words of at most {} bytes", kMaxChoice_bytes)));
            gene.choices.push_back(*word);
        }
    }
    if (const TomlEntry* when = table.take(at + "when")) {
        const TomlEntry* equals = table.take(at + "equals");
        auto* on = when->is_array ? nullptr : std::get_if<std::string>(&when->values.front());
        if (!on || !equals) return fail(table.wrong(*when, "'when' names a gene and needs 'equals'"));
        gene.when = Condition{*on, equals->values};
    }
    return gene;
}

// Gene names in order of their position in the file: "gene.<name>.<key>" without the first and last part.
std::vector<std::string> declared_genes(const std::vector<TomlEntry>& entries) {
    std::vector<std::string> names;
    std::set<std::string> known;
    for (const TomlEntry& entry : entries) {
        if (entry.path.size() < 3 || entry.path.front() != "gene") continue;
        std::string name = entry.dotted(1);
        name.resize(name.rfind('.'));
        if (known.insert(name).second) names.push_back(std::move(name));
    }
    return names;
}

Result<std::vector<Constraint>> read_constraints(TomlTable& table) {
    std::vector<Constraint> constraints;
    for (int i = 0;; ++i) {
        std::string at = fmt::format("constraint.{}.", i), kind;
        const TomlEntry* entry = table.take(at + "kind");
        if (!entry) return constraints;
        if (constraints.size() == kMaxConstraints)
            return fail(table.wrong(*entry, fmt::format("there are more than {} constraints", kMaxConstraints)));
        Constraint constraint;
        TRY(table.read(at + "kind", kind, true));
        TRY(table.read(at + "left", constraint.left, true));
        TRY(table.read(at + "right", constraint.right, true));
        TRY(table.read(at + "factor", constraint.factor));
        if (kind == "at_most") {
            constraint.kind = Constraint::Kind::at_most;
        } else if (kind != "multiple") {
            return fail(table.wrong(*entry, fmt::format("'{}' is no kind of constraint: multiple, at_most", kind)));
        }
        constraints.push_back(std::move(constraint));
    }
}

// Words that stand in a line of the task id.
bool on_one_line(const std::string& word) {
    return std::ranges::none_of(word, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// A name within a folder, and nothing that leads out of it.
bool is_file_name(const std::string& name) {
    return !name.empty() && name.size() <= kMaxFileName_bytes && name != "." && name != ".." &&
           name.find('/') == std::string::npos && on_one_line(name);
}

Result<void> read_file(TomlTable& table, const std::string& at, PoolFile& file) {
    TRY(table.read(at + "name", file.name, true));
    TRY(table.read(at + "sha256", file.sha256, true));
    TRY(table.read(at + "tokens", file.tokens));
    if (is_file_name(file.name) && file.name.front() != '.' && is_hex(file.sha256, 64)) return {};
    return fail(Code::usage, fmt::format("{}: '{}' is not a data file with a digest", table.where(), at + "name"));
}

Result<Data> read_data(TomlTable& table) {
    Data data;
    TRY(table.read("data.tokenizer", data.tokenizer, true));
    TRY(table.read("data.tokenizer_sha256", data.tokenizer_sha256));
    TRY(table.read("data.vocabulary", data.vocabulary, true));
    TRY(table.read("data.separator", data.separator));
    TRY(table.read("data.slice_text_bytes", data.slice_text_bytes));
    TRY(table.read("data.full_text_bytes", data.full_text_bytes));
    for (int i = 0; table.take(fmt::format("data.source.{}.name", i)); ++i) {
        PoolSource source;
        TRY(table.read(fmt::format("data.source.{}.name", i), source.name, true));
        if (!is_file_name(source.name))
            return fail(Code::usage, fmt::format("{}: 'data.source.{}.name' is not a file's name", table.where(), i));
        TRY(table.read(fmt::format("data.source.{}.sha256", i), source.sha256, true));
        data.sources.push_back(std::move(source));
    }
    for (int i = 0; table.take(fmt::format("data.train.{}.name", i)); ++i) {
        PoolFile file;
        TRY(read_file(table, fmt::format("data.train.{}.", i), file));
        data.train.push_back(std::move(file));
    }
    TRY(read_file(table, "data.slice.", data.slice));
    TRY(read_file(table, "data.full.", data.full));
    TRY(read_file(table, "data.byte_table.", data.byte_table));
    TRY(table.read("data.slice.targets", data.slice_score.targets, true));
    TRY(table.read("data.slice.bytes", data.slice_score.bytes, true));
    TRY(table.read("data.full.targets", data.full_score.targets, true));
    TRY(table.read("data.full.bytes", data.full_score.bytes, true));
    bool sizes = data.vocabulary > 0 && data.vocabulary <= 65536 && data.slice_score.targets > 0 &&
                 data.slice_score.bytes > 0 && data.full_score.targets > 0 && data.full_score.bytes > 0;
    if (!on_one_line(data.tokenizer) || !on_one_line(data.tokenizer_sha256))
        return fail(Code::usage, table.where() + ": 'data.tokenizer' holds a control character");
    if (!sizes || data.train.empty()) return fail(Code::usage, table.where() + ": [data] has sizes out of range");
    return data;
}

Result<UseCost> read_caps(TomlTable& table) {
    UseCost caps;
    TRY(table.read("caps.parameters", caps.parameters));
    TRY(table.read("caps.forward_flops_per_token", caps.forward_flops_per_token));
    TRY(table.read("caps.joules_per_token", caps.joules_per_token));
    return caps;
}

Result<void> check_ranges(const Task& task, const std::string& where) {
    auto refuse = [&](const char* key) {
        return fail(Code::usage, fmt::format("{}: '{}' is out of range", where, key));
    };
    if (!on_one_line(task.kind)) return refuse("task.kind");
    if (!on_one_line(task.metric)) return refuse("task.metric");
    // Written so that NaN fails.
    if (!(task.budget_s >= 1 && task.budget_s <= 1e7)) return refuse("task.budget_s");
    if (task.artifact_cap_bytes < 1 || task.artifact_cap_bytes > 100'000'000) return refuse("task.artifact_cap_bytes");
    if (task.window_stride_tokens != 0) return refuse("task.window_stride_tokens");
    constexpr double kMostCap = 1e18;
    const UseCost& caps = task.caps;
    if (caps.parameters && *caps.parameters < 1) return refuse("caps.parameters");
    if (caps.forward_flops_per_token &&
        !(*caps.forward_flops_per_token > 0 && *caps.forward_flops_per_token <= kMostCap))
        return refuse("caps.forward_flops_per_token");
    if (caps.joules_per_token && !(*caps.joules_per_token > 0 && *caps.joules_per_token <= kMostCap))
        return refuse("caps.joules_per_token");
    if (task.direction != "minimize" && task.direction != "maximize")
        return fail(Code::usage, where + ": 'direction' takes \"minimize\" or \"maximize\"");
    if (!(task.verify_share > 0 && task.verify_share <= kMostShare)) return refuse("verify.share");
    if (!(task.record_min_gain_nats >= 0 && task.record_min_gain_nats <= 100)) return refuse("record.min_gain_nats");
    if (!(task.record_p_value > 0 && task.record_p_value < 1)) return refuse("record.p_value");
    if (task.record_min_seeds < 2 || task.record_min_seeds > 1000) return refuse("record.min_seeds");
    if (!parse_utc(task.created)) return refuse("created");
    return {};
}

// The metric, its direction and noise = "none", in [task]; a person's task file may also have them above its tables.
Result<void> read_metric(TomlTable& table, bool whole, Task& task) {
    std::string noise;
    TRY(table.read("task.metric", task.metric, whole));
    TRY(table.read("task.direction", task.direction));
    TRY(table.read("task.noise", noise));
    if (!whole) {
        TRY(table.read("metric", task.metric));
        TRY(table.read("direction", task.direction));
        TRY(table.read("noise", noise));
    }
    if (noise.empty()) return {};
    if (noise != "none")
        return fail(Code::usage, fmt::format("{}: noise takes \"none\", or is left out and learnt", table.where()));
    if (task.kind != kCommandKind)
        return fail(Code::usage,
                    fmt::format("{}: noise = \"none\": a trained model depends on its seed", table.where()));
    task.noiseless = true;
    return {};
}

// Kind "lm" of format 2 says by which clock its budget counts.
Result<void> read_clock(TomlTable& table, Task& task) {
    const TomlEntry* entry = table.take("task.clock");
    if (!entry) return {};
    std::string clock;
    TRY(table.read("task.clock", clock));
    if (clock != "cpu" && clock != "wall")
        return fail(table.wrong(*entry, fmt::format("'{}' is no clock: cpu, wall", clock)));
    if (task.kind == kCommandKind) return fail(table.wrong(*entry, "a command keeps its own time: leave 'clock' out"));
    if (task.format < 2) return fail(table.wrong(*entry, "'clock' needs format = 2"));
    task.cpu_clock = clock == "cpu";
    return {};
}

// Kind "command" needs a table [command]; in format 1 its score is minimised.
Result<void> take_command(TomlTable& table, const std::vector<TomlEntry>& entries, Task& task) {
    if (task.kind != kCommandKind) return {};
    TRY_ASSIGN(task.command, read_command(table, entries, task.format));
    if (task.direction == "minimize" || task.format > 1) return {};
    return fail(Code::usage,
                fmt::format("{}: a command's score is minimised: let it give the negative", table.where()));
}

}  // namespace

Result<Task> parse_task(std::string_view toml, const std::string& where, const Task* draft) {
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(toml, where));
    std::vector<std::string> names = declared_genes(entries);
    if (names.size() > kMaxGenes)
        return fail(Code::usage, fmt::format("{}: there are more than {} genes", where, kMaxGenes));
    TomlTable table(entries, where);
    const bool whole = draft == nullptr;
    std::int64_t format = whole ? 0 : draft->format;
    TRY(table.read("format", format, whole));
    if (format > kNewestPoolFormat)
        return fail(Code::newer, fmt::format("{}: format {} needs a newer cultivar", where, format));
    Task task = whole ? Task() : *draft;
    task.format = static_cast<int>(format);
    TRY(table.read("name", task.name, whole));
    TRY(table.read("created", task.created, whole));
    TRY(table.read("task.kind", task.kind, whole));
    if (task.format > kPoolFormat && task.kind != kCommandKind && task.kind != kModelKind)
        return fail(Code::newer,
                    fmt::format("{}: format {} of kind '{}' needs a newer cultivar", where, format, task.kind));
    TRY(read_metric(table, whole, task));
    TRY(read_clock(table, task));
    TRY(table.read("task.budget_s", task.budget_s));
    TRY(table.read("task.artifact_cap_bytes", task.artifact_cap_bytes));
    TRY(table.read("task.window_stride_tokens", task.window_stride_tokens));
    TRY_ASSIGN(task.caps, read_caps(table));
    TRY(table.read("record.min_gain_nats", task.record_min_gain_nats));
    TRY(table.read("record.p_value", task.record_p_value));
    TRY(table.read("record.min_seeds", task.record_min_seeds));
    TRY(table.read("verify.share", task.verify_share));
    TRY(check_ranges(task, where));
    TRY(take_command(table, entries, task));
    std::vector<Gene> genes;
    for (const std::string& name : names) {
        TRY_ASSIGN(Gene gene, read_gene(table, name));
        genes.push_back(std::move(gene));
    }
    TRY_ASSIGN(std::vector<Constraint> constraints, read_constraints(table));
    auto space = Space::make(std::move(genes), std::move(constraints));
    if (!space) return fail(Code::usage, fmt::format("{}: {}", where, space.error().message));
    task.space = std::move(*space);
    task.share_surface();
    if (task.command) TRY(check_placeholders(*task.command, task.space));
    if (table.take("data.tokenizer")) {
        TRY_ASSIGN(task.data, read_data(table));
    }
    TRY(table.finish());
    return task;
}

}  // namespace cultivar
