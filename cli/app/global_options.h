// Flags that every command takes, anywhere before a "--", and the output and log that they ask for.
#pragma once

#include <optional>
#include <string>

#include "cli/app/terminal.h"
#include "pool/util/log.h"
#include "pool/util/result.h"

namespace cultivar {

struct GlobalOptions {
    bool help = false, version = false;
    bool json = false, quiet = false;
    int verbose = 0;  // -v: 1, -vv: 2
    std::string color = "auto";
    std::string folder{};  // -C; "": where it was started
    std::string log_file = {};
};

// Errors: usage (an unknown word after --color).
Result<UiOptions> ui_options(const GlobalOptions& options);

// `environment`: the value of CULTIVAR_LOG, "" if it is not set. -v wins over it. The file gets debug if nothing else is
// said; -q silences the console, not the file. Errors: usage (an unknown level).
Result<LogOptions> log_options(const GlobalOptions& options, const std::string& environment);

}  // namespace cultivar
