#include <algorithm>

#include "pool/index/index.h"
#include "pool/util/sqlite.h"

namespace cultivar {

Result<std::vector<OtherCategoryRun>> Index::runs_elsewhere(const std::string& category, int most,
                                                            const std::string& before) {
    std::vector<OtherCategoryRun> runs;
    TRY_ASSIGN(Statement any, db_->prepare("SELECT 1 FROM standing WHERE category < ?1 OR category > ?1 LIMIT 1"));
    TRY_ASSIGN(const bool another, any.bind(1, category).step());
    if (!another) return runs;  // most pools: nothing is looked through for nothing
    TRY_ASSIGN(Statement get, db_->prepare(R"(
SELECT id, writer, candidate, category, score FROM record AS told
WHERE type = 'run' AND category <> ?1 AND status = 'done' AND refused IS NULL AND rejected = 0
    AND (writer = ?2 OR NOT EXISTS (SELECT 1 FROM record AS mine WHERE mine.candidate = told.candidate
    AND mine.category = ?1 AND mine.type = 'run' AND mine.writer = ?2 AND mine.seq < told.seq))
    AND (?4 = '' OR seq < (SELECT seq FROM record WHERE id = ?4))
ORDER BY seq DESC LIMIT ?3)"));
    get.bind(1, category).bind(2, clone_->writer).bind(3, std::int64_t{most}).bind(4, before);
    for (;;) {
        TRY_ASSIGN(bool more, get.step());
        if (!more) break;
        runs.push_back({get.text(0), get.text(1), get.text(2), get.text(3), get.real(4)});
    }
    std::ranges::reverse(runs);
    return runs;
}

}  // namespace cultivar
