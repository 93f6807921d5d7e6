#include "energy/factors/fetch.h"

#include <filesystem>

#include <fmt/format.h>

#include "energy/series/read_series.h"
#include "pool/process/communicate.h"
#include "pool/util/file.h"
#include "pool/util/text.h"

namespace cultivar {

Result<void> fetch_file(const FetchedFile& file, const std::function<bool()>& interrupted) {
    ChildPlace place;
    place.folder = std::filesystem::path(file.path).parent_path().string();
    TRY_ASSIGN(Child child, Child::start(file.command, 0, {}, nullptr, place));
    const CommunicateLimits limits{file.limit_s, file.limit_s, kMostSeriesBytes};
    auto output = communicate(child, limits, interrupted, "the command");
    if (!output) {
        const Code code = output.error().code == Code::interrupted ? Code::interrupted : Code::io;
        return fail(code, fmt::format("fetch of '{}': {}", file.path, output.error().message));
    }
    if (output->exit_code != 0)
        return fail(Code::io, fmt::format("fetch of '{}' ended with {}: {}", file.path, output->exit_code,
                                          clean(output->err, 200)));
    // Only its shape is looked at: unit and area may be the user's to state.
    auto series = read_series(output->out, {}, file.path);
    if (!series && series.error().code == Code::corrupt) return fail(series.error());
    return write_file_atomically(file.path, output->out);
}

}  // namespace cultivar
