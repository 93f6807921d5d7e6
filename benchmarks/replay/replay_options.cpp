#include "benchmarks/replay/replay_options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "benchmarks/common/csv_file.h"

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

int run_bench(const char* name, const char* usage, int argc, char** argv,
              const std::function<Result<void>(const std::vector<std::string>& words)>& bench) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 1 && words[0] == "--help") {
        std::fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    auto done = bench(words);
    if (done) return EXIT_SUCCESS;
    fmt::print(stderr, "{}: {}\n", name, done.error().message);
    if (done.error().code != Code::usage) return EXIT_FAILURE;
    std::fputs(usage, stderr);
    return 2;
}

}  // namespace cultivar
