#include "cli/app/argument_parser.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "cli/app/global_options.h"
#include "pool/util/text.h"

namespace cultivar {

struct Parser::Impl {
    struct Line {
        std::string left, right;
    };
    std::string command, summary, usage;
    CLI::App app;
    std::vector<Line> arguments, options, examples;
    std::vector<std::string> long_flags;
    bool* help_asked = nullptr;

    CLI::Option* add(CLI::Option* option, const std::string& names, const std::string& value, const std::string& help) {
        std::string left = names;
        for (std::size_t at = 0; (at = left.find(',', at)) != std::string::npos; at += 2) left.replace(at, 1, ", ");
        options.push_back({value.empty() ? left : left + " " + value, help});
        for (const std::string& name : option->get_lnames()) long_flags.push_back("--" + name);
        return option;
    }
    Error wrong(std::string message) const {
        return {Code::usage, std::move(message),
                fmt::format("cultivar {}--help", command.empty() ? "" : command + " ")};
    }
    Result<void> read(const std::vector<std::string>& words);
    std::string nearest_flag(const std::string& word) const {
        auto near = nearest(word.substr(0, word.find('=')), long_flags);
        return near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0]);
    }
};

Parser::Parser(std::string command, std::string summary, std::string usage) : impl_(std::make_unique<Impl>()) {
    impl_->command = std::move(command);
    impl_->summary = std::move(summary);
    impl_->usage = std::move(usage);
    impl_->app.set_help_flag();
    impl_->app.allow_extras();
}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;

void Parser::flag(const std::string& names, bool& into, const std::string& help) {
    impl_->add(impl_->app.add_flag(names, into), names, "", help);
}
void Parser::option(const std::string& names, std::string& into, const std::string& value, const std::string& help) {
    impl_->add(impl_->app.add_option(names, into), names, value, help);
}
void Parser::option(const std::string& names, std::optional<std::string>& into, const std::string& value,
                    const std::string& help) {
    impl_->add(impl_->app.add_option(names, into), names, value, help);
}
void Parser::option(const std::string& names, std::optional<std::int64_t>& into, const std::string& value,
                    const std::string& help) {
    impl_->add(impl_->app.add_option(names, into), names, value, help);
}
void Parser::positional(const std::string& name, std::string& into, const std::string& help, bool required) {
    auto* option = impl_->app.add_option(name, into);
    if (required) option->required();
    impl_->arguments.push_back({name, help});
}
void Parser::positionals(const std::string& name, std::vector<std::string>& into, const std::string& help) {
    impl_->app.add_option(name, into);
    impl_->arguments.push_back({name, help});
}
void Parser::example(const std::string& line, const std::string& purpose) {
    impl_->examples.push_back({line, purpose});
}

void Parser::hidden(const std::string& name, std::optional<std::string>& into) { impl_->app.add_option(name, into); }

void Parser::globals(GlobalOptions& into) {
    CLI::App& app = impl_->app;
    app.set_help_flag("-h,--help");
    impl_->help_asked = &into.help;
    app.add_flag("--json", into.json);
    app.add_flag("-q,--quiet", into.quiet);
    app.add_flag_function("-v,--verbose", [&into](std::int64_t count) { into.verbose += static_cast<int>(count); });
    app.add_flag("--version", into.version);
    // Each starts where the one before has led, as git has it.
    app.add_option_function<std::vector<std::string>>(
           "-C",
           [&into](const std::vector<std::string>& folders) {
               for (const std::string& folder : folders)
                   into.folder = (std::filesystem::path(into.folder) / folder).string();
           })
        ->type_size(1)
        ->allow_extra_args(false)
        ->expected(1, -1);
    app.add_option("--color", into.color);
    app.add_option("--log-file", into.log_file);
    for (const char* name : {"--help", "--json", "--quiet", "--verbose", "--version", "--color", "--log-file"})
        impl_->long_flags.push_back(name);
}

Result<void> Parser::Impl::read(const std::vector<std::string>& words) {
    try {
        std::vector<std::string> reversed(words.rbegin(), words.rend());
        app.parse(reversed);
    } catch (const CLI::CallForHelp&) {
        *help_asked = true;
    } catch (const CLI::RequiredError& error) {
        const std::string said = error.what();  // "DIR is required"
        return fail(
            wrong(fmt::format("{} is missing: cultivar {} {}", said.substr(0, said.find(" is ")), command, usage)));
    } catch (const CLI::ConversionError& error) {
        const std::string said = error.what();  // "Could not convert: --keep = x"
        return fail(wrong(fmt::format("{}: it takes a whole number", said.substr(said.find(": ") + 2))));
    } catch (const CLI::ParseError& error) {
        return fail(wrong(error.what()));
    }
    return {};
}

Result<std::vector<std::string>> Parser::parse_front(const std::vector<std::string>& words) {
    impl_->app.prefix_command();
    TRY(impl_->read(words));
    return impl_->app.remaining();
}

Result<void> Parser::parse(const std::vector<std::string>& words) {
    TRY(impl_->read(words));
    if (impl_->help_asked && *impl_->help_asked) return {};
    auto extras = impl_->app.remaining();
    std::erase(extras, "--");  // CLI11 hands the mark itself back
    if (extras.empty()) return {};
    const std::string& word = extras.front();
    if (word.size() > 1 && word[0] == '-')
        return fail(impl_->wrong(fmt::format("unknown flag '{}'{}", word, impl_->nearest_flag(word))));
    return fail(impl_->wrong(fmt::format("'{}' is one argument too many", word)));
}

std::string Parser::help() const {
    std::string name = impl_->command.empty() ? "" : " " + impl_->command;
    std::string usage = impl_->usage.empty() ? "" : " " + impl_->usage;
    std::string text = fmt::format("{}\n\nUSAGE\n  cultivar{}{}\n", impl_->summary, name, usage);
    auto section = [&](const char* title, const std::vector<Impl::Line>& lines) {
        if (lines.empty()) return;
        std::size_t width = 0;
        for (const auto& line : lines) width = std::max(width, line.left.size());
        text += fmt::format("\n{}\n", title);
        for (const auto& line : lines) text += fmt::format("  {:{}}  {}\n", line.left, width, line.right);
    };
    section("ARGUMENTS", impl_->arguments);
    section("OPTIONS", impl_->options);
    section("EXAMPLES", impl_->examples);
    return text;
}

namespace {

constexpr double kMaxSize_bytes = 1e15;

Result<double> parse_scaled(const std::string& text, const char* kind,
                            const std::vector<std::pair<std::string, double>>& units) {
    double number = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(end, text.data() + text.size());
    for (const auto& [name, scale] : units) {
        if (ec == std::errc() && unit == name && number > 0 && std::isfinite(number * scale)) return number * scale;
    }
    std::vector<std::string> names;
    for (const auto& [name, scale] : units) {
        if (!name.empty()) names.push_back("N" + name);
    }
    return fail(Code::usage, fmt::format("'{}' is not a {}: {}", text, kind, fmt::join(names, ", ")));
}

}  // namespace

Result<double> parse_duration(const std::string& text) {
    return parse_scaled(text, "duration", {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}});
}

Result<std::int64_t> parse_size(const std::string& text) {
    TRY_ASSIGN(
        double bytes,
        parse_scaled(
            text, "size",
            {{"", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}));
    if (bytes < 1 || bytes > kMaxSize_bytes)
        return fail(Code::usage, fmt::format("'{}' is not a size: 1 byte to 1 PB", text));
    return static_cast<std::int64_t>(bytes);
}

}  // namespace cultivar
