#include "benchmarks/replay_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "benchmarks/csv_file.h"

namespace cultivar {

Result<ReplayOptions> read_replay_options(const std::vector<std::string>& words,
                                          const std::map<std::string, double>& numbers,
                                          const std::vector<std::string>& methods) {
    ReplayOptions options;
    options.numbers = numbers;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (!word.starts_with("--")) {
            options.files.push_back(word);
            continue;
        }
        const std::string value = i + 1 < words.size() ? words[++i] : "";
        if (word == "--method" && std::ranges::find(methods, value) != methods.end()) {
            options.methods.push_back(value);
        } else if (auto number = number_of(value); number && *number > 0 && numbers.contains(word)) {
            options.numbers[word] = *number;
        } else {
            return fail(Code::usage, fmt::format("cannot read '{} {}'", word, value));
        }
    }
    if (options.files.empty()) return fail(Code::usage, "no file is named");
    if (options.methods.empty()) options.methods = methods;
    return options;
}

}  // namespace cultivar
