#include "cli/commands/task_advice.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "pool/types/placeholders.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> words_of(const PoolCommand& command) {
    std::vector<std::string> words = command.run;
    words.insert(words.end(), command.checks.begin(), command.checks.end());
    if (command.evaluator) words.insert(words.end(), command.evaluator->run.begin(), command.evaluator->run.end());
    return words;
}

std::set<std::string> placeholders_of(const PoolCommand& command, const Files& files) {
    std::vector<std::string> texts = words_of(command);
    for (const auto& [name, value] : command.environment) texts.push_back(value);
    for (const auto& [to, from] : command.templates) {
        const auto file = std::ranges::find(files, from, &Files::value_type::first);
        if (file != files.end()) texts.push_back(file->second);
    }
    std::set<std::string> names;
    for (const std::string& text : texts) {
        for (std::string& name : placeholders_in(text)) names.insert(std::move(name));
    }
    return names;
}

bool lies_there(const std::string& folder, const std::string& word) {
    std::error_code ec;
    return std::filesystem::is_regular_file(std::filesystem::path(folder) / word, ec);
}

}  // namespace

std::vector<std::string> task_advice(const Task& task, const Files& files, const std::string& beside) {
    const PoolCommand& command = *task.command;
    std::vector<std::string> advice;
    const std::set<std::string> reached = placeholders_of(command, files);
    for (const Gene& gene : task.space.genes()) {
        if (reached.contains("specification") || reached.contains("gene." + gene.name)) continue;
        advice.push_back(
            fmt::format("gene '{0}' reaches the program nowhere: no word, variable or template has "
                        "{{gene.{0}}}",
                        gene.name));
    }
    const std::set<std::string> folders = task_folders(command);
    for (const std::string& word : words_of(command)) {
        const std::string first = word.substr(0, word.find('/'));
        if (word.empty() || word.front() == '/' || (first != word && folders.contains(first))) continue;
        if (lies_there(beside, word) || lies_there(beside, "files/" + word))
            advice.push_back(
                fmt::format("no run finds the file '{0}': a pool takes the files in files/ beside its task "
                            "file, and the command names them so: 'files/{0}'",
                            clean(word)));
    }
    return advice;
}

}  // namespace cultivar
