#include "cli/runs/specification.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/runs/data_links.h"
#include "cli/runs/source_overlay.h"
#include "pool/util/text.h"

namespace cultivar {

Result<const Data*> need_data(const Clone& clone) {
    if (clone.task.command) {
        TRY(need_command_data(clone));
        return nullptr;
    }
    if (!clone.task.data) return fail(Code::not_found, "this pool has no data yet", "cultivar data import FILE...");
    const Data& data = *clone.task.data;
    std::vector<PoolFile> files = data.train;
    files.insert(files.end(), {data.slice, data.byte_table});
    for (const PoolFile& file : files) {
        std::error_code ec;
        if (std::filesystem::exists(clone.data_dir() + file.name, ec)) continue;
        if (ec) return fail(Code::io, fmt::format("cannot look for '{}': {}", file.name, ec.message()));
        std::string names;
        for (const PoolSource& source : data.sources) names += " PATH/" + shell_word(source.name);
        return fail(Code::not_found, fmt::format("the pool's data is not on this machine: '{}' is missing", file.name),
                    "cultivar data import" + (names.empty() ? " DIR" : names));
    }
    return &data;
}

Result<Specification> base_specification(const Session& session) {
    const Clone& clone = *session.clone;
    TRY_ASSIGN(const Data* data, need_data(clone));
    Specification specification;
    specification.threads = session.settings.threads.value;
    specification.device = session.settings.device.value;
    specification.device_number = session.settings.device_number;
    specification.artifact_cap_bytes = clone.task.artifact_cap_bytes;
    specification.caps = clone.task.caps;
    specification.cpu_clock = clone.task.cpu_clock;
    if (!data) {
        TRY_ASSIGN(DataHere here, data_here(clone));
        specification.data = std::move(here.folder);
        specification.data_files = std::move(here.paths);
        return specification;
    }
    for (const PoolFile& file : data->train) specification.train_shards.push_back(clone.data_dir() + file.name);
    specification.val_shard = clone.data_dir() + data->slice.name;
    specification.byte_table = clone.data_dir() + data->byte_table.name;
    specification.vocabulary = data->vocabulary;
    return specification;
}

Result<Specification> specification_of(const Session& session, const PlannedRun& planned, const std::string& folder) {
    TRY_ASSIGN(Specification specification, base_specification(session));
    TRY_ASSIGN(specification.genes, session.clone->task.space.complete(planned.child.genes));
    TRY_ASSIGN(specification.source, source_of(session, planned.child));
    specification.mode = Specification::Mode::train;
    specification.seed = run_seed(planned.child.id, planned.replicate);
    specification.budget_s = planned.budget_s;
    specification.work_dir = folder;
    specification.artifact = folder + "artifact";
    return specification;
}

}  // namespace cultivar
