// A task with a surface, for tests: its own files lie in a repository, as those of main do.
#pragma once

#include <map>
#include <string>

#include "pool/git/repository.h"
#include "pool/types/task.h"
#include "pool/types/task_parser.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {

inline Task source_task(
    Repo& repo, const std::map<std::string, std::string>& files,
    const std::string& surface = "edit = [\"src/**\"]\nnever = [\"src/vendor/**\"]\nmax_bytes = 2000\n") {
    const std::string y = "[gene.y]\ntype = \"real\"\ndefault = 0.0\nrange = [-10.0, 10.0]\n";
    Task task = must(parse_task(kCommandTask + y + "[surface]\n" + surface, "pool.toml"));
    for (const auto& [path, bytes] : files) {
        task.command->files.push_back({path, sha256_hex(bytes), must(repo.write_blob(bytes))});
        must(task.command->surface->add_task_file(path, sha256_hex(bytes), bytes));
    }
    task.share_surface();
    return task;
}

}  // namespace cultivar
