#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands/registry.h"
#include "cli/format/space_text.h"
#include "pool/clone/clone.h"
#include "pool/util/text.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

struct GenesArguments {
    std::vector<std::string> names;
    bool scdoc = false;
};

// The built-in language-model task, for where there is no pool.
Result<Task> built_in() {
    Task task;
    TRY_ASSIGN(task.space, Space::make(lm_genes(), lm_constraints()));
    return task;
}

bool names(const std::string& word, const Gene& gene) { return word == gene.name || word == part_of(gene); }

// The genes named by the words, which are genes or parts of the trainer ("optim"); without words all. Errors: usage.
Result<std::vector<const Gene*>> chosen(const Space& space, const std::vector<std::string>& words) {
    std::vector<const Gene*> genes;
    std::vector<std::string> known;
    for (const Gene& gene : space.genes()) {
        const auto by = [&](const std::string& word) { return names(word, gene); };
        if (words.empty() || std::any_of(words.begin(), words.end(), by)) genes.push_back(&gene);
        known.insert(known.end(), {gene.name, part_of(gene)});
    }
    for (const std::string& word : words) {
        if (std::any_of(genes.begin(), genes.end(), [&](const Gene* gene) { return names(word, *gene); })) continue;
        auto near = nearest(word, known);
        for (const Gene& gene : space.genes()) {
            if (gene.name.ends_with("." + word)) near.insert(near.begin(), gene.name);
        }
        return fail(Code::usage,
                    fmt::format("unknown gene '{}'{}", clean(word),
                                near.empty() ? "" : fmt::format(", did you mean '{}'?", clean(near[0]))),
                    "cultivar genes");
    }
    return genes;
}

Result<int> print_genes(Context& context, const GenesArguments& options) {
    if (options.scdoc) {
        if (!options.names.empty())
            return fail(Code::usage, "'--scdoc' prints the whole page and takes no names", "cultivar genes --help");
        TRY_ASSIGN(const Task task, built_in());
        context.ui.print(genes_page(task.space));
        return kYes;
    }
    auto task = read_task(context.folder);
    const bool in_pool = task.has_value();
    std::error_code ec;
    const bool nowhere = !in_pool && !std::filesystem::exists(context.folder, ec);
    if (nowhere || (!in_pool && task.error().code != Code::not_found)) return fail(task.error());
    if (!in_pool) task = built_in();
    if (!task) return fail(task.error());
    TRY_ASSIGN(const std::vector<const Gene*> genes, chosen(task->space, options.names));
    if (context.ui.json()) {
        Json json = {{"schema", 1}, {"pool", in_pool ? Json(task->name) : Json(nullptr)}, {"kind", task->kind}};
        json.update(space_json(task->space, genes));
        context.ui.print(pretty(json));
        return kYes;
    }
    if (!in_pool) context.ui.note("no pool here: the genes of the built-in task");
    const bool in_full =
        !options.names.empty() && std::all_of(options.names.begin(), options.names.end(),
                                              [&](const auto& word) { return task->space.find(word); });
    if (!in_full) {
        context.ui.print(space_table(context.ui, task->space, genes));
        return kYes;
    }
    for (const Gene* gene : genes)
        context.ui.print((gene == genes.front() ? "" : "\n") + gene_in_full(context.ui, task->space, *gene));
    return kYes;
}

}  // namespace

Action declare_genes(Parser& parser) {
    auto options = std::make_shared<GenesArguments>();
    parser.positionals("NAME", options->names,
                       "only this gene, in full, or this part, such as 'optim'; several may be given");
    parser.flag("--scdoc", options->scdoc, "print the source of cultivar-genes(7), the built-in task's manual page");
    parser.example("cultivar genes optim", "the genes of the optimizer");
    parser.example("cultivar genes model.width", "everything about one gene");
    return [options](Context& context) { return print_genes(context, *options); };
}

}  // namespace cultivar
