#include "tests/cli/support/search_world.h"

#include <filesystem>

#include "pool/util/file.h"

namespace cultivar {

SearchWorld::SearchWorld(bool with_seeds) {
    clock.time_s = 1'795'000'000;
    session.settings.device.value = "cpu";
    session.settings.threads.value = 2;
    Clone clone = world.found("ann");
    if (with_seeds) {
        must(clone.commit_main({{"seeds/deep.toml", candidate_of({{"model.layers", whole(8)}}).toml},
                                {"seeds/wide.toml", candidate_of({{"model.width", whole(256)}}).toml}},
                               "Seeds"));
    }
    git(world.path("ann"), "remote remove origin");
    std::filesystem::create_directories(clone.data_dir());
    const Data& data = *clone.task.data;
    for (const std::string& name : {data.train[0].name, data.train[1].name, data.slice.name, data.byte_table.name})
        must(write_file_atomically(clone.data_dir() + name, "data"));
    reopen();
}

void SearchWorld::reopen() {
    session.index.reset();
    session.clone = std::make_unique<Clone>(world.reopen("ann"));
    session.index = std::make_unique<Index>(must(Index::open(*session.clone)));
}

bool SearchWorld::has_branch(const std::string& candidate) {
    return git(world.path("ann"), "for-each-ref --format='%(refname)' refs/heads").find(candidate.substr(0, 8)) !=
           std::string::npos;
}

}  // namespace cultivar
