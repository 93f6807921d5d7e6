#include "cli/app/global_options.h"

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {

Result<UiOptions> ui_options(const GlobalOptions& options) {
    UiOptions ui;
    if (options.json) ui.format = Format::json;
    if (options.quiet) ui.notes = Notes::hidden;
    if (options.color == "always") {
        ui.color = Color::always;
    } else if (options.color == "never") {
        ui.color = Color::never;
    } else if (options.color != "auto") {
        return fail(Code::usage, fmt::format("--color = '{}': it takes always, auto, never", clean(options.color)));
    }
    return ui;
}

Result<LogOptions> log_options(const GlobalOptions& options, const std::string& environment) {
    std::optional<LogLevel> level;
    if (!environment.empty()) {
        level = parse_log_level(environment);
        if (!level)
            return fail(Code::usage,
                        fmt::format("CULTIVAR_LOG = '{}': it takes off, warn, info, debug, trace", clean(environment)));
    }
    if (options.verbose > 0) level = options.verbose > 1 ? LogLevel::trace : LogLevel::debug;
    LogOptions log;
    log.console = options.quiet ? LogLevel::off : level.value_or(LogLevel::off);
    log.file = options.log_file;
    log.file_level = level.value_or(LogLevel::debug);
    return log;
}

}  // namespace cultivar
