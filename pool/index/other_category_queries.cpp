#include <fmt/format.h>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {

Result<std::vector<OtherCategoryRun>> IndexQueries::runs_elsewhere(const std::string& category, int most,
                                                                   const std::string& before) {
    // Most pools have one category: their runs are not looked through in vain.
    TRY_ASSIGN(Statement other,
               prepare("SELECT 1 FROM standing WHERE category < :category OR category > :category LIMIT 1"));
    TRY_ASSIGN(const bool has_other, other.bind(":category", category).any());
    if (!has_other) return std::vector<OtherCategoryRun>();
    TRY_ASSIGN(Statement get, prepare(fmt::format(R"(
SELECT id, writer, candidate, category, score, accepted FROM (
SELECT id, writer, candidate, category, score, COALESCE(id IN ({}), 0) AS accepted, seq FROM record AS told
WHERE type = 'run' AND category <> :category AND status = 'done' AND refused IS NULL AND rejected = 0
    AND (writer = :own OR NOT EXISTS (SELECT 1 FROM record AS mine WHERE mine.candidate = told.candidate
    AND mine.category = :category AND mine.type = 'run' AND mine.writer = :own AND mine.seq < told.seq))
    AND (:before = '' OR seq < (SELECT seq FROM record WHERE id = :before))
ORDER BY (writer = :own OR accepted) DESC, seq DESC LIMIT :most) ORDER BY seq)",
                                                  kAcceptedRuns)));
    get.bind(":category", category).bind(":own", clone().writer).bind(":most", most).bind(":before", before);
    return get.all([](Row& row) {
        return OtherCategoryRun{row.text(), row.text(), row.text(), row.text(), row.real(), row.flag()};
    });
}

}  // namespace cultivar
