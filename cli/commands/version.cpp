#include <git2.h>
#include <unistd.h>

#include <thread>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "cli/app/settings.h"
#include "cli/commands/registry.h"
#include "cli/commands/version.h"
#include "pool/process/child_process.h"
#include "pool/process/sandbox.h"

namespace cultivar {
namespace {

// The worker's own version as JSON, or null: cultivar itself does not need it.
Json ask_worker() {
    auto settings = Settings::load();
    auto worker = settings ? find_worker(*settings) : Result<std::string>(fail(settings.error()));
    if (!worker) return nullptr;
    auto child = Child::start({*worker, "version", "--json"}, 0);
    if (!child) return nullptr;
    std::string text;
    char buffer[4096];
    for (int waited_ms = 0; waited_ms < 20'000; waited_ms += 5) {
        ssize_t got = 0;
        while ((got = ::read(child->output(), buffer, sizeof buffer)) > 0)
            text.append(buffer, static_cast<std::size_t>(got));
        if (got == 0) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(nullptr) : json;
}

Json sandbox_json() {
    const KernelParts parts = kernel_parts();
    return {{"landlock", parts.landlock},
            {"seccomp", parts.seccomp},
            {"reports", parts.reports},
            {"gaps", sandbox_gaps(parts)}};
}

Result<int> version(Context& context) {
    Json worker = ask_worker();
    int major = 0, minor = 0, patch = 0;
    git_libgit2_version(&major, &minor, &patch);
    Json json = {{"schema", 1},
                 {"cultivar", kVersion},
                 {"commit", kCommit},
                 {"commit_id", kCommitName},
                 {"build", kBuildType},
                 {"compiler", kCompiler},
                 {"libgit2", fmt::format("{}.{}.{}", major, minor, patch)},
                 {"sandbox", sandbox_json()},
                 {"worker", worker}};
    if (context.ui.json()) {
        context.ui.print(pretty(json));
        return kYes;
    }
    context.ui.print(fmt::format("cultivar {} ({}, {}, {}), libgit2 {}\n", kVersion, kCommit, kBuildType, kCompiler,
                                 json["libgit2"].get<std::string>()));
    context.ui.print(fmt::format("sandbox {}\n", sandbox_text(kernel_parts())));
    for (const std::string& gap : sandbox_gaps(kernel_parts())) context.ui.warn(gap);
    if (worker.is_object()) {
        for (const auto& [key, value] : worker.items())
            context.ui.print(fmt::format("worker {}: {}\n", key,
                                         clean(value.is_string() ? value.get<std::string>() : value.dump())));
    } else {
        context.ui.warn("the worker 'cultivar-lm' does not answer");
    }
    return kYes;
}

}  // namespace

Action declare_version(Parser& parser) {
    parser.example("cultivar version --json", "for a bug report");
    return [](Context& context) { return version(context); };
}

}  // namespace cultivar
