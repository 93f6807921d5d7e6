// Command-line parsing with CLI11 behind one interface: the same help format for every command, and messages that
// suggest the right name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct GlobalOptions;

class Parser {
public:
    // `usage`: the words after the command's name ("URL [DIR]").
    Parser(std::string command, std::string summary, std::string usage);
    ~Parser();
    Parser(Parser&&) noexcept;

    void flag(const std::string& names, bool& into, const std::string& help);
    void option(const std::string& names, std::string& into, const std::string& value, const std::string& help);
    void option(const std::string& names, std::optional<std::string>& into, const std::string& value,
                const std::string& help);
    void option(const std::string& names, std::optional<std::int64_t>& into, const std::string& value,
                const std::string& help);
    void positional(const std::string& name, std::string& into, const std::string& help, bool required = true);
    void positionals(const std::string& name, std::vector<std::string>& into, const std::string& help);
    void example(const std::string& line, const std::string& purpose);
    // An option between two processes of this program; help() does not list it.
    void hidden(const std::string& name, std::optional<std::string>& into);
    // The flags of every command; help() does not list them.
    void globals(GlobalOptions& into);

    // If --help is among the words, nothing else is required. Errors: usage, with a suggestion where a flag's name is
    // nearly right and a hint that names the help.
    Result<void> parse(const std::vector<std::string>& words);
    // Parses up to the first word that is no declared flag; gives that word and the rest. Errors: as parse().
    Result<std::vector<std::string>> parse_front(const std::vector<std::string>& words);
    std::string help() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// "90", "90s", "20m", "8h", "1d" as seconds, above 0. Errors: usage.
Result<double> parse_duration(const std::string& text);
// "65536", "64KiB", "4MiB", "1GB" as bytes. Errors: usage.
Result<std::int64_t> parse_size(const std::string& text);

}  // namespace cultivar
